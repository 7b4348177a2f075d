"""One recording read against its text, and laid where it was read."""

from __future__ import annotations

from collections.abc import Sequence
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
from nativeear.speech.reading.alike import retold
from nativeear.speech.reading.head import HOP_S, frames_of_a_phone, of_whole, read_by_head
from nativeear.speech.reading.heard import heard_word
from nativeear.speech.reading.match import BY_RETRIEVAL
from nativeear.speech.reading.omission import LOUD_SHARE
from nativeear.speech.reading.reading import Reading as TextReading
from nativeear.speech.reading.reading import ReadingEvent as TextReadingEvent
from nativeear.speech.reading.reading import phone_distances, read_text

NOT_OF_THIS_TEXT = "The recording is not of this text, so that nothing in it is judged."

TEMPERATURE = 0.1
"""Of the softmax that makes posteriors of the cosines of a frame with every class's mean."""

LEARNT = "flatstart"
"""The aligner that learns from the index's own speech."""

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
        self, pronunciation: Pronunciation, frames: Frames, audio: Audio, *, whole: bool = False
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
        """
        if whole:
            return self._once(pronunciation, frames, audio, whole=True)
        read = self._once(pronunciation, frames, audio, whole=False)
        if read.aside_s:
            vectors = self._index.transform(frames.embeddings)
            events = retold(read.events, read.alignment, vectors, frames.times_s)
            read = replace(read, events=events)
        return self._laid(read, pronunciation, frames, audio) if read.by_head else read

    def _once(
        self, pronunciation: Pronunciation, frames: Frames, audio: Audio, *, whole: bool
    ) -> TextReading:
        """The same by the path alone."""
        inventory, duration_s = self._index.inventory, audio.duration_s
        sounds = None if whole else self._deviations.log_posteriors(frames, TEMPERATURE)
        loud = None if whole else speech_frames(audio, frames, LOUD_SHARE)
        read = read_by_head(pronunciation, frames, inventory, duration_s, sounds=sounds, loud=loud)
        if read is not None:
            return read
        log_probs, columns = sounds or self._deviations.log_posteriors(frames, TEMPERATURE)
        log_probs = log_probs * (frames.hop_s / HOP_S)  # frames that overlap say the same again
        places = {phone: column for column, phone in enumerate(columns)}
        return read_text(
            pronunciation,
            log_probs,
            columns=columns,
            spelling={
                phone: (places.get(phone, len(columns) - 1),) * frames_of_a_phone(frames)
                for phone in inventory.symbols
            },
            edges_s=frame_edges_s(frames, duration_s),
            distances=phone_distances(tuple(columns), inventory),
            model=of_whole(BY_RETRIEVAL) if whole else BY_RETRIEVAL,
            loud=loud,
        )

    def _laid(
        self, read: TextReading, pronunciation: Pronunciation, frames: Frames, audio: Audio
    ) -> TextReading:
        """The same, the words that count laid by the head alone, as those of the index are."""
        kept = [i for i in range(len(pronunciation.words)) if i not in read.omitted]
        if not read.matches or not kept:
            return read
        clear, heard = attended(audio, frames, read.aside_s)
        words = tuple(pronunciation.words[i] for i in kept)
        laid = self._once(replace(pronunciation, words=words), heard, clear, whole=True)
        if laid.omitted:  # no room for them between what was hushed
            return read
        variants = list(read.alignment.variants)
        for i, variant in zip(kept, laid.alignment.variants, strict=True):
            variants[i] = variant
        alignment = replace(
            read.alignment,
            phones=placed(laid.alignment.phones, kept),
            variants=tuple(variants),
        )
        return replace(read, alignment=alignment)


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


def lay(
    aligner: Aligner, audio: Audio, pronunciation: Pronunciation, frames: Frames, read: TextReading
) -> Alignment:
    """The phones of the words that were read, where they lie.

    By a phone head they lie where they were read. Another aligner, which was asked for by name or
    learnt from the index's own speech, has the finer edges; where it finds no way, those of the
    reading are kept. Of a word with several forms the one is laid that a phone head has heard;
    without one the aligner chooses. What was not read by a head and is laid by what was learnt
    from the index is laid twice, by models of the same natives that fail other voices in other
    places: each phone knows the reading's place, too.

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
    laid = placed(found.phones, kept)
    clear = clear_of(laid, read.aside_s)
    if clear is None:
        if min(p.end_s - p.start_s for p in read.alignment.spoken) > SHORTEST_PHONE_S:
            return read.alignment
        clear = laid
    return Alignment(
        clear if read.by_head or aligner.name != LEARNT else also_read(clear, read.alignment),
        tuple(word.word for word in pronunciation.words),
        tuple(taken),
        found.aligner,
    )


def placed(phones: Sequence[AlignedPhone], words: Sequence[int]) -> tuple[AlignedPhone, ...]:
    """Phones of some words of a text, `words` their indices, as phones of the text."""
    return tuple(
        phone if phone.is_silence else replace(phone, word_index=words[phone.word_index])
        for phone in phones
    )


def also_read(phones: Sequence[AlignedPhone], read: Alignment) -> tuple[AlignedPhone, ...]:
    """The same phones, each with its place in a reading, in words that have the same phones there.

    The phones of a word stand together, and silences belong to none.
    """
    laid, other = _by_word(phones), _by_word(read.phones)
    places = {
        id(phone): (twin.start_s, twin.end_s)
        for word, own in laid.items()
        if [p.phone for p in own] == [p.phone for p in other.get(word, ())]
        for phone, twin in zip(own, other[word], strict=True)
    }
    return tuple(replace(phone, read_s=places.get(id(phone))) for phone in phones)


def _by_word(phones: Sequence[AlignedPhone]) -> dict[int, list[AlignedPhone]]:
    words: dict[int, list[AlignedPhone]] = {}
    for phone in phones:
        if not phone.is_silence:
            words.setdefault(phone.word_index, []).append(phone)
    return words


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
