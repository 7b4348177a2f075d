"""Bands on made-up scores: plumbing, and no claim that any learner has such a band."""

from pathlib import Path

import numpy as np
import pytest

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import Assessment, Scores
from nativeear.scoring.proficiency.fit import fit_bands, weighted_kappa
from nativeear.scoring.proficiency.model import BandModel, HeldOut
from nativeear.scoring.proficiency.ratings import read_ratings, scale_of
from nativeear.speech.errors import InputError

BANDS = ("A2", "B1", "B2")


def made_up(n: int = 240) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Speakers with an ability, three scores of which two follow it, and bands cut from it."""
    rng = np.random.default_rng(5)
    ability = np.repeat(rng.normal(size=n // 4), 4)
    scores = np.column_stack(
        [
            60 + 12 * ability + rng.normal(size=n) * 4,
            70 + 8 * ability + rng.normal(size=n) * 4,
            rng.normal(size=n) * 10 + 50,
        ]
    )
    places = np.digitize(ability + 0.2 * rng.normal(size=n), [-0.5, 0.5])
    return scores, places.astype(np.int64), [f"s{i // 4}" for i in range(n)]


def model(scores: np.ndarray, places: np.ndarray, speakers: list[str], **more: str) -> BandModel:
    fitted = fit_bands(scores, places, speakers, BANDS)
    named = {"index": "tones", "encoder": "sha256:x", "assessed": "training-free, a given text"}
    return BandModel(
        scale="CEFR",
        bands=BANDS,
        **(named | more),
        centres=fitted.centres,
        spreads=fitted.spreads,
        weights=fitted.weights,
        thresholds=fitted.thresholds,
        recordings=len(places),
        speakers=len(set(speakers)),
        held_out=fitted.held_out,
    )


def assessed(pronunciation: float | None, fluency: float = 70.0) -> Assessment:
    return Assessment(
        id="",
        language="en-US",
        index="tones",
        encoder="spectral",
        calibration="training-free",
        duration_s=1.0,
        score=Scores(pronunciation=pronunciation, fluency=fluency, prosody=50.0),
        words=(),
    )


def test_speakers_left_out_get_their_bands_and_noise_gets_no_weight() -> None:
    found = model(*made_up())
    assert found.held_out.exact > 0.7
    assert found.held_out.within_one == 1.0
    assert found.held_out.weighted_kappa > 0.7
    assert found.weights[2] < 0.1 * found.weights[0]
    assert list(found.thresholds) == sorted(found.thresholds)


def test_bands_that_have_nothing_to_do_with_the_scores_are_not_told() -> None:
    scores, places, speakers = made_up()
    shuffled = np.random.default_rng(0).permutation(places)
    assert abs(model(scores, shuffled, speakers).held_out.weighted_kappa) < 0.2


def test_a_better_score_never_means_a_lower_band() -> None:
    scores, places, speakers = made_up()
    found = model(100 - scores, places, speakers)  # against the grain: weights must stop at 0
    assert min(found.weights) >= 0
    rising = np.column_stack([np.linspace(0, 100, 50), np.full(50, 60.0), np.full(50, 50.0)])
    for fitted in (found, model(scores, places, speakers)):
        assert (np.diff(fitted.at_least(rising), axis=0) >= 0).all()


def test_the_level_stands_in_the_result_or_a_reason_does(tmp_path: Path) -> None:
    model(*made_up()).save(tmp_path / "bands.json")
    bands = BandModel.load(tmp_path / "bands.json")
    low, high = (bands.with_level(assessed(*s)) for s in ((30.0, 40.0), (95.0, 95.0)))
    assert low.level is not None
    assert high.level is not None
    assert (low.level.scale, low.level.band, high.level.band) == ("CEFR", "A2", "B2")
    assert high.level.probability > 0.9
    unmeasured = bands.with_level(assessed(None))
    assert unmeasured.level is None
    assert "was not measured" in unmeasured.warnings[-1]
    other = assessed(50.0).model_copy(update={"calibration": "expert"})
    assert bands.with_level(other).level is None
    assert "assessed by training-free" in bands.with_level(other).warnings[-1]


def test_bands_of_another_index_are_refused(tone_index: PhoneIndex) -> None:
    data = made_up()
    own = tone_index.manifest.encoder.fingerprint
    model(*data, index=tone_index.name, encoder=own).check_index(tone_index)
    with pytest.raises(InputError, match="not fitted for the index"):
        model(*data).check_index(tone_index)


@pytest.mark.parametrize(("band", "told"), [(2, "B2 has 3 usable recordings of 1 speakers")])
def test_too_few_of_a_band_are_refused(band: int, told: str) -> None:
    scores, places, speakers = made_up()
    keep = (places != band) | (np.cumsum(places == band) <= 3)
    with pytest.raises(InputError, match=told):
        fit_bands(scores[keep], places[keep], list(np.array(speakers)[keep]), BANDS)
    with pytest.raises(InputError, match="same band"):
        fit_bands(scores, np.zeros_like(places), speakers, ("A1",))


def test_what_is_no_file_of_bands_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    for name in ("x.json", "missing.json"):
        with pytest.raises(InputError, match="holds no fitted bands"):
            BandModel.load(tmp_path / name)


def test_kappa_is_that_of_a_worked_example() -> None:
    one, other = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    # observed disagreement 1/4; by chance 2/4 · 3/4 + 2/4 · 1/4 = 1/2
    assert weighted_kappa(one, other, 2) == pytest.approx(0.5)
    assert HeldOut(exact=1, within_one=1, weighted_kappa=weighted_kappa(one, one, 2)) is not None


def test_scales_are_told_apart_and_ordered() -> None:
    assert scale_of(["B2", "A1", "B2"]) == ("CEFR", ("A1", "B2"))
    assert scale_of(["6.5", "10.0"[1:], "7"]) == ("IELTS", ("0.0", "6.5", "7"))
    for wrong in (["B2", "6"], ["good"], ["6", "6.0"], ["12"]):
        with pytest.raises(InputError):
            scale_of(wrong)


def test_ratings_are_read_and_broken_ones_named(tmp_path: Path) -> None:
    table = tmp_path / "rated.csv"
    table.write_text("audio,speaker,band,text\na.wav,s1,B1,hello\nb.wav,s2,B2,\n", encoding="utf-8")
    first, second = read_ratings(table)
    assert (first.audio, first.text, first.band) == (tmp_path / "a.wav", "hello", "B1")
    assert (second.speaker, second.text) == ("s2", "")
    for text, told in (
        ("audio,speaker\na,b\n", "no column band"),
        ("audio,speaker,band\na.wav,s1,\n", "Line 2 .* has no band"),
        ("audio,speaker,band\n", "no rows"),
    ):
        table.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=told):
            read_ratings(table)
