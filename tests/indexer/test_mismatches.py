import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.mismatches import MIN_UTTERANCES, mismatches
from nativeear.indexer.pooled_utterance import PooledPhone, PooledUtterance
from nativeear.indexer.utterances import refuse_clipped
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.errors import AudioError

PHONES = ("AA", "IY", "M", "S")


def pooled(said: list[str], labels: list[str], seed: int) -> PooledUtterance:
    """What `said` sounds like, called `labels`."""
    rng = np.random.default_rng(seed)
    places = np.eye(8)[[PHONES.index(phone) for phone in said]] * 6
    return PooledUtterance(
        tuple(PooledPhone(label, "SIL", "SIL", -1, "w", 0.0, 0.1) for label in labels),
        (places + rng.normal(size=places.shape)).astype(np.float32),
        1.0,
    )


def records(folder: Path, utterances: list[PooledUtterance]) -> list[Path]:
    paths = [folder / f"{number:03d}.npz" for number in range(len(utterances))]
    for path, utterance in zip(paths, utterances, strict=True):
        utterance.save(path)
    return paths


@pytest.fixture
def utterances() -> list[PooledUtterance]:
    rng = np.random.default_rng(0)
    said = [[str(p) for p in rng.choice(PHONES, 8)] for _ in range(40)]
    return [pooled(phones, phones, seed) for seed, phones in enumerate(said)]


def test_a_wrong_text_is_found_and_no_other(
    tmp_path: Path, utterances: list[PooledUtterance]
) -> None:
    said = ["AA", "IY", "M", "S"] * 2
    utterances[7] = pooled(said, [*said[1:], said[0]], 99)
    reasons = mismatches(records(tmp_path, utterances))
    assert [i for i, reason in enumerate(reasons) if reason] == [7]
    assert "Of its 8 phones 0% resemble" in reasons[7]


def test_sound_that_is_no_phone_is_found(tmp_path: Path, utterances: list[PooledUtterance]) -> None:
    noise = np.random.default_rng(5).normal(size=(8, 8)).astype(np.float32)
    utterances[3] = replace(utterances[3], embeddings=noise)
    reasons = mismatches(records(tmp_path, utterances))
    assert [i for i, reason in enumerate(reasons) if reason] == [3]


def test_one_wrong_phone_costs_no_utterance(
    tmp_path: Path, utterances: list[PooledUtterance]
) -> None:
    utterances[7] = pooled(["AA"] * 8, ["IY"] + ["AA"] * 7, 99)
    assert not any(mismatches(records(tmp_path, utterances)))


def test_one_wrong_phone_is_too_little_to_tell(
    tmp_path: Path, utterances: list[PooledUtterance]
) -> None:
    wrong = {1: 1, 2: 1, 3: 8}
    for number, length in wrong.items():
        said = ["AA", "IY", "M", "S"] * 2
        utterances[number] = pooled(said[:length], [*said[1:], said[0]][:length], 99)
    reasons = mismatches(records(tmp_path, utterances))
    assert [i for i, reason in enumerate(reasons) if reason] == [3]


def test_bad_utterances_do_not_hide_each_other(
    tmp_path: Path, utterances: list[PooledUtterance]
) -> None:
    bad = list(range(0, 40, 3))
    for number in bad:
        said = ["AA", "IY", "M", "S"]
        utterances[number] = pooled(said, [*said[1:], said[0]], number)
    reasons = mismatches(records(tmp_path, utterances))
    assert [i for i, reason in enumerate(reasons) if reason] == bad


def test_what_raters_judged_stays(tmp_path: Path, utterances: list[PooledUtterance]) -> None:
    said = ["AA", "IY", "M", "S"] * 2
    wrong = pooled(said, [*said[1:], said[0]], 99)
    utterances[7] = replace(wrong, phones=tuple(replace(p, rating=2.0) for p in wrong.phones))
    assert not any(mismatches(records(tmp_path, utterances)))


def test_of_a_few_utterances_none_is_unusual(
    tmp_path: Path, utterances: list[PooledUtterance]
) -> None:
    said = ["AA", "IY", "M", "S"] * 2
    few = [pooled(said, [*said[1:], said[0]], 99), *utterances[: MIN_UTTERANCES - 2]]
    assert not any(mismatches(records(tmp_path, few)))


def test_a_build_sets_them_aside_with_a_list(tone_corpus: Path, tmp_path: Path) -> None:
    corpus = Path(shutil.copytree(tone_corpus, tmp_path / "corpus"))
    grids = sorted(corpus.rglob("*.TextGrid"))
    # One reading called by other phones, and one driven into clipping.
    text = grids[2].read_text()
    for phone, other in (("IY", "@1"), ("AA", "@2"), ("M", "@3"), ("S", "@4")):
        text = text.replace(f'"{phone}"', f'"{other}"')
    for mark, phone in (("@1", "S"), ("@2", "M"), ("@3", "AA"), ("@4", "IY")):
        text = text.replace(f'"{mark}"', f'"{phone}"')
    grids[2].write_text(text)
    wav = grids[9].with_suffix(".wav")
    samples, rate = soundfile.read(wav)
    soundfile.write(wav, np.clip(samples * 20, -1, 1), rate)
    report = build_index(
        BuildRequest((str(corpus),), "en-US", tmp_path / "index", encoder="spectral")
    )
    reasons = {name.rpartition("/")[2]: reason for name, reason in report.set_aside}
    assert set(reasons) == {grids[2].stem, grids[9].stem}
    assert "not what its text says" in reasons[grids[2].stem]
    assert "clipped" in reasons[grids[9].stem]
    assert report.utterances == len(grids) - 2


def test_a_little_clipping_is_no_reason() -> None:
    rng = np.random.default_rng(0)
    samples = (rng.normal(size=SAMPLE_RATE) * 0.1).astype(np.float32)
    samples[::40] = 0.99
    refuse_clipped(Audio(samples, SAMPLE_RATE))
    samples[::10] = 0.99
    with pytest.raises(AudioError, match="clipped"):
        refuse_clipped(Audio(samples, SAMPLE_RATE))
