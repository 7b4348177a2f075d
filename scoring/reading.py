"""One recording read against its text, and laid where it was read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.deviations import Deviations
from nativeear.scoring.assessment import Reading, ReadingEvent
from nativeear.speech.aligners.ctc import CtcAligner
from nativeear.speech.aligners.frame_scores import frame_edges_s, speech_frames
from nativeear.speech.alignment import SILENCE, AlignedPhone, Aligner, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.errors import AlignmentError
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.reading.head import of_whole, read_by_head
from nativeear.speech.reading.heard import heard_word
from nativeear.speech.reading.match import BY_RETRIEVAL
from nativeear.speech.reading.reading import Reading as TextReading
from nativeear.speech.reading.reading import ReadingEvent as TextReadingEvent
from nativeear.speech.reading.reading import phone_distances, read_text

NOT_OF_THIS_TEXT = "The recording is not of this text, so that nothing in it is judged."

TEMPERATURE = 0.1
"""Of the softmax that makes posteriors of the cosines of a frame with every class's mean."""

HOP_S = 0.02
"""Hop of frames that are independent enough for what `BY_RETRIEVAL` weighs them."""

SHORTEST_S = 0.04
"""Each phone of a word is said at least so long, where a head does not tell it by a frame alone: a
word that nobody read is not to be found in a few frames of another one."""

LOUD_SHARE = 0.5
"""Place between quiet and loud frames above which speech is more than breath and reverberation."""

SPEECH_OF_A_PHONE_S = 0.08
"""Speech for each phone of a word that the path leaves out from which on it was said. Of 0.05 and
0.08 s, on three natives and half of the learners, the one by which more words that were cut from
the sound are told; none that was read is called omitted by either that is not by both."""

HUSHED = 1e-3
"""What speech is multiplied by that no aligner shall hear: 60 dB less."""

SHORTEST_PHONE_S = 0.015
"""No phone is said in less: a reading that has one is not believed against an aligner."""


class TextReader:
    """Reads recordings by the encoder's phone head or, without one, by an index's class means.

    Safe to share between threads.
    """

    def __init__(self, index: PhoneIndex) -> None:
        self._index = index
        self._deviations = Deviations(index)

    def read(
        self,
        pronunciation: Pronunciation,
        frames: Frames,
        audio: Audio,
        *,
        whole: bool = False,
        said: Collection[int] = (),
    ) -> TextReading:
        """Read one recording.

        Parameters
        ----------
        pronunciation
            The text.
        frames, audio
            The recording.
        whole
            Whether every word is known to be there once, so that forms alone are to be found.
        said
            Indices of words that are known to be there.
        """
        inventory = self._index.inventory
        read = read_by_head(
            pronunciation, frames, inventory, audio.duration_s, whole=whole, said=said
        )
        if read is not None:
            return read
        log_probs, columns = self._deviations.log_posteriors(frames, TEMPERATURE)
        log_probs *= frames.hop_s / HOP_S  # frames that overlap say the same again
        lasting = max(1, round(SHORTEST_S / frames.hop_s))
        places = {phone: column for column, phone in enumerate(columns)}
        return read_text(
            pronunciation,
            log_probs,
            columns=columns,
            spelling={
                phone: (places.get(phone, len(columns) - 1),) * lasting
                for phone in inventory.symbols
            },
            edges_s=frame_edges_s(frames, audio.duration_s),
            distances=phone_distances(tuple(columns), inventory),
            model=of_whole(BY_RETRIEVAL) if whole else BY_RETRIEVAL,
            said=said,
        )

    def read_with_garbled(
        self, pronunciation: Pronunciation, frames: Frames, audio: Audio
    ) -> TextReading:
        """The same, and words that were said beyond recognition are read where they were said."""
        read = self.read(pronunciation, frames, audio)
        said = garbled(audio, pronunciation, frames, read) if read.matches else ()
        if not said:
            return read
        again = self.read(pronunciation, frames, audio, said=said)
        return replace(again, likelihood=read.likelihood)


def attended(
    audio: Audio, frames: Frames, aside_s: Sequence[tuple[float, float]]
) -> tuple[Audio, Frames]:
    """A recording without what was said beside the text: hushed, and blank to the phone head."""
    if not aside_s:
        return audio, frames
    samples = audio.samples.copy()
    beside: NDArray[np.bool_] = np.zeros(len(frames), dtype=bool)
    for start_s, end_s in aside_s:
        samples[round(start_s * audio.sample_rate) : round(end_s * audio.sample_rate)] *= HUSHED
        beside |= (frames.times_s >= start_s) & (frames.times_s < end_s)
    log_probs = frames.log_probs
    if log_probs is not None:
        log_probs = log_probs.copy()
        log_probs[beside] = np.log(1e-6)
        log_probs[beside, 0] = np.log1p(-1e-6 * (log_probs.shape[1] - 1))
    return replace(audio, samples=samples), replace(frames, log_probs=log_probs)


