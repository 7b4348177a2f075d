"""The phones that an encoder hears in free speech, as something to lay on the recording.

What is heard between two pauses is one run. Runs stand where words would: no one knows the words.
"""

from __future__ import annotations

from dataclasses import dataclass

from nativeear.scoring.assessment import TranscribedWord, Transcript
from nativeear.speech.audio import Audio
from nativeear.speech.decoding import DecodedPhone, decode_phones
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import OTHER
from nativeear.speech.pronunciation import PhoneSequence, Pronunciation, WordPronunciation
from nativeear.speech.prosody.intensity import track_intensity
from nativeear.speech.prosody.pauses import find_pauses
from nativeear.speech.syllables import syllabify

HEARD = (
    "No text was known: the sounds are those that the encoder heard, and each is compared with how "
    "natives say that sound. A sound that was replaced by another, left out or added is not "
    "noticed, nor is where the stress lies."
)


@dataclass(frozen=True)
class DecodedSpeech:
    """A decode as runs of phones.

    Attributes
    ----------
    pronunciation
        A run for every word.
    transcript
        The same for the result: runs in IPA, with the mean posterior of their phones.
    """

    pronunciation: Pronunciation
    transcript: Transcript


def decode_speech(frames: Frames, audio: Audio, inventory: PhoneInventory) -> DecodedSpeech | None:
    """Decode a recording and part the phones at its pauses.

    Returns
    -------
    DecodedSpeech or None
        With no runs if no phone was heard; None where the encoder has no phone head for these
        phones.
    """
    decoded = decode_phones(frames, inventory)
    if decoded is None:
        return None
    phones = [item for item in decoded if item.phone != OTHER]
    pauses = find_pauses(track_intensity(audio)).spans
    runs: list[list[DecodedPhone]] = []
    before = 0
    for item in phones:
        # the pauses that ended before this phone: one more than before begins a new run
        passed = sum((start + end) / 2 <= item.start_s for start, end in pauses)
        if not runs or passed > before:
            runs.append([])
        runs[-1].append(item)
        before = passed
    return DecodedSpeech(
        Pronunciation(
            inventory.language, tuple(_word(run, inventory) for run in runs), warnings=(HEARD,)
        ),
        Transcript(
            source="phones",
            text=" ".join(_ipa(run, inventory) for run in runs),
            words=tuple(
                TranscribedWord(
                    word=_ipa(run, inventory),
                    start_s=run[0].start_s,
                    end_s=run[-1].end_s,
                    confidence=sum(item.confidence for item in run) / len(run),
                )
                for run in runs
            ),
        ),
    )


def _word(run: list[DecodedPhone], inventory: PhoneInventory) -> WordPronunciation:
    phones = tuple(item.phone for item in run)
    sequence = PhoneSequence(phones, (None,) * len(phones), syllabify(phones, inventory), "given")
    return WordPronunciation(_ipa(run, inventory), (sequence,))


def _ipa(run: list[DecodedPhone], inventory: PhoneInventory) -> str:
    return "".join(inventory.ipa(item.phone) for item in run)
