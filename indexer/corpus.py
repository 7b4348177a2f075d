"""A native corpus: utterances with their texts, found by looking at what a person brings."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from nativeear.indexer.remote_files import corpus_path, is_local
from nativeear.speech import registry
from nativeear.speech.errors import CorpusError

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

SHIPPED = {
    "lhotse": "nativeear.indexer.readers.lhotse",
    "kaldi": "nativeear.indexer.readers.kaldi",
    "mls": "nativeear.indexer.readers.mls",
    "ljspeech": "nativeear.indexer.readers.ljspeech",
    "commonvoice": "nativeear.indexer.readers.commonvoice",
    "fleurs": "nativeear.indexer.readers.fleurs",
    "csv": "nativeear.indexer.readers.table",
    "librispeech": "nativeear.indexer.readers.librispeech",
    "textgrid": "nativeear.indexer.readers.textgrid",
    "asterisk": "nativeear.indexer.readers.asterisk",
    "transcripts": "nativeear.indexer.readers.transcripts",
}
"""Our readers in the order in which they are asked whether a path is theirs: those that know their
corpus by a file of the folder itself, those that have to look through all of it, and last the one
that takes any recording with a text."""

# What transcribers write for what is no word: <unk>, [laughter].
_MARK = re.compile(r"<[^<>\s]+>|\[[A-Za-z_-]+\]")
_TOUCHING_S = 0.011  # aligners write times in frames of 10 ms, and rounding may overlap by one

_SEXES = {
    "f": "f",
    "female": "f",
    "female_feminine": "f",
    "w": "f",
    "m": "m",
    "male": "m",
    "male_masculine": "m",
}


class Span(NamedTuple):
    """A label and where it is heard, in seconds from the start of its utterance."""

    label: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Utterance:
    """One stretch of native speech: a recording, or a part of one.

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
    start_s, end_s
        The utterance's part of `audio`, in seconds from the start of the file. `end_s` is None
        where it reaches to the end.
    spans
        A ready alignment of the phones, silences included, in the corpus's own notation and in
        order of time; empty where there is none.
    word_spans
        The same of the words.
    """

    id: str
    audio: Path
    text: str | None
    speaker: str
    phones: str | None = None
    textgrid: Path | None = None
    sex: str | None = None
    ratings: tuple[float, ...] | None = None
    start_s: float = 0.0
    end_s: float | None = None
    spans: tuple[Span, ...] = ()
    word_spans: tuple[Span, ...] = ()


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

    A reader's module may offer `fits(path: Path) -> bool`, which looks at an existing file or
    folder and reads no more than it has to. Readers that others have installed are asked first,
    by name, then ours in the order of `SHIPPED`.

    Raises
    ------
    CorpusError
        If there is nothing, or nothing that a reader knows.
    """
    found = corpus_path(path)
    if not found.exists():
        if path.partition(":")[0] == "asterisk":
            return "asterisk"
        raise CorpusError(f"There is no corpus at {path}.", fix="Check the path.")
    for name, module in _modules():
        fits = getattr(module, "fits", None)
        if fits is not None and fits(found):
            return name
    if found.is_file():
        raise CorpusError(
            f"{path} is not a corpus.",
            cause=f"A file has to be a table (.csv, .tsv) or a lhotse manifest (.jsonl), this is"
            f" {found.suffix or 'unnamed'}.",
            fix="Name a CSV file with the columns id, audio, text, or a folder.",
        )
    raise CorpusError(
        f"No reader knows the folder {path}.",
        cause=f"Looked for the layouts of {', '.join(name for name, _ in _modules())}.",
        fix="Write a CSV file with the columns id, audio, text and name that, or put a transcript"
        " (.lab, .txt) beside each recording.",
    )


def _modules() -> Iterator[tuple[str, ModuleType]]:
    """Readers' names and modules, in the order in which they are asked."""
    for name in registry.names("corpora"):
        if name not in SHIPPED:
            yield name, import_module(registry.find("corpora", name).__module__)
    # What ships is found without entry points too, so that a source checkout works uninstalled.
    for name, module in SHIPPED.items():
        yield name, import_module(module)


def sex_of(written: str | None) -> str | None:
    """`f` or `m` for whatever a corpus writes; None where that tells neither."""
    return _SEXES.get((written or "").strip().lower())


def find_recording(written: str, folder: Path) -> Path:
    """The file that a manifest in `folder` means.

    A relative path is looked for in the folder and in the folders above it, since manifests are
    mostly written from the root of a project; where it is nowhere, it is the folder's own.
    """
    places = [place / written for place in (folder, *folder.resolve().parents)]
    return next((place for place in places if place.is_file()), places[0])


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
        elif is_local(utterance.audio) and not utterance.audio.is_file():
            self.refuse(utterance.id, f"{place}: there is no recording {utterance.audio}.")
        elif (
            utterance.textgrid is not None
            and is_local(utterance.textgrid)
            and not utterance.textgrid.is_file()
        ):
            self.refuse(utterance.id, f"{place}: there is no TextGrid {utterance.textgrid}.")
        elif not (utterance.text or _is_told(utterance)):
            self.refuse(utterance.id, f"{place}: the text is empty.")
        elif (mark := _MARK.search(utterance.text or "")) and not _is_told(utterance):
            self.refuse(utterance.id, f"{place}: it is not told how {mark[0]} is said.")
        elif trouble := _time_trouble(utterance):
            self.refuse(utterance.id, f"{place}: {trouble}")
        else:
            self.utterances.append(utterance)

    def corpus(self, name: str, language: str, licence: str = LICENCE_NOT_STATED) -> Corpus:
        """Everything sorted so far as a corpus."""
        return Corpus(name, language, licence, tuple(self.utterances), tuple(self.set_aside))


def _is_told(utterance: Utterance) -> bool:
    """Whether something else than the text says which phones there are."""
    return bool(utterance.phones or utterance.textgrid or utterance.spans)


def _time_trouble(utterance: Utterance) -> str:
    """What is wrong with the times of an utterance, '' where nothing is."""
    end_s = math.inf if utterance.end_s is None else utterance.end_s
    if not 0.0 <= utterance.start_s < end_s:
        return f"it begins at {utterance.start_s:g} s and ends at {end_s:g} s."
    for spans in (utterance.spans, utterance.word_spans):
        for span in spans:
            if not 0.0 <= span.start_s <= span.end_s < math.inf:
                return f"{span.label!r} begins at {span.start_s:g} s and ends at {span.end_s:g} s."
        for left, right in pairwise(spans):
            if right.start_s < left.end_s - _TOUCHING_S:
                return (
                    f"{right.label!r} begins at {right.start_s:g} s, before {left.label!r} ends at"
                    f" {left.end_s:g} s."
                )
    return ""
