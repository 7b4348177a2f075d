"""Change bytes of files of every kind that is read, and see that none crashes its reader.

    python -m benchmarks.fuzz [--minutes 10] [--seed 0] [--only audio textgrid ctm kaldi csv …]

Each input starts from a sound file and is changed by some of: bits turned over, bytes replaced by
such that trouble readers (0, 255, signs, line ends), pieces cut out, doubled or moved, and the end
cut off. A reader may accept what comes of it or refuse it with an error of `speech.errors`;
anything else is a crash, and is printed with its seed. `--minutes` of the processor are for each
kind. `refused` counts errors in plain words.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.reporting import options_of, show
from benchmarks.speech_data import PROMPTS, ROOT, prompt
from nativeear.indexer.corpus import read_corpus
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.verification import verify
from nativeear.service.batch import read_manifest
from nativeear.speech.audio import Audio
from nativeear.speech.errors import NativeEarError
from nativeear.speech.textgrid import TextGrid

GOLDEN = ROOT / "tests" / "indexes" / "golden-v1"
AUDIO = prompt(PROMPTS[0][0])

TROUBLE = (
    b"\x00", b"\xff", b"-1", b"1e999", b"nan", b'"', b"\n", b"\r", b",", b"\xef\xbb\xbf", b"{",
)  # fmt: skip

GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.4
            text = "S"
        intervals [2]:
            xmin = 0.4
            xmax = 1
            text = "OW1"
"""


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes
    ----------
    name
        Its row in the table.
    make
        Writes sound files into an empty folder and gives those that are changed in turn.
    read
        Reads what lies in the folder.
    """

    name: str
    make: Callable[[Path], list[Path]]
    read: Callable[[Path], object]


@dataclass
class Tally:
    """What became of the inputs of one kind."""

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    crashes: list[str] = field(default_factory=list)


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with one to four changes."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, len(data) + 1))
        length = int(rng.integers(1, 33))
        way = int(rng.integers(0, 6))
        if way == 0 and at < len(data):
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif way == 1:
            trouble = TROUBLE[int(rng.integers(0, len(TROUBLE)))]
            data[at : at + len(trouble)] = trouble
        elif way == 2:
            del data[at : at + length]
        elif way == 3:
            data[at:at] = data[at : at + length]
        elif way == 4:
            data[at:at] = data[:length]
        elif way == 5 and rng.random() < 0.2:
            del data[at:]
    return bytes(data)


def fuzz(kind: Kind, seconds: float, seed: int) -> Tally:
    """Change and read inputs of one kind until the time of the processor is used up."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = kind.make(place)
        whole = {file: file.read_bytes() for file in files}
        kind.read(place)  # sound as it is, or nothing would be learnt
        ends = _processor_s() + seconds
        while _processor_s() < ends:
            rng = np.random.default_rng((seed, tally.inputs))
            file = files[int(rng.integers(0, len(files)))]
            file.write_bytes(mutated(whole[file], rng))
            tally.inputs += 1
            try:
                kind.read(place)
                tally.accepted += 1
            except NativeEarError:
                tally.refused += 1
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                tally.crashes.append(
                    f"input {tally.inputs - 1}, {file.name}: {error!r} "
                    f"({Path(where.filename).name}:{where.lineno})"
                )
            file.write_bytes(whole[file])
    return tally


def _sound(folder: Path, suffix: str) -> Path:
    samples, rate = soundfile.read(AUDIO, dtype="float32")
    file = folder / f"me{suffix}"
    soundfile.write(file, samples[:rate], rate)
    return file


def _written(folder: Path, texts: dict[str, str]) -> list[Path]:
    _sound(folder, ".wav")
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def _golden(folder: Path) -> list[Path]:
    shutil.copytree(GOLDEN, folder, dirs_exist_ok=True)
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.parent.name != "audio")


def _open(folder: Path) -> None:
    with contextlib.suppress(NativeEarError):
        verify(folder)
    index = PhoneIndex.open(folder)
    _ = index.vectors[:3] @ index.vectors.T
    _ = index.exemplar(0), index.inventory, index.prosody, index.playable


_KALDI = {"text": "u1 so it is\n", "wav.scp": "u1 me.wav\n", "utt2spk": "u1 anna\n"}
_LHOTSE = {
    "recordings.jsonl": json.dumps(
        {
            "id": "r1",
            "sources": [{"type": "file", "channels": [0], "source": "me.wav"}],
            "sampling_rate": 16000,
            "num_samples": 16000,
            "duration": 1.0,
            "channel_ids": [0],
        }
    )
    + "\n",
    "supervisions.jsonl": json.dumps(
        {
            "id": "u1",
            "recording_id": "r1",
            "start": 0.0,
            "duration": 0.9,
            "channel": 0,
            "text": "so it is",
            "speaker": "anna",
            "alignment": {"phone": [["S", 0.1, 0.2], ["OW", 0.3, 0.2]]},
        }
    )
    + "\n",
}

KINDS = (
    Kind("audio, WAV", lambda f: [_sound(f, ".wav")], lambda f: Audio.load(f / "me.wav")),
    Kind("audio, FLAC", lambda f: [_sound(f, ".flac")], lambda f: Audio.load(f / "me.flac")),
    Kind(
        "textgrid",
        lambda f: _written(f, {"me.TextGrid": GRID}),
        lambda f: TextGrid.load(f / "me.TextGrid"),
    ),
    Kind(
        "ctm",
        lambda f: _written(f, {**_KALDI, "phones.ctm": "u1 1 0.1 0.2 S\nu1 1 0.3 0.2 OW1\n"})[3:],
        lambda f: read_corpus(f, reader="kaldi", language="en-US"),
    ),
    Kind(
        "kaldi",
        lambda f: _written(f, {**_KALDI, "segments": "u1 u1 0.1 0.9\n"}),
        lambda f: read_corpus(f, reader="kaldi", language="en-US"),
    ),
    Kind(
        "csv",
        lambda f: _written(f, {"all.csv": "id,audio,text,speaker\nu1,me.wav,so it is,anna\n"}),
        lambda f: read_corpus(f / "all.csv", reader="csv", language="en-US"),
    ),
    Kind(
        "lhotse",
        lambda f: _written(f, _LHOTSE),
        lambda f: read_corpus(f, reader="lhotse", language="en-US"),
    ),
    Kind(
        "batch manifest",
        lambda f: _written(f, {"all.csv": "id,audio,text,phones\nu1,me.wav,so it is,S OW\n"}),
        lambda f: read_manifest(f / "all.csv"),
    ),
    Kind("index", _golden, _open),
)


def _processor_s() -> float:
    """What this process has used of the processor, and the decoders that it started."""
    return sum(os.times()[:4])


def main() -> None:
    """Fuzz every kind and print what became of the inputs; exit 1 on a crash."""
    parser = options_of(__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[], help="kinds that begin so")
    options = parser.parse_args()
    tallies = {
        kind.name: fuzz(kind, options.minutes * 60, options.seed)
        for kind in KINDS
        if not options.only or kind.name.startswith(tuple(options.only))
    }
    rows = [
        (name, tally.inputs, tally.accepted, tally.refused, len(tally.crashes))
        for name, tally in tallies.items()
    ]
    show("", ("kind", "inputs", "accepted", "refused", "crashes"), rows)
    for name, tally in tallies.items():
        for line in tally.crashes[:10]:
            print(f"{name}: {line}")
    sys.exit(1 if any(tally.crashes for tally in tallies.values()) else 0)


if __name__ == "__main__":
    main()
