"""Where corpora come from: as they are given, read, and recorded in an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from nativeear.indexer.corpus import LICENCE_NOT_STATED, Corpus, find_reader, read_corpus
from nativeear.indexer.pool import Record
from nativeear.indexes.recipe import CorpusSource, portable_place
from nativeear.indexes.set_aside import SetAsideUtterance
from nativeear.speech.errors import CorpusError


def given_sources(
    places: Iterable[str | CorpusSource], reader: str = "auto", licence: str | None = None
) -> tuple[CorpusSource, ...]:
    """Corpora as they were given; those that are not recorded yet have no name."""
    return tuple(
        CorpusSource(name="", place=place, reader=reader, licence=licence)
        if isinstance(place, str)
        else place
        for place in places
    )


def read_corpora(sources: Sequence[CorpusSource], language: str) -> tuple[Corpus, ...]:
    """Read corpora, to which the licences apply where they do not state their own.

    Raises
    ------
    CorpusError
        If one cannot be read, or two hold an utterance of the same name.
    """
    corpora = []
    taken: set[tuple[str, str]] = set()
    for source in sources:
        corpus = read_corpus(
            source.place, reader=source.reader, language=language, name=source.name or None
        )
        if source.licence is not None and corpus.licence == LICENCE_NOT_STATED:
            corpus = replace(corpus, licence=source.licence)
        names = {(corpus.name, utterance.id) for utterance in corpus.utterances}
        if twice := taken & names:
            raise CorpusError(
                f"Two corpora are called {corpus.name} and hold an utterance {min(twice)[1]}.",
                fix="Name each corpus once, or give their folders different names.",
            )
        taken |= names
        corpora.append(corpus)
    return tuple(corpora)


def recorded_sources(
    sources: Sequence[CorpusSource], corpora: Sequence[Corpus], *, temporary: bool = False
) -> tuple[CorpusSource, ...]:
    """Corpora that were read, as they are recorded.

    Parameters
    ----------
    temporary
        Whether they lie in a folder that goes when they are built.
    """
    found = []
    for source, corpus in zip(sources, corpora, strict=True):
        place = portable_place(source.place)
        if source.name:
            found.append(source.model_copy(update={"place": place}))
            continue
        reader = find_reader(source.place) if source.reader == "auto" else source.reader
        update = {"name": corpus.name, "place": "" if temporary else place, "reader": reader}
        found.append(source.model_copy(update=update))
    return tuple(found)


def without_folders(
    set_aside: Sequence[SetAsideUtterance],
    sources: Sequence[CorpusSource],
    records: Sequence[Record],
) -> list[SetAsideUtterance]:
    """What was set aside, without the folders in which its corpora lie on this machine."""
    corpora = [source.place for source in sources]
    folders = {str(folder) for path in corpora for folder in (Path(path), Path(path).absolute())}
    folders |= {str(Path(path).absolute().parent) for path in corpora if Path(path).is_file()}
    folders |= {str(record.utterance.audio.parent.absolute()) for record in records}
    return [item.without_folders(folders - {"/", "."}) for item in set_aside]
