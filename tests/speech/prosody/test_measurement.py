import numpy as np
import pytest

from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.prosody.contour import phrase_ends, sentence_type, warping_distance
from nativeear.speech.prosody.measurement import measure_prosody
from nativeear.speech.prosody.rhythm import measure_rhythm
from tests.speech.prosody.signals import hush, laid, sung

INVENTORY = PhoneInventory.load("en-US")


def test_rhythm_of_known_intervals() -> None:
    vowels, consonants = [0.1, 0.2, 0.1, 0.2, 0.1, 0.2], [0.06, 0.09] * 3
    spans = []
    for i, (c, v) in enumerate(zip(consonants, vowels, strict=True)):
        spans += [("T", c / 2, i, None), ("R", c / 2, i, None), ("AA", v, i, 1)]
    rhythm = measure_rhythm(laid(spans).phones, INVENTORY)
    assert rhythm.npvi_v == pytest.approx(100 * 2 / 3)
    assert rhythm.rpvi_c == pytest.approx(30)
    assert rhythm.percent_v == pytest.approx(100 * 0.9 / 1.35)
    assert rhythm.varco_v == pytest.approx(100 * np.std(vowels, ddof=1) / 0.15)
    assert rhythm.delta_c == pytest.approx(1000 * np.std(consonants, ddof=1))
    assert rhythm.varco_c == pytest.approx(100 * np.std(consonants, ddof=1) / 0.075)


def test_no_pair_crosses_a_silence() -> None:
    even = [("T", 0.05, 0, None), ("AA", 0.1, 0, 1)] * 4
    slow = [("T", 0.1, 1, None), ("AA", 0.2, 1, 1)] * 4
    rhythm = measure_rhythm(laid([*even, ("", 0.3, -1, None), *slow]).phones, INVENTORY)
    assert rhythm.npvi_v == pytest.approx(0, abs=1e-9)
    assert (rhythm.varco_v or 0) > 20


def test_too_few_intervals_are_no_rhythm() -> None:
    rhythm = measure_rhythm(laid([("T", 0.1, 0, None), ("AA", 0.1, 0, 1)] * 2).phones, INVENTORY)
    assert rhythm.npvi_v is None


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("You came.", "en-US", "statement"),
        ("Did you come?", "en-US", "yes_no_question"),
        ("So why did you come?", "en-US", "wh_question"),
        ("¿Dónde está?", "es", "wh_question"),
        ("¿Está aquí?", "es", "yes_no_question"),
        ("Что это?", "ru", "wh_question"),
        ("why not", "en-US", "statement"),
    ],
)
def test_sentence_types(text: str, language: str, kind: str) -> None:
    assert sentence_type(text, language) == kind


def test_phrases_end_at_punctuation() -> None:
    assert phrase_ends("Well, I came – and saw.", 5) == {0, 2, 4}
    assert phrase_ends("Room 101.", 5) == frozenset()


def test_warping_ignores_tempo_and_not_height() -> None:
    contour = np.sin(np.linspace(0, 6, 40)) * 3
    assert warping_distance(contour, np.repeat(contour, 2)) == pytest.approx(0, abs=1e-9)
    assert warping_distance(contour, contour + 2) > 0.2


def utterance(f0_hz: np.ndarray, pause_s: float = 0.0) -> tuple[Audio, object]:
    """Eight syllables of 0.25 s over two words, a pause between them."""
    half = len(f0_hz) // 2
    parts = [hush(0.2), sung(f0_hz[:half]), hush(pause_s, 1), sung(f0_hz[half:]), hush(0.2, 2)]
    word = [("M", 0.05, 0, None), ("AA", 0.2, 0, 1)] * 4
    other = [(p, s, 1, st) for p, s, _, st in word]
    silence = [("", pause_s, -1, None)] if pause_s else []
    alignment = laid([("", 0.2, -1, None), *word, *silence, *other, ("", 0.2, -1, None)])
    return Audio(np.concatenate(parts)), alignment


