import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.accents import Accents
from nativeear.scoring.assessor import Assessor
from nativeear.speech.aligners.textgrid import read_alignment
from nativeear.speech.alignment import Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.encoders.spectral import SpectralEncoder
from nativeear.speech.errors import InputError
from nativeear.speech.frames import Frames
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.steadying import steadied
from tests.conftest import RATE, SOUNDS, TONES, recording, textgrid

SAID = "M IY S | AA IY | S IY M | IY AA | M IY | IY S"
OTHER_IY = (620.0, 1700.0)
"""Formants of IY in the other accent."""


class CountingEncoder(SpectralEncoder):
    """Counts how often it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = 0

    def encode(self, audio: Audio) -> Frames:
        self.runs += 1
        return super().encode(audio)


class GridAligner:
    """Takes the times of a TextGrid and the words of what was meant."""

    name = "grid"

    def __init__(self, grid: Path) -> None:
        self._grid = grid
        self.runs = 0

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        self.runs += 1
        inventory = Pronouncer("en-US").inventory
        given = Audio.load(self._grid.with_suffix(".wav"))
        at_s = steadied(given).start_s  # where what is heard of it begins
        found = read_alignment(self._grid, inventory, duration_s=given.duration_s)
        meant = iter(pronunciation.canonical())
        phones = tuple(
            phone
            if phone.is_silence
            else type(phone)(
                phone.phone, phone.start_s - at_s, phone.end_s - at_s, next(meant).word_index
            )
            for phone in found.phones
        )
        words = tuple(word.word for word in pronunciation.words)
        return Alignment(phones, words, tuple(0 for _ in words), self.name)


def _write(folder: Path, name: str, phones: Sequence[str], seed: int) -> Path:
    samples, spans = recording(phones, seed)
    soundfile.write(folder / f"{name}.wav", samples, RATE)
    (folder / f"{name}.TextGrid").write_text(textgrid(spans, "word"), encoding="utf-8")
    return folder / f"{name}.wav"


@pytest.fixture(scope="module")
def other_accent() -> Iterator[Callable[[], pytest.MonkeyPatch]]:
    """Sets the tones of the other accent until the patch is undone."""

    def switch() -> pytest.MonkeyPatch:
        patch = pytest.MonkeyPatch()
        patch.setitem(TONES, "IY", OTHER_IY)
        return patch

    yield switch


@pytest.fixture(scope="module")
def other_index(
    other_accent: Callable[[], pytest.MonkeyPatch], tmp_path_factory: pytest.TempPathFactory
) -> PhoneIndex:
    """An index of natives who say IY otherwise."""
    folder = tmp_path_factory.mktemp("other")
    patch = other_accent()
    try:
        for speaker in ("cleo", "dan"):
            (folder / speaker).mkdir()
            for number in range(15):
                name = f"{speaker}{number:02d}"
                rng = np.random.default_rng(zlib.crc32(name.encode()))
                phones = [str(p) for p in rng.choice(SOUNDS, size=6)]
                _write(folder / speaker, name, phones, number)
    finally:
        patch.undo()
    out = tmp_path_factory.mktemp("indexes") / "other-tones"
    build_index(BuildRequest(corpora=(str(folder),), language="en-GB", out=out, encoder="spectral"))
    return PhoneIndex.open(out)


def _assessor(index: PhoneIndex, wav: Path, encoder: SpectralEncoder) -> Assessor:
    pronouncer = Pronouncer(index.language, inventory=index.inventory)
    return Assessor(index, encoder, GridAligner(wav.with_suffix(".TextGrid")), pronouncer)


@pytest.mark.parametrize("other", [False, True])
def test_the_nearest_natives_are_chosen_and_their_accent_is_not_punished(
    tone_index: PhoneIndex,
    other_index: PhoneIndex,
    other_accent: Callable[[], pytest.MonkeyPatch],
    tmp_path: Path,
    other: bool,
) -> None:
    patch = other_accent() if other else pytest.MonkeyPatch()
    try:
        wav = _write(tmp_path, "said", SAID.replace("| ", "").split(), seed=77)
    finally:
        patch.undo()
    encoder = CountingEncoder()
    first, second = (_assessor(index, wav, encoder) for index in (tone_index, other_index))
    accents = Accents([first, second])
    result = accents.assess(wav, phones=SAID)
    assert (encoder.runs, first.aligner.runs, second.aligner.runs) == (1, 1, 1)
    assert result.accent is not None
    assert result.accent.chosen == result.index == ("other-tones" if other else "tones")
    assert [c.language for c in result.accent.candidates] == ["en-US", "en-GB"]
    own, foreign = (second, first) if other else (first, second)
    assert accents.assessor_of(result).index is own.index
    assert result.model_copy(update={"accent": None}) == own.assess(wav, phones=SAID)
    by_foreign = foreign.assess(wav, phones=SAID)
    score, worse = result.score.pronunciation, by_foreign.score.pronunciation
    assert score is not None and worse is not None
    assert score > worse


def test_the_callers_encoder_and_aligner_stay_his(tone_index: PhoneIndex, tmp_path: Path) -> None:
    wav = _write(tmp_path, "said", ["M", "IY"], seed=5)
    encoder = CountingEncoder()
    alone = _assessor(tone_index, wav, encoder)
    accents = Accents([alone])
    assert alone.encoder is encoder
    accents.assess(wav, phones="M IY")
    alone.assess(wav, phones="M IY")
    assert (encoder.runs, alone.aligner.runs) == (2, 2)


def test_one_recording_after_another_is_aligned_anew(
    tone_index: PhoneIndex, tmp_path: Path
) -> None:
    wav = _write(tmp_path, "said", ["M", "IY"], seed=5)
    alone = _assessor(tone_index, wav, CountingEncoder())
    accents = Accents([alone])
    audio = Audio.load(wav)
    results = [accents.assess(audio, phones=said, id="") for said in ("M IY", "M AA", "M IY")]
    assert results[0] == results[2] != results[1]
    assert alone.aligner.runs == 3


def test_one_candidate_is_chosen_and_is_never_sure(tone_index: PhoneIndex, tmp_path: Path) -> None:
    wav = _write(tmp_path, "said", ["M", "IY", "S"], seed=3)
    result = Accents([_assessor(tone_index, wav, SpectralEncoder())]).assess(wav, phones="M IY S")
    assert result.accent is not None
    assert (result.accent.chosen, result.accent.sure) == ("tones", False)
    (candidate,) = result.accent.candidates
    assert candidate.nearness is not None


def test_few_words_make_nobody_sure(
    tone_index: PhoneIndex, other_index: PhoneIndex, tmp_path: Path
) -> None:
    wav = _write(tmp_path, "said", SAID.replace("| ", "").split(), seed=77)
    encoder = SpectralEncoder()
    accents = Accents([_assessor(index, wav, encoder) for index in (tone_index, other_index)])
    together = accents.assess(wav, phones=SAID.replace("| ", "")).accent
    assert together is not None
    assert not together.sure


def test_nothing_to_choose_from_and_nothing_that_can_be_said_are_refused(
    tone_index: PhoneIndex, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="no accent to choose from"):
        Accents([])
    wav = _write(tmp_path, "said", ["M"], seed=3)
    accents = Accents([_assessor(tone_index, wav, SpectralEncoder())])
    with pytest.raises(InputError):
        accents.assess(wav, phones="NOPHONE")
    with pytest.raises(InputError):
        accents.assess(wav)
