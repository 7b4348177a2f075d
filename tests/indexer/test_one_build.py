"""What changes tell of one build from all the speech, and that it is so."""

import shutil
from pathlib import Path

import pytest

from nativeear.indexer.adding import AddRequest, add
from nativeear.indexer.merging import merge
from nativeear.indexer.mismatches import MIN_UTTERANCES
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import sha256_of
from tests.indexer.test_changes import build
from tests.indexer.test_flatstart import build as build_flatstart
from tests.indexer.test_flatstart import by_phones, speak, table


def fitted(index: Path) -> tuple[str, ...]:
    return tuple(sha256_of(index / f) for f in ("exemplars.parquet", "embeddings.npy"))


@pytest.fixture(scope="module")
def halves(tone_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The tones as two corpora; of `one` so few that nothing is usual, one is called wrongly."""
    folder = tmp_path_factory.mktemp("halves")
    words = sorted(tone_corpus.rglob("*.wav"))
    for number, wav in enumerate(words):
        target = folder / ("one" if number < 8 else "two") / wav.name
        target.parent.mkdir(exist_ok=True)
        for file in (wav, wav.with_suffix(".TextGrid")):
            shutil.copy(file, target.with_suffix(file.suffix))
    return folder / "one", folder / "two"


def test_nothing_is_told_where_it_is_the_same(halves: tuple[Path, Path], tmp_path: Path) -> None:
    one, two = halves
    build(tmp_path / "whole", one, two)
    build(tmp_path / "part", one)
    build(tmp_path / "rest", two)
    assert merge([tmp_path / "part", tmp_path / "rest"], tmp_path / "merged").one_build == ()
    assert add(AddRequest(tmp_path / "part", (str(two),))).one_build == ()
    assert fitted(tmp_path / "part") == fitted(tmp_path / "whole") == fitted(tmp_path / "merged")


def test_an_utterance_that_does_not_fit_beside_all_others_is_told(
    halves: tuple[Path, Path], tmp_path: Path
) -> None:
    one = Path(shutil.copytree(halves[0], tmp_path / "one"))
    grid = sorted(one.glob("*.TextGrid"))[2]
    text = grid.read_text()
    for phone, other in (("IY", "S"), ("AA", "M"), ("M", "AA"), ("S", "IY")):
        text = text.replace(f'"{phone}"', f'"@{other}"')
    grid.write_text(text.replace('"@', '"'))
    build(tmp_path / "part", one)
    whole = build(tmp_path / "whole", one, halves[1])
    assert [id for id, _ in whole.set_aside] == [grid.stem]
    report = add(AddRequest(tmp_path / "part", (str(halves[1]),)))
    assert report.utterances == whole.utterances + 1 >= MIN_UTTERANCES
    (told,) = report.one_build
    assert told.startswith("It would set aside 1 utterances")
    assert f"one/{grid.stem}" in told


def test_an_aligner_that_was_learnt_is_told(tmp_path: Path) -> None:
    corpora = []
    for name, numbers in (("one", range(24)), ("two", range(24, 40))):
        truth = speak(tmp_path / name, numbers)
        corpora.append(table(tmp_path / name, truth, by_phones))
    for name, corpus in zip(("part", "rest"), corpora, strict=True):
        build_flatstart(corpus, tmp_path / "indexes" / name)
    merged = merge([tmp_path / "indexes" / name for name in ("part", "rest")], tmp_path / "merged")
    added = add(AddRequest(tmp_path / "indexes" / "part", (str(corpora[1]),)))
    for report in (merged, added):
        assert any("learn its aligner" in sentence for sentence in report.one_build)
    learnt = PhoneIndex.open(tmp_path / "indexes" / "part").table.column("start_s")
    other = PhoneIndex.open(tmp_path / "merged").table.column("start_s")
    assert learnt.to_pylist() != other.to_pylist()
