"""Recordings with transcripts beside them, as people give them to the Montreal Forced Aligner."""

from __future__ import annotations

from pathlib import Path

from nativeear.indexer.corpus import AUDIO_SUFFIXES, Corpus, Sorter, Utterance
from nativeear.indexer.readers.beside import TRANSCRIPTS, speaker_of, stems, transcript_of
from nativeear.indexer.readers.lines import read_text
from nativeear.speech.errors import CorpusError


def fits(path: Path) -> bool:
    """Whether this is a folder in which a recording has a transcript of its own name."""
    return path.is_dir() and any(
        file.with_suffix(suffix).is_file()
        for file in path.rglob("*")
        if file.suffix.lower() in AUDIO_SUFFIXES
        for suffix in TRANSCRIPTS
    )


def read(path: str, *, language: str | None = None, name: str | None = None) -> Corpus:
    """Read a folder of recordings and transcripts (`.lab`, `.txt`) of the same stem.

    The id is the path below the folder without the suffix. The speaker is the folder that the
    recording lies in, `unknown` for those that lie in `path` itself. Transcripts without a
    recording are passed over: text files may be anything.

    Raises
    ------
    CorpusError
        If `path` is no folder, or no recording in it has a transcript.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise CorpusError(f"There is no folder {path}.", fix="Check the path.")
    recordings, transcripts = stems(folder, TRANSCRIPTS)
    if not recordings.keys() & transcripts.keys():
        raise CorpusError(
            f"There is no recording with a transcript in {path}.",
            fix="Put transcripts beside the audio, with its names and the suffix .lab or .txt.",
        )
    sorter = Sorter()
    for stem, recording in sorted(recordings.items()):
        identity = stem.relative_to(folder).as_posix()
        file = transcript_of(transcripts.get(stem, {}))
        if file is None:
            sorter.refuse(identity, f"there is no transcript beside {recording.name}.")
            continue
        try:
            text = " ".join(read_text(file).split())
        except CorpusError as error:
            sorter.refuse(identity, error.message)
            continue
        sorter.add(
            Utterance(id=identity, audio=recording, text=text, speaker=speaker_of(stem, folder)),
            file.name,
        )
    return sorter.corpus(name or folder.resolve().name, language or "und")
