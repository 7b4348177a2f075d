"""Where a reader may pause, by texts and pauses that are known."""

import pytest

from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.prosody.phrasing import Phrasing, PlacedPause, parts, place

TEXT = "She closed the door, and sat down. Nobody in the whole house had heard the cat - or me."
WORDS = tuple(word.strip(".,") for word in TEXT.split() if word != "-")


def phrasing(language: str = "en-US") -> Phrasing:
    found = Phrasing.of(TEXT, WORDS, language)
    assert found is not None
    return found


def kind_after(word: str, before: int = -1, language: str = "en-US") -> tuple[str, str] | None:
    pause = PlacedPause(WORDS.index(word), (1.0, 1.4))
    return phrasing(language).judged(pause, before)


def test_marks_and_stops_are_those_of_the_text() -> None:
    found = phrasing()
    assert [WORDS[i] for i in sorted(found.marks)] == ["door", "down", "cat", "me"]
    assert [WORDS[i] for i in sorted(found.stops)] == ["down", "me"]
    assert Phrasing.of("a text of other length", WORDS, "en") is None


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("door", ("expected", "punctuation")),
        ("cat", ("expected", "punctuation")),
        ("Nobody", ("expected", "words")),  # before “in”
        ("closed", ("unexpected", "words")),
        ("the", ("unexpected", "words")),
        ("and", ("unexpected", "words")),
        ("in", ("unexpected", "words")),
        ("whole", ("unexpected", "words")),
    ],
)
def test_a_pause_goes_where_phrases_join(word: str, kind: tuple[str, str]) -> None:
    assert kind_after(word, before=WORDS.index(word) - 1) == kind


def test_after_many_words_a_reader_may_take_breath() -> None:
    house = WORDS.index("house")
    assert kind_after("house", before=house - 7) == ("expected", "words")
    assert kind_after("house", before=house - 6) == ("unexpected", "words")


def test_within_a_word_a_pause_is_never_expected() -> None:
    pause = PlacedPause(WORDS.index("door"), (1.0, 1.4), inside=True)
    assert phrasing().judged(pause, -1) == ("unexpected", "words")


def test_without_word_lists_punctuation_alone_tells() -> None:
    assert kind_after("door", language="fr") == ("expected", "punctuation")
    assert kind_after("closed", language="fr") is None


def test_pauses_come_after_the_word_before_them() -> None:
    said = [
        AlignedPhone("AA", 0.0, 0.5, 0),
        AlignedPhone("B", 0.5, 0.9, 1),
        AlignedPhone("IY", 1.3, 1.5, 1),
        AlignedPhone("K", 2.0, 2.2, 3),
    ]
    spans = [(-1.0, -0.5), (0.9, 1.3), (1.5, 2.0), (2.2, 3.0)]
    assert place(spans, said) == (
        PlacedPause(1, (0.9, 1.3), inside=True),
        PlacedPause(1, (1.5, 2.0)),
    )


def test_parts_end_at_stops_and_hold_words_that_were_said() -> None:
    said = dict.fromkeys([0, 1, 4])
    assert parts(5, frozenset({1, 4}), said) == ((0, 2), (2, 5))
    assert parts(5, frozenset({1, 3}), said) == ((0, 2), (4, 5))
    assert parts(5, frozenset(), said) == ((0, 5),)
