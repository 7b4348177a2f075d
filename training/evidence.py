"""Evidence on learners whom an encoder never heard, beside what experts said of them.

    python -m training.evidence --data ../shared/data --out training/data \
        --sibling compact:work/without-01 work/without-01-index/en-US 0 1 ...

Each `--sibling` is an encoder that was trained without some folds of speakers, its index without
the same, and these folds: their learners are heard by it alone. What is found goes into three
tables, a row per phone, word and sentence; with them a judge is fitted in minutes
(`training.judge`).

Learners seldom make one gross mistake among flawless phones, and a judge that has never seen it
overlooks it. So a third of the recordings is heard a second time as if one of its phones had been
meant to be another: in that place it is as wrong as can be, and all else is as it was.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import track

import nativeear
from nativeear.indexer.corpus import Utterance, read_corpus
from nativeear.indexer.utterances import recording_of
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.fusion.measures import WordFacts, flow_measures
from nativeear.speech.audio import Audio
from nativeear.speech.errors import NativeEarError
from nativeear.speech.inventory import PhoneInventory
from training.splits import FOLDS, fold_of

LEARNERS = "speechocean762-train"
SENTENCE_MARKS = ("accuracy", "completeness", "fluency", "prosodic", "total")
WORD_MARKS = ("accuracy", "stress", "total")
TABLES = ("phones", "words", "sentences")

Row = dict[str, Any]


CLAIMED = 3
"""One recording in so many is heard as if another phone had been meant, too."""

GROSS = 0.0
"""Expert score of a phone in whose place another was said."""


@dataclass(frozen=True)
class Job:
    """One recording to hear."""

    index: str
    encoder: str
    corpus: str
    utterance: Utterance

    @property
    def exclusion(self) -> Exclusion:
        """The speaker's own exemplars, should the index have any."""
        return Exclusion(speakers=frozenset([(self.corpus, self.utterance.speaker)]))


def gather(job: Job) -> dict[str, list[Row]] | None:
    """Rows of one recording for each of `TABLES`; None where it cannot be heard."""
    assessor = _assessor(job.index, job.encoder)
    utterance = job.utterance
    audio = recording_of(utterance)
    ratings = utterance.ratings or ()
    try:
        phones = _phone_rows(job, audio, utterance.phones, ratings)
        seed = zlib.crc32(utterance.id.encode())
        if seed % CLAIMED == 0:
            claimed, marks = _claimed(utterance, assessor.inventory, np.random.default_rng(seed))
            rows = _phone_rows(job, audio, claimed, marks)
            phones += [row | {"claimed": True} for row in rows]
        result = assessor.assess(audio, utterance.text, exclusion=job.exclusion)
    except NativeEarError as error:
        print(f"{utterance.id}: {error.message}")
        return None
    who = _who(utterance)
    words = [
        {**who, "word": i, "text": word.word, **vars(WordFacts.of(word))}
        for i, word in enumerate(result.words)
    ]
    sentence = {
        **who,
        "sex": utterance.sex,
        **flow_measures(result.fluency, result.prosody, result.reading, result.duration_s),
    }
    return {"phones": phones, "words": words, "sentences": [sentence]}


def _who(utterance: Utterance) -> Row:
    speaker = utterance.speaker
    return {"utterance": utterance.id, "speaker": speaker, "fold": fold_of(speaker)}


def _phone_rows(job: Job, audio: Audio, phones: str | None, ratings: Sequence[float]) -> list[Row]:
    """Evidence on every phone, as if these phones had been meant."""
    assessor, utterance = _assessor(job.index, job.encoder), job.utterance
    pronunciation = assessor.pronounce(utterance.text, phones)
    evidence = assessor.gather_evidence(audio, pronunciation, job.exclusion)
    names = evidence.features.names
    return [
        {
            **_who(utterance),
            "claimed": False,
            "word": phone.word_index,
            "phone": phone.phone,
            "expert": float(rating),
            **dict(zip(names, values.tolist(), strict=True)),
        }
        for phone, rating, values in zip(
            evidence.phones, ratings, evidence.features.values, strict=True
        )
    ]


