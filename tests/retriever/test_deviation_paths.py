"""Worths of phones against every path there is, on similarities drawn by hand.

The frames are those of nobody: what is asked is whether the best path is found, with the classes
and durations of the tone index.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.deviations import Deviations
from nativeear.speech.alignment import SILENCE, AlignedPhone
from nativeear.speech.frames import Frames

HOP_S = 0.02
REACH_S, PAUSE_S = 0.1, 0.02
Similar = NDArray[np.float32]


def frames_of(count: int, hop_s: float = HOP_S) -> Frames:
    return Frames(np.zeros((count, 3), np.float32), hop_s, hop_s / 2)


def laid(*phones: tuple[str, int], hop_s: float = HOP_S) -> list[AlignedPhone]:
    """Phones of so many frames, one after another."""
    edges = hop_s * np.cumsum([0, *(length for _, length in phones)])
    return [
        AlignedPhone(phone, float(start), float(end), 0)
        for (phone, _), start, end in zip(phones, edges[:-1], edges[1:], strict=True)
    ]


def drawn(index: PhoneIndex, count: int, seed: int) -> Similar:
    """Similarities of frames that take turns to resemble some class, and their best behind."""
    rng = np.random.default_rng(seed)
    similar = rng.uniform(-0.3, 0.3, size=(count, len(index.classes)))
    like = np.repeat(rng.integers(len(index.classes), size=count), 3)[:count]
    similar[np.arange(count), like] += rng.uniform(0.2, 0.9, size=count)
    return np.hstack([similar, similar.max(axis=1, keepdims=True)]).astype(np.float32)


def shares(count: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to part `count` frames."""
    if parts == 1:
        yield (count,)
        return
    for first in range(count + 1):
        for rest in shares(count - first, parts - 1):
            yield (first, *rest)


def best_path(similar: Similar, columns: Sequence[int], shortest: Sequence[int]) -> float:
    """Largest sum of similarities over all paths through `columns`, by trying each.

    A class lasts `shortest` frames or more; a pause, which has its time with a minus, lasts that or
    is left out.
    """
    best = -np.inf
    for lengths in shares(len(similar), len(columns)):
        if all(
            length >= abs(least) or (least < 0 and length == 0)
            for length, least in zip(lengths, shortest, strict=True)
        ):
            along = np.repeat(np.array(columns), lengths)
            best = max(best, float(similar[np.arange(len(similar)), along].astype(float).sum()))
    return best


def worth_by_trying(
    index: PhoneIndex, similar: Similar, names: tuple[str, str, str], hop_s: float = HOP_S
) -> dict[str, float]:
    """Gain of every class between two phones over nothing there, in cosine · 10 ms."""
    column = {phone: p for p, phone in enumerate(index.classes)}
    before, after, quiet = column[names[0]], column[names[2]], column[SILENCE]
    pause = -max(1, round(PAUSE_S / hop_s))
    durations = index.durations_s[index.rows_of(names[1])]
    shortest = min(max(2, int(np.quantile(durations, 0.02) / hop_s)), len(similar))
    without = best_path(similar, (before, quiet, after), (0, pause, 0))
    gains = {}
    for phone, p in column.items():
        path, least = (before, quiet, p, quiet, after), (0, pause, shortest, pause, 0)
        gains[phone] = (best_path(similar, path, least) - without) * hop_s / 0.01
    return gains


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("hop_s", "first", "last"), [(0.01, 2, 11), (0.02, 2, 11), (0.06, 3, 10)])
def test_a_phone_is_worth_what_the_best_path_with_it_gains(
    tone_index: PhoneIndex, seed: int, hop_s: float, first: int, last: int
) -> None:
    """From the middle of the phone before to that of the one after, or as far as is reached."""
    names = ("M", "IY", "AA") if seed % 2 else ("S", "M", "IY")
    phones = laid((names[0], 5), (names[1], 3), (names[2], 5), hop_s=hop_s)
    frames, similar = frames_of(13, hop_s), drawn(tone_index, 13, seed)
    gains = worth_by_trying(tone_index, similar[first:last], names, hop_s)
    worth, another = Deviations(tone_index).worth(frames, similar, phones, 1, -2.0)
    median_s = np.median(tone_index.durations_s[tone_index.rows_of(names[1])])
    expected = gains[names[1]] + 0.1 * -2.0 + 0.5 * np.log(3 * hop_s / median_s)
    assert worth == pytest.approx(expected, abs=1e-4)
    others = set(tone_index.classes) - {*names, SILENCE}
    assert another == pytest.approx(max(gains[phone] for phone in others), abs=1e-4)


def test_a_phone_may_fill_all_the_room_that_it_has(tone_index: PhoneIndex) -> None:
    """Between the middles of its neighbours there is less room than natives need."""
    names = ("M", "IY", "AA")
    phones = laid(*((name, 1) for name in names))
    frames, similar = frames_of(3), drawn(tone_index, 3, 1)
    gains = worth_by_trying(tone_index, similar, names)
    worth, _ = Deviations(tone_index).worth(frames, similar, phones, 1, 0.0)
    median_s = np.median(tone_index.durations_s[tone_index.rows_of("IY")])
    assert worth == pytest.approx(gains["IY"] + 0.5 * np.log(HOP_S / median_s), abs=1e-4)


