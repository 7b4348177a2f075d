"""What annotators said of recordings, whatever corpus they worked on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from nativeear.indexer.corpus import UNKNOWN_SPEAKER, SetAside

WRONG_BELOW = 0.5
"""Expert score, 0–2, below which a phone counts as mispronounced (speechocean762's own rule)."""

DELETED = "<del>"
"""In place of the perceived phone where nothing was said."""

CHILD_UP_TO = 12
ADULT_FROM = 18
"""Years: children are 12 or younger, teens 13–17, adults 18 or older."""


@dataclass(frozen=True)
class Speaker:
    """Who speaks; what is not known is None. `gender` is `f` or `m`, `l1` a BCP 47 tag."""

    id: str = UNKNOWN_SPEAKER
    age: int | None = None
    gender: str | None = None
    l1: str | None = None

    @property
    def age_group(self) -> str | None:
        """`child`, `teen` or `adult`; None where the age is not known."""
        if self.age is None:
            return None
        if self.age <= CHILD_UP_TO:
            return "child"
        return "adult" if self.age >= ADULT_FROM else "teen"


@dataclass(frozen=True)
class AnnotatedPhone:
    """One canonical phone, and how it was said."""

    label: str  # the canonical phone as the corpus writes it
    mispronounced: bool = False  # the annotators' verdict
    expert: float | None = None  # their mean score, 0–2; None where they gave none
    # What they heard instead, or `DELETED`; None where they do not tell.
    perceived: str | None = None
    is_annotated: bool = True  # False where nobody told, neither right nor wrong

    @classmethod
    def rated(cls, label: str, expert: float, perceived: str | None = None) -> AnnotatedPhone:
        """A phone with an expert score: mispronounced if that is below `WRONG_BELOW`."""
        return cls(label, expert < WRONG_BELOW, expert, perceived)


@dataclass(frozen=True)
class AnnotatedWord:
    """A word, its canonical phones, and the experts' score of its accuracy in their own unit."""

    text: str
    phones: tuple[AnnotatedPhone, ...]
    accuracy: float | None = None


@dataclass(frozen=True)
class SentenceScores:
    """The experts' scores of a whole reading in their own unit; None where there is none."""

    accuracy: float | None = None
    completeness: float | None = None
    fluency: float | None = None
    prosodic: float | None = None
    total: float | None = None


@dataclass(frozen=True)
class AnnotatedInsertion:
    """A phone that nobody meant; `after` is the canonical phone before it, -1 for none."""

    after: int
    perceived: str | None


@dataclass(frozen=True)
class AnnotatedUtterance:
    """One reading and what was said of it.

    Attributes
    ----------
    id
        Unique within the corpus.
    speaker
        Who reads.
    audio, start_s, end_s
        The recording, and the part of it in seconds; `end_s` is None for its end.
    text
        What was meant to be said; '' where only phones are known.
    words
        The canonical phones; empty where the text alone is known and all of it is taken for right.
    sentence
        Scores of the whole.
    insertions
        Phones that nobody meant; None where the annotators did not look for them.
    """

    id: str
    speaker: Speaker
    audio: Path
    text: str = ""
    words: tuple[AnnotatedWord, ...] = ()
    sentence: SentenceScores = field(default_factory=SentenceScores)
    insertions: tuple[AnnotatedInsertion, ...] | None = None
    start_s: float = 0.0
    end_s: float | None = None

    @property
    def phones(self) -> tuple[AnnotatedPhone, ...]:
        """Every canonical phone in order, across the words."""
        return tuple(phone for word in self.words for phone in word.phones)

    @property
    def given_phones(self) -> str | None:
        """The canonical phones as `Assessor.assess` takes them; None where there are none."""
        return (
            " | ".join(" ".join(phone.label for phone in word.phones) for word in self.words)
            or None
        )

    @property
    def given_text(self) -> str | None:
        """The words' names where there is one for each word, so that both fit together."""
        if not self.words:
            return self.text or None
        names = [word.text for word in self.words]
        named = all(len(n.split()) == 1 and any(map(str.isalnum, n)) for n in names)
        return " ".join(names) if named else None


@dataclass(frozen=True)
class AnnotatedCorpus:
    """What a reader found."""

    name: str  # how people name it
    utterances: tuple[AnnotatedUtterance, ...]  # usable ones, in the corpus's own order
    set_aside: tuple[SetAside, ...] = ()  # the others, each with its reason
    split: str = "all"  # which part of the corpus this is
    notes: tuple[str, ...] = ()  # what a person should know of the reading, in plain sentences

    def held_out(self, known: Collection[str], split: str | None) -> AnnotatedCorpus:
        """Utterances whose ids an index does not hold (`test`), holds (`train`), or all."""
        if split is None or split == "all":
            return self
        kept = tuple(u for u in self.utterances if (u.id in known) == (split == "train"))
        return replace(self, utterances=kept, split=split)

    def keeping(self, utterances: Iterable[AnnotatedUtterance]) -> AnnotatedCorpus:
        """The same with fewer utterances."""
        return replace(self, utterances=tuple(utterances))


def as_age(written: object) -> int | None:
    """Years from what a corpus writes; None where that is no number."""
    try:
        return int(float(str(written).strip()))
    except ValueError:
        return None
