"""The index of a recording session grows by what was read, beside the service."""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from dataclasses import dataclass
from typing import Any, Literal

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.api.references import References
from nativeear.service.own_process import started
from nativeear.service.recording.session import LICENCE, RecordingSession, Take
from nativeear.speech.errors import InputError

logger = logging.getLogger("nativeear.service")

State = Literal["idle", "running", "done", "failed"]


@dataclass(frozen=True)
class Growth:
    """How the last addition went.

    Attributes
    ----------
    reread
        Ids of takes that could not be used: they are gone, and their lines are open again.
    problem
        Why it failed, in one sentence.
    """

    state: State
    added: int = 0
    reread: tuple[str, ...] = ()
    problem: str = ""


class Growing:
    """Adds the takes of a session to its index, one addition at a time. Safe between threads."""

    def __init__(self, session: RecordingSession, references: References) -> None:
        self.session = session
        self._references = references
        self._now = Growth("idle")
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._lock = threading.Lock()

    @property
    def now(self) -> Growth:
        """How far it is."""
        return self._now

    @property
    def index(self) -> PhoneIndex:
        """The index, in its newest version that the service has."""
        return self._references.get(self.session.script.index).index

    def held(self) -> frozenset[str]:
        """Ids of the takes that the index has."""
        names = self.index.native_utterances
        return frozenset(id for corpus, id in names if corpus == self.session.corpus)

    def waiting(self) -> list[Take]:
        """Takes that were kept and are not in the index yet."""
        held = self.held()
        return [take for take in self.session.takes() if take.id not in held]

    def start(self) -> None:
        """Begin to add what waits.

        Raises
        ------
        InputError
            If nothing waits, or an addition runs.
        """
        with self._lock:
            if self._stopping or self._now.state == "running":
                raise InputError(
                    "Recordings are being added already.", fix="Wait until that is done."
                )
            takes = self.waiting()
            if not takes:
                raise InputError("There is nothing to add.", fix="Read a sentence first.")
            self.session.write_table()
            self._now = Growth("running")
            self._thread = threading.Thread(target=self._follow, args=(takes,), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Kill an addition: the index stays as it was, and the takes wait for the next one."""
        with self._lock:
            self._stopping = True
            process, thread = self._process, self._thread
        if process is not None:
            process.kill()
        if thread is not None:
            thread.join(10.0)

    def _follow(self, takes: list[Take]) -> None:
        try:
            told = self._run()
            self._references.reload_changed()
            if "error" in told:
                parts = (told["error"][part] for part in ("message", "cause", "fix"))
                self._now = Growth("failed", problem=" ".join(filter(None, parts)))
                return
            held = self.held()
            reread = [take for take in takes if take.id not in held]
            for take in reread:
                self.session.drop(take.speaker, take.line)
            self._now = Growth(
                "done", added=len(takes) - len(reread), reread=tuple(take.id for take in reread)
            )
        except Exception:
            logger.exception("recordings could not be added")
            self._now = Growth("failed", problem="The addition failed; the log tells why.")

    def _run(self) -> dict[str, Any]:
        request = {
            "index": str(self.index.path.resolve()),
            "corpus": str(self.session.folder),
            "licence": LICENCE,
            "exclude": sorted(self.held()),
        }
        with self._lock:
            if self._stopping:
                return _ended
            self._process = process = started("nativeear.service.recording.add_process")
        told, _ = process.communicate(json.dumps(request))
        self._process = None
        return json.loads(told) if told else _ended


_ended: dict[str, Any] = {
    "error": {"message": "The addition was ended before it was done.", "cause": "", "fix": ""}
}
