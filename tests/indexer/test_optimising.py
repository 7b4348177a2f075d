import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexer.adding import AddRequest, add
from nativeear.indexer.audit.kept import keep_audit
from nativeear.indexer.audit.report import audit
from nativeear.indexer.merging import merge
from nativeear.indexer.optimising import PROBINGS, fastest, optimise
from nativeear.indexer.removing import remove
from nativeear.indexer.search_trials import native_queries, search_exactly, trial_of_exact
from nativeear.indexer.thinning import thin
from nativeear.indexes.cell_lists import LAYOUT, LISTS
from nativeear.indexes.cells import Cells
from nativeear.indexes.difference import difference
from nativeear.indexes.exact_rows import RowsOfFile
from nativeear.indexes.index_files import AUDIT, read_manifest
from nativeear.indexes.manifest import Codes, SearchTrial
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.similarity import class_similarities
from nativeear.indexes.verification import verify
from nativeear.indexes.versions import restore, versions
from nativeear.retriever.evidence import gather_evidence
from nativeear.retriever.nearness import nearness
from nativeear.retriever.neighbours import Exclusion, find_neighbours
from nativeear.speech.errors import IndexFormatError, InputError


@pytest.fixture
def index(tone_index: PhoneIndex, tmp_path: Path) -> Path:
    return shutil.copytree(tone_index.path, tmp_path / "tones")


