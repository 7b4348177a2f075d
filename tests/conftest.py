"""A small corpus made of tones and noises, so that the real path runs without real speech.

Four sounds that any front end tells apart stand for four phones. They show that the plumbing is
right, never how good anything is.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexes.phone_index import PhoneIndex

RATE = 16_000
PHONE_S = 0.12
PAUSE_S = 0.2
TONES = {"IY": (300.0, 2300.0), "AA": (750.0, 1150.0), "M": (250.0, 1000.0)}
SOUNDS = (*TONES, "S")

DATA = Path(__file__).parents[2] / "shared" / "data"
PROMPTS = Path("/usr/share/asterisk/sounds/en")


def sound(phone: str, seconds: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """One phone-like sound, float32 `[S]`."""
    t = np.arange(round(seconds * RATE)) / RATE
    if phone == "S":
        noise = rng.normal(size=len(t))
        wave = np.diff(noise, prepend=0.0) * 0.1
    else:
        low, high = TONES[phone]
        pitch = 110 + 20 * rng.random()
        wave = np.zeros_like(t)
        for harmonic in range(1, 30):
            hz = harmonic * pitch
            gain = np.exp(-(((hz - low) / 150) ** 2)) + 0.7 * np.exp(-(((hz - high) / 200) ** 2))
            wave += 0.25 * gain * np.sin(2 * np.pi * hz * t + rng.random())
        wave += rng.normal(size=len(t)) * 0.002
    return wave.astype(np.float32)


def recording(
    phones: Sequence[str], seed: int = 0
) -> tuple[NDArray[np.float32], list[tuple[float, float, str]]]:
    """A recording of one word with pauses around it, and its intervals in seconds."""
    rng = np.random.default_rng(seed)
    quiet = lambda: (rng.normal(size=round(PAUSE_S * RATE)) * 0.0005).astype(np.float32)  # noqa: E731
    parts, spans, at = [quiet()], [(0.0, PAUSE_S, "")], PAUSE_S
    for phone in phones:
        seconds = PHONE_S * (0.8 + 0.4 * rng.random())
        parts.append(sound(phone, seconds, rng))
        end = at + len(parts[-1]) / RATE
        spans.append((at, end, phone))
        at = end
    parts.append(quiet())
    spans.append((at, at + PAUSE_S, ""))
    return np.concatenate(parts), spans


def textgrid(spans: Sequence[tuple[float, float, str]], word: str) -> str:
    """The intervals as a TextGrid with the tiers `words` and `phones`, in Praat's long format."""
    end = spans[-1][1]
    words = [(0.0, spans[0][1], ""), (spans[0][1], spans[-1][0], word), (spans[-1][0], end, "")]
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0"]
    lines += [f"xmax = {end}", "tiers? <exists>", "size = 2", "item []:"]
    for number, (name, tier) in enumerate((("words", words), ("phones", spans)), start=1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"']
        lines += [f'        name = "{name}"', "        xmin = 0", f"        xmax = {end}"]
        lines.append(f"        intervals: size = {len(tier)}")
        for i, (start, stop, text) in enumerate(tier, start=1):
            lines += [f"        intervals [{i}]:", f"            xmin = {start}"]
            lines += [f"            xmax = {stop}", f'            text = "{text}"']
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def tone_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `speaker/utterance.{wav,TextGrid}` of two speakers with 15 words each."""
    folder = tmp_path_factory.mktemp("tones")
    for speaker in ("anna", "ben"):
        (folder / speaker).mkdir()
        for number in range(15):
            name = f"{speaker}{number:02d}"
            rng = np.random.default_rng(zlib.crc32(name.encode()))
            samples, spans = recording([str(p) for p in rng.choice(SOUNDS, size=6)], number)
            soundfile.write(folder / speaker / f"{name}.wav", samples, RATE)
            grid = folder / speaker / f"{name}.TextGrid"
            grid.write_text(textgrid(spans, "word"), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tone_index(tone_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> PhoneIndex:
    """An index built from the tones with the real path, clips kept."""
    out = tmp_path_factory.mktemp("indexes") / "tones"
    build_index(
        BuildRequest(
            corpora=(str(tone_corpus),),
            language="en-US",
            out=out,
            encoder="spectral",
            clips="flac",
        )
    )
    return PhoneIndex.open(out)