@pytest.mark.parametrize(("i", "first", "last"), [(0, 0, 7), (2, 6, 13)])
def test_beyond_the_ends_there_is_silence(
    tone_index: PhoneIndex, i: int, first: int, last: int
) -> None:
    phones = laid(("M", 5), ("IY", 3), ("AA", 5))
    frames, similar = frames_of(13), drawn(tone_index, 13, 40 + i)
    around = (SILENCE, "M", "IY") if i == 0 else ("IY", "AA", SILENCE)
    durations = tone_index.durations_s[tone_index.rows_of(phones[i].phone)]
    gains = worth_by_trying(tone_index, similar[first:last], around)
    worth, _ = Deviations(tone_index).worth(frames, similar, phones, i, 0.0)
    assert worth == pytest.approx(
        gains[phones[i].phone] + 0.5 * np.log(0.1 / np.median(durations)), abs=1e-4
    )


def test_no_farther_than_its_reach_is_a_phone_looked_for(tone_index: PhoneIndex) -> None:
    """What lies beyond is of no account, however much it resembles the phone."""
    reach = round(REACH_S / HOP_S)
    phones = laid(("M", 30), ("IY", 4), ("AA", 30))
    frames, similar = frames_of(64), drawn(tone_index, 64, 5)
    finder = Deviations(tone_index)
    asked = finder.worth(frames, similar, phones, 1, -1.0)
    own = tone_index.classes.index("IY")
    for place, matters in ((30 - reach - 2, False), (34 + reach + 2, False), (29, True)):
        other = similar.copy()
        other[place - 1 : place + 1, own] += 3.0
        other[:, -1] = other[:, :-1].max(axis=1)
        assert (finder.worth(frames, other, phones, 1, -1.0) != asked) == matters


def scene(
    index: PhoneIndex, parts: Sequence[tuple[str, int]], near: float = 0.9
) -> tuple[Frames, Similar]:
    """Frames each of which resembles its own class by `near` and no other at all."""
    said = [phone for phone, length in parts for _ in range(length)]
    similar = np.zeros((len(said), len(index.classes)), np.float32)
    similar[np.arange(len(said)), [index.classes.index(phone) for phone in said]] = near
    return frames_of(len(said)), np.hstack([similar, similar.max(axis=1, keepdims=True)])


def test_a_phone_that_was_not_said_is_deleted_by_the_thresholds_that_ship(
    tone_index: PhoneIndex,
) -> None:
    """`M AA` was said where `M IY AA` was meant; the aligner gave IY an end of each."""
    frames, similar = scene(tone_index, [("M", 8), ("AA", 8)])
    phones = laid(("M", 7), ("IY", 2), ("AA", 7))
    finder = Deviations(tone_index)
    worth, another = finder.worth(frames, similar, phones, 1, -4.0)
    assert worth < -1.3
    assert another < 0
    for heard in ("M", "AA", SILENCE):
        assert finder.deleted(frames, similar, phones, 1, -4.0, heard=heard)
    # As short as it is there, it makes no difference that another class is the nearest.
    assert finder.deleted(frames, similar, phones, 1, -4.0, heard="S")
    assert not finder.deleted(frames, similar, phones, 0, -0.1, heard="M")
    assert not finder.deleted(frames, similar, phones, 2, -0.1, heard="AA")


@pytest.mark.parametrize(("wanted", "deleted"), [(-1.25, False), (-1.35, True)])
def test_a_deletion_is_told_from_the_worth_that_was_chosen_on(
    tone_index: PhoneIndex, wanted: float, deleted: bool
) -> None:
    frames, similar = scene(tone_index, [("M", 8), ("AA", 8)])
    phones = laid(("M", 7), ("IY", 2), ("AA", 7))
    finder = Deviations(tone_index)
    without, _ = finder.worth(frames, similar, phones, 1, 0.0)
    log_quantile = (wanted - without) / 0.1
    assert finder.worth(frames, similar, phones, 1, log_quantile)[0] == pytest.approx(wanted)
    assert finder.deleted(frames, similar, phones, 1, log_quantile, heard="M") == deleted


def test_what_has_a_sound_of_its_own_was_substituted_and_not_deleted(
    tone_index: PhoneIndex,
) -> None:
    frames, similar = scene(tone_index, [("M", 6), ("S", 6), ("AA", 6)])
    phones = laid(("M", 6), ("IY", 6), ("AA", 6))
    finder = Deviations(tone_index)
    worth, another = finder.worth(frames, similar, phones, 1, -20.0)
    assert worth < -1.3
    assert another == pytest.approx(6 * 0.9 * 2, abs=1e-4)
    # Whatever is said to have been heard: by its length, or by what would be in its place.
    assert not finder.deleted(frames, similar, phones, 1, -20.0, heard="S")
    assert not finder.deleted(frames, similar, phones, 1, -20.0, heard="M")


