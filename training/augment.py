"""Training examples: cropped, perturbed audio as log-mel, with frame targets that follow it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nativeear.speech.encoders.log_mel import N_FFT, SAMPLE_RATE
from training.alignment import AlignedPhone
from training.compact_model import ARPABET, BLANK, HOP_S, log_mel, mel_filters
from training.splice import Donors, splice

LABEL_INDEX = {label: index for index, label in enumerate(ARPABET, start=1)}
STAR = len(ARPABET) + 1  # CTC target that stands for anything or nothing
WARPS = tuple(np.linspace(0.86, 1.16, 13).round(3))
REPLACED, DELETED = 0.12, 0.02  # shares of the phones of a spliced example

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """One training example.

    Attributes
    ----------
    mel : Tensor, shape = (n_mels, n_mel_frames)
    phones : Tensor, shape = (n_phones,)
        CTC targets; `STAR` where experts heard another phone or none.
    frames, frame_weights : Tensor, shape = (n_frames,)
        Label of each 20 ms frame, and its weight in the cross-entropy.
    rejected : Tensor, shape = (n_frames,)
        Weight with which the frame's label is pushed down, where experts rejected the phone.
    """

    mel: Tensor
    phones: Tensor
    frames: Tensor
    frame_weights: Tensor
    rejected: Tensor


def believe(score: float | None) -> float:
    """Give the weight of a phone's label in the frame cross-entropy from its expert score."""
    if score is None or score >= 1.5:
        return 1.0
    return 0.5 if score >= 1.0 else 0.0


