"""Phone alignments of the training speech by pocketsphinx, kept in one JSON-lines file.

Each word is one dictionary entry per allowed pronunciation, so that what is aligned is the
canonical phone string and nothing else.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pocketsphinx

from training.corpus import Pronunciation, Utterance, read_audio

FRAME_S = 0.01
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AlignedPhone:
    """A phone and where it was spoken, in seconds; `score` is the experts' or None."""

    label: str
    start_s: float
    end_s: float
    score: float | None


def _entry(word: tuple[Pronunciation, ...]) -> str:
    return "/".join("_".join(variant) for variant in word)


def _write_dictionary(words: Iterable[tuple[Pronunciation, ...]], path: Path) -> None:
    lines = []
    for word in sorted(set(words)):
        for rank, variant in enumerate(word):
            suffix = "" if rank == 0 else f"({rank + 1})"
            lines.append(f"{_entry(word)}{suffix} {' '.join(variant)}\n")
    path.write_text("".join(lines), encoding="utf-8")


def _decoder(dictionary: Path, *, wide: bool) -> Any:
    beams: dict[str, float] = {"beam": 1e-120, "pbeam": 1e-120, "wbeam": 1e-100} if wide else {}
    return pocketsphinx.Decoder(
        hmm=pocketsphinx.get_model_path("en-us/en-us"),
        dict=str(dictionary),
        lm=None,
        bestpath=False,
        loglevel="FATAL",
        **beams,
    )


def _pass(decoder: Any, samples: npt.NDArray[np.int16]) -> None:
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()


def _phones(
    decoder: Any, utterance: Utterance, samples: npt.NDArray[np.int16]
) -> list[list[tuple[str, int, int]]]:
    decoder.set_align_text(" ".join(_entry(word) for word in utterance.words))
    _pass(decoder, samples)
    decoder.set_alignment()
    _pass(decoder, samples)
    # Fillers are words of their own in the alignment; ours are in the dictionary's form.
    # The entries point into `alignment`, so they are read while it lives.
    names = {_entry(word) for word in utterance.words}
    alignment = decoder.get_alignment()
    if alignment is None:
        raise RuntimeError("no alignment")
    words = [
        [(phone.name, phone.start, phone.duration) for phone in word]
        for word in alignment
        if word.name.split("(")[0] in names
    ]
    if len(words) != len(utterance.words):
        raise RuntimeError(f"{len(words)} of {len(utterance.words)} words aligned")
    return words


def align(utterance: Utterance, decoders: list[Any]) -> list[AlignedPhone]:
    """Align one utterance, trying the decoders in turn.

    Raises
    ------
    RuntimeError
        When every decoder fails.
    """
    samples = read_audio(utterance.audio)
    faults = []
    for decoder in decoders:
        try:
            words = _phones(decoder, utterance, samples)
        except RuntimeError as error:
            faults.append(str(error))
            continue
        return [
            AlignedPhone(
                label,
                start * FRAME_S,
                (start + duration) * FRAME_S,
                utterance.scores[position][index] if utterance.scores else None,
            )
            for position, word in enumerate(words)
            for index, (label, start, duration) in enumerate(word)
        ]
    raise RuntimeError(f"{utterance.id}: {'; '.join(faults)}")


_DECODERS: list[Any] = []


def _start_worker(dictionary: str) -> None:
    _DECODERS[:] = [_decoder(Path(dictionary), wide=wide) for wide in (False, True)]


def _align_to_line(utterance: Utterance) -> str | None:
    try:
        phones = align(utterance, _DECODERS)
    except RuntimeError as error:
        log.warning("not aligned: %s", error)
        return None
    rows = [[p.label, round(p.start_s, 3), round(p.end_s, 3), p.score] for p in phones]
    return json.dumps({"id": utterance.id, "phones": rows})


def align_all(utterances: list[Utterance], path: Path, workers: int = 1) -> None:
    """Align what `path` doesn't hold yet, and append it there, one JSON object a line."""
    done = set(read_alignments(path)) if path.exists() else set()
    todo = [utterance for utterance in utterances if utterance.id not in done]
    if not todo:
        return
    with tempfile.TemporaryDirectory() as folder:
        dictionary = Path(folder) / "words.dict"
        _write_dictionary((word for u in utterances for word in u.words), dictionary)
        with (
            ProcessPoolExecutor(workers, None, _start_worker, (str(dictionary),)) as pool,
            path.open("a", encoding="utf-8") as out,
        ):
            for line in pool.map(_align_to_line, todo, chunksize=8):
                if line:
                    out.write(line + "\n")
                    out.flush()


def read_alignments(path: Path) -> dict[str, list[AlignedPhone]]:
    """Read the alignments that `align_all` wrote, by utterance id."""
    alignments = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        alignments[row["id"]] = [AlignedPhone(*phone) for phone in row["phones"]]
    return alignments