@pytest.fixture(scope="module")
def divided(tone_index: PhoneIndex, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Searched by cells, as an index is that takes long to read as a whole.

    All cells are as fast, so that no clock says which are taken: the first that find enough.
    """
    index = shutil.copytree(tone_index.path, tmp_path_factory.mktemp("divided") / "tones")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "nativeear.indexer.optimising.trial_of_exact",
            lambda *given: trial_of_exact(*given).model_copy(update={"milliseconds": 1e6}),
        )
        patched.setattr("nativeear.indexer.search_trials.milliseconds", lambda *_: 1.0)
        optimise(index, recall=0.95)
    return index


@pytest.fixture
def optimised(divided: Path, tmp_path: Path) -> Path:
    return shutil.copytree(divided, tmp_path / "tones")


def trial(codes: Codes | None, recall: float, milliseconds: float, size: int) -> SearchTrial:
    return SearchTrial(
        codes=codes,
        cells=10,
        nearest=1,
        each=1,
        recall=recall,
        phone_recall=recall,
        margin_error=0.0,
        milliseconds=milliseconds,
        bytes=size,
    )


def test_the_fastest_that_fulfils_both_wishes_is_taken() -> None:
    exact, good, small = (
        trial(None, 1.0, 900.0, 4000),
        trial("sq8", 0.995, 20.0, 1000),
        trial("pq4", 0.97, 10.0, 500),
    )
    tried = [exact, good, small]
    assert fastest(tried, 0.99, 2000) == good
    assert fastest(tried, 0.95, 2000) == small
    assert fastest(tried, 1.0, 5000) == exact
    with pytest.raises(InputError, match=r"finds 99.0%") as caught:
        fastest(tried, 0.99, 600)
    assert "97.0%" in caught.value.cause
    with pytest.raises(InputError, match="fits into") as caught:
        fastest(tried, 0.5, 100)
    assert "0.0 MB" in caught.value.cause


def test_what_was_tried_is_in_the_manifest(index: Path, tone_index: PhoneIndex) -> None:
    seen: list[str] = []
    watch = lambda stage, done, total: seen.append(stage)  # noqa: E731
    report = optimise(index, recall=0.95, progress=watch)
    manifest = read_manifest(index)
    assert report.revision == manifest.revision == 2
    assert manifest.search == report.search
    assert manifest.command == "nativeear index optimize tones --recall 0.95 --memory 2000000000B"
    assert manifest.history == (tone_index.manifest.command,)
    exact, *others = report.search.tried
    assert (exact.codes, exact.recall, exact.margin_error) == (None, 1.0, 0.0)
    assert exact.bytes == tone_index.vectors.nbytes
    assert len(others) == 4 * len(PROBINGS)
    assert {other.codes for other in others} == {"fp16", "sq8", "pq4", "pq2"}
    halves = [other for other in others if other.codes == "fp16"]
    # The tones are so much alike that rounding decides which of them come tenth.
    assert min(halves[-1].recall, halves[-1].phone_recall) > 0.97
    assert halves[-1].margin_error < 1e-4
    assert min(report.search.chosen.recall, report.search.chosen.phone_recall) >= 0.95
    assert seen[0] == "Asking exactly"
    assert seen[-1] == "Publishing"
    assert not [path for path in index.parent.iterdir() if path.suffix == ".stage"]


def test_the_truth_leaves_natives_out(tone_index: PhoneIndex) -> None:
    vectors, bounds = tone_index.vectors, tone_index.bounds
    questions = native_queries(vectors, bounds, 50)
    truth = search_exactly(vectors, bounds, questions)
    everybody = np.arange(len(vectors))
    wanted = class_similarities(
        questions.vectors, vectors, bounds, top_m=10, groups=everybody, query_groups=questions.own
    )
    assert truth.found.by_class(50, len(bounds) - 1, 10) == pytest.approx(wanted, abs=1e-5)
    assert (np.searchsorted(bounds, questions.own, side="right") - 1 == questions.phone).all()


def test_an_optimised_index_answers_as_an_exact_one(
    optimised: Path, tone_index: PhoneIndex
) -> None:
    found = PhoneIndex.open(optimised)
    assert found.cells is not None
    assert tone_index.cells is None
    assert verify(optimised).ok
    queries = tone_index.vectors[::7].copy()
    exact, near = (find_neighbours(i, queries, 10) for i in (tone_index, found))
    assert (near.ids == exact.ids).mean() > 0.9  # rounding decides among the likest
    assert near.similarities == pytest.approx(exact.similarities, abs=1e-3)
    assert (near.phones == exact.phones).mean() > 0.98
    assert near.by_class == pytest.approx(exact.by_class, abs=0.05)


def test_evidence_and_nearness_come_from_cells(optimised: Path, tone_index: PhoneIndex) -> None:
    found = PhoneIndex.open(optimised)
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(12, tone_index.manifest.encoder.dim)).astype(np.float32)
    canonical = ["AA", "IY", "S", "M", "ZH", "AA"] * 2
    exact, near = (gather_evidence(i, embeddings, canonical) for i in (tone_index, found))
    for one, other in zip(exact, near, strict=True):
        assert other.margin == pytest.approx(one.margin, abs=0.05, nan_ok=True)
        assert (other.coverage, len(other.models)) == (one.coverage, len(one.models))
        assert {found.exemplar(row).phone for row in other.models} <= {one.phone}
        assert other.model_similarities == pytest.approx(one.model_similarities, abs=0.05)
    assert nearness(found, embeddings, canonical) == pytest.approx(
        nearness(tone_index, embeddings, canonical), abs=0.5, nan_ok=True
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_cells_name_examples_that_can_be_heard(
    optimised: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr("nativeear.retriever.evidence.ASKED_OF_CELLS", 6)
    found = PhoneIndex.open(optimised)
    playable = np.random.default_rng(0).random(found.manifest.counts.exemplars) < share
    found.__dict__["playable"] = playable
    rng = np.random.default_rng(1)
    embeddings = rng.normal(size=(30, found.manifest.encoder.dim)).astype(np.float32)
    canonical = ["AA", "IY", "S"] * 10
    told = gather_evidence(found, embeddings, canonical, models=2)
    rows = np.array([row for evidence in told for row in evidence.models])
    assert (rows >= 0).all()
    assert len(rows) >= len(told)
    assert {found.exemplar(row).phone for row in rows.tolist()} == {"AA", "IY", "S"}
    assert playable[rows].all() or not share


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_large_files_are_mapped_and_not_read(
    optimised: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nativeear.indexes.phone_index.COPIED_BYTES", 0)
    index = PhoneIndex.open(optimised)
    mapped = Path("/proc/self/maps").read_text(encoding="utf-8")
    for name in (LISTS, "vectors.faiss"):
        assert f"{optimised / name}\n" in mapped
    remove(optimised, speakers=["ben"], keep=0)  # what is open stays as it is
    found = find_neighbours(index, index.vectors[:5].copy(), 1)
    assert found.ids[:, 0].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.skipif(not RowsOfFile.possible(), reason="the system has no pread")
def test_exact_vectors_are_read_where_mapping_them_is_too_much(
    optimised: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nativeear.indexes.phone_index.COPIED_BYTES", 0)
    index = PhoneIndex.open(optimised)
    chosen, held = index.manifest.search.chosen, index.vectors.nbytes
    assert index.exact_rows(100, held + 100) is index.vectors
    rows = index.exact_rows(100, held + 99)
    assert (rows[np.array([3, 1])] == index.vectors[[3, 1]]).all()
    cells = Cells(index.path, chosen.codes, rows, index.bounds, index.cells.probing)
    queries = index.vectors[::7].copy()
    mapped, read = (each.shortlists(queries, 5) for each in (index.cells, cells))
    assert (read.rows[:, 0] == mapped.rows[:, 0]).mean() > 0.95
    assert read.similarities == pytest.approx(mapped.similarities, abs=1e-3)


def test_what_must_not_answer_is_left_out_exactly(optimised: Path, tone_index: PhoneIndex) -> None:
    exclusion = Exclusion(speakers=frozenset({(tone_index.manifest.corpora[0].name, "anna")}))
    queries = tone_index.vectors[::9].copy()
    exact, near = (
        find_neighbours(i, queries, 10, exclusion.rows(i))
        for i in (tone_index, PhoneIndex.open(optimised))
    )
    assert (near.ids == exact.ids).all()


def test_changes_go_back_to_exact_search(optimised: Path, tone_corpus: Path) -> None:
    removed = remove(optimised, speakers=["ben"])
    assert removed.cells_left
    assert read_manifest(optimised).search is None
    assert not {LAYOUT, LISTS} & {path.name for path in optimised.iterdir()}
    assert verify(optimised).ok
    assert not add(AddRequest(optimised, (str(tone_corpus),), keep=2)).cells_left
    assert restore(optimised, 2).revision == 2
    assert PhoneIndex.open(optimised).cells is not None
    assert {version.revision for version in versions(optimised)} == {2, 3, 4}


def test_merging_and_thinning_start_from_exact_vectors(
    optimised: Path, tone_index: PhoneIndex, tmp_path: Path
) -> None:
    merged = merge([optimised, tone_index.path], tmp_path / "both")
    assert merged.cells_left
    assert (PhoneIndex.open(tmp_path / "both").vectors == tone_index.vectors).all()
    assert thin(optimised, out=tmp_path / "thin").change.cells_left
    assert read_manifest(tmp_path / "thin").search is None


def test_an_audit_is_kept_beside_cells(optimised: Path) -> None:
    index = PhoneIndex.open(optimised)
    keep_audit(index, audit(index))
    assert {AUDIT, LAYOUT, LISTS} <= set(read_manifest(optimised).files)
    assert verify(optimised).ok
    assert PhoneIndex.open(optimised).cells is not None


def test_a_second_choice_takes_the_place_of_the_first(optimised: Path) -> None:
    again = optimise(optimised, recall=0.9)
    assert again.revision == 3
    assert verify(optimised).ok
    chosen = again.search.chosen
    assert chosen == read_manifest(optimised).search.chosen  # type: ignore[union-attr]
    assert not [path for path in optimised.iterdir() if path.name in {"fp16", "sq8", "pq4", "pq2"}]


def test_wishes_that_cannot_be_fulfilled_change_nothing(index: Path) -> None:
    with pytest.raises(InputError, match="fits into"):
        optimise(index, memory_bytes=10)
    assert read_manifest(index).revision == 1
    assert not [path for path in index.parent.iterdir() if path.name.startswith(".tones.")]


def test_indexes_are_told_apart_by_their_search(optimised: Path, tone_index: PhoneIndex) -> None:
    settings = difference(tone_index.path, optimised).settings
    assert settings["search"].first == "exact"
    assert settings["search"].second == "cells"


@pytest.mark.parametrize("name", [LAYOUT, LISTS])
def test_damaged_cells_are_found(optimised: Path, name: str) -> None:
    file = optimised / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    assert not verify(optimised).ok
    file.write_bytes(content[:-1])
    with pytest.raises(IndexFormatError, match="damaged"):
        PhoneIndex.open(optimised)


def test_cells_that_the_manifest_lacks_are_damage(optimised: Path) -> None:
    (optimised / LISTS).unlink()
    with pytest.raises(IndexFormatError, match="damaged"):
        PhoneIndex.open(optimised)
