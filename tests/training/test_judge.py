"""The judge that is fitted on a table of evidence, on one that is made up: plumbing only."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("sklearn")

from nativeear.scoring.fusion.expert import MODEL_FILE, RECORD_FILE, read_model
from nativeear.scoring.fusion.measures import WordFacts
from nativeear.scoring.fusion.phone_model import COLUMNS
from training import judge, recurrent
from training.judge import expected_across, outer_folds
from training.tables import SENTENCE_MARKS, WORD_MARKS, Evidence

SPEAKERS, SENTENCES, WORDS, PHONES = 10, 6, 4, 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Phones whose margin tells what experts give, words that are their mean, a rate that is
    fluency."""
    rng = np.random.default_rng(0)
    phones, words, sentences = [], [], []
    for speaker in range(SPEAKERS):
        for sentence in range(SENTENCES):
            name = f"{speaker}-{sentence}"
            who = {"utterance": name, "speaker": str(speaker), "fold": speaker % 5}
            rate = float(rng.normal(4, 1))
            for word in range(WORDS):
                expert = np.clip(rng.normal(1.6, 0.6, PHONES), 0, 2)
                for value in expert:
                    row = dict.fromkeys(COLUMNS, 0.0)
                    row["margin"] = float(value + rng.normal(0, 0.1))
                    mine = {"claimed": False, "word": word, "phone": "AH", "expert": float(value)}
                    phones.append(who | mine | row)
                facts = WordFacts(0.0, 0.5, PHONES, 1, word > 1, 10.0 * word, False)
                marks = {f"expert_{mark}": float(5 * expert.mean()) for mark in WORD_MARKS}
                words.append(who | {"word": word} | vars(facts) | marks)
            marks = {f"expert_{mark}": 2 * rate for mark in (*SENTENCE_MARKS, "completeness")}
            sentences.append(who | {"duration_s": 3.0, "syllables_per_s": rate} | marks)
    for table, rows in (("phones", phones), ("words", words), ("sentences", sentences)):
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"{table}.parquet")
    return tmp_path


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"max_iter": 40, "min_samples_leaf": 5, "max_features": 1.0}
    monkeypatch.setattr(judge, "SETTINGS", judge.SETTINGS | small)
    monkeypatch.setattr(judge, "MARK_SETTINGS", judge.MARK_SETTINGS | small)
    monkeypatch.setattr(judge, "SEEDS", (0,))
    monkeypatch.setattr(recurrent, "EPOCHS", 8)
    monkeypatch.setattr(recurrent, "BATCH", 12)
    monkeypatch.setattr(recurrent, "RATE", 0.01)


def test_it_finds_what_tells(folder: Path) -> None:
    evidence = Evidence.read(folder)
    assert evidence.folds == [0, 1, 2, 3, 4]
    folds = list(outer_folds(evidence))
    for fold in folds:
        assert fold.figures["pcc"] > 0.9
        assert fold.figures["word_accuracy"] > 0.7
        assert fold.figures["sentence_fluency"] > 0.8


def test_nothing_of_a_fold_reaches_those_who_judge_it(folder: Path) -> None:
    """With its own experts' scores turned round, a fold is judged as before."""
    evidence = Evidence.read(folder)
    groups = [[fold] for fold in evidence.folds]
    before = expected_across(evidence, groups)
    own = evidence.fold == 1
    evidence.expert[own] = 2 - evidence.expert[own]
    after = expected_across(evidence, groups)
    assert after[own].tolist() == before[own].tolist()
    assert after[~own].tolist() != before[~own].tolist()


def test_what_is_written_is_read_and_judges_alike(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    from safetensors.numpy import load_file

    given = ["--evidence", str(folder), "--out", str(folder), "--workers", "1"]
    monkeypatch.setattr("sys.argv", ["judge", *given])
    judge.main()
    record = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    model = read_model(load_file(folder / MODEL_FILE), record)
    assert record["speakers"] == SPEAKERS
    assert model.border(0.01) <= model.border(0.3)
    assert (np.diff(model.probability(np.linspace(0, 2, 20))) <= 0).all()