def _claimed(
    utterance: Utterance, inventory: PhoneInventory, rng: np.random.Generator
) -> tuple[str, list[float]]:
    """The phones with another one in a place, half of the time a near one; and their ratings."""
    phones = (utterance.phones or "").split()
    places = [i for i, phone in enumerate(phones) if phone != "|"]
    chosen = int(rng.integers(len(places)))
    own = phones[places[chosen]].rstrip("012")
    others = sorted(set(inventory.symbols) - {own}, key=lambda p: (inventory.distance(own, p), p))
    near = others[: len(others) // 5] if rng.random() < 0.5 else others
    phones[places[chosen]] = str(rng.choice(near))
    ratings = list(utterance.ratings or ())
    ratings[chosen] = GROSS
    return " ".join(phones), ratings


@cache
def _assessor(index: str, encoder: str) -> nativeear.Assessor:
    return nativeear.load(index, encoder=encoder, calibration="training-free")


def experts_of(path: Path) -> dict[str, Row]:
    """What five experts said of each sentence and of its words, by utterance: their medians."""
    found = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            found[row["id"]] = {
                **{f"expert_{name}": median(row[name]) for name in SENTENCE_MARKS},
                "words": [
                    {f"expert_{name}": median(word[name]) for name in WORD_MARKS}
                    for word in row["words"]
                ],
            }
    return found


def with_experts(rows: dict[str, list[Row]], experts: Mapping[str, Row]) -> bool:
    """Add the experts' marks; False where they saw other words than were assessed."""
    said = experts[rows["sentences"][0]["utterance"]]
    if not len(said["words"]) == len(rows["words"]) == rows["phones"][-1]["word"] + 1:
        return False
    for row, marks in zip(rows["words"], said["words"], strict=True):
        row.update(marks)
    rows["sentences"][0] |= {name: said[name] for name in said if name != "words"}
    return True


def jobs_of(data: Path, siblings: Sequence[Sequence[str]]) -> list[Job]:
    """The learners of the siblings' folds."""
    corpus = read_corpus(str(data / LEARNERS), language="en-US")
    jobs = []
    for encoder, index, *folds in siblings:
        mine = frozenset(map(int, folds))
        jobs += [
            Job(index, encoder, corpus.name, utterance)
            for utterance in corpus.utterances
            if fold_of(utterance.speaker) in mine
        ]
    return jobs


def main() -> None:
    """Hear every learner, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help=f"holds {LEARNERS}")
    parser.add_argument("--out", type=Path, required=True, help="folder of the tables")
    parser.add_argument(
        "--sibling",
        nargs="+",
        action="append",
        required=True,
        metavar=("ENCODER INDEX", "FOLD"),
        help=f"an encoder, its index, and the folds (of {FOLDS}) that neither has heard",
    )
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    experts = experts_of(options.data / LEARNERS / "experts.jsonl")
    jobs = jobs_of(options.data, options.sibling)
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    with ProcessPoolExecutor(options.workers) as executor:
        found = executor.map(gather, jobs, chunksize=8)
        for rows in track(found, "learners", total=len(jobs)):
            if rows is not None and with_experts(rows, experts):
                for name in TABLES:
                    tables[name] += rows[name]
    options.out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        _write(pa.Table.from_pylist(table, schema=_schema(table)), options.out / f"{name}.parquet")


def _schema(rows: Sequence[Row]) -> pa.Schema:
    """Every column that any row has; measured numbers in single precision."""
    names = dict.fromkeys(name for row in rows for name in row)
    types: dict[str, pa.DataType] = {}
    for name in names:
        kinds = {type(row[name]) for row in rows if row.get(name) is not None}
        if kinds <= {str}:
            types[name] = pa.string()
        elif kinds <= {bool}:
            types[name] = pa.bool_()
        else:
            types[name] = pa.int16() if kinds <= {int} else pa.float32()
    return pa.schema(list(types.items()))


def _write(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", compression_level=19)


if __name__ == "__main__":
    main()
