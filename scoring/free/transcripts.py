"""Canonical phones of speech without a text: of a recogniser's words, or as they are decoded.

What is decoded between two pauses is one run, which stands where a word would: no one knows the
words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nativeear.scoring.assessment import Insertion, PhoneAssessment, TranscribedWord, Transcript
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import PhoneSequence, Pronunciation, WordPronunciation
from nativeear.speech.decoding import decode_runs
from nativeear.speech.errors import InputError, PronunciationError
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.recogniser import RecognisedWord
from nativeear.speech.syllables import syllabify

UNSURE = 0.5
"""Confidence below which a word may well be another one, and no phone is judged by it. The middle
of the scale, not a fit: recognisers differ in how far their confidence can be trusted."""

HIDES = (
    "The text was recognised, not given: a recogniser tends to write the word that was meant, or "
    "another that fits the sound, and so hides errors."
)

DECODED = (
    "No text was known: the sounds are those that the encoder heard, and each is compared with how "
    "natives say that sound. A sound that was replaced by another, left out or added is not "
    "noticed, nor is where the stress lies."
)


@dataclass(frozen=True)
class TranscribedSpeech:
    """A transcript as something to assess against.

    Attributes
    ----------
    transcript
        What goes into the result; runs are in IPA, with the mean posterior of their phones.
    pronunciation
        Its words, or a run for every word, with their canonical phones.
    unsure
        Indices of words of `pronunciation` whose phones must not be judged.
    """

    transcript: Transcript
    pronunciation: Pronunciation
    unsure: frozenset[int] = frozenset()


def recognised_text(
    words: Sequence[RecognisedWord], name: str, pronouncer: Pronouncer
) -> TranscribedSpeech:
    """Pronounce recognised words.

    Parameters
    ----------
    words
        As the recogniser wrote them. One may be several words when spoken (`42`), or none.
    name
        The recogniser's.
    pronouncer
        Of the index's language.

    Raises
    ------
    InputError
        If no word was recognised that has a pronunciation.
    """
    meant: list[WordPronunciation] = []
    unsure: set[int] = set()
    warnings = [HIDES]
    doubted = []
    for word in words:
        try:
            found = pronouncer.pronounce(word.text)
        except PronunciationError:
            if any(char.isalnum() for char in word.text):
                warnings.append(f"“{word.text}” was recognised, but has no known pronunciation.")
            continue
        if word.confidence < UNSURE:
            doubted.append(f"“{word.text}”")
            unsure |= set(range(len(meant), len(meant) + len(found.words)))
        meant += found.words
        warnings += found.warnings
    if not meant:
        raise InputError(
            "No words were recognised in the recording.",
            fix="Check that it holds speech of the index's language, or leave --asr out.",
        )
    if doubted:
        warnings.append(
            f"The recogniser is unsure of {', '.join(doubted)}: their sounds were not judged."
        )
    return TranscribedSpeech(
        Transcript(
            source="recognised",
            recogniser=name,
            text=" ".join(word.text for word in words),
            words=tuple(
                TranscribedWord(
                    word=word.text,
                    start_s=word.start_s,
                    end_s=word.end_s,
                    confidence=word.confidence,
                )
                for word in words
            ),
        ),
        Pronunciation(pronouncer.language, tuple(meant), tuple(dict.fromkeys(warnings))),
        frozenset(unsure),
    )


def decode_speech(
    frames: Frames, audio: Audio, inventory: PhoneInventory
) -> TranscribedSpeech | None:
    """Decode a recording.

    Returns
    -------
    TranscribedSpeech or None
        With no runs if no phone was heard; None where the encoder has no phone head for these
        phones.
    """
    runs = decode_runs(frames, audio, inventory)
    if runs is None:
        return None
    words, spoken = [], []
    for run in runs:
        phones = tuple(item.phone for item in run)
        ipa = "".join(map(inventory.ipa, phones))
        syllables = syllabify(phones, inventory)
        sequence = PhoneSequence(phones, (None,) * len(phones), syllables, "given")
        words.append(WordPronunciation(ipa, (sequence,)))
        spoken.append(
            TranscribedWord(
                word=ipa,
                start_s=run[0].start_s,
                end_s=run[-1].end_s,
                confidence=sum(item.confidence for item in run) / len(run),
            )
        )
    return TranscribedSpeech(
        Transcript(
            source="phones", text=" ".join(word.word for word in spoken), words=tuple(spoken)
        ),
        Pronunciation(inventory.language, tuple(words), warnings=(DECODED,)),
    )


def withheld(phone: PhoneAssessment) -> PhoneAssessment:
    """A phone of a word that may be another: where it lies, and no judgement."""
    return phone.model_copy(
        update={
            "score": None,
            "verdict": "uncertain",
            "probability_mispronounced": None,
            "sounds_like": (),
            "nbest": (),
        }
    )


def beside_sure_words(
    insertions: Sequence[Insertion], unsure: frozenset[int]
) -> tuple[Insertion, ...]:
    """Without the insertions next to words that may be others: they may belong to those."""
    return tuple(
        item
        for item in insertions
        if not {item.after_word_index, item.after_word_index + 1} & unsure
    )
