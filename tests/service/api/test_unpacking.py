import io
import stat
import zipfile
from pathlib import Path

import pytest

from nativeear.service.api.unpacking import unpack
from nativeear.speech.errors import CorpusError


def packed(*members: tuple[str | zipfile.ZipInfo, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return io.BytesIO(out.getvalue())


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_files_and_folders_come_out_as_they_went_in(tmp_path: Path) -> None:
    unpack(packed(("wavs/a.wav", b"1"), ("metadata.csv", b"a|b")), tmp_path, max_bytes=100)
    assert (tmp_path / "wavs" / "a.wav").read_bytes() == b"1"
    assert (tmp_path / "metadata.csv").read_bytes() == b"a|b"


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "a\\..\\out", "C:out", "a:b"])
def test_no_name_leads_out(tmp_path: Path, name: str) -> None:
    with pytest.raises(CorpusError):
        unpack(packed((name, b"1")), tmp_path / "in", max_bytes=100)
    assert not list(tmp_path.rglob("*out*"))


def test_links_bombs_and_twins_are_refused(tmp_path: Path) -> None:
    for number, archive in enumerate(
        [
            packed((link("a"), b"/etc")),
            packed(("a", bytes(10_000_000))),
            packed(("a", b"1"), ("a/b", b"1")),
        ]
    ):
        with pytest.raises(CorpusError):
            unpack(archive, tmp_path / str(number), max_bytes=1000)


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04" + bytes(30)])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(CorpusError, match="cannot be unpacked"):
        unpack(io.BytesIO(data), tmp_path, max_bytes=1000)
