"""Stretches of speech that say the same are told from others, whatever the path took them for."""

import numpy as np
import pytest

from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.reading.alike import alike, retold
from nativeear.speech.reading.reading import EventKind, ReadingEvent

HOP_S = 0.02
RNG = np.random.default_rng(25)
SOUNDS = np.eye(12)


def said(sounds: str, frames: int) -> np.ndarray:
    """Unit vectors of sounds, a letter each, that last so many frames each."""
    rows = np.repeat([ord(one) - ord("a") for one in sounds], frames)
    vectors = SOUNDS[rows] + 0.05 * RNG.standard_normal((len(rows), SOUNDS.shape[1]))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_what_is_said_slowly_is_alike_and_a_beginning_is_alike_to_a_beginning() -> None:
    word = said("abcd", 3)
    whole, beginning = alike(said("abcd", 5) @ word.T)
    assert whole > 0.9
    assert beginning == whole
    whole, beginning = alike(said("ab", 3) @ word.T)
    assert whole < 0.75
    assert beginning > 0.9
    assert max(alike(said("efgh", 3) @ word.T)) < 0.2
    assert alike(said("dcba", 3) @ word.T)[0] < 0.5, "order counts"


@pytest.mark.parametrize(
    ("kind", "beside", "told"),
    [
        ("extra", "efgh", ("repeated", 1)),
        ("restart", "efgh", ("repeated", 1)),
        ("extra", "abcd", ("repeated", 0)),
        ("extra", "ef", ("restart", 1)),
        ("extra", "ijkl", ("extra", 0)),
        ("repeated", "ijkl", ("extra", 0)),
        ("repeated", "efgh", ("repeated", 1)),
    ],
)
def test_speech_beside_the_text_is_called_by_what_it_is_alike_to(
    kind: EventKind, beside: str, told: tuple[str, int]
) -> None:
    pieces = [said("abcd", 4), said(beside, 4), said("efgh", 4)]
    edges = HOP_S * np.cumsum([0, *map(len, pieces)])
    vectors = np.concatenate(pieces)
    phones = tuple(
        AlignedPhone("AH", float(start), float(end), word)
        for word, start, end in ((0, edges[0], edges[1]), (1, edges[2], edges[3]))
    )
    event = ReadingEvent(
        kind, 0 if kind == "extra" else 1, ("AH", "T"), float(edges[1]), float(edges[2])
    )
    left_out = ReadingEvent("omitted", 2)
    times_s = HOP_S * (np.arange(len(vectors)) + 0.5)
    alignment = Alignment(phones, ("one", "two", "three"), (0, 0, 0), "reading")
    found = retold([event, left_out], alignment, vectors, times_s)
    assert [(e.kind, e.word_index) for e in found] == [told, ("omitted", 2)]


@pytest.mark.parametrize(
    ("between", "begun", "told"),
    [("efgh", 2, [("repeated", 1)]), ("ijkl", 2, [("extra", 0)]), ("efghij", 4, None)],
)
def test_one_stretch_of_speech_is_told_once_and_a_word_that_was_repeated_on_its_own(
    between: str, begun: int, told: list[tuple[str, int]] | None
) -> None:
    pieces = [said("abcd", 4), said(between, 4), said("efgh", 4)]
    edges = HOP_S * np.cumsum([0, *map(len, pieces)])
    phones = tuple(
        AlignedPhone("AH", float(edges[i]), float(edges[i + 1]), word)
        for word, i in enumerate((0, 2))
    )
    middle = float(edges[1]) + 4 * begun * HOP_S
    events = (
        ReadingEvent("extra", 0, ("AH", "T"), middle, float(edges[2])),
        ReadingEvent("restart", 1, ("AH", "T"), float(edges[1]), middle),
    )
    vectors = np.concatenate(pieces)
    times_s = HOP_S * (np.arange(len(vectors)) + 0.5)
    alignment = Alignment(phones, ("one", "two"), (0, 0), "reading")
    found = retold(events, alignment, vectors, times_s)
    if told is None:
        assert [(e.kind, e.word_index) for e in found] == [("extra", 0), ("repeated", 1)]
    else:
        assert [(e.kind, e.word_index) for e in found] == told
        assert found[0].phones == ("AH", "T", "AH", "T")
        assert (found[0].start_s, found[0].end_s) == (float(edges[1]), float(edges[2]))
