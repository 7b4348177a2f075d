"""Whether two states of the code judge alike: every number of the results on 100 recordings.

    python -m benchmarks.same_outputs --data DATA --out before.jsonl
    python -m benchmarks.same_outputs --data DATA --out after.jsonl --against before.jsonl

Learners and natives, calibrated and training-free. With `--against` it exits 1 at a difference and
says which fields differ, how often and by how much.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nativeear
from benchmarks.speech_data import DATA

TRAINING_FREE_EVERY = 5
"""So many of the recordings are also heard without what was learnt from experts."""


def recordings(data: Path, count: int) -> list[tuple[str, Path, str]]:
    """Id, file and text of as many recordings of learners as of natives, spread over speakers."""
    taken = []
    for corpus in ("speechocean762-train", "native-english"):
        with (data / corpus / "utterances.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        wanted = count // 2
        for row in rows[:: len(rows) // wanted][:wanted]:
            taken.append((f"{corpus}/{row['id']}", data / corpus / row["audio"], row["text"]))
    return taken


def outputs(data: Path, count: int) -> Iterator[dict[str, Any]]:
    """The result of each recording, as it is printed."""
    expert = nativeear.load("en-US")
    free = nativeear.load("en-US", calibration="training-free")
    for number, (name, audio, text) in enumerate(recordings(data, count)):
        assessors = {"expert": expert}
        if number % TRAINING_FREE_EVERY == 0:
            assessors["training-free"] = free
        for calibration, assessor in assessors.items():
            try:
                result = assessor.assess(audio, text).model_dump(mode="json")
                result.pop("id", None)
            except nativeear.NativeEarError as error:
                result = {"error": str(error)}
            yield {"recording": name, "calibration": calibration, "result": result}
        print(f"\r{number + 1}/{count}", end="", file=sys.stderr)
    print(file=sys.stderr)


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Fields in which two results differ, and by how much; infinity where it is not a number."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(before.get(key), after.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from differences(one, other, f"{path}[]")
    elif before != after:
        numbers = all(type(value) in {int, float} for value in (before, after))
        yield path, abs(before - after) if numbers else float("inf")


def main() -> int:
    """Write the results, and compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    found = list(outputs(options.data, options.count))
    options.out.write_text(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in found), encoding="utf-8"
    )
    if options.against is None:
        return 0
    lines = options.against.read_text(encoding="utf-8").splitlines()
    earlier = [json.loads(line) for line in lines]
    fields: dict[str, list[float]] = defaultdict(list)
    changed = 0
    for before, after in zip(earlier, found, strict=True):
        here = list(differences(before, after))
        changed += bool(here)
        for path, amount in here:
            fields[path].append(amount)
    print(f"{changed} of {len(found)} results differ.")
    for path, amounts in sorted(fields.items()):
        print(f"  {path}: {len(amounts)} times, by up to {max(amounts):g}")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
