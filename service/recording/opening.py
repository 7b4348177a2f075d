"""The recording session of a service, opened when it is first asked for."""

from __future__ import annotations

import threading
from pathlib import Path

from nativeear.service.api.references import References
from nativeear.service.recording.growing import Growing
from nativeear.service.recording.session import RecordingSession
from nativeear.speech.user_data import data_folder


class Recording:
    """Opens a session once. Safe to share between threads.

    Parameters
    ----------
    index
        Name of the index that is to grow.
    folder
        Where the session is kept; in the user's data folder if None.
    minutes
        Length of its script, where it begins.
    """

    def __init__(
        self, index: str, folder: Path | None, minutes: float, references: References
    ) -> None:
        self._index = index
        self._folder = folder or data_folder() / "recordings" / f"{index}-natives"
        self._minutes = minutes
        self._references = references
        self._opened: Growing | None = None
        self._lock = threading.Lock()

    def get(self) -> Growing:
        """The session.

        Raises
        ------
        NativeEarError
            If it cannot be opened, see `RecordingSession.open`.
        """
        with self._lock:
            if self._opened is None:
                index = self._references.get(self._index).index
                session = RecordingSession.open(self._folder.resolve(), index, self._minutes)
                self._opened = Growing(session, self._references)
            return self._opened

    def stop(self) -> None:
        """End what runs."""
        if self._opened is not None:
            self._opened.stop()
