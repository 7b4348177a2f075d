"""Speech cut and pasted phone by phone, so that the encoder hears what was said there.

A model trained on read sentences alone learns to guess a phone from its neighbours, and then
hears the right phone where a wrong one was said. Replacing phones by other phones of the same
speaker makes the neighbours a bad guide. The idea is SpeechBlender's (arXiv 2211.00923).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nativeear.speech.encoders.log_mel import SAMPLE_RATE
from training.alignment import AlignedPhone

Samples = npt.NDArray[np.float32]

FADE_S = 0.004
DONOR_S = (0.035, 0.30)  # shorter is no sound to speak of, longer a misaligned one
VOWELS = frozenset(
    ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
)
SAME_KIND = 0.7  # share of the replacements of a vowel by a vowel, a consonant by a consonant


@dataclass(frozen=True)
class Donor:
    """One phone to paste: samples of shape = (n_samples,), int16, and its label."""

    label: str
    samples: npt.NDArray[np.int16]


class Donors:
    """The phones of one speaker that were said as labelled, by kind.

    Parameters
    ----------
    recordings : list of (samples, phones)
        Samples of shape = (n_samples,), int16, at 16 kHz.
    """

    def __init__(self, recordings: list[tuple[npt.NDArray[np.int16], list[AlignedPhone]]]) -> None:
        self._vowels: list[Donor] = []
        self._consonants: list[Donor] = []
        for samples, phones in recordings:
            for phone in phones:
                if phone.score is not None and phone.score < 1.8:
                    continue
                if not DONOR_S[0] <= phone.end_s - phone.start_s <= DONOR_S[1]:
                    continue
                span = slice(int(phone.start_s * SAMPLE_RATE), int(phone.end_s * SAMPLE_RATE))
                pool = self._vowels if phone.label in VOWELS else self._consonants
                pool.append(Donor(phone.label, samples[span]))

    def draw(self, label: str, rng: np.random.Generator) -> Donor | None:
        """Draw a phone that isn't `label`, mostly of its kind; None when there is no such."""
        vowel = (label in VOWELS) == (rng.random() < SAME_KIND)
        pool = self._vowels if vowel else self._consonants
        for _ in range(4 if pool else 0):
            donor = pool[rng.integers(len(pool))]
            if donor.label != label and len(donor.samples):
                return donor
        return None


def _join(pieces: list[Samples]) -> Samples:
    """Put pieces behind each other, each faded in and out at its edges."""
    fade = np.linspace(0.0, 1.0, int(FADE_S * SAMPLE_RATE), dtype=np.float32)
    faded = []
    for piece in pieces:
        gain = np.ones(len(piece), np.float32)
        if len(piece) > 2 * len(fade):
            gain[: len(fade)] = fade
            gain[-len(fade) :] = fade[::-1]
        faded.append(piece * gain)
    return np.concatenate(faded)


def splice(
    samples: Samples,
    phones: list[AlignedPhone],
    donors: Donors,
    rng: np.random.Generator,
    *,
    replaced: float,
    deleted: float,
) -> tuple[Samples, list[AlignedPhone]]:
    """Replace and cut out phones at random; the labels follow the sound.

    Parameters
    ----------
    samples : shape = (n_samples,)
        16 kHz.
    phones : list of AlignedPhone
    donors : Donors
        Of the same speaker.
    rng : Generator
    replaced, deleted : float
        Share of the phones that another takes the place of, and that are cut out.

    Returns
    -------
    samples : shape = (n_other_samples,)
    phones : list of AlignedPhone
        Never empty; a pasted phone carries no expert score.
    """
    pieces: list[Samples] = []
    said: list[AlignedPhone] = []
    cursor = 0  # in the original
    shift_s = 0.0
    for phone in phones:
        start, end = (int(t * SAMPLE_RATE) for t in (phone.start_s, phone.end_s))
        chance = rng.random()
        donor = donors.draw(phone.label, rng) if chance < replaced else None
        cut = donor is None and replaced <= chance < replaced + deleted and len(phones) > 3
        if donor is None and not cut:
            moved = replace(phone, start_s=phone.start_s + shift_s, end_s=phone.end_s + shift_s)
            said.append(moved)
            continue
        pieces.append(samples[cursor:start])
        cursor = end
        if donor is not None:
            pasted = donor.samples.astype(np.float32) / 32768.0
            pieces.append(pasted)
            at_s = phone.start_s + shift_s
            length_s = len(pasted) / SAMPLE_RATE
            said.append(AlignedPhone(donor.label, at_s, at_s + length_s, None))
            shift_s += length_s
        shift_s -= phone.end_s - phone.start_s
    pieces.append(samples[cursor:])
    if not said:
        return samples, phones
    return _join(pieces), said
