"""For whoever writes a reader of corpora: does it keep to what the indexer asks of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nativeear.indexer.corpus import Corpus, Utterance
from nativeear.indexer.remote_files import is_local
from nativeear.speech.errors import ConformanceError, NativeEarError

Read = Callable[..., Corpus]
"""`read(path, *, language=None, name=None)`."""


def check_reader(
    read: Read, path: str | Path, fits: Callable[[Path], bool] | None = None
) -> Corpus:
    """Check that a reader keeps to what `nativeear.corpora` asks, and give what it read.

    Parameters
    ----------
    read
        The plug-in.
    path
        A corpus that it should know, of one utterance or more.
    fits
        What its module offers to find it by itself, if anything.

    Raises
    ------
    ConformanceError
        With the first thing that is wrong.
    """
    try:
        corpus = read(str(path), language=None, name=None)
        named = read(str(path), language="und", name="a name")
        again = read(str(path), language=None, name=None)
    except Exception as error:
        raise _wrong(f"reading fails with {error!r}") from error
    _expect(isinstance(corpus, Corpus), f"read gives {type(corpus).__name__}, not a Corpus")
    _expect(bool(corpus.name and corpus.language and corpus.licence), "something is not named")
    _expect(
        (named.language, named.name) == ("und", "a name"),
        "it does not take the language and the name that it is given",
    )
    _expect(bool(corpus.utterances), "it finds no utterance")
    _expect(again == corpus, "the same corpus is read otherwise")
    ids = [utterance.id for utterance in corpus.utterances]
    _expect(len(set(ids)) == len(ids), "ids are not unique")
    for utterance in corpus.utterances:
        _check_utterance(utterance)
    for item in corpus.set_aside:
        _expect(bool(item.id and item.reason), "an utterance is set aside without a reason")
    if fits is not None:
        _expect(fits(Path(path)) is True, "fits does not know its own corpus")
    _check_absent(read, Path(path) / "there is nothing here")
    return corpus


def _check_utterance(utterance: Utterance) -> None:
    name = f"utterance {utterance.id!r}"
    _expect(bool(utterance.id), "an utterance has no id")
    _expect(bool(utterance.speaker), f"{name} has no speaker: UNKNOWN_SPEAKER, if nobody tells")
    _expect(
        bool(utterance.text or utterance.phones or utterance.textgrid or utterance.spans),
        f"nothing tells what is said in {name}",
    )
    for file in filter(None, (utterance.audio, utterance.textgrid)):
        _expect(isinstance(file, Path), f"a file of {name} is no Path")
        _expect(not is_local(file) or file.is_file(), f"{name} has no {file}: set it aside")
    _expect(utterance.sex in {None, "f", "m"}, f"{name} has the sex {utterance.sex!r}")
    end_s = utterance.end_s
    _expect(
        utterance.start_s >= 0 and (end_s is None or utterance.start_s < end_s),
        f"{name} reaches from {utterance.start_s} to {end_s} s",
    )
    if utterance.ratings is not None:
        rated = len((utterance.phones or "").replace("|", " ").split())
        _expect(
            len(utterance.ratings) == rated,
            f"{name} has {len(utterance.ratings)} ratings of {rated} phones",
        )
    for spans in (utterance.spans, utterance.word_spans):
        starts = [span.start_s for span in spans]
        _expect(starts == sorted(starts), f"the spans of {name} are not in order")
        _expect(all(span.start_s <= span.end_s for span in spans), f"{name} has a span backwards")


def _check_absent(read: Read, path: Path) -> None:
    try:
        found = read(str(path), language=None, name=None)
    except NativeEarError:
        return
    except Exception as error:
        raise _wrong(f"a corpus that is not there gives {error!r}") from error
    _expect(not found.utterances, "it reads a corpus that is not there")


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _wrong(otherwise)


def _wrong(what: str) -> ConformanceError:
    return ConformanceError(
        f"The reader does not keep to its protocol: {what}.",
        fix="See Corpus and Utterance in nativeear.indexer.corpus.",
    )