def targets(phones: list[AlignedPhone], n_mel_frames: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Make CTC targets, frame labels, their weights and the rejection weights."""
    n_frames = (n_mel_frames + 1) // 2
    frames = np.full(n_frames, BLANK)
    weights = np.full(n_frames, 0.5, dtype=np.float32)
    rejected = np.zeros(n_frames, dtype=np.float32)
    sequence = []
    for phone in phones:
        first = max(0, int(np.ceil(phone.start_s / HOP_S)))
        last = min(n_frames, int(np.ceil(phone.end_s / HOP_S)))
        frames[first:last] = LABEL_INDEX[phone.label]
        weights[first:last] = believe(phone.score)
        if last - first > 2:  # the aligner's boundaries are unsure
            weights[first] *= 0.5
            weights[last - 1] *= 0.5
        wrong = phone.score is not None and phone.score < 0.5
        rejected[first:last] = float(wrong)
        sequence.append(STAR if wrong else LABEL_INDEX[phone.label])
    return (
        torch.tensor(sequence),
        torch.from_numpy(frames),
        torch.from_numpy(weights),
        torch.from_numpy(rejected),
    )


def crop(
    samples: Samples, phones: list[AlignedPhone], before_s: float, after_s: float
) -> tuple[Samples, list[AlignedPhone]]:
    """Cut the silence around the speech down to the given margins."""
    start_s = max(0.0, phones[0].start_s - before_s)
    end_s = phones[-1].end_s + after_s
    cut = samples[int(start_s * SAMPLE_RATE) : int(end_s * SAMPLE_RATE)]
    moved = [AlignedPhone(p.label, p.start_s - start_s, p.end_s - start_s, p.score) for p in phones]
    return cut, moved


def change_speed(
    samples: Samples, phones: list[AlignedPhone], speed: float
) -> tuple[Samples, list[AlignedPhone]]:
    """Play `speed` times as fast; pitch and formants move along."""
    times = np.arange(0, len(samples) - 1, speed)
    played = np.interp(times, np.arange(len(samples)), samples).astype(np.float32)
    moved = [AlignedPhone(p.label, p.start_s / speed, p.end_s / speed, p.score) for p in phones]
    return played, moved


def _coloured_noise(length: int, rng: np.random.Generator) -> Samples:
    """Draw noise with a spectrum falling by a random power of frequency, unit variance."""
    size = 1 << 15
    spectrum = np.fft.rfft(rng.standard_normal(size))
    spectrum *= np.maximum(np.arange(len(spectrum)), 20.0) ** -rng.uniform(0.0, 1.0)
    noise = np.fft.irfft(spectrum).astype(np.float32)
    turned = np.roll(noise / noise.std(), rng.integers(size))
    filled: Samples = np.resize(turned, length)
    return filled


def _channel(rng: np.random.Generator) -> Tensor:
    """Draw a power response, shape = (N_FFT // 2 + 1,): tilt, and at times band limits."""
    hz = np.linspace(0.0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    decibels = rng.uniform(-4.0, 4.0) * np.log2(np.maximum(hz, 125.0) / 1000.0) / 2.0
    if rng.random() < 0.25:
        top = rng.uniform(3400.0, 7600.0)
        decibels -= np.clip((hz - top) / 250.0, 0.0, 1.0) * 50.0
    if rng.random() < 0.25:
        bottom = rng.uniform(80.0, 300.0)
        decibels -= np.clip((bottom - hz) / 150.0, 0.0, 1.0) * 40.0
    return torch.from_numpy(10.0 ** (decibels / 10.0)).float()


def _mask(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Hide a few bands and short stretches (SpecAugment)."""
    mel = mel.clone()
    fill = mel.mean()
    for _ in range(2):
        width = int(rng.integers(0, 12))
        start = int(rng.integers(0, mel.shape[0] - width))
        mel[start : start + width] = fill
    for _ in range(1 + mel.shape[1] // 200):
        width = int(rng.integers(0, min(12, mel.shape[1] // 4)))
        start = int(rng.integers(0, mel.shape[1] - width))
        mel[:, start : start + width] = fill
    return mel


def make_example(
    samples: npt.NDArray[np.int16],
    phones: list[AlignedPhone],
    rng: np.random.Generator,
    other: npt.NDArray[np.int16] | None = None,
    donors: Donors | None = None,
) -> Example:
    """Make one augmented example.

    Parameters
    ----------
    samples : shape = (n_samples,)
    phones : list of AlignedPhone
    rng : Generator
        All randomness comes from here.
    other : optional
        Another recording, heard faintly behind this one.
    donors : optional
        Phones of the same speaker; given, some of the example's are replaced by them.
    """
    wave = samples.astype(np.float32) / 32768.0
    margins = rng.uniform(0.04, 0.4, size=2) * (3.0 if rng.random() < 0.1 else 1.0)
    wave, phones = crop(wave, phones, float(margins[0]), float(margins[1]))
    if donors is not None:
        wave, phones = splice(wave, phones, donors, rng, replaced=REPLACED, deleted=DELETED)
    if rng.random() < 0.7:
        wave, phones = change_speed(wave, phones, float(rng.uniform(0.86, 1.16)))
    loudness = float(np.sqrt(np.mean(wave**2))) + 1e-5
    kind = rng.random()
    if kind < 0.4:
        level = loudness * 10.0 ** (-rng.uniform(8.0, 35.0) / 20.0)
        wave = wave + level * _coloured_noise(len(wave), rng)
    elif kind < 0.5 and other is not None:
        behind = np.resize(other.astype(np.float32) / 32768.0, len(wave))
        level = loudness * 10.0 ** (-rng.uniform(12.0, 30.0) / 20.0)
        wave = wave + behind * level / (float(np.sqrt(np.mean(behind**2))) + 1e-5)
    wave = wave * np.float32(10.0 ** (rng.uniform(-10.0, 6.0) / 20.0))
    warp = float(rng.choice(WARPS)) if rng.random() < 0.6 else 1.0
    filters = mel_filters(warp=warp)
    if rng.random() < 0.6:
        filters = filters * _channel(rng)
    mel = log_mel(torch.from_numpy(wave.astype(np.float32)), filters)
    return Example(_mask(mel, rng), *targets(phones, mel.shape[1]))


def plain_example(samples: npt.NDArray[np.int16], phones: list[AlignedPhone]) -> Example:
    """Make an example of the whole recording as it is, for validation."""
    mel = log_mel(torch.from_numpy(samples.astype(np.float32) / 32768.0))
    return Example(mel, *targets(phones, mel.shape[1]))
