from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexer.assembly import publish_new
from nativeear.indexer.merging import merge
from nativeear.indexer.pool import Record
from nativeear.indexer.pooled_utterance import PooledUtterance
from nativeear.indexer.removing import remove
from nativeear.indexes.index_files import PROSODY
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.prosody import profile_of, profiles_of, row_of
from nativeear.speech.prosody.profile import ProsodyProfile
from nativeear.speech.prosody.stress import Syllable
from tests.indexer.test_assembly import records, settings


def profile(number: int) -> ProsodyProfile:
    numbers = dict.fromkeys(
        (name for name, kind in ProsodyProfile.__annotations__.items() if kind == "float"), 1.5
    )
    nuclei = (
        Syllable(0, 0, 1, 0, -2.0, 0.125, 1.5, 1.0, 0.5, -3.0, -1.0),
        Syllable(0, 1, 0, 2, -1.5, 0.25, -1.0, -1.5, 2.0, -6.5, -2.0),
    )
    return ProsodyProfile(
        text=f"sentence {number}",
        sentence="statement",
        syllables=number,
        contour=(0.5, -0.25),
        nuclei=nuclei,
        **{**numbers, "npvi_v": float("nan")},
    )


def with_prosody(made: list[Record], unrated: int) -> list[Record]:
    """Records of which the first `unrated` are native speech."""
    for i, record in enumerate(made[:unrated]):
        replace(PooledUtterance.load(record.path), prosody=profile(i)).save(record.path)
    return made


def test_profiles_survive_records_and_the_table(tmp_path: Path) -> None:
    assert repr(profile_of(row_of(profile(3)))) == repr(profile(3))
    made = with_prosody(records(tmp_path, 6, 20, 8), unrated=4)
    publish_new(tmp_path / "index", made[::-1], settings(8))
    index = PhoneIndex.open(tmp_path / "index")
    kept = profiles_of(index.prosody)
    assert [row.utterance for row in kept] == ["u00000", "u00001", "u00002", "u00003"]
    assert kept[2].speaker == "s2"
    assert repr(kept[2].profile) == repr(profile(2))


def test_an_index_without_prosody_opens(tmp_path: Path) -> None:
    publish_new(tmp_path / "index", records(tmp_path, 6, 20, 8), settings(8))
    assert not (tmp_path / "index" / PROSODY).exists()
    assert PhoneIndex.open(tmp_path / "index").prosody.num_rows == 0


def test_prosody_is_the_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    made = with_prosody(records(tmp_path, 8, 20, 8), unrated=8)
    publish_new(tmp_path / "one", made, settings(8))
    publish_new(tmp_path / "other", made[::-1], settings(8))
    assert (tmp_path / "one" / PROSODY).read_bytes() == (tmp_path / "other" / PROSODY).read_bytes()


def test_what_is_removed_and_merged_takes_its_prosody_along(tmp_path: Path) -> None:
    made = with_prosody(records(tmp_path, 8, 20, 8), unrated=8)
    publish_new(tmp_path / "all", made, settings(8))
    publish_new(tmp_path / "first", made[:5], settings(8))
    publish_new(tmp_path / "last", made[5:], settings(8))
    merge([tmp_path / "first", tmp_path / "last"], tmp_path / "both")
    both = (tmp_path / "both" / PROSODY).read_bytes()
    assert both == (tmp_path / "all" / PROSODY).read_bytes()
    remove(tmp_path / "both", utterances=["u00003"])
    left = profiles_of(PhoneIndex.open(tmp_path / "both").prosody)
    assert [int(row.utterance[1:]) for row in left] == [0, 1, 2, 4, 5, 6, 7]


def test_speech_without_prosody_merges_with_speech_that_has_it(tmp_path: Path) -> None:
    made = with_prosody(records(tmp_path, 8, 20, 8), unrated=4)
    publish_new(tmp_path / "natives", made[:4], settings(8))
    publish_new(tmp_path / "rated", made[4:], settings(8))
    merge([tmp_path / "rated", tmp_path / "natives"], tmp_path / "both")
    assert len(profiles_of(PhoneIndex.open(tmp_path / "both").prosody)) == 4


def test_a_real_build_measures_its_natives(tone_index: PhoneIndex) -> None:
    kept = profiles_of(tone_index.prosody)
    assert len(kept) == 30
    rates = np.array([row.profile.articulation_rate for row in kept])
    assert np.isfinite(rates).mean() > 0.8
    assert np.nanmedian(rates) == pytest.approx(4, abs=2)
