"""Insertions against every path there is, on similarities drawn by hand."""

import numpy as np
import pytest

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.deviations import INSERTED_ABOVE, Deviations, InsertedPhone
from nativeear.speech.alignment import SILENCE
from tests.retriever.test_deviation_paths import (
    HOP_S,
    PAUSE_S,
    Similar,
    drawn,
    laid,
    scene,
    shares,
)

INSERTED_S, EDGE_S, INSERTION_REACH_S = 0.06, 0.04, 0.25


def insertion_by_trying(
    index: PhoneIndex, similar: Similar, names: tuple[str, str]
) -> tuple[str, int, int, float] | None:
    """Class, first and past-last frame, and gain of the best run between two phones, if any."""
    column = {phone: p for p, phone in enumerate(index.classes)}
    before, after, quiet = column[names[0]], column[names[1]], column[SILENCE]
    edge, shortest, pause = (round(s / HOP_S) for s in (EDGE_S, INSERTED_S, PAUSE_S))
    values = similar.astype(float)
    explained = values[:, [before, after, quiet]].max(axis=1)
    best, found = -np.inf, None
    for phone, p in column.items():
        if p in (before, after, quiet):
            continue
        for one, gap, length, other in shares(len(values), 4):
            if one < edge or other < edge or length < shortest or 0 < gap < pause:
                continue
            along = np.repeat([before, quiet, p, after], [one, gap, length, other])
            total = values[np.arange(len(values)), along].sum()
            if total > best + 1e-9:
                best, found = total, (phone, one + gap, one + gap + length)
    if found is None:
        return None
    p, run = column[found[0]], slice(*found[1:])
    gain = float((values[run, p] - explained[run]).mean())
    renamed = max(
        values[:joint, one].sum() + values[joint:, other].sum()
        for one, other in ((before, p), (p, after))
        for joint in range(edge, len(values) - edge + 1)
    )
    return (*found, gain) if gain >= INSERTED_ABOVE and best > renamed else None


@pytest.mark.parametrize("seed", range(40))
def test_the_best_run_between_two_phones_is_the_insertion(
    tone_index: PhoneIndex, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 6, size=3).tolist()
    said = [*zip(("M", "S", "AA"), lengths, strict=True)]
    frames, clear = scene(tone_index, said, near=rng.choice([0.6, 0.9]))
    noise = drawn(tone_index, len(frames), seed)[:, :-1] * rng.choice([0.3, 1.0])
    similar = np.hstack([clear[:, :-1] + noise, np.zeros((len(frames), 1))]).astype(np.float32)
    similar[:, -1] = similar[:, :-1].max(axis=1)
    half = int(sum(lengths) / 2)
    phones = laid(("M", half), ("AA", sum(lengths) - half))
    found = Deviations(tone_index).insertions(frames, similar, phones)
    # The last frame belongs to what follows.
    expected = insertion_by_trying(tone_index, similar[:-1], ("M", "AA"))
    if expected is None:
        assert found == ()
        return
    (run,) = found
    phone, first, past, gain = expected
    assert run.phone == phone
    assert (run.start_s, run.end_s) == pytest.approx((first * HOP_S, past * HOP_S))
    assert run.gain == pytest.approx(gain, abs=1e-4)
    middle = (first + past) / 2 * HOP_S
    assert run.after == (0 if middle < phones[0].end_s else 1)


def inserted(index: PhoneIndex, *said: tuple[str, int], **near: float) -> tuple[InsertedPhone, ...]:
    """Insertions where `M AA` was meant, each of half the recording."""
    frames, similar = scene(index, said, **near)
    half = len(frames) // 2
    return Deviations(index).insertions(
        frames, similar, laid(("M", half), ("AA", len(frames) - half))
    )


def test_an_insertion_is_as_near_as_the_threshold_that_ships_wants(
    tone_index: PhoneIndex,
) -> None:
    said = (("M", 6), ("S", 5), ("AA", 7))
    (run,) = inserted(tone_index, *said, near=INSERTED_ABOVE + 0.02)
    assert (run.phone, run.start_s, run.end_s) == ("S", pytest.approx(0.12), pytest.approx(0.22))
    assert run.gain == pytest.approx(INSERTED_ABOVE + 0.02)
    assert inserted(tone_index, *said, near=INSERTED_ABOVE - 0.02) == ()


