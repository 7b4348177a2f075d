"""English phones laid on a recording with the acoustic model inside pocketsphinx's wheel."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.aligners.pocketsphinx_decoder import (
    HOP_S,
    SAMPLE_RATE,
    WINDOW_S,
    PhoneDecoder,
    PhoneSpan,
    Variants,
    n_frames,
)
from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import PhoneSequence, Pronunciation
from nativeear.speech.errors import AlignmentError, InputError
from nativeear.speech.frames import Frames
from nativeear.speech.languages import primary_subtag

_VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW"
_CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH"
PHONES = frozenset(f"{_VOWELS} {_CONSONANTS}".split())
"""What the acoustic model knows: ARPAbet without stress digits."""

FRAMES_PER_PHONE = 3  # three emitting states, none of which can be skipped


class PocketsphinxAligner:
    """Aligns English with pocketsphinx's US English model.

    Safe to call from several threads: each has its own decoder, made on first use (0.02 s) and
    kept. The same recording and text always give the same alignment.
    """

    name = "pocketsphinx"

    def __init__(self) -> None:
        self._local = threading.local()

    def __reduce__(self) -> tuple[type[PocketsphinxAligner], tuple[()]]:
        # A decoder cannot travel to a worker process; the worker makes its own.
        return (PocketsphinxAligner, ())

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        """Align one recording; `frames` are not needed.

        Raises
        ------
        AlignmentError
            If the recording is shorter than the phones need, or no path through it was found.
        InputError
            If the language is not English, or a phone is not one of the model's.
        """
        del frames
        _check_language(pronunciation.language)
        if audio.sample_rate != SAMPLE_RATE:
            raise InputError(
                f"pocketsphinx hears {SAMPLE_RATE} Hz, this recording has {audio.sample_rate} Hz.",
                fix="Load it with Audio.load, which resamples.",
            )
        words = [_variants(word.word, word.variants) for word in pronunciation.words]
        text = " ".join(word.word for word in pronunciation.words)
        _check_room(len(audio.samples), words, text)
        decoder: PhoneDecoder | None = getattr(self._local, "decoder", None)
        if decoder is None:
            decoder = self._local.decoder = PhoneDecoder()
        try:
            found, spans = decoder.spans(_pcm(audio.samples), words)
        except RuntimeError as error:  # the C library's own
            raise _no_path(text, f"pocketsphinx stopped: {error}") from error
        if not spans:
            raise _no_path(text, "No path through the recording was found, even with wide beams.")

        # Alternatives that differ in stress only are one entry; the first of them is named.
        taken = {word.word: words[word.word][word.variant] for word in found if word.word >= 0}
        chosen = tuple(
            next(i for i, variant in enumerate(word.variants) if variant.phones == taken[index])
            for index, word in enumerate(pronunciation.words)
        )
        canonical = pronunciation.canonical(chosen)
        if [c.phone for c in canonical] != [s.phone for s in spans if s.word >= 0]:
            raise _no_path(text, "pocketsphinx answered with other phones than it was given.")
        stress = iter([phone.stress for phone in canonical])
        edges = _edges_s(spans, len(audio.samples) / SAMPLE_RATE)
        return Alignment(
            phones=tuple(
                AlignedPhone(
                    phone=span.phone,
                    start_s=start_s,
                    end_s=end_s,
                    word_index=span.word,
                    score=span.score,
                    stress=next(stress) if span.word >= 0 else None,
                )
                for span, (start_s, end_s) in zip(spans, pairwise(edges), strict=True)
            ),
            words=tuple(word.word for word in pronunciation.words),
            variants=chosen,
            aligner=self.name,
        )


def load(language: str = "en-US") -> PocketsphinxAligner:
    """Make the aligner; English only."""
    _check_language(language)
    return PocketsphinxAligner()


def _check_language(language: str) -> None:
    if primary_subtag(language) != "en":
        raise InputError(
            f"pocketsphinx cannot align {language!r}.",
            cause="Its wheel carries an acoustic model of US English alone (en, en-US, en-GB, …).",
            fix="Bring TextGrids (aligner textgrid), which serve every language.",
        )


def _variants(word: str, variants: Sequence[PhoneSequence]) -> Variants:
    """The distinct phone strings of one word, checked against the model's phones."""
    strings = dict.fromkeys(variant.phones for variant in variants if variant.phones)
    for phones in strings:
        unknown = sorted(set(phones) - PHONES)
        if unknown:
            raise InputError(
                f"pocketsphinx does not know {', '.join(unknown)} (in {word!r}).",
                cause=f"Its model has the phones {' '.join(sorted(PHONES))}.",
                fix="Write the word in these phones, or bring TextGrids (aligner textgrid).",
            )
    if not strings:
        raise InputError(f"The word {word!r} has no phones to align.")
    return tuple(strings)


def _check_room(n_samples: int, words: Sequence[Variants], text: str) -> None:
    if not words:
        raise AlignmentError("There are no words to align.", fix="Give a text, or phones.")
    needed = sum(min(len(phones) for phones in variants) for variants in words)
    room = n_frames(n_samples) // FRAMES_PER_PHONE
    if needed > room:
        raise AlignmentError(
            f"The recording is too short for its text {_shown(text)}.",
            cause=f"{n_samples / SAMPLE_RATE:.2f} s have room for {room} phones at most; the text"
            f" has {needed}.",
            fix="Check that this recording and this text belong together.",
        )


def _no_path(text: str, cause: str) -> AlignmentError:
    return AlignmentError(
        f"The phones of {_shown(text)} could not be laid on the recording.",
        cause=cause,
        fix="Check that this recording and this text belong together.",
    )


def _shown(text: str, width: int = 80) -> str:
    return repr(text if len(text) <= width else text[: width - 1] + "…")


def _pcm(samples: NDArray[np.float32]) -> bytes:
    """float32 `[S]` in -1…1 as 16-bit little-endian bytes."""
    pcm: NDArray[np.int16] = np.clip(np.rint(samples * 32767.0), -32768, 32767).astype("<i2")
    return pcm.tobytes()


def _edges_s(spans: Sequence[PhoneSpan], duration_s: float) -> list[float]:
    """Seconds at which the spans begin, and the end of the recording.

    A frame stands for the middle of its window, so the border between two frames lies half a
    window less half a hop (8 ms) after the later one's first sample.
    """
    late_s = (WINDOW_S - HOP_S) / 2
    inner = [min(round(span.start * HOP_S + late_s, 6), duration_s) for span in spans[1:]]
    return [0.0, *inner, duration_s]
