"""English phones laid on a recording with the acoustic model inside pocketsphinx's wheel.

Any phone string can be aligned, whatever its spelling: every word-level phone string becomes one
entry of a private dictionary, its variants become that entry's alternatives (`w7`, `w7(2)`), so
the decoder itself chooses the one that fits. Pass one finds the words and the pauses between
them; pass two finds the phones inside them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.errors import AlignmentError, InputError
from nativeear.speech.frames import Frames
from nativeear.speech.pronunciation import PhoneSequence, Pronunciation

_VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW"
_CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH"
PHONES = frozenset(f"{_VOWELS} {_CONSONANTS}".split())
"""What the acoustic model knows: ARPAbet without stress digits."""

SAMPLE_RATE = 16_000  # Hz, the acoustic model's
HOP_S = 0.01
WINDOW_S = 0.025625
FRAMES_PER_PHONE = 3  # three emitting states, none of which can be skipped

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


@dataclass(frozen=True)
class _Span:
    """Frames `[start, end)` of one phone or pause; `word` is -1 for a pause."""

    phone: str
    start: int
    end: int
    word: int
    score: float


@dataclass(frozen=True)
class _Word:
    """Frames `[start, end)` of one word, and the alternative taken; `word` is -1 for a pause."""

    word: int
    variant: int
    start: int
    end: int


class _Engine:
    """One decoder and the dictionary it has grown. Not safe to share between threads."""

    def __init__(self) -> None:
        self._entries: dict[Variants, str] = {}
        self._decoder = self._new_decoder()

    @staticmethod
    def _new_decoder() -> pocketsphinx.Decoder:
        return pocketsphinx.Decoder(
            hmm=pocketsphinx.get_model_path("en-us/en-us"),
            dict=None,
            lm=None,
            cmn="batch",  # the mean of this recording, not of those heard before
            bestpath=False,  # the lattice search would drop pauses
            logfn="/dev/null",
            loglevel="FATAL",
        )

    def entry(self, variants: Variants) -> str:
        """Name of the dictionary word for these pronunciations."""
        name = self._entries.get(variants)
        if name is None:
            name = f"w{len(self._entries)}"
            for number, phones in enumerate(variants, start=1):
                word = name if number == 1 else f"{name}({number})"
                self._decoder.add_word(word, " ".join(phones), update=False)
            self._entries[variants] = name
        return name

    def renew(self) -> None:
        """Forget the dictionary when it has grown large."""
        if len(self._entries) > _MAX_ENTRIES:
            self._entries.clear()
            self._decoder = self._new_decoder()

    def _decode(self, pcm: bytes) -> None:
        # The noise tracker would otherwise remember the recordings before this one.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()

    def words(self, pcm: bytes, words: Sequence[Variants]) -> list[_Word] | None:
        """Pass one: words and pauses, or None if no path reaches the end."""
        text = " ".join(self.entry(variants) for variants in words)
        for beam in BEAMS if len(pcm) <= _n_bytes(LONG_S) else BEAMS[:-1]:
            for option in ("beam", "pbeam", "wbeam"):
                self._decoder.config[option] = beam
            self._decoder.set_align_text(text)
            self._decode(pcm)
            if self._decoder.hyp() is not None:
                break
        else:
            return None
        found: list[_Word] = []
        index = 0
        for segment in self._decoder.seg():
            start, end = segment.start_frame, segment.end_frame + 1
            if segment.word.startswith(("<", "[")):
                found.append(_Word(-1, 0, start, end))
                continue
            alternative = _VARIANT.search(segment.word)
            found.append(_Word(index, int(alternative[1]) - 1 if alternative else 0, start, end))
            index += 1
        return found if index == len(words) else None

    def phones(self, pcm: bytes, words: Sequence[Variants]) -> tuple[list[_Word], list[_Span]]:
        """Both passes; empty lists if no path reaches the end."""
        found = self.words(pcm, words)
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
            _Span(
                name if word.word >= 0 else SILENCE,
                start,
                start + n_frames,
                word.word,
                confidence(score, n_frames),
            )
            for word, entry in zip(found, entries, strict=True)
            for name, start, n_frames, score in entry
        ]
        if any(span.end <= span.start for span in spans):  # pass two did not reach the end
            return [], []
        return found, spans


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

    @property
    def _engine(self) -> _Engine:
        engine: _Engine | None = getattr(self._local, "engine", None)
        if engine is None:
            engine = self._local.engine = _Engine()
        engine.renew()
        return engine

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

        pcm = _pcm(audio.samples)
        try:
            found, spans = self._spans(pcm, words)
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

    def _spans(self, pcm: bytes, words: list[Variants]) -> tuple[list[_Word], list[_Span]]:
        """Words and phones of a recording of any length; pauses that touch are one."""
        engine = self._engine
        if len(pcm) <= _n_bytes(LONG_S):
            found, spans = engine.phones(pcm, words)
            return found, _join_pauses(spans)
        whole = engine.words(pcm, words)
        if whole is None:
            return [], []
        spans = []
        for start, end, inside in _pieces(whole, _n_frames(len(pcm) // 2)):
            if not inside:
                spans.append(_Span(SILENCE, start, end, -1, 1.0))
                continue
            # The whole recording has chosen the variants; the piece only places their phones.
            taken = [(words[word.word][word.variant],) for word in inside]
            piece = pcm[_n_bytes(start * HOP_S) : _n_bytes(end * HOP_S)]
            _, placed = engine.phones(piece, taken)
            if not placed:
                return [], []
            first = inside[0].word
            spans.extend(
                _Span(
                    span.phone,
                    start + span.start,
                    start + span.end,
                    span.word + first if span.word >= 0 else -1,
                    span.score,
                )
                for span in placed
            )
        return whole, _join_pauses(spans)


def load(language: str = "en-US") -> PocketsphinxAligner:
    """Make the aligner.

    Raises
    ------
    InputError
        If `language` is not English.
    """
    _check_language(language)
    return PocketsphinxAligner()


def _check_language(language: str) -> None:
    if language.replace("_", "-").split("-")[0].lower() != "en":
        raise InputError(
            f"pocketsphinx cannot align {language!r}.",
            cause="Its wheel carries an acoustic model of US English alone (en, en-US, en-GB, …).",
            fix="Bring TextGrids (aligner textgrid), which serve every language.",
        )


def _variants(word: str, variants: Sequence[PhoneSequence]) -> Variants:
    """The distinct phone strings of one word, checked against the model's phones."""
    strings: dict[tuple[str, ...], None] = {}
    for phones in (variant.phones for variant in variants):
        unknown = sorted(set(phones) - PHONES)
        if unknown:
            raise InputError(
                f"pocketsphinx does not know {', '.join(unknown)} (in {word!r}).",
                cause=f"Its model has the phones {' '.join(sorted(PHONES))}.",
                fix="Write the word in these phones, or bring TextGrids (aligner textgrid).",
            )
        if phones:
            strings[phones] = None
    if not strings:
        raise InputError(f"The word {word!r} has no phones to align.")
    return tuple(strings)


