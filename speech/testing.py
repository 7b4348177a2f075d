"""For whoever writes a plug-in: does it keep to its protocol?

Each check asks for the least that a protocol promises, and raises `ConformanceError` with the first
thing that is wrong. `speech.doubles` has plug-ins that keep to theirs and need no model; readers of
corpora have `indexer.testing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np

from nativeear.speech.alignment import SILENCE, Aligner, Alignment
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.canonical import PhoneSequence, Pronunciation
from nativeear.speech.errors import AlignmentError, ConformanceError, InputError, NativeEarError
from nativeear.speech.frames import Encoder, Frames
from nativeear.speech.g2p import G2P
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.recogniser import RecognisedWord, Recogniser

TIMES_AGREE_S = 1e-3
FRAMES_AGREE = 1e-3
"""Difference of embeddings as a share of the largest: a batch may sum in another order."""

NO_WORD = "\u2603"
"""A snowman: a source that cannot say it has an empty answer, and no error."""

NORMALISED = 1e-3
"""How far the posteriors of a frame may sum from 1."""

EDGE_S = 0.5
"""How much of a recording's end may lie beyond the last frame, or the other way round."""

Answer = TypeVar("Answer")


def check_encoder(encoder: Encoder, audio: Audio) -> None:
    """Check that an encoder keeps to `speech.frames.Encoder`, on half a second of sound or more."""
    _has(encoder, Encoder, "encoder")
    _named(encoder.name)
    _expect(
        isinstance(encoder.fingerprint, str) and encoder.fingerprint.startswith("sha256:"),
        f"its fingerprint is {encoder.fingerprint!r}, not sha256:…",
    )
    _expect(encoder.fingerprint == encoder.fingerprint, "its fingerprint changes")
    before = audio.samples.copy()
    frames = _asked(lambda: encoder.encode(audio), "encode")
    check_frames(frames, audio, encoder.dim)
    _expect(bool((audio.samples == before).all()), "it changes the samples of the recording")
    half = Audio(np.ascontiguousarray(audio.samples[: len(audio.samples) // 2]))
    together = _asked(lambda: encoder.encode_batch([audio, half, audio]), "encode_batch")
    _expect(len(together) == 3, f"a batch of 3 gives {len(together)} results")
    single = _asked(lambda: encoder.encode(half), "encode")
    for frames_of_batch, alone in zip(together, (frames, single, frames), strict=True):
        _same_frames(frames_of_batch, alone, "a batch gives other frames than single calls")
    with ThreadPoolExecutor(1) as thread:
        elsewhere = _asked(lambda: thread.submit(encoder.encode, audio).result(), "encode")
    _same_frames(elsewhere, frames, "another thread gets other frames")
    _expect(_asked(lambda: encoder.encode_batch([]), "encode_batch") == [], "no batch gives frames")


def check_frames(frames: Frames, audio: Audio, dim: int) -> None:
    """Check the frames that an encoder made of a recording, see `speech.frames.Frames`."""
    _expect(isinstance(frames, Frames), f"encode gives {type(frames).__name__}, not Frames")
    array = frames.embeddings
    _expect(array.dtype == np.float32, f"embeddings are {array.dtype}, not float32")
    _expect(
        array.ndim == 2 and array.shape[1] == dim and len(array) > 0,
        f"embeddings have the shape {list(array.shape)}, not [T, {dim}]",
    )
    _expect(bool(array.flags.c_contiguous), "embeddings are not C-contiguous")
    _expect(bool(np.isfinite(array).all()), "embeddings are not finite")
    _expect(frames.hop_s > 0, f"hop_s is {frames.hop_s}")
    first_s, last_s = float(frames.times_s[0]), float(frames.times_s[-1])
    _expect(
        -frames.hop_s <= first_s <= EDGE_S and abs(audio.duration_s - last_s) <= EDGE_S,
        f"frames lie from {first_s:.2f} to {last_s:.2f} s, the recording lasts "
        f"{audio.duration_s:.2f} s",
    )
    posteriors = frames.log_probs
    if posteriors is None:
        _expect(not frames.labels, "there are labels and no posteriors")
        return
    _expect(
        posteriors.dtype == np.float32 and posteriors.shape == (len(array), len(frames.labels)),
        f"posteriors are {posteriors.dtype} {list(posteriors.shape)}, not float32 "
        f"[{len(array)}, {len(frames.labels)}]",
    )
    _expect(bool(posteriors.flags.c_contiguous), "posteriors are not C-contiguous")
    sums = np.exp(posteriors.astype(np.float64)).sum(axis=1)
    _expect(
        not np.isnan(posteriors).any() and bool((np.abs(sums - 1) < NORMALISED).all()),
        "posteriors are not normalised",
    )


def check_aligner(
    aligner: Aligner, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
) -> None:
    """Check that an aligner keeps to `speech.alignment.Aligner`; give `frames` if it needs them."""
    _has(aligner, Aligner, "aligner")
    _named(aligner.name)
    alignment = _asked(lambda: aligner.align(audio, pronunciation, frames), "align")
    check_alignment(alignment, audio, pronunciation)
    again = _asked(lambda: aligner.align(audio, pronunciation, frames), "align")
    _expect(again.phones == alignment.phones, "the same recording is aligned otherwise")
    short = Audio(np.ascontiguousarray(audio.samples[: SAMPLE_RATE // 10]))
    many = Pronunciation(pronunciation.language, pronunciation.words * 50)
    few = frames and Frames(
        frames.embeddings[:2],
        frames.hop_s,
        frames.offset_s,
        None if frames.log_probs is None else frames.log_probs[:2],
        frames.labels,
    )
    try:
        aligner.align(short, many, few)
    except (AlignmentError, InputError):
        return
    except Exception as error:
        raise _wrong(f"a text without room gives {error!r}, not an AlignmentError") from error
    raise _wrong("50 times the text is laid on 0.1 s: that is guessed, not an AlignmentError")


def check_alignment(alignment: Alignment, audio: Audio, pronunciation: Pronunciation) -> None:
    """Check an alignment of a recording, see `speech.alignment.Alignment`."""
    _expect(isinstance(alignment, Alignment), f"align gives {type(alignment).__name__}")
    words = tuple(word.word for word in pronunciation.words)
    _expect(alignment.words == words, f"its words are {alignment.words}, not {words}")
    _expect(
        len(alignment.variants) in {0, len(words)},
        f"it names {len(alignment.variants)} variants for {len(words)} words",
    )
    chosen = pronunciation.taken(alignment.variants)
    for word, variant in zip(pronunciation.words, chosen, strict=True):
        _expect(0 <= variant < len(word.variants), f"{word.word!r} has no variant number {variant}")
    for phone in alignment.phones:
        _expect(
            (phone.phone == SILENCE) == phone.is_silence,
            f"{phone.phone} belongs to word {phone.word_index}",
        )
    said = [(phone.phone, phone.word_index) for phone in alignment.spoken]
    meant = [(phone.phone, phone.word_index) for phone in pronunciation.canonical(chosen)]
    _expect(said == meant, f"its phones are {said}, and the variants that it names are {meant}")
    _expect(bool(alignment.phones), "it holds nothing")
    for phone in alignment.phones:
        _expect(phone.start_s < phone.end_s, f"{phone.phone} ends before it begins")
        _expect(0 <= phone.score <= 1, f"{phone.phone} has the score {phone.score}")
    for before, after in pairwise(alignment.phones):
        _expect(
            abs(before.end_s - after.start_s) < TIMES_AGREE_S,
            f"{before.phone} ends at {before.end_s:.3f} s, {after.phone} begins at "
            f"{after.start_s:.3f} s",
        )
    start_s, end_s = alignment.phones[0].start_s, alignment.phones[-1].end_s
    _expect(
        abs(start_s) < TIMES_AGREE_S and abs(end_s - audio.duration_s) < TIMES_AGREE_S,
        f"it reaches from {start_s:.3f} to {end_s:.3f} s of {audio.duration_s:.3f} s",
    )


def check_g2p(source: G2P, inventory: PhoneInventory, words: Sequence[str]) -> None:
    """Check that a source keeps to `speech.g2p.G2P`, by the inventory that it was loaded with.

    Parameters
    ----------
    words
        Words that it should know.
    """
    _has(source, G2P, "source of pronunciations")
    _named(source.name)
    asked = [*words, words[0]]
    found = _asked(lambda: source.pronounce(asked), "pronounce")
    _expect(len(found) == len(asked), f"{len(found)} answers for {len(asked)} words")
    for word, forms in zip(asked, found, strict=True):
        _expect(bool(forms), f"it cannot say {word!r}")
        for form in forms:
            check_sequence(form, inventory)
    _expect(found[0] == found[-1], f"{words[0]!r} is said otherwise the second time")
    alone = [_asked(lambda word=word: source.pronounce([word]), "pronounce")[0] for word in words]  # type: ignore[misc]
    _expect(alone == found[:-1], "a word is said otherwise among other words")
    _expect(_asked(lambda: source.pronounce([]), "pronounce") == [], "no words have an answer")
    for form in _asked(lambda: source.pronounce([NO_WORD]), "pronounce of what is no word")[0]:
        check_sequence(form, inventory)  # some sources name signs
    with ThreadPoolExecutor(4) as threads:
        said = _asked(lambda: list(threads.map(source.pronounce, [asked] * 4)), "pronounce")
    _expect(said == [found] * 4, "threads get other answers")


def check_sequence(form: PhoneSequence, inventory: PhoneInventory) -> None:
    """Check one pronunciation of a word, see `speech.canonical.PhoneSequence`."""
    _expect(bool(form.phones), "a pronunciation has no phones")
    unknown = [phone for phone in form.phones if phone not in inventory]
    _expect(not unknown, f"{unknown} are not in the inventory")
    _expect(len(form.stress) == len(form.phones), f"{form.phones} have the stress {form.stress}")
    for phone, mark in zip(form.phones, form.stress, strict=True):
        allowed = {None, 0, 1, 2} if inventory.is_syllabic(phone) else {None}
        _expect(mark in allowed, f"{phone} has the stress {mark}")
    edges = [edge for span in form.syllables for edge in span]
    _expect(
        edges[:1] == [0]
        and edges[-1:] == [len(form.phones)]
        and edges[1:-1:2] == edges[2::2]
        and all(first < past_last for first, past_last in form.syllables),
        f"the syllables {form.syllables} do not cover {len(form.phones)} phones",
    )
    _expect(bool(form.source), "it does not say where it comes from")


def check_recogniser(recogniser: Recogniser, audio: Audio, language: str) -> None:
    """Check that a recogniser keeps to `speech.recogniser.Recogniser`, in a language it knows."""
    _has(recogniser, Recogniser, "recogniser")
    _named(recogniser.name)
    check_words(_asked(lambda: recogniser.transcribe(audio, language), "transcribe"), audio)
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(recogniser.transcribe, audio, language) for _ in range(2)]
        for done in both:
            check_words(_asked(done.result, "transcribe from two threads"), audio)
    try:
        check_words(recogniser.transcribe(audio, "tlh"), audio)
    except InputError:
        return
    except ConformanceError:
        raise
    except Exception as error:
        raise _wrong(f"a language that it may not know gives {error!r}") from error


def check_words(words: tuple[RecognisedWord, ...], audio: Audio) -> None:
    """Check the words that were recognised in a recording."""
    _expect(isinstance(words, tuple), f"transcribe gives {type(words).__name__}, not a tuple")
    for word in words:
        _expect(bool(word.text) and word.text == word.text.strip(), f"a word is {word.text!r}")
        _expect(0 <= word.confidence <= 1, f"{word.text!r} has the confidence {word.confidence}")
        _expect(
            0 <= word.start_s <= word.end_s <= audio.duration_s + EDGE_S,
            f"{word.text!r} lies from {word.start_s} to {word.end_s} s",
        )
    for before, after in pairwise(words):
        _expect(before.start_s <= after.start_s, f"{after.text!r} begins before {before.text!r}")


def _same_frames(one: Frames, other: Frames, otherwise: str) -> None:
    alike = one.embeddings.shape == other.embeddings.shape and one.labels == other.labels
    _expect(alike, otherwise)
    most = float(np.abs(other.embeddings).max())
    _expect(
        float(np.abs(one.embeddings - other.embeddings).max()) <= FRAMES_AGREE * most, otherwise
    )


def _has(plugin: object, protocol: type, kind: str) -> None:
    _expect(isinstance(plugin, protocol), f"it lacks what an {kind} has: see {protocol.__name__}")


def _named(name: object) -> None:
    _expect(isinstance(name, str) and bool(name), f"its name is {name!r}")


def _asked(ask: Callable[[], Answer], what: str) -> Answer:
    try:
        return ask()
    except NativeEarError as error:
        raise _wrong(f"{what} refuses what it was given: {error.message}") from error
    except Exception as error:
        raise _wrong(f"{what} fails with {error!r}") from error


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _wrong(otherwise)


def _wrong(what: str) -> ConformanceError:
    return ConformanceError(
        f"The plug-in does not keep to its protocol: {what}.",
        fix="The docstrings of the protocol say what is promised.",
    )
