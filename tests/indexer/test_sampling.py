import csv
from pathlib import Path

import pytest
import soundfile

from nativeear.indexer.sampling import sample_phone
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.errors import InputError


def test_exemplars_can_be_heard(tone_index: PhoneIndex, tmp_path: Path) -> None:
    found = sample_phone(tone_index, "iː", 6, tmp_path / "alone", alone=True)
    assert (found.phone, len(found.files)) == ("IY", 6)
    with (tmp_path / "alone" / "sample.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["speaker"] for row in rows].count("anna") == 3  # speakers take turns
    for row in rows:
        told = tone_index.exemplar(int(row["row"]))
        heard = soundfile.info(tmp_path / "alone" / row["file"])
        assert told.phone == "IY"
        assert heard.duration == pytest.approx(told.end_s - told.start_s, abs=1e-3)
    around = sample_phone(tone_index, "IY", 6, tmp_path / "around")
    assert [path.name for path in around.files] == [path.name for path in found.files]
    assert soundfile.info(around.files[0]).duration > 0.3
    other = sample_phone(tone_index, "IY", 6, tmp_path / "other", seed=1)
    assert {path.name for path in other.files} != {path.name for path in found.files}


def test_only_natives_of_the_shipped_index_can_be_heard(tmp_path: Path) -> None:
    index = PhoneIndex.open(find_index("en-US"))
    found = sample_phone(index, "θ", 3, tmp_path)
    assert found.phone == "TH"
    assert {index.exemplar(int(path.stem)).corpus for path in found.files} == {"asterisk-en"}


def test_what_is_not_there_is_told(tone_index: PhoneIndex, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no B"):
        sample_phone(tone_index, "B", 1, tmp_path)
    with pytest.raises(InputError, match="not known"):
        sample_phone(tone_index, "§", 1, tmp_path)