def _check_room(n_samples: int, words: Sequence[Variants], text: str) -> None:
    if not words:
        raise AlignmentError("There are no words to align.", fix="Give a text, or phones.")
    needed = sum(min(len(phones) for phones in variants) for variants in words)
    room = _n_frames(n_samples) // FRAMES_PER_PHONE
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


def _n_frames(n_samples: int) -> int:
    return max(0, round((n_samples / SAMPLE_RATE - WINDOW_S) / HOP_S) + 1)


def _n_bytes(seconds: float) -> int:
    return 2 * round(seconds * SAMPLE_RATE)


def _edges_s(spans: Sequence[_Span], duration_s: float) -> list[float]:
    """Seconds at which the spans begin, and the end of the recording.

    A frame stands for the middle of its window, so the border between two frames lies half a
    window less half a hop (8 ms) after the later one's first sample.
    """
    late_s = (WINDOW_S - HOP_S) / 2
    inner = [min(round(span.start * HOP_S + late_s, 6), duration_s) for span in spans[1:]]
    return [0.0, *inner, duration_s]


def _join_pauses(spans: Sequence[_Span]) -> list[_Span]:
    joined: list[_Span] = []
    for span in spans:
        if joined and span.word < 0 and joined[-1].word < 0:
            before = joined.pop()
            weight = (before.end - before.start) / (span.end - before.start)
            score = weight * before.score + (1 - weight) * span.score
            joined.append(_Span(SILENCE, before.start, span.end, -1, score))
        else:
            joined.append(span)
    return joined


def _pieces(words: Sequence[_Word], n_frames: int) -> list[tuple[int, int, list[_Word]]]:
    """Cut a long recording into pieces of at most `LONG_S` where a cut can be had.

    Cuts lie in the middle of the longest pause of the later half of each piece, else between two
    words. Gives `(first frame, past last frame, words)` per piece.
    """
    longest = round(LONG_S / HOP_S)
    # (frame, length of the pause) of every place where a cut harms no phone
    places = [
        ((word.start + word.end) // 2, word.end - word.start) if word.word < 0 else (word.end, 0)
        for word in words
    ]
    cuts = [0]
    while n_frames - cuts[-1] > longest:
        begin = cuts[-1]
        near = [p for p in places if begin + longest // 2 < p[0] <= begin + longest]
        later = [p for p in places if p[0] > begin]
        if not later or later[0][0] >= n_frames:
            break
        cuts.append(max(near, key=lambda p: (p[1], p[0]))[0] if near else later[0][0])
    edges = [*cuts, n_frames]
    return [
        (start, end, [w for w in words if w.word >= 0 and start <= (w.start + w.end) / 2 < end])
        for start, end in pairwise(edges)
    ]
