import shutil
from pathlib import Path

import pytest

from nativeear.indexer.audit.kept import keep_audit
from nativeear.indexer.audit.report import AuditReport, audit
from nativeear.indexer.removing import remove
from nativeear.indexes.index_files import AUDIT
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.verification import verify
from nativeear.indexes.versions import versions
from nativeear.speech.errors import InputError


@pytest.fixture
def index(tone_index: PhoneIndex, tmp_path: Path) -> PhoneIndex:
    return PhoneIndex.open(shutil.copytree(tone_index.path, tmp_path / "tones"))


def test_an_audit_is_kept_with_its_index(index: PhoneIndex) -> None:
    report = audit(index)
    for _ in range(2):  # a second one takes the place of the first
        file = keep_audit(index, report)
        assert AuditReport.model_validate_json(file.read_text(encoding="utf-8")) == report
    assert verify(index.path).ok
    again = PhoneIndex.open(index.path)
    assert (again.vectors == index.vectors).all()
    assert again.manifest.files.keys() - index.manifest.files.keys() == {AUDIT}
    assert [version.revision for version in versions(index.path)] == [index.manifest.revision]
    assert not [path for path in index.path.parent.iterdir() if path.suffix == ".stage"]


def test_it_goes_when_exemplars_go(index: PhoneIndex) -> None:
    report = audit(index)
    keep_audit(index, report)
    remove(index.path, speakers=[index.codes("speaker")[1][0]])
    assert not (index.path / AUDIT).exists()
    assert verify(index.path).ok
    smaller = PhoneIndex.open(index.path)
    keep_audit(smaller, audit(smaller))
    kept = [version.revision for version in versions(index.path)]
    assert kept == [smaller.manifest.revision, index.manifest.revision]
    with pytest.raises(InputError, match="changed while"):
        keep_audit(index, report)