@pytest.mark.parametrize(("gain", "deleted"), [(1.9, True), (2.1, False)])
def test_another_phone_rules_a_deletion_out_from_the_gain_that_was_chosen_on(
    tone_index: PhoneIndex, gain: float, deleted: bool
) -> None:
    frames, similar = scene(tone_index, [("M", 6), ("S", 6), ("AA", 6)], near=gain / 12)
    phones = laid(("M", 6), ("IY", 6), ("AA", 6))
    finder = Deviations(tone_index)
    assert finder.worth(frames, similar, phones, 1, -20.0)[1] == pytest.approx(gain, abs=1e-4)
    assert finder.deleted(frames, similar, phones, 1, -20.0, heard="M") == deleted


@pytest.mark.parametrize("share", [0.9, 1.1])
def test_only_what_is_shorter_than_natives_say_it_is_asked_about(
    tone_index: PhoneIndex, share: float
) -> None:
    """A span of a credible length with a sound of its own is not even looked at."""
    shortest_s = float(np.quantile(tone_index.durations_s[tone_index.rows_of("IY")], 0.02))
    frames, similar = scene(tone_index, [("M", 12), ("AA", 12)])
    end = 0.2 + share * shortest_s
    phones = [
        AlignedPhone("M", 0.0, 0.2, 0),
        AlignedPhone("IY", 0.2, end, 0),
        AlignedPhone("AA", end, 0.48, 0),
    ]
    finder = Deviations(tone_index)
    assert finder.deleted(frames, similar, phones, 1, -8.0, heard="M")
    assert finder.deleted(frames, similar, phones, 1, -8.0, heard="S") == (share < 1)


@pytest.mark.parametrize(("i", "beside", "far"), [(0, "S", "AA"), (2, "S", "M")])
def test_the_first_and_the_last_phone_have_one_neighbour(
    tone_index: PhoneIndex, i: int, beside: str, far: str
) -> None:
    said = [("S", 14), ("AA", 7)] if i == 0 else [("M", 7), ("S", 14)]
    frames, similar = scene(tone_index, said)
    phones = laid(("IY" if i == 0 else "M", 7), ("S", 7), ("AA" if i == 0 else "IY", 7))
    finder = Deviations(tone_index)
    assert finder.deleted(frames, similar, phones, i, -20.0, heard=beside)
    assert finder.deleted(frames, similar, phones, i, -20.0, heard=SILENCE)
    assert not finder.deleted(frames, similar, phones, i, -20.0, heard=far)


def test_a_phone_without_exemplars_or_place_among_natives_is_left_alone(
    tone_index: PhoneIndex,
) -> None:
    frames, similar = scene(tone_index, [("M", 8), ("AA", 8)])
    phones = laid(("M", 7), ("ZH", 2), ("AA", 7))
    finder = Deviations(tone_index)
    assert finder.worth(frames, similar, phones, 1, -4.0) == (np.inf, np.inf)
    assert not finder.deleted(frames, similar, phones, 1, -4.0, heard="M")
    known = laid(("M", 7), ("IY", 2), ("AA", 7))
    assert finder.worth(frames, similar, known, 1, np.nan) == (np.inf, np.inf)


def test_frames_are_compared_with_the_mean_exemplar_of_every_class(tone_index: PhoneIndex) -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(5, tone_index.manifest.encoder.dim)).astype(np.float32)
    similar = Deviations(tone_index).similarities(Frames(embeddings, HOP_S, 0.0))
    vectors = tone_index.transform(embeddings)
    for p, phone in enumerate(tone_index.classes):
        mean = tone_index.vectors[tone_index.rows_of(phone)].mean(axis=0)
        expected = vectors @ (mean / np.linalg.norm(mean))
        np.testing.assert_allclose(similar[:, p], expected, atol=1e-5)
    assert similar.shape == (5, len(tone_index.classes) + 1)
    np.testing.assert_array_equal(similar[:, -1], similar[:, :-1].max(axis=1))


def test_an_index_without_silence_never_finds_it_near(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence = tone_index.rows_of(SILENCE)
    opened = PhoneIndex.open(tone_index.path)
    assert opened.classes[-1] == SILENCE
    monkeypatch.setattr(opened, "classes", opened.classes[:-1])
    monkeypatch.setattr(opened, "bounds", opened.bounds[:-1])
    opened.__dict__["vectors"] = tone_index.vectors[: silence.start]
    frames = Frames(np.ones((4, tone_index.manifest.encoder.dim), np.float32), HOP_S, HOP_S / 2)
    similar = Deviations(opened).similarities(frames)
    with_silence = Deviations(tone_index).similarities(frames)
    assert similar.shape == with_silence.shape
    assert (similar[:, -2] == -1).all()
    np.testing.assert_allclose(similar[:, :-2], with_silence[:, :-2], atol=1e-6)
    np.testing.assert_array_equal(similar[:, -1], similar[:, :-1].max(axis=1))
