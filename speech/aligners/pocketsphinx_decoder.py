"""pocketsphinx's decoder, asked in two passes for the frames of words and of their phones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nativeear.speech.alignment import SILENCE
from nativeear.speech.extras import needing

with needing("pocketsphinx", "The aligner pocketsphinx"):
    import pocketsphinx

SAMPLE_RATE = 16_000  # Hz, the acoustic model's
HOP_S = 0.01
WINDOW_S = 0.025625

BEAMS = (1e-48, 1e-80, 0.0)
"""Pruning of pass one: the decoder's own, a wide one, and none. The next one is tried when no path
survives, which happens to texts that fit badly; their confidences then say so."""

LONG_S = 30.0
"""Pass two holds every state of every frame, so longer recordings are cut in pauses first."""

CONFIDENCE_MIDDLE = -5.6
CONFIDENCE_SCALE = 1.4
"""Both in nats a frame; see `confidence`."""

NATS_PER_UNIT = float(np.log(1.0001)) * 2**10
"""pocketsphinx keeps acoustic scores in base 1.0001, shifted right by ten bits."""

_MAX_ENTRIES = 20_000  # then the dictionary starts afresh, so that a service doesn't grow
_VARIANT = re.compile(r"\((\d+)\)$")

Variants = tuple[tuple[str, ...], ...]
"""The ways to say one word, each a phone string."""


@dataclass(frozen=True)
class PhoneSpan:
    """Frames `[start, end)` of one phone or pause; `word` is -1 for a pause."""

    phone: str
    start: int
    end: int
    word: int
    score: float


@dataclass(frozen=True)
class WordSpan:
    """Frames `[start, end)` of one word, and the alternative taken; `word` is -1 for a pause."""

    word: int
    variant: int
    start: int
    end: int


def confidence(score: int, n_frames: int) -> float:
    """How well a phone fits the frames it was laid on, from 0 to 1.

    The score of pass two is a log likelihood against the best Gaussian of the utterance's phones.
    Its mean a frame goes through a logistic curve whose middle lies between right and wrong texts:
    on learners' speech (speechocean762) the median phone gets 0.94 and the 5th percentile 0.3; on
    white noise the median is 0.1. A wrong text still gets a median of 0.6, because its phones
    settle where they fit: read it as the confidence of the alignment, never as a grade.
    """
    nats = score * NATS_PER_UNIT / max(n_frames, 1)
    return float(1.0 / (1.0 + np.exp((CONFIDENCE_MIDDLE - nats) / CONFIDENCE_SCALE)))


class PhoneDecoder:
    """One decoder and the dictionary it has grown. Not safe to share between threads.

    Any phone string can be aligned, whatever its spelling: every word-level phone string becomes
    one entry of a private dictionary, its variants become that entry's alternatives (`w7`,
    `w7(2)`), so the decoder itself chooses the one that fits. Pass one finds the words and the
    pauses between them; pass two finds the phones inside them.
    """

    def __init__(self) -> None:
        self._entries: dict[Variants, str] = {}
        self._renew()

    def spans(
        self, pcm: bytes, words: Sequence[Variants]
    ) -> tuple[list[WordSpan], list[PhoneSpan]]:
        """Words and phones of a recording of any length; empty lists if no path fits.

        Pauses that touch are one.
        """
        if len(self._entries) > _MAX_ENTRIES:
            self._renew()
        if len(pcm) <= n_bytes(LONG_S):
            found, spans = self._phones(pcm, words)
            return found, _join_pauses(spans)
        whole = self._words(pcm, words)
        if whole is None:
            return [], []
        spans = []
        for start, end, inside in _pieces(whole, n_frames(len(pcm) // 2)):
            if not inside:
                spans.append(PhoneSpan(SILENCE, start, end, -1, 1.0))
                continue
            # The whole recording has chosen the variants; the piece only places their phones.
            taken = [(words[word.word][word.variant],) for word in inside]
            piece = pcm[n_bytes(start * HOP_S) : n_bytes(end * HOP_S)]
            _, placed = self._phones(piece, taken)
            if not placed:
                return [], []
            first = inside[0].word
            spans += [
                PhoneSpan(
                    span.phone,
                    start + span.start,
                    start + span.end,
                    span.word + first if span.word >= 0 else -1,
                    span.score,
                )
                for span in placed
            ]
        return whole, _join_pauses(spans)

    def _renew(self) -> None:
        self._entries.clear()
        self._decoder = pocketsphinx.Decoder(
            hmm=pocketsphinx.get_model_path("en-us/en-us"),
            dict=None,
            lm=None,
            cmn="batch",  # the mean of this recording, not of those heard before
            bestpath=False,  # the lattice search would drop pauses
            logfn="/dev/null",
            loglevel="FATAL",
        )

    def _entry(self, variants: Variants) -> str:
        """Name of the dictionary word for these pronunciations."""
        name = self._entries.get(variants)
        if name is None:
            name = f"w{len(self._entries)}"
            for number, phones in enumerate(variants, start=1):
                word = name if number == 1 else f"{name}({number})"
                self._decoder.add_word(word, " ".join(phones), update=False)
            self._entries[variants] = name
        return name

    def _decode(self, pcm: bytes) -> None:
        # The noise tracker would otherwise remember the recordings before this one.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()

    def _words(self, pcm: bytes, words: Sequence[Variants]) -> list[WordSpan] | None:
        """Pass one: words and pauses, or None if no path reaches the end."""
        text = " ".join(self._entry(variants) for variants in words)
        for beam in BEAMS if len(pcm) <= n_bytes(LONG_S) else BEAMS[:-1]:
            for option in ("beam", "pbeam", "wbeam"):
                self._decoder.config[option] = beam
            self._decoder.set_align_text(text)
            self._decode(pcm)
            if self._decoder.hyp() is not None:
                break
        else:
            return None
        found: list[WordSpan] = []
        index = 0
        for segment in self._decoder.seg():
            start, end = segment.start_frame, segment.end_frame + 1
            if segment.word.startswith(("<", "[")):
                found.append(WordSpan(-1, 0, start, end))
                continue
            alternative = _VARIANT.search(segment.word)
            variant = int(alternative[1]) - 1 if alternative else 0
            found.append(WordSpan(index, variant, start, end))
            index += 1
        return found if index == len(words) else None

    def _phones(
        self, pcm: bytes, words: Sequence[Variants]
    ) -> tuple[list[WordSpan], list[PhoneSpan]]:
        """Both passes; empty lists if no path reaches the end."""
        found = self._words(pcm, words)
        if found is None:
            return [], []
        self._decoder.set_alignment()
        self._decode(pcm)
        alignment = self._decoder.get_alignment()
        # Each entry lives in C until the next one is asked for: read it at once, keep none.
        entries = [
            [(phone.name, phone.start, phone.duration, phone.score) for phone in entry]
            for entry in alignment or ()
        ]
        if len(entries) != len(found):
            return [], []
        spans = [
            PhoneSpan(
                name if word.word >= 0 else SILENCE,
                start,
                start + length,
                word.word,
                confidence(score, length),
            )
            for word, entry in zip(found, entries, strict=True)
            for name, start, length, score in entry
        ]
        if any(span.end <= span.start for span in spans):  # pass two did not reach the end
            return [], []
        return found, spans


def n_frames(n_samples: int) -> int:
    """Frames that the decoder makes of so many samples."""
    return max(0, round((n_samples / SAMPLE_RATE - WINDOW_S) / HOP_S) + 1)


def n_bytes(seconds: float) -> int:
    """Bytes of 16-bit samples."""
    return 2 * round(seconds * SAMPLE_RATE)


def _join_pauses(spans: Sequence[PhoneSpan]) -> list[PhoneSpan]:
    joined: list[PhoneSpan] = []
    for span in spans:
        if joined and span.word < 0 and joined[-1].word < 0:
            before = joined.pop()
            weight = (before.end - before.start) / (span.end - before.start)
            score = weight * before.score + (1 - weight) * span.score
            joined.append(PhoneSpan(SILENCE, before.start, span.end, -1, score))
        else:
            joined.append(span)
    return joined


def _pieces(words: Sequence[WordSpan], frames: int) -> list[tuple[int, int, list[WordSpan]]]:
    """Cut a long recording into pieces of at most `LONG_S` where a cut can be had.

    Cuts lie in the middle of the longest pause of the later half of each piece, else between two
    words. Gives `(first frame, past last frame, words)` per piece.
    """
    longest = round(LONG_S / HOP_S)
    # (frame, length of the pause) of every frame where a cut harms no phone
    cuttable = [
        ((word.start + word.end) // 2, word.end - word.start) if word.word < 0 else (word.end, 0)
        for word in words
    ]
    cuts = [0]
    while frames - cuts[-1] > longest:
        begin = cuts[-1]
        near = [p for p in cuttable if begin + longest // 2 < p[0] <= begin + longest]
        later = [p for p in cuttable if p[0] > begin]
        if not later or later[0][0] >= frames:
            break
        cuts.append(max(near, key=lambda p: (p[1], p[0]))[0] if near else later[0][0])
    return [
        (start, end, [w for w in words if w.word >= 0 and start <= (w.start + w.end) / 2 < end])
        for start, end in pairwise([*cuts, frames])
    ]
