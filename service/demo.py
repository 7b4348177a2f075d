"""`nativeear demo`: a native prompt, and the same prompt with one phone from another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nativeear.service.index_size import size_in_words

if TYPE_CHECKING:
    from rich.console import Console

    from nativeear.scoring.assessor import Assessor
    from nativeear.speech.alignment import AlignedPhone
    from nativeear.speech.audio import Audio

PROMPT = (
    "priv-introsaved.flac",
    "Thank you. Please hold, while I attempt to connect you with your party!",
)
DONOR = (
    "auth-incorrect.flac",
    "Password incorrect. Please enter your password followed by the pound key.",
)
MEANT = ("connect", "EH")
SAID = ("please", "IY")
FADE_S = 0.008
"""Cross-fade at both joints of the splice."""


def run_demo(console: Console, keep: Path | None = None) -> None:
    """Assess a prompt that the index has never heard, whole and with one phone replaced.

    Parameters
    ----------
    console
        Where the verdicts are shown.
    keep
        Folder to write the two recordings to, for listening.
    """
    import nativeear
    from nativeear.service.terminal import render
    from nativeear.speech.audio import Audio

    with _recording(PROMPT[0]) as path:
        prompt = Audio.load(path)
    with _recording(DONOR[0]) as path:
        donor = Audio.load(path)
    assessor = nativeear.load()
    counts = assessor.index.manifest.counts
    console.print(
        f"Native reference: {assessor.index.name}, "
        f"{size_in_words(counts.exemplars, counts.silences)}, encoder {assessor.encoder.name}. "
        "The two prompts below are not among them."
    )
    target = _find(assessor, prompt, PROMPT[1], *MEANT)
    source = _find(assessor, donor, DONOR[1], *SAID)
    spliced = splice(prompt, target, donor, source)
    meant, said = (assessor.inventory.ipa(phone) for _, phone in (MEANT, SAID))
    for title, audio in (
        ("A native speaker, as recorded", prompt),
        (f"The same, with the /{meant}/ of “{MEANT[0]}” replaced by a /{said}/", spliced),
    ):
        console.rule(title)
        console.print(render(assessor.assess(audio, PROMPT[1], id="demo")))
    if keep is not None:
        _write(keep, prompt, spliced)
        console.print(f"The two recordings are in {keep}.")


def splice(prompt: Audio, target: AlignedPhone, donor: Audio, source: AlignedPhone) -> Audio:
    """Replace the span of one phone by the span of another, with short cross-fades."""
    from nativeear.speech.audio import SAMPLE_RATE, Audio

    fade = round(FADE_S * SAMPLE_RATE)
    start, end = round(target.start_s * SAMPLE_RATE), round(target.end_s * SAMPLE_RATE)
    first, last = round(source.start_s * SAMPLE_RATE), round(source.end_s * SAMPLE_RATE)
    piece = donor.samples[first:last].copy()
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    piece[:fade] = piece[:fade] * ramp + prompt.samples[start : start + fade] * (1 - ramp)
    piece[-fade:] = piece[-fade:] * ramp[::-1] + prompt.samples[end - fade : end] * ramp
    samples = np.concatenate([prompt.samples[:start], piece, prompt.samples[end:]])
    return Audio(np.ascontiguousarray(samples))


def _find(assessor: Assessor, audio: Audio, text: str, word: str, phone: str) -> AlignedPhone:
    """Where the phone of that word lies in the recording."""
    meant = assessor.pronouncer.pronounce(text)
    alignment = assessor.aligner.align(audio, meant, assessor.encoder.encode(audio))
    return next(
        aligned
        for aligned in alignment.spoken
        if aligned.phone == phone and alignment.words[aligned.word_index].casefold() == word
    )


@contextmanager
def _recording(name: str) -> Iterator[Path]:
    with as_file(files("nativeear.service") / "data" / name) as path:
        yield path


def _write(folder: Path, prompt: Audio, spliced: Audio) -> None:
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    for name, audio in (("native.wav", prompt), ("spliced.wav", spliced)):
        soundfile.write(folder / name, audio.samples, audio.sample_rate)
