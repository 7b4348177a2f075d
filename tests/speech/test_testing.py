"""What ships keeps to its protocols, the doubles too, and what does not is found out.

Encoders and recognisers that need a model are checked beside their own tests.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nativeear.speech.aligners import ctc, pocketsphinx
from nativeear.speech.aligners.textgrid import TextGridAligner
from nativeear.speech.alignment import SILENCE, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import PhoneSequence, Pronunciation
from nativeear.speech.doubles import EvenAligner, ListedWords, ScriptedEncoder, ScriptedRecogniser
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.errors import ConformanceError
from nativeear.speech.frames import Frames
from nativeear.speech.g2p import load
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.recogniser import RecognisedWord
from nativeear.speech.testing import check_aligner, check_encoder, check_g2p, check_recogniser
from nativeear.speech.textgrid import TextGrid

ENGLISH = PhoneInventory.load("en-US")
TEXT = "Your message has been saved."
WORDS = {"saved": "S EY1 V D", "been": "B IH1 N"}


@pytest.fixture(scope="module")
def audio() -> Audio:
    return Audio.load(Path(__file__).parents[2] / "service" / "data" / "vm-msgsaved.flac")


@pytest.fixture(scope="module")
def meant() -> Pronunciation:
    return Pronouncer().pronounce(TEXT)


def scripted(pronunciation: Pronunciation) -> ScriptedEncoder:
    return ScriptedEncoder([phone.phone for phone in pronunciation.canonical()], ENGLISH)


# What ships, and the doubles ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["default", "spectral"])
def test_our_encoders_keep_to_their_protocol(name: str, audio: Audio) -> None:
    check_encoder(load_encoder(name), audio)


def test_our_aligners_keep_to_their_protocol(
    audio: Audio, meant: Pronunciation, tmp_path: Path
) -> None:
    check_aligner(pocketsphinx.load(), audio, meant)
    frames = load_encoder("default").encode(audio)
    check_aligner(ctc.load(), audio, meant, frames)
    laid = pocketsphinx.load().align(audio, meant)
    grid = tmp_path / "a.TextGrid"
    TextGrid.from_alignment(laid).save(grid)
    check_aligner(TextGridAligner(grid), audio, meant.narrowed(laid.variants))


@pytest.mark.parametrize(
    ("name", "language", "words"),
    [
        ("cmudict", "en-US", ["saved", "tomato"]), ("espeak", "en-US", ["saved", "zorblax"]),
        ("espeak", "fr", ["bonjour", "y"]), ("espeak", "ru", ["привет"]),
    ],
)  # fmt: skip
def test_our_pronunciations_keep_to_their_protocol(
    name: str, language: str, words: list[str]
) -> None:
    inventory = PhoneInventory.load(language)
    check_g2p(load(name, language, inventory), inventory, words)


def test_letters_keep_to_the_protocol_of_pronunciations() -> None:
    inventory = PhoneInventory.from_letters("und", "abc")
    check_g2p(load("graphemes", "und", inventory), inventory, ["cab", "abba"])


def test_the_doubles_keep_to_their_protocols(audio: Audio, meant: Pronunciation) -> None:
    encoder = scripted(meant)
    check_encoder(encoder, audio)
    check_aligner(EvenAligner(), audio, meant)
    check_aligner(ctc.load(), audio, meant, encoder.encode(audio))
    check_g2p(ListedWords(WORDS, ENGLISH), ENGLISH, list(WORDS))
    check_recogniser(ScriptedRecogniser(TEXT.split()), audio, "en-US")


def test_a_scripted_encoder_hears_what_it_is_told(audio: Audio, meant: Pronunciation) -> None:
    frames = scripted(meant).encode(audio)
    assert frames.log_probs is not None
    heard = [frames.labels[i] for i in frames.log_probs.argmax(axis=1)]
    runs = [b for a, b in zip(["<blank>", *heard], heard, strict=False) if a != b != "<blank>"]
    assert runs == [phone.phone for phone in meant.canonical()]


# What does not keep to them -----------------------------------------------------------------------


class DeviantEncoder(ScriptedEncoder):
    """A scripted encoder that is otherwise in one thing."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(["M", "IY"], ENGLISH)
        self._changes = changes
        self._calls = 0

    def encode(self, audio: Audio) -> Frames:
        self._calls += 1
        found = super().encode(audio)
        made = {
            name: change(getattr(found, name)) if callable(change) else change
            for name, change in self._changes.items()
        }
        return replace(found, **made)


