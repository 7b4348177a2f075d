"""Cells find what exact search finds, and believe nothing of what lies in their files."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexes.cell_lists import (
    CODES,
    LAYOUT,
    LISTS,
    code_bytes,
    codes_for,
    divide,
    write_cells,
)
from nativeear.indexes.cells import Cells, Probing
from nativeear.indexes.manifest import Codes
from nativeear.indexes.similarity import FloatArray, IntArray, class_similarities
from nativeear.speech.errors import IndexFormatError

DIMS = 16
SIZES = (900, 1, 1500, 0, 40)
BOUNDS = np.concatenate([[0], np.cumsum(SIZES)]).astype(np.int64)
ALL = Probing(10**6, 10**6)


def unit(vectors: FloatArray) -> FloatArray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def pool(dims: int = DIMS) -> FloatArray:
    rng = np.random.default_rng(0)
    means = rng.normal(size=(len(SIZES), dims))
    return unit(np.repeat(means, SIZES, axis=0) + 0.7 * rng.normal(size=(BOUNDS[-1], dims)))


VECTORS = pool()
QUERIES = unit(VECTORS[::37] + 0.1 * np.random.default_rng(1).normal(size=VECTORS[::37].shape))


def cells(folder: Path, codes: Codes, probing: Probing = ALL) -> Cells:
    return Cells(folder / codes, codes, VECTORS, BOUNDS, probing)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cells")
    division = divide(VECTORS, BOUNDS)
    for codes in CODES:
        (made / codes).mkdir()
        size = write_cells(made / codes, codes, VECTORS, BOUNDS, division)
        assert size == sum(file.stat().st_size for file in (made / codes).iterdir())
    return made


@pytest.mark.parametrize("codes", CODES)
def test_cells_are_written_with_the_same_bytes_again(
    folder: Path, codes: Codes, tmp_path: Path
) -> None:
    write_cells(tmp_path, codes, VECTORS, BOUNDS, divide(VECTORS, BOUNDS))
    for name in (LAYOUT, LISTS):
        assert (tmp_path / name).read_bytes() == (folder / codes / name).read_bytes()


def exact_nearest(k: int) -> IntArray:
    return np.argsort(-(QUERIES @ VECTORS.T), axis=1, kind="stable")[:, :k]


def test_a_cell_holds_one_phone_only(folder: Path) -> None:
    division = divide(VECTORS, BOUNDS)
    assert np.diff(division.of_class).tolist() == [73, 1, 121, 0, 3]
    assert np.linalg.norm(division.centroids, axis=1) == pytest.approx(1, abs=1e-5)
    again = divide(VECTORS, BOUNDS)
    assert (again.centroids == division.centroids).all()


@pytest.mark.parametrize(
    ("codes", "nearest", "similarity"),
    [("fp16", 1.0, 1e-3), ("sq8", 1.0, 0.02), ("pq4", 0.97, 0.08), ("pq2", 0.9, 0.2)],
)
def test_asking_all_cells_is_exact_search(
    folder: Path, codes: Codes, nearest: float, similarity: float
) -> None:
    found = cells(folder, codes).shortlists(QUERIES, 10)
    rows, similarities = found.nearest(len(QUERIES), 10)
    exact = exact_nearest(10)
    shared = np.mean([np.isin(a, b).mean() for a, b in zip(exact, rows, strict=True)])
    assert shared >= nearest
    own = np.take_along_axis(QUERIES @ VECTORS.T, rows, axis=1)
    assert similarities == pytest.approx(own, abs=1e-5)  # compared with the vectors themselves
    assert (np.diff(similarities, axis=1) <= 0).all()
    by_class = found.by_class(len(QUERIES), len(SIZES), 10)
    wanted = class_similarities(QUERIES, VECTORS, BOUNDS, top_m=10)
    assert (np.isnan(by_class) == np.isnan(wanted)).all()
    assert np.nanmax(np.abs(by_class - wanted)) < similarity


@pytest.mark.parametrize("codes", CODES)
def test_a_phone_answers_with_its_own_exemplars(folder: Path, codes: Codes) -> None:
    found = cells(folder, codes, Probing(4, 1)).shortlists(QUERIES, 12)
    assert found.rows.shape == (len(found.query), 12)
    listed = found.rows >= 0
    phones = np.searchsorted(BOUNDS, found.rows, side="right") - 1
    assert (phones == found.phone[:, None])[listed].all()
    assert (np.isneginf(found.similarities) == ~listed).all()
    # Every phone that has exemplars answers every query, its single exemplar, too.
    assert sorted(set(found.phone.tolist())) == [0, 1, 2, 4]
    assert np.bincount(found.query).tolist() == [4] * len(QUERIES)
    assert (found.rows[found.phone == 1, 0] == BOUNDS[1]).all()


def test_more_cells_find_more(folder: Path) -> None:
    exact = exact_nearest(10)
    shares = []
    for asked in (1, 4, 16, 64):
        rows, _ = (
            cells(folder, "sq8", Probing(asked, 0))
            .shortlists(QUERIES, 10)
            .nearest(len(QUERIES), 10)
        )
        shares.append(np.mean([np.isin(a, b).mean() for a, b in zip(exact, rows, strict=True)]))
    assert shares == sorted(shares)
    assert shares[0] < 0.8
    assert shares[-1] > 0.98


def test_only_wanted_phones_are_asked(folder: Path) -> None:
    wanted = np.zeros((len(QUERIES), len(SIZES)), dtype=bool)
    wanted[:, 2] = True
    wanted[::2, 4] = True
    some = cells(folder, "fp16").shortlists(QUERIES, 10, wanted=wanted)
    assert (wanted[some.query, some.phone]).all()
    assert len(some.query) == wanted.sum()
    everything = cells(folder, "fp16").shortlists(QUERIES, 10)
    same = np.flatnonzero(wanted[everything.query, everything.phone])
    assert (some.rows == everything.rows[same]).all()


def test_natives_leave_themselves_out(folder: Path) -> None:
    own = np.arange(0, 900, 9)
    found = cells(folder, "sq8").shortlists(VECTORS[own], 11)
    assert (found.rows[found.phone == 0, 0] == own).all()
    left = found.without(own)
    assert not (left.rows == own[left.query, None]).any()
    assert (left.rows[left.phone == 0, :10] == found.rows[found.phone == 0, 1:]).all()


def test_blocks_of_queries_are_put_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = cells(folder, "pq4").shortlists(QUERIES, 10)
    monkeypatch.setattr("nativeear.indexes.cells.QUERIES_AT_ONCE", 10)
    parts = cells(folder, "pq4").shortlists(QUERIES, 10)
    assert (whole.query == parts.query).all()
    assert (whole.rows == parts.rows).all()
    nothing = cells(folder, "pq4").shortlists(QUERIES[:0], 10)
    assert nothing.by_class(0, len(SIZES), 10).shape == (0, len(SIZES))
    assert nothing.nearest(0, 10)[0].shape == (0, 10)


def test_codes_take_the_room_that_is_said(folder: Path) -> None:
    sizes = {codes: (folder / codes / LISTS).stat().st_size for codes in CODES}
    for codes, size in sizes.items():
        least = int(BOUNDS[-1]) * (code_bytes(codes, DIMS) + 8)
        assert least <= size
    assert sizes["fp16"] > sizes["sq8"]  # here the others have more room than exemplars
    assert sizes["pq4"] > sizes["pq2"]
    assert codes_for(39) == ("fp16", "sq8", "pq4")


@pytest.mark.parametrize("dims", [3, 39])
def test_odd_dimensions(dims: int, tmp_path: Path) -> None:
    vectors = pool(dims)
    for codes in codes_for(dims):
        (tmp_path / codes).mkdir()
        write_cells(tmp_path / codes, codes, vectors, BOUNDS, divide(vectors, BOUNDS))
        found = Cells(tmp_path / codes, codes, vectors, BOUNDS, ALL).shortlists(vectors[:50], 1)
        assert (found.nearest(50, 1)[1] > 0.999).all()


@pytest.mark.parametrize("codes", CODES)
def test_files_that_do_not_fit_are_refused(folder: Path, codes: Codes, tmp_path: Path) -> None:
    (tmp_path / codes).mkdir()
    layout, lists = ((folder / codes / name).read_bytes() for name in (LAYOUT, LISTS))
    for name, content in ((LISTS, lists[:-1]), (LISTS, lists + b"x"), (LAYOUT, layout[:-3])):
        (tmp_path / codes / LAYOUT).write_bytes(layout)
        (tmp_path / codes / LISTS).write_bytes(lists)
        (tmp_path / codes / name).write_bytes(content)
        with pytest.raises(IndexFormatError, match="cells"):
            cells(tmp_path, codes)
    (tmp_path / codes / LAYOUT).write_bytes(layout)
    (tmp_path / codes / LISTS).unlink()
    with pytest.raises(IndexFormatError, match="cells"):
        cells(tmp_path, codes)


@pytest.mark.parametrize("codes", CODES)
def test_a_damaged_layout_never_crashes(folder: Path, codes: Codes, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    (tmp_path / codes).mkdir()
    (tmp_path / codes / LISTS).write_bytes((folder / codes / LISTS).read_bytes())
    whole = (folder / codes / LAYOUT).read_bytes()
    for place in rng.integers(0, len(whole), 40).tolist():
        damaged = bytearray(whole)
        damaged[place] ^= int(rng.integers(1, 256))
        (tmp_path / codes / LAYOUT).write_bytes(damaged)
        try:
            cells(tmp_path, codes, Probing(4, 1)).shortlists(QUERIES, 5)
        except IndexFormatError:
            continue


@pytest.mark.parametrize("codes", CODES)
def test_rows_of_other_phones_are_refused(folder: Path, codes: Codes, tmp_path: Path) -> None:
    (tmp_path / codes).mkdir()
    (tmp_path / codes / LAYOUT).write_bytes((folder / codes / LAYOUT).read_bytes())
    lists = np.frombuffer((folder / codes / LISTS).read_bytes(), dtype="<i8")
    (place,) = np.flatnonzero(lists == BOUNDS[1])  # the only exemplar of its phone
    for other in (5, 1 << 40, -(1 << 40)):
        changed = lists.copy()
        changed[place] = other
        (tmp_path / codes / LISTS).write_bytes(changed.tobytes())
        with pytest.raises(IndexFormatError) as caught:
            cells(tmp_path, codes).shortlists(QUERIES, 5)
        assert "another phone" in caught.value.cause


def test_threads_may_ask_at_once(folder: Path) -> None:
    shared = cells(folder, "pq4")
    probings = [Probing(4, 1), Probing(64, 4), Probing(16, 2), ALL] * 5
    alone = [shared.shortlists(QUERIES, 10, probing=probing).rows for probing in probings]
    with ThreadPoolExecutor(4) as executor:
        together = list(
            executor.map(lambda p: shared.shortlists(QUERIES, 10, probing=p).rows, probings)
        )
    assert all((one == other).all() for one, other in zip(alone, together, strict=True))
