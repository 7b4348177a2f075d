import json

import numpy as np
import pytest

from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import sha256_of
from nativeear.scoring.calibration import calibration_of
from nativeear.scoring.fusion.expert import FOLDER, MODEL_FILE, RECORD_FILE, shipped
from nativeear.scoring.fusion.features import RISING, FeatureTable
from nativeear.scoring.fusion.phone_model import COLUMNS
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.errors import InputError
from tests.stored.evidence import stored


@pytest.fixture(scope="module")
def english() -> PhoneIndex:
    return PhoneIndex.open(find_index("en-US"))


@pytest.mark.parametrize(
    ("name", "given"), [("auto", "expert"), ("training-free", "training-free")]
)
def test_the_shipped_index_is_graded_as_experts_would_unless_asked_otherwise(
    english: PhoneIndex, name: str, given: str
) -> None:
    assert calibration_of(name, english).name == given


def test_another_index_is_graded_by_natives_alone(tone_index: PhoneIndex) -> None:
    assert calibration_of("auto", tone_index).name == "training-free"
    with pytest.raises(InputError, match="does not serve"):
        calibration_of("expert", tone_index)


@pytest.mark.parametrize("share", [0.0, -1.0, 0.6, float("nan")])
def test_what_is_no_share_is_refused(tone_index: PhoneIndex, share: float) -> None:
    with pytest.raises(InputError, match="no share"):
        calibration_of("auto", tone_index, false_rejections=share)


def test_an_unknown_calibration_is_refused(tone_index: PhoneIndex) -> None:
    with pytest.raises(InputError, match="no calibration called 'kind'"):
        calibration_of("kind", tone_index)


def test_the_record_belongs_to_the_trees_and_to_the_shipped_encoder() -> None:
    record = json.loads((FOLDER / RECORD_FILE).read_text(encoding="utf-8"))
    assert record["sha256"] == sha256_of(FOLDER / MODEL_FILE)
    assert record["encoder"] == load_encoder("default").fingerprint
    assert tuple(record["columns"][: len(COLUMNS)]) == COLUMNS


def test_a_stricter_share_means_a_lower_border() -> None:
    borders = [shipped().border(share) for share in (0.005, 0.02, 0.04, 0.1, 0.3)]
    assert borders == sorted(borders)
    assert 0 < borders[0] < borders[-1] < 2


@pytest.mark.parametrize("name", sorted(RISING & set(COLUMNS)))
def test_no_grade_of_the_trees_falls_where_evidence_rises(name: str) -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(-1, 2, size=len(COLUMNS))
    values = np.tile(base, (40, 1))
    values[:, COLUMNS.index(name)] = np.linspace(-20, 20, 40)
    alone = np.zeros(1, np.int64)
    expected = np.concatenate(
        [
            shipped().phones.opinions(FeatureTable(COLUMNS, row[None]), ["AH"], alone).second
            for row in values
        ]
    )
    assert (np.diff(expected) >= -1e-9).all()
    assert (np.diff(shipped().probability(expected)) <= 1e-12).all()


@pytest.mark.parametrize("name", sorted(RISING & set(COLUMNS)))
def test_hardly_any_grade_falls_where_evidence_rises(name: str) -> None:
    """The network may turn a little; nobody would see it among 100 points."""
    found = stored("connect-eh-s").recording_evidence()
    phones = [phone.phone for phone in found.phones]
    words = np.array([phone.word_index for phone in found.phones])
    before = shipped().of(found)
    for i in range(0, len(phones), 5):
        raised = found.features.values.copy()
        raised[i, found.features.names.index(name)] += 1
        table = FeatureTable(found.features.names, raised)
        assert shipped().phones.expected(table, phones, words)[i] > before[i] - 0.01