ENCODERS: dict[str, dict[str, Any]] = {
    "not float32": {"embeddings": lambda e: e.astype(np.float64)},
    "not \\[T, 40\\]": {"embeddings": lambda e: e[:, 1:]},
    "embeddings are not C-contiguous": {"embeddings": np.asfortranarray},
    "posteriors are not C-contiguous": {"log_probs": np.asfortranarray},
    "not finite": {"embeddings": lambda e: np.where(np.arange(len(e))[:, None] == 3, np.nan, e)},
    "hop_s is 0": {"hop_s": 0.0},
    "the recording lasts": {"hop_s": 0.1},
    "not normalised": {"log_probs": lambda p: p + np.float32(0.1)},
    "labels and no posteriors": {"log_probs": None},
    "posteriors are float32": {"labels": ("<blank>",)},
}


@pytest.mark.parametrize("complaint", ENCODERS)
def test_a_deviant_encoder_is_found_out(complaint: str, audio: Audio) -> None:
    with pytest.raises(ConformanceError, match=complaint):
        check_encoder(DeviantEncoder(**ENCODERS[complaint]), audio)


def test_what_an_encoder_may_not_do(audio: Audio) -> None:
    class Nameless(DeviantEncoder):
        name = ""

    class Unstable(DeviantEncoder):
        def encode(self, audio: Audio) -> Frames:
            found = super().encode(audio)
            return replace(found, embeddings=found.embeddings + np.float32(self._calls))

    class Batches(DeviantEncoder):
        def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
            return super().encode_batch(audios)[:2]

    class Writes(DeviantEncoder):
        def encode(self, audio: Audio) -> Frames:
            audio.samples[:9] = 0.5
            return super().encode(audio)

    class Fails(DeviantEncoder):
        def encode(self, audio: Audio) -> Frames:
            raise KeyError("layer")

    class Unprinted(DeviantEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.fingerprint = "v1"

    own = Audio(audio.samples.copy())
    for encoder, complaint in (
        (Nameless(), "its name"), (Unstable(), "other frames than single calls"),
        (Batches(), "a batch of 3"), (Writes(), "changes the samples"),
        (Fails(), "encode fails with KeyError"), (Unprinted(), "its fingerprint"),
        (object(), "it lacks what an encoder has"),
    ):  # fmt: skip
        with pytest.raises(ConformanceError, match=complaint):
            check_encoder(encoder, own)  # type: ignore[arg-type]


class DeviantAligner(EvenAligner):
    """An aligner whose alignment is changed."""

    def __init__(self, change: Any) -> None:
        self._change = change

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        changed: Alignment = self._change(super().align(audio, pronunciation, frames))
        return changed


def changed_phone(i: int, **changes: Any) -> Any:
    def change(alignment: Alignment) -> Alignment:
        phones = list(alignment.phones)
        phones[i] = replace(phones[i], **changes)
        return replace(alignment, phones=tuple(phones))

    return change


ALIGNERS: dict[str, Any] = {
    "its words are": lambda a: replace(a, words=a.words[1:]),
    "names 2 variants for 5 words": lambda a: replace(a, variants=(0, 0)),
    "has no variant number 9": lambda a: replace(a, variants=(9, 0, 0, 0, 0)),
    "the variants that it names": lambda a: replace(a, variants=(1, 0, 0, 0, 0)),
    "its phones are": lambda a: replace(a, phones=a.phones[:-1]),
    "ends before it begins": changed_phone(0, end_s=-1.0),
    "has the score 2": changed_phone(3, score=2.0),
    "SIL belongs to word 0": changed_phone(0, phone=SILENCE),
    "it reaches from": changed_phone(-1, end_s=99.0),
    "begins at": changed_phone(2, start_s=0.0),
    "align gives tuple": lambda a: a.phones,
}


@pytest.mark.parametrize("complaint", ALIGNERS)
def test_a_deviant_aligner_is_found_out(complaint: str, audio: Audio, meant: Pronunciation) -> None:
    with pytest.raises(ConformanceError, match=complaint):
        check_aligner(DeviantAligner(ALIGNERS[complaint]), audio, meant)


def test_an_aligner_may_not_guess_or_trip(audio: Audio, meant: Pronunciation) -> None:
    class Guesses(EvenAligner):
        def align(
            self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
        ) -> Alignment:
            edge = audio.duration_s if len(pronunciation.words) < 50 else 10.0
            longer = Audio(np.zeros(round(edge * 16000), np.float32))
            return super().align(longer if edge == 10.0 else audio, pronunciation, frames)

    class Trips(EvenAligner):
        def align(
            self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
        ) -> Alignment:
            if audio.duration_s < 0.2:
                raise ZeroDivisionError
            return super().align(audio, pronunciation, frames)

    with pytest.raises(ConformanceError, match="that is guessed"):
        check_aligner(Guesses(), audio, meant)
    with pytest.raises(ConformanceError, match="without room gives ZeroDivisionError"):
        check_aligner(Trips(), audio, meant)


class DeviantWords(ListedWords):
    """Words whose forms are changed."""

    def __init__(self, change: Any) -> None:
        super().__init__(WORDS, ENGLISH)
        self._change = change

    def pronounce(self, words: Sequence[str]) -> list[tuple[PhoneSequence, ...]]:
        changed: list[tuple[PhoneSequence, ...]] = self._change(super().pronounce(words), words)
        return changed


def each_form(**changes: Any) -> Any:
    return lambda found, _: [tuple(replace(form, **changes) for form in forms) for forms in found]


SOURCES: dict[str, Any] = {
    "2 answers for 3 words": lambda found, _: found[:2],
    "cannot say 'saved'": lambda found, _: [() for _ in found],
    "not in the inventory": each_form(phones=("S", "Q", "V", "D")),
    "have the stress": each_form(stress=(None,)),
    "has the stress 1": each_form(stress=(1, 1, 1, 1)),
    "do not cover": each_form(syllables=((0, 1),)),
    "where it comes from": each_form(source=""),
    "no phones": each_form(phones=(), stress=(), syllables=()),
    "what is no word fails with KeyError": lambda found, words: (
        {}["x"] if words == ["\u2603"] else found
    ),
    "among other words": lambda found, words: found if len(words) != 1 else [found[0] * 2],
    "the second time": lambda found, words: [*found[:-1], found[-1] * 2] if words[1:] else found,
}


@pytest.mark.parametrize("complaint", SOURCES)
def test_a_deviant_source_of_pronunciations_is_found_out(complaint: str) -> None:
    words = ["saved", "been"] if complaint != "have the stress" else ["been", "saved"]
    with pytest.raises(ConformanceError, match=complaint):
        check_g2p(DeviantWords(SOURCES[complaint]), ENGLISH, words)


class DeviantRecogniser(ScriptedRecogniser):
    """A recogniser whose words are changed."""

    def __init__(self, change: Any) -> None:
        super().__init__(["one", "two"])
        self._change = change

    def transcribe(self, audio: Audio, language: str) -> tuple[RecognisedWord, ...]:
        changed: tuple[RecognisedWord, ...] = self._change(super().transcribe(audio, language))
        return changed


RECOGNISERS: dict[str, Any] = {
    "not a tuple": list,
    "a word is ' one'": lambda words: (replace(words[0], text=" one"),),
    "a word is ''": lambda words: (replace(words[0], text=""),),
    "the confidence -0.5": lambda words: (replace(words[0], confidence=-0.5),),
    "lies from 0.0 to 99": lambda words: (replace(words[0], end_s=99.0),),
    "begins before": lambda words: words[::-1],
    "transcribe fails with ZeroDivisionError": lambda words: 1 / 0,
}


@pytest.mark.parametrize("complaint", RECOGNISERS)
def test_a_deviant_recogniser_is_found_out(complaint: str, audio: Audio) -> None:
    with pytest.raises(ConformanceError, match=complaint):
        check_recogniser(DeviantRecogniser(RECOGNISERS[complaint]), audio, "en-US")


def test_a_recogniser_may_not_trip_over_a_language(audio: Audio) -> None:
    class Trips(ScriptedRecogniser):
        def transcribe(self, audio: Audio, language: str) -> tuple[RecognisedWord, ...]:
            return {"en-US": super().transcribe(audio, language)}[language]

    with pytest.raises(ConformanceError, match="may not know gives KeyError"):
        check_recogniser(Trips(["one"]), audio, "en-US")
