import subprocess
from pathlib import Path

import pytest

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.browser.demo import write_demo
from nativeear.service.browser.pack import write_pack
from tests.support.browser import NODE, WEB
from tests.support.served import ROOT


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of the shipped index."""
    out = tmp_path_factory.mktemp("packs") / "en-US"
    write_pack(PhoneIndex.open(ROOT / "indexes" / "en-US"), out)
    return out


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `nativeear web-demo` writes, with the package built; tests copy what they change."""
    assert NODE is not None
    subprocess.run([NODE, "build.mjs"], check=True, cwd=WEB)
    site = tmp_path_factory.mktemp("demo") / "site"
    write_demo(PhoneIndex.open(ROOT / "indexes" / "en-US"), WEB / "dist", site)
    return site
