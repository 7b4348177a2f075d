"""How an index was built, as it was resolved: what it takes to build it again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

Name = tuple[str, str]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CorpusSource(_Model):
    """Where a corpus was read from."""

    name: str  # what the index calls it
    # The path, address or short form that was given, with `~` for the builder's own folder; empty
    # where it lay in a folder that was only passing.
    place: str
    reader: str  # name of the reader
    licence: str | None = None  # licence that was given for it, where it does not state its own


class Recipe(_Model):
    """What was resolved when an index was built, and what was changed since."""

    corpora: tuple[CorpusSource, ...]  # what it was built from and what was added
    # What aligned them: `auto` where some brought alignments of their own, and others did not.
    aligner: str
    pronunciations: tuple[str, ...]  # the sources that words were looked up in, the first one first
    # Utterances and speakers of these corpora that were left out or removed, by corpus.
    excluded: tuple[Name, ...] = ()
    excluded_speakers: tuple[Name, ...] = ()
    # Corpora whose recordings are kept; all of them if None.
    clips_of: tuple[str, ...] | None = None
    thinned: bool = False  # whether it was thinned, and `budget` to how many exemplars
    budget: int | None = None

    def with_corpora(self, corpora: tuple[CorpusSource, ...], aligner: str) -> Recipe:
        """The same from more corpora, each once, and what aligned those."""
        return self.model_copy(
            update={
                "corpora": once((*self.corpora, *corpora)),
                "aligner": self.aligner if aligner == self.aligner else "auto",
            }
        )

    def holding(self, utterances: set[Name], speakers: set[Name]) -> Recipe:
        """The same after some utterances, and some who speak them, have come back."""
        return self.model_copy(
            update={
                "excluded": tuple(n for n in self.excluded if n not in utterances),
                "excluded_speakers": tuple(n for n in self.excluded_speakers if n not in speakers),
            }
        )

    def without(self, utterances: set[Name], speakers: set[Name]) -> Recipe:
        """The same without some utterances, and without all that some speakers said."""
        return self.model_copy(
            update={
                "excluded": tuple(sorted({*self.excluded, *utterances})),
                "excluded_speakers": tuple(sorted({*self.excluded_speakers, *speakers})),
            }
        )


def joined(recipes: list[Recipe | None]) -> Recipe | None:
    """One recipe of several, with the settings of the first; None where one is not known."""
    known = [recipe for recipe in recipes if recipe is not None]
    if len(known) < len(recipes) or any(recipe.thinned for recipe in known):
        return None
    first = known[0]
    for other in known[1:]:
        first = first.with_corpora(other.corpora, other.aligner)
        first = first.without(set(other.excluded), set(other.excluded_speakers))
    return first


def once(corpora: Iterable[CorpusSource]) -> tuple[CorpusSource, ...]:
    """Corpora, each place of each once."""
    found: dict[tuple[str, str], CorpusSource] = {}
    for corpus in corpora:
        found.setdefault((corpus.name, corpus.place), corpus)
    return tuple(found.values())


def portable_place(place: str) -> str:
    """A place as it is written down: a path in the home folder tells no name of a person."""
    if "://" in place or not Path(place).is_absolute():
        return place
    try:
        return (Path("~") / Path(place).relative_to(Path.home())).as_posix()
    except (ValueError, RuntimeError):
        return place
