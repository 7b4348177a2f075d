"""A native corpus: utterances with their texts, found by looking at what a person brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from speech import registry
from speech.errors import CorpusError

UNKNOWN_SPEAKER = "unknown"
"""Speaker of utterances whose corpus does not say who speaks: one person, as far as we know."""

AUDIO_SUFFIXES = (
    ".wav",
    ".flac",
    ".ogg",
    ".opus",
    ".mp3",
    ".m4a",
    ".mp4",
    ".aac",
    ".wma",
    ".webm",
    ".aif",
    ".aiff",
    ".au",
    ".sph",
    ".g722",
)
"""Lower-case suffixes that count as recordings, the preferred one first where several share a
stem."""

LICENCE_NOT_STATED = "not stated"


@dataclass(frozen=True)
class Utterance:
    """One recording of a native corpus.

    Attributes
    ----------
    id
        Unique within the corpus.
    audio
        File of the recording.
    text
        What is said; None where phones or a TextGrid say it.
    speaker
        Who says it; `UNKNOWN_SPEAKER` where the corpus does not tell.
    phones
        Phones as they were given, ` | ` between words, or None.
    textgrid
        File of a hand- or machine-made alignment, or None.
    sex
        `f` or `m`; None where not known.
    ratings
        How well each of `phones` was said, in the raters' own unit; None where nobody rated.
    """

    id: str
    audio: Path
    text: str | None
    speaker: str
    phones: str | None = None
    textgrid: Path | None = None
    sex: str | None = None
    ratings: tuple[float, ...] | None = None


@dataclass(frozen=True)
class SetAside:
    """An utterance that cannot be used, and why, in one plain sentence."""

    id: str
    reason: str


@dataclass(frozen=True)
class Corpus:
    """What a reader found.

    Attributes
    ----------
    name
        Short name that the index keeps for every exemplar.
    language
        BCP 47 tag.
    licence
        Licence of the recordings in words, or `LICENCE_NOT_STATED`.
    utterances
        Usable ones, in the corpus's own order; ids are unique.
    set_aside
        The others, each with its reason.
    """

    name: str
    language: str
    licence: str
    utterances: tuple[Utterance, ...]
    set_aside: tuple[SetAside, ...] = ()


def read_corpus(
    path: str | Path,
    *,
    reader: str = "auto",
    language: str | None = None,
    name: str | None = None,
) -> Corpus:
    """Read a native corpus.

    Parameters
    ----------
    path
        A CSV file, a folder, or a short form: `asterisk:en` is Debian's package of that language.
    reader
        `auto` looks at the path; otherwise a name registered in `nativeear.corpora`.
    language
        BCP 47 tag; without one the reader's own, or `und` where nothing tells.
    name
        Name of the corpus; by default the reader's, which is that of the folder or package.

    Raises
    ------
    CorpusError
        If nothing of it can be used. Single broken utterances are set aside instead.
    """
    if reader == "auto":
        reader = find_reader(str(path))
    corpus: Corpus = registry.find("corpora", reader)(str(path), language=language, name=name)
    if not corpus.utterances:
        first = "; ".join(f"{item.id}: {item.reason}" for item in corpus.set_aside[:3])
        raise CorpusError(
            f"{path} holds no usable utterance.",
            cause=f"{len(corpus.set_aside)} were set aside. {first}".strip()
            if corpus.set_aside
            else "It lists no recording.",
            fix="Mend these, or name another reader with --reader.",
        )
    return corpus


def find_reader(path: str) -> str:
    """Name of the reader that fits what lies at `path`.

    Raises
    ------
    CorpusError
        If there is nothing, or nothing that a reader knows.
    """
    if path.partition(":")[0] == "asterisk" and not Path(path).exists():
        return "asterisk"
    found = Path(path)
    if not found.exists():
        raise CorpusError(f"There is no corpus at {path}.", fix="Check the path.")
    if found.is_file():
        if found.suffix.lower() in {".csv", ".tsv", ".txt"}:
            return "csv"
        raise CorpusError(
            f"{path} is not a corpus.",
            cause=f"A file has to be a table (.csv, .tsv), this is {found.suffix or 'unnamed'}.",
            fix="Name a CSV file with the columns id, audio, text, or a folder.",
        )
    if any((found / table).is_file() for table in TABLES):
        return "csv"
    if next(_files(found, {".textgrid"}), None) is not None:
        return "textgrid"
    if next(_files(found, {".g722"}), None) is not None:
        return "asterisk"
    raise CorpusError(
        f"No reader knows the folder {path}.",
        cause=f"It holds neither {' nor '.join(TABLES)}, nor TextGrids, nor asterisk's prompts"
        f" (*.g722). Readers: {', '.join(registry.names('corpora'))}.",
        fix="Write a CSV file with the columns id, audio, text and name that.",
    )


TABLES = ("utterances.csv", "metadata.csv", "utterances.tsv", "metadata.tsv")
"""Tables that make a folder a corpus, the first one found."""


def _files(folder: Path, suffixes: set[str]) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix.lower() in suffixes)


class Sorter:
    """Sorts a reader's utterances into usable ones and others, keeping ids unique."""

    def __init__(self) -> None:
        self.utterances: list[Utterance] = []
        self.set_aside: list[SetAside] = []
        self._places: dict[str, str] = {}

    def refuse(self, identity: str, reason: str) -> None:
        """Set an utterance aside."""
        self.set_aside.append(SetAside(identity, reason))

    def add(self, utterance: Utterance, place: str) -> None:
        """Keep an utterance, or set it aside if its id is taken or a file of it is missing.

        Parameters
        ----------
        place
            Where it stands, for the reason: `line 7`, a file's name.
        """
        earlier = self._places.setdefault(utterance.id, place)
        if earlier != place:
            self.refuse(utterance.id, f"{place}: the id is already taken by {earlier}.")
        elif not utterance.audio.is_file():
            self.refuse(utterance.id, f"{place}: there is no recording {utterance.audio}.")
        elif utterance.textgrid is not None and not utterance.textgrid.is_file():
            self.refuse(utterance.id, f"{place}: there is no TextGrid {utterance.textgrid}.")
        elif not (utterance.text or utterance.phones or utterance.textgrid):
            self.refuse(utterance.id, f"{place}: the text is empty.")
        else:
            self.utterances.append(utterance)

    def corpus(self, name: str, language: str, licence: str = LICENCE_NOT_STATED) -> Corpus:
        """Everything sorted so far as a corpus."""
        return Corpus(name, language, licence, tuple(self.utterances), tuple(self.set_aside))