def test_rates_pauses_and_melody_of_one_utterance() -> None:
    fall = 200.0 * 2.0 ** (-np.arange(2 * SAMPLE_RATE) / (2 * SAMPLE_RATE))  # an octave in 2 s
    audio, alignment = utterance(fall, pause_s=0.5)
    found = measure_prosody(audio, alignment, INVENTORY, "Mama, mama.")
    assert found.reasons == ()
    assert found.syllables == 8
    assert found.syllables_per_s == pytest.approx(8 / 2.5, rel=0.02)
    assert found.articulation_rate == pytest.approx(8 / 2.0, rel=0.03)
    assert found.words_per_minute == pytest.approx(60 * 2 / 2.5, rel=0.02)
    assert found.pauses is not None
    assert found.pauses.spans[0] == pytest.approx((1.2, 1.7), abs=0.03)
    assert found.pauses_between_phrases == 1
    assert found.sentence == "statement"
    assert found.melody is not None
    assert found.melody.final_slope == pytest.approx(-6, abs=0.5)
    assert found.melody.range_semitones == pytest.approx(0.9 * 12, abs=0.7)
    assert (found.melody.declination or 0) < -3
    assert found.snr_db is not None
    assert found.snr_db > 40


def test_omitted_words_are_not_counted() -> None:
    audio, alignment = utterance(np.full(2 * SAMPLE_RATE, 150.0))
    found = measure_prosody(audio, alignment, INVENTORY, omitted={1})
    assert (found.syllables, found.words) == (4, 1)


def test_a_hesitation_on_a_held_pitch_is_a_filled_pause() -> None:
    audio, alignment = utterance(np.full(2 * SAMPLE_RATE, 150.0), pause_s=0.5)
    samples = audio.samples.copy()
    start = round(1.3 * SAMPLE_RATE)
    um = sung(np.full(round(0.3 * SAMPLE_RATE), 120.0))
    samples[start : start + len(um)] = um
    found = measure_prosody(Audio(samples), alignment, INVENTORY)
    assert len(found.filled_pauses) == 1
    assert found.filled_pauses[0] == pytest.approx((1.3, 1.6), abs=0.06)
    assert measure_prosody(audio, alignment, INVENTORY).filled_pauses == ()


def test_whispered_noisy_and_short_recordings_give_reasons() -> None:
    audio, alignment = utterance(np.full(2 * SAMPLE_RATE, 150.0))
    rng = np.random.default_rng(6)
    level = np.abs(audio.samples) > 0.001
    whisper = Audio((rng.normal(size=len(level)) * np.where(level, 0.05, 3e-4)).astype(np.float32))
    found = measure_prosody(whisper, alignment, INVENTORY)
    assert found.melody is None
    assert "whispered" in found.reasons[0]
    assert found.pauses is not None

    noise = (rng.normal(size=len(level)) * 0.3).astype(np.float32)
    found = measure_prosody(Audio(audio.samples + noise), alignment, INVENTORY)
    assert found.melody is None
    assert "noisy" in found.reasons[0]

    brief = laid([("M", 0.1, 0, None), ("AA", 0.2, 0, 1)])
    found = measure_prosody(Audio(sung(np.full(round(0.3 * SAMPLE_RATE), 150.0))), brief, INVENTORY)
    assert (found.pauses, found.syllables_per_s) == (None, None)
    assert "too little speech" in found.reasons[0]


def test_nuclei_carry_what_was_put_into_them() -> None:
    hz = np.full(SAMPLE_RATE, 120.0)
    hz[: SAMPLE_RATE // 2] = 160.0
    samples = sung(hz)
    samples[SAMPLE_RATE // 2 :] *= np.float32(0.5)
    audio = Audio(np.concatenate([hush(0.2), samples, hush(0.2, 1)]))
    alignment = laid(
        [
            ("", 0.2, -1, None), ("M", 0.1, 0, None), ("AA", 0.4, 0, 1),
            ("M", 0.2, 0, None), ("AA", 0.3, 0, 0), ("", 0.2, -1, None),
        ]
    )  # fmt: skip
    first, second = measure_prosody(audio, alignment, INVENTORY).nuclei
    assert (first.word, first.place, first.stress, first.finality) == (0, 0, 1, 0)
    assert (second.place, second.stress, second.finality) == (1, 0, 2)
    assert first.log_duration == pytest.approx(np.log(0.4))
    assert first.f0_semitones - second.f0_semitones == pytest.approx(4.98, abs=0.2)
    # Half as loud, and 0.3 s of it where the other has 0.4 s.
    louder = 6.0 + 10 * np.log10(0.4 / 0.3)
    assert first.emphasis_db - second.emphasis_db == pytest.approx(louder, abs=1.5)
    assert first.onset_s == pytest.approx(0.1)
    assert first.movement_semitones == pytest.approx(0, abs=0.2)