def garbled(
    audio: Audio, pronunciation: Pronunciation, frames: Frames, read: TextReading
) -> frozenset[int]:
    """Words that the path leaves out, and that were said all the same, if beyond recognition.

    In their place lies speech that the path gives to no other word, enough for all their phones.

    Parameters
    ----------
    audio, frames, pronunciation, read
        The recording, the text, and how it was read.
    """
    if not read.omitted:
        return frozenset()
    clear, _ = attended(audio, frames, read.aside_s)
    speech, times_s = speech_frames(clear, frames, LOUD_SHARE), frames.times_s
    taken = pronunciation.taken(read.alignment.variants)
    said: set[int] = set()
    for words in _runs(sorted(read.omitted)):
        after_s = max(
            (p.end_s for p in read.alignment.spoken if p.word_index < words[0]), default=0.0
        )
        until_s = min(
            (p.start_s for p in read.alignment.spoken if p.word_index > words[-1]), default=np.inf
        )
        phones = sum(len(pronunciation.words[i].variants[taken[i]]) for i in words)
        unexplained = speech & (times_s >= after_s) & (times_s < until_s)
        if unexplained.sum() * frames.hop_s >= SPEECH_OF_A_PHONE_S * phones:
            said.update(words)
    return frozenset(said)


def _runs(words: Sequence[int]) -> list[list[int]]:
    """Words in order, those that follow one another together."""
    runs: list[list[int]] = []
    for word in words:
        if runs and word == runs[-1][-1] + 1:
            runs[-1].append(word)
        else:
            runs.append([word])
    return runs


def lay(
    aligner: Aligner, audio: Audio, pronunciation: Pronunciation, frames: Frames, read: TextReading
) -> Alignment:
    """The phones of the words that were read, where they lie.

    By a phone head they lie where they were read. Another aligner, which was asked for by name or
    learnt from the index's own speech, has the finer edges; where it finds no way, those of the
    reading are kept. Of a word with several forms the one is laid that a phone head has heard;
    without one the aligner chooses.

    Parameters
    ----------
    aligner
        Lays phones on recordings that hold them.
    audio, frames
        Of what was said of the text, see `attended`.
    pronunciation, read
        The text, and how it was read.
    """
    if read.by_head and aligner.name == CtcAligner.name:
        return read.alignment
    taken = list(pronunciation.taken(read.alignment.variants))
    kept = [i for i in range(len(pronunciation.words)) if i not in read.omitted]
    said = pronunciation.narrowed(taken) if read.by_head else pronunciation
    said = replace(said, words=tuple(said.words[i] for i in kept))
    try:
        found = aligner.align(audio, said, frames)
    except AlignmentError:
        return read.alignment
    if not read.by_head:
        for i, variant in zip(kept, said.taken(found.variants), strict=True):
            taken[i] = variant
    laid = tuple(
        phone if phone.is_silence else replace(phone, word_index=kept[phone.word_index])
        for phone in found.phones
    )
    clear = clear_of(laid, read.aside_s)
    if clear is None:
        if min(p.end_s - p.start_s for p in read.alignment.spoken) > SHORTEST_PHONE_S:
            return read.alignment
        clear = laid
    return Alignment(
        clear,
        tuple(word.word for word in pronunciation.words),
        tuple(taken),
        found.aligner,
    )


def clear_of(
    phones: Sequence[AlignedPhone], aside_s: Sequence[tuple[float, float]]
) -> tuple[AlignedPhone, ...] | None:
    """Phones cut back to what lies outside some spans; None where one of them lies within.

    What was hushed sounds like the closure of a stop.
    """
    found: list[AlignedPhone] = []
    for phone in phones:
        start_s, end_s = phone.start_s, phone.end_s
        if not phone.is_silence:
            for beside_s, past_s in sorted(aside_s):
                if start_s < past_s and beside_s < end_s:
                    before_s, behind_s = beside_s - start_s, end_s - past_s
                    if max(before_s, behind_s) <= 0:
                        return None
                    if before_s > behind_s:
                        end_s = beside_s
                    else:
                        start_s = past_s
            if start_s > phone.start_s:
                found.append(AlignedPhone(SILENCE, phone.start_s, start_s, -1))
        found.append(replace(phone, start_s=start_s, end_s=end_s))
        if end_s < phone.end_s:
            found.append(AlignedPhone(SILENCE, end_s, phone.end_s, -1))
    return tuple(found)


def reading_of(
    read: TextReading, pronunciation: Pronunciation, inventory: PhoneInventory
) -> Reading:
    """What goes into the result; no events of a recording that is of another text."""
    if not read.matches:
        return Reading(matches=False, likelihood=read.likelihood, events=())
    events = tuple(
        ReadingEvent(
            kind=event.kind,
            word_index=event.word_index,
            heard=_heard(event, pronunciation, inventory),
            start_s=event.start_s,
            end_s=event.end_s,
        )
        for event in read.events
    )
    return Reading(matches=True, likelihood=read.likelihood, events=events)


def _heard(
    event: TextReadingEvent, pronunciation: Pronunciation, inventory: PhoneInventory
) -> str | None:
    if event.kind == "omitted":
        return None
    if event.kind == "repeated":
        return pronunciation.words[event.word_index].word
    word = heard_word(event.phones, inventory, pronunciation) if event.kind == "extra" else None
    return word or "/" + "".join(inventory.ipa(phone) for phone in event.phones) + "/"


def within(spans_s: Sequence[tuple[float, float]], start_s: float, end_s: float) -> bool:
    """Whether the middle of a span lies in one of others."""
    middle = (start_s + end_s) / 2
    return any(start <= middle < end for start, end in spans_s)