def test_an_insertion_lasts_and_leaves_something_of_its_neighbours(
    tone_index: PhoneIndex,
) -> None:
    assert len(inserted(tone_index, ("M", 6), ("S", 3), ("AA", 7))) == 1
    assert inserted(tone_index, ("M", 6), ("S", 1), ("AA", 7)) == ()
    # One of the two was renamed, which is a substitution.
    assert inserted(tone_index, ("S", 8), ("AA", 8)) == ()
    assert inserted(tone_index, ("M", 8), ("S", 8)) == ()
    # What is silent between them is no sound.
    assert inserted(tone_index, ("M", 6), (SILENCE, 5), ("AA", 7)) == ()
    (run,) = inserted(tone_index, ("M", 6), (SILENCE, 2), ("S", 5), ("AA", 7))
    assert run.start_s == pytest.approx(0.16)


def test_a_phone_that_was_renamed_would_keep_its_edge(tone_index: PhoneIndex) -> None:
    """A frame of M and one of AA are too little for either to have been said in part."""
    frames, similar = scene(tone_index, [("M", 1), ("S", 14), ("AA", 2)])
    for frame, phone in ((0, "M"), (15, "AA")):
        similar[frame, [tone_index.classes.index(phone), -1]] = 1.0
    (run,) = Deviations(tone_index).insertions(frames, similar, laid(("M", 8), ("AA", 9)))
    assert (run.phone, run.start_s, run.end_s) == ("S", pytest.approx(0.04), pytest.approx(0.28))


def test_what_renaming_explains_as_well_up_to_the_edge_is_no_insertion(
    tone_index: PhoneIndex,
) -> None:
    """S was said for M, then AA for as short as it may be; M is only somewhat near at first."""
    frames, similar = scene(tone_index, [("S", 14), ("AA", 3)])
    similar[:2, tone_index.classes.index("M")] = 0.8
    phones = laid(("M", 8), ("AA", 9))
    assert Deviations(tone_index).insertions(frames, similar, phones) == ()
    mirrored = scene(tone_index, [("M", 2), ("S", 15)])[1]
    mirrored[14:16, tone_index.classes.index("AA")] = 0.8
    assert Deviations(tone_index).insertions(frames, mirrored, phones) == ()


def test_a_phone_of_which_nothing_is_known_explains_all_beside_it(tone_index: PhoneIndex) -> None:
    frames, similar = scene(tone_index, [("M", 6), ("S", 5), ("AA", 7)])
    for unknown in (laid(("ZH", 9), ("AA", 9)), laid(("M", 9), ("ZH", 9))):
        assert Deviations(tone_index).insertions(frames, similar, unknown) == ()


def test_of_two_runs_that_overlap_the_clearer_is_kept_and_all_are_in_order(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(start_s: float, end_s: float, gain: float) -> InsertedPhone:
        return InsertedPhone(0, "S", start_s, end_s, gain)

    late, clear, faint, touching = (
        run(0.9, 1.0, 0.6), run(0.2, 0.4, 0.8), run(0.3, 0.5, 0.42), run(0.4, 0.5, 0.45),
    )  # fmt: skip
    made = iter([faint, late, None, touching, clear])
    monkeypatch.setattr(Deviations, "_inserted", lambda *_: next(made))
    frames, similar = scene(tone_index, [("M", 6)])
    phones = laid(*[("M", 1)] * 6)
    assert Deviations(tone_index).insertions(frames, similar, phones) == (clear, touching, late)


def test_no_farther_than_their_reach_are_insertions_looked_for(tone_index: PhoneIndex) -> None:
    reach = round(INSERTION_REACH_S / HOP_S)
    far = [("M", 20), ("S", 5), ("M", reach + 6), ("AA", reach + 31)]
    frames, similar = scene(tone_index, far)
    ahead = sum(length for _, length in far[:3])
    phones = laid(("M", ahead), ("AA", len(frames) - ahead))
    assert Deviations(tone_index).insertions(frames, similar, phones) == ()
    near = [("M", 20), ("S", 5), ("M", 2), ("AA", reach + 31)]
    frames, similar = scene(tone_index, near)
    (run,) = Deviations(tone_index).insertions(
        frames, similar, laid(("M", 27), ("AA", len(frames) - 27))
    )
    assert run.phone == "S"
