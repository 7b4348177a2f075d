"""Evidence on learners whom an encoder never heard, beside what experts said of them.

    python -m training.evidence --data ../shared/data --out training/data \
        --sibling compact:work/without-01 work/without-01-index/en-US 0 1 ...

Each `--sibling` is an encoder that was trained without some folds of speakers, its index without
the same, and these folds: their learners are heard by it alone. What is found goes into three
tables, a row per phone, word and sentence; with them a judge is fitted in minutes
(`training.judge`).

Learners seldom make one gross mistake among flawless phones, and a judge that has never seen it
overlooks it. So every recording is heard a second time: as if one of its phones had been meant to
be another, or a phone had been meant that nobody said, or with another of its own sounds in a
phone's place, or with a phone cut out. There it is as wrong as can be, and all else is as it was.
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
from nativeear.scoring.evidence import RecordingEvidence
from nativeear.scoring.fusion.features import RATIO
from nativeear.scoring.fusion.measures import WordFacts, flow_measures
from nativeear.service.demo import splice
from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.errors import NativeEarError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.steadying import steadied
from training.agreement import GROSS
from training.splits import FOLDS, fold_of

LEARNERS = "speechocean762-train"
SENTENCE_MARKS = ("accuracy", "completeness", "fluency", "prosodic", "total")
WORD_MARKS = ("accuracy", "stress", "total")
TABLES = ("phones", "words", "sentences")

Row = dict[str, Any]


KINDS = 4
"""Of errors that are made, one in each recording."""

SPLICED_S = (0.04, 0.3)
"""Shortest and longest sound that is exchanged or cut out."""

FADE_S = 0.004
"""Over which both sides of a cut are mixed."""


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
        evidence = _evidence(job, audio, utterance.phones)
        phones = _phone_rows(utterance, evidence, ratings)
        phones += _with_an_error(job, steadied(audio).audio, evidence.phones)
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
        **flow_measures(
            result.fluency, result.prosody, result.reading, steadied(audio).audio.duration_s
        ),
    }
    return {"phones": phones, "words": words, "sentences": [sentence]}


def _who(utterance: Utterance) -> Row:
    speaker = utterance.speaker
    return {"utterance": utterance.id, "speaker": speaker, "fold": fold_of(speaker)}


def _evidence(job: Job, audio: Audio, phones: str | None) -> RecordingEvidence:
    """Evidence on every phone, as if these phones had been meant."""
    assessor = _assessor(job.index, job.encoder)
    pronunciation = assessor.pronounce(job.utterance.text, phones)
    return assessor.gather_evidence(audio, pronunciation, job.exclusion)


def _phone_rows(
    utterance: Utterance, evidence: RecordingEvidence, ratings: Sequence[float]
) -> list[Row]:
    names = evidence.features.names
    return [
        {
            **_who(utterance),
            "claimed": False,
            "spliced": False,
            "word": phone.word_index,
            "phone": phone.phone,
            "expert": float(rating),
            **{
                name: round(value, 1 if name.startswith(RATIO) else 3)
                for name, value in zip(names, values.tolist(), strict=True)
            },
        }
        for phone, rating, values in zip(
            evidence.phones, ratings, evidence.features.values, strict=True
        )
    ]


def _with_an_error(job: Job, audio: Audio, spoken: Sequence[AlignedPhone]) -> list[Row]:
    """The rows of the recording with an error that was made in it."""
    utterance, inventory = job.utterance, _assessor(job.index, job.encoder).inventory
    seed = zlib.crc32(utterance.id.encode())
    rng = np.random.default_rng(seed)
    kind = seed % KINDS
    phones, ratings = (utterance.phones or "").split(), list(utterance.ratings or ())
    place = int(rng.integers(len(ratings)))
    if kind == 0:
        _exchange(phones, place, inventory, rng)
    elif kind == 1:
        _add(phones, place, inventory, rng)
        ratings.insert(place, GROSS)
    else:
        shortest_s, longest_s = SPLICED_S
        sounds = [i for i, p in enumerate(spoken) if shortest_s <= p.duration_s <= longest_s]
        if len({spoken[i].phone for i in sounds}) < 2:
            return []
        place = int(rng.choice(sounds))
        if kind == 2:
            audio = _spliced(audio, [spoken[i] for i in sounds], spoken[place], inventory, rng)
        else:
            audio = _without(audio, spoken[place])
    ratings[place] = GROSS
    rows = _phone_rows(utterance, _evidence(job, audio, " ".join(phones)), ratings)
    return [row | {"claimed": True, "spliced": kind > 1} for row in rows]


def _exchange(
    phones: list[str], place: int, inventory: PhoneInventory, rng: np.random.Generator
) -> None:
    """Mean another phone in a place, half of the time a near one."""
    at = [i for i, phone in enumerate(phones) if phone != "|"][place]
    own = phones[at].rstrip("012")
    others = sorted(set(inventory.symbols) - {own}, key=lambda p: (inventory.distance(own, p), p))
    near = others[: len(others) // 5] if rng.random() < 0.5 else others
    phones[at] = str(rng.choice(near))


def _add(
    phones: list[str], place: int, inventory: PhoneInventory, rng: np.random.Generator
) -> None:
    """Mean one more phone before a place, none that is said on either side of it."""
    at = [i for i, phone in enumerate(phones) if phone != "|"][place]
    beside = {phone.rstrip("012") for phone in phones[max(at - 2, 0) : at + 1]}
    phones.insert(at, str(rng.choice(sorted(set(inventory.symbols) - beside))))


def _spliced(
    audio: Audio,
    sounds: Sequence[AlignedPhone],
    place: AlignedPhone,
    inventory: PhoneInventory,
    rng: np.random.Generator,
) -> Audio:
    """The recording with another of its sounds in a place, half of the time a near one."""
    others = [sound for sound in sounds if sound.phone != place.phone]
    source = others[int(rng.integers(len(others)))]
    if rng.random() < 0.5:
        source = min(others, key=lambda sound: inventory.distance(place.phone, sound.phone))
    return splice(audio, place, audio, source)


def _without(audio: Audio, place: AlignedPhone) -> Audio:
    """The recording with a sound cut out."""
    fade = round(FADE_S * SAMPLE_RATE)
    start, end = round(place.start_s * SAMPLE_RATE), round(place.end_s * SAMPLE_RATE)
    before, after = audio.samples[: start + fade], audio.samples[end:]
    ramp = np.linspace(0, 1, fade, dtype=np.float32)[: len(after)]
    joint = before[-fade:][: len(ramp)] * (1 - ramp) + after[: len(ramp)] * ramp
    samples = np.concatenate([before[:-fade], joint, after[len(ramp) :]])
    return Audio(np.ascontiguousarray(samples, dtype=np.float32))


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
