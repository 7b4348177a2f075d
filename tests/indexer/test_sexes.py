import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from nativeear.indexer.audit.coverage import coverage
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.removing import remove
from nativeear.indexes.index_files import UTTERANCES
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.utterances import sexes_of, utterances_of


@pytest.fixture(scope="module")
def index(tone_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> PhoneIndex:
    """The tones, of which a table states that Anna is a woman, and of Ben nothing."""
    folder = tmp_path_factory.mktemp("stated")
    lines = ["id,audio,textgrid,speaker,gender"]
    for wav in sorted(tone_corpus.rglob("*.wav")):
        sex = "Female" if wav.parent.name == "anna" else ""
        lines.append(f"{wav.stem},{wav},{wav.with_suffix('.TextGrid')},{wav.parent.name},{sex}")
    (folder / "table.csv").write_text("\n".join(lines), encoding="utf-8")
    request = BuildRequest(
        corpora=(str(folder / "table.csv"),),
        language="en-US",
        out=folder / "index",
        encoder="spectral",
    )
    build_index(request)
    return PhoneIndex.open(folder / "index")


def test_an_index_keeps_the_sex_that_its_corpus_states(index: PhoneIndex) -> None:
    found = sexes_of(index)
    assert set(found.values()) == {"f"}
    assert sorted(utterance for _, utterance in found) == [f"anna{n:02d}" for n in range(15)]


def test_an_audit_counts_by_sex(index: PhoneIndex) -> None:
    report = coverage(index)
    assert [(part.sex, part.speakers) for part in report.by_sex] == [("f", 1), (None, 1)]
    assert sum(part.exemplars for part in report.by_sex) == report.exemplars - report.silences
    for phone in report.phones:
        assert sum(part.exemplars for part in phone.by_sex) == phone.exemplars
        assert sum(part.minutes for part in phone.by_sex) == pytest.approx(phone.minutes, abs=2e-3)
    speaker, names = index.codes("speaker")
    rows = index.rows_of("IY")
    anna = int((speaker[rows] == names.index("anna")).sum())
    iy = next(phone for phone in report.phones if phone.phone == "IY")
    assert iy.by_sex[0].exemplars == anna


def test_the_sex_stays_when_speakers_go(index: PhoneIndex, tmp_path: Path) -> None:
    shutil.copytree(index.path, tmp_path / "index")
    remove(tmp_path / "index", speakers=("ben",))
    left = coverage(PhoneIndex.open(tmp_path / "index"))
    assert [(part.sex, part.speakers) for part in left.by_sex] == [("f", 1)]


def test_indexes_of_earlier_releases_say_nothing_of_it(index: PhoneIndex, tmp_path: Path) -> None:
    shutil.copytree(index.path, tmp_path / "index")
    file = tmp_path / "index" / UTTERANCES
    pq.write_table(pq.read_table(file).drop_columns(["sex"]), file)
    old = PhoneIndex(tmp_path / "index", index.manifest, index.transform, index.table)
    table = utterances_of(old)
    assert table.column("sex").null_count == table.num_rows == 30
    assert sexes_of(old) == {}
    assert [part.sex for part in coverage(old).by_sex] == [None]
