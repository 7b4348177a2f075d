from pathlib import Path

import pytest

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.browser.pack import write_pack


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of the shipped index."""
    out = tmp_path_factory.mktemp("packs") / "en-US"
    write_pack(PhoneIndex.open(Path("indexes/en-US")), out)
    return out
