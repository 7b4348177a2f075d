"""The folder of a recording session: its script, who reads, and the takes that are kept.

`script.json` is written once; `speakers/ID/speaker.json` tells who reads and what was agreed to,
`speakers/ID/LINE.flac` is a take. `utterances.csv` makes a corpus of the folder. Whatever is there
is there whole: each file is written beside its place and renamed.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import soundfile

from nativeear.indexer.audit.session import Session, session
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.frozen_model import FrozenModel
from nativeear.service.database.errors import StorageError
from nativeear.service.practice import practice
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError

Sex = Literal["female", "male", ""]

LICENCE = "recorded with the consent of its speakers"
TABLE = "utterances.csv"


class Speaker(FrozenModel):
    """Who reads: told once, and kept with the takes."""

    id: str
    name: str
    sex: Sex  # empty where it was not told
    agreed_at: datetime  # to the takes being kept, and heard by those who use the index


@dataclass(frozen=True)
class Take:
    """A take that was kept."""

    speaker: Speaker
    line: int  # of the script, from 1
    path: Path

    @property
    def id(self) -> str:
        """Name of the utterance in the index."""
        return self.id_of(self.speaker, self.line)

    @staticmethod
    def id_of(speaker: Speaker, line: int) -> str:
        """The same of a take that may not be there."""
        return f"{speaker.id}-{line:03d}"


@dataclass(frozen=True)
class RecordingSession:
    """A session for one index.

    Attributes
    ----------
    folder
        Where all of it is kept; its name is that of the corpus.
    script
        What each native reads.
    """

    folder: Path
    script: Session

    @classmethod
    def open(cls, folder: Path, index: PhoneIndex, minutes: float) -> RecordingSession:
        """Go on with the session in a folder, or begin one.

        Raises
        ------
        InputError
            If the folder holds a session for another index, or there is nothing to read.
        StorageError
            If it cannot be written.
        """
        place = folder / "script.json"
        if place.is_file():
            script = Session.model_validate_json(place.read_bytes())
            if script.index != index.name:
                raise InputError(
                    f"{folder} holds recordings for the index {script.index}, not {index.name}.",
                    fix="Name another folder with --record-dir.",
                )
        else:
            sets = practice(index.language).sets
            sentences = list(dict.fromkeys(text for each in sets for text in each.sentences))
            script = session(index, sentences, minutes)
            _write(place, script.model_dump_json(indent=1).encode())
        return cls(folder, script)

    @property
    def corpus(self) -> str:
        """Name of the corpus that the folder is."""
        return self.folder.name

    def text(self, line: int) -> str:
        """A line of the script, counted from 1.

        Raises
        ------
        InputError
            If there is none.
        """
        if not 1 <= line <= len(self.script.lines):
            raise InputError(
                f"The script has no line {line}.", fix=f"It has {len(self.script.lines)}."
            )
        return self.script.lines[line - 1].text

    def enter(self, name: str, sex: Sex) -> Speaker:
        """Keep who reads; who was here under that name goes on as he was.

        Raises
        ------
        InputError
            If the name has neither letters nor digits.
        """
        id = re.sub(r"[\W_]+", "-", name.casefold()).strip("-")[:60]
        if not id:
            raise InputError("That is no name.", fix="Give one with letters or digits.")
        known = self.speaker(id)
        if known is not None:
            return known
        speaker = Speaker(id=id, name=name, sex=sex, agreed_at=datetime.now(timezone.utc))
        _write(self._of(id) / "speaker.json", speaker.model_dump_json().encode())
        return speaker

    def speaker(self, id: str) -> Speaker | None:
        """Who has an id, if anybody."""
        place = self._of(id) / "speaker.json"
        if not re.fullmatch(r"[\w-]{1,60}", id) or not place.is_file():
            return None
        return Speaker.model_validate_json(place.read_bytes())

    def keep(self, speaker: Speaker, line: int, audio: Audio) -> None:
        """Keep a take in the place of the one before it."""
        sound = io.BytesIO()
        soundfile.write(sound, audio.samples, audio.sample_rate, format="FLAC", subtype="PCM_16")
        _write(self._place(speaker, line), sound.getvalue())

    def drop(self, speaker: Speaker, line: int) -> None:
        """Drop a take, if there is one."""
        self._place(speaker, line).unlink(missing_ok=True)

    def take(self, speaker: Speaker, line: int) -> Take | None:
        """The take of a line, if it is kept."""
        place = self._place(speaker, line)
        return Take(speaker, line, place) if place.is_file() else None

    def takes(self) -> list[Take]:
        """All that are kept, of everybody."""
        found = []
        for folder in sorted((self.folder / "speakers").glob("*")):
            if speaker := self.speaker(folder.name):
                found += [
                    Take(speaker, int(path.stem), path) for path in sorted(folder.glob("*.flac"))
                ]
        return found

    def write_table(self) -> None:
        """Write the takes as a table, by which the folder can be read as a corpus."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["id", "audio", "text", "speaker", "sex"])
        for take in self.takes():
            speaker = take.speaker
            audio = take.path.relative_to(self.folder).as_posix()
            table.writerow([take.id, audio, self.text(take.line), speaker.id, speaker.sex])
        _write(self.folder / TABLE, text.getvalue().encode())

    def _of(self, id: str) -> Path:
        return self.folder / "speakers" / id

    def _place(self, speaker: Speaker, line: int) -> Path:
        return self._of(speaker.id) / f"{line:03d}.flac"


def _write(place: Path, content: bytes) -> None:
    """Write a file whole, or not at all."""
    beside = place.with_name(f".{place.name}.part")
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(place)
    except OSError as error:
        raise StorageError(
            f"{place.name} cannot be kept in {place.parent.name}.",
            cause=error.strerror or str(error),
            fix="Make room, or name another folder with --record-dir.",
        ) from error
