"""speechocean762 (OpenSLR 101; Zhang et al., 2021, arXiv 2104.01378): five experts' scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nativeear.indexer.annotated_corpus import (
    AnnotatedCorpus,
    AnnotatedUtterance,
    SentenceScores,
    Speaker,
    as_age,
)
from nativeear.indexer.corpus import SetAside, sex_of
from nativeear.indexer.readers.annotated import manifest, rows762
from nativeear.indexer.readers.annotated.scored import SCORE_NAMES, number, scored_words
from nativeear.indexer.readers.lines import id_pairs, read_text
from nativeear.speech.errors import CorpusError

SCORES = ("resource/scores.json", "scores.json")
SPLITS = ("train", "test")
L1 = "zh"
"""All speakers are Mandarin."""


def read(data: Path, split: str | None = None) -> AnnotatedCorpus:
    """Read the published folder, its rows in Parquet, or a table of it (`utterances.csv`).

    Published are `train/` and `test/` (`wav.scp`, `utt2spk`, `spk2age`, `spk2gender`), the
    recordings under `WAVE/`, and the scores in `scores.json` or `resource/scores.json`. What a
    phone scored below 0.5 was heard as stands in `mispronunciations`.

    Parameters
    ----------
    split
        `train`, `test` (the default) or `all`. A table without a column `split` is taken whole.

    Raises
    ------
    CorpusError
        If the folder has neither layout. Single broken utterances are set aside instead.
    """
    is_table = data.is_file() and data.suffix != ".parquet"
    if is_table or (data / manifest.TABLE).is_file():
        return manifest.read(data, split, l1=L1)
    if rows762.parquet_files(data):
        return rows762.read(data, split)
    scores = _scores(data)
    split = split or "test"
    chosen = SPLITS if split == "all" else (split,)
    utterances: list[AnnotatedUtterance] = []
    set_aside: list[SetAside] = []
    for part in chosen:
        folder = data / part
        if not (folder / "wav.scp").is_file():
            raise CorpusError(
                f"speechocean762 has no part {part} at {data}.",
                cause=f"Looked for {folder / 'wav.scp'}.",
                fix="Name the folder that holds train, test and WAVE.",
            )
        recordings = id_pairs(folder / "wav.scp")
        speakers = id_pairs(folder / "utt2spk")
        ages, genders = id_pairs(folder / "spk2age"), id_pairs(folder / "spk2gender")
        for identity, written in recordings.items():
            speaker = speakers.get(identity, "")
            audio = data / written
            try:
                if not audio.is_file():
                    raise ValueError(f"there is no recording {audio}.")
                if not speaker:
                    raise ValueError(f"{part}/utt2spk does not name its speaker.")
                if identity not in scores:
                    raise ValueError("scores.json does not hold it.")
                scored = scores[identity]
                utterances.append(
                    AnnotatedUtterance(
                        id=identity,
                        speaker=Speaker(
                            speaker, as_age(ages.get(speaker)), sex_of(genders.get(speaker)), L1
                        ),
                        audio=audio,
                        text=str(scored.get("text", "")),
                        words=scored_words(scored),
                        sentence=SentenceScores(**{n: number(scored, n) for n in SCORE_NAMES}),
                    )
                )
            except ValueError as error:
                set_aside.append(SetAside(identity, str(error)))
    return AnnotatedCorpus("speechocean762", tuple(utterances), tuple(set_aside), split)


def _scores(data: Path) -> dict[str, Any]:
    file = next((data / name for name in SCORES if (data / name).is_file()), None)
    if file is None:
        raise CorpusError(
            f"{data} is not speechocean762.",
            cause=f"It has neither {manifest.TABLE} nor {' nor '.join(SCORES)}.",
            fix="Name the folder that holds train, test and WAVE, or a table of rated recordings.",
        )
    try:
        scores = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise CorpusError(f"{file} is not JSON.", cause=str(error)) from error
    if not isinstance(scores, dict):
        raise CorpusError(f"{file} does not hold scores by utterance.")
    return scores
