from __future__ import annotations

import csv
from pathlib import Path

import pytest

from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.corpus import read_corpus
from nativeear.indexer.remote_files import corpus_path, is_local, local_copy
from nativeear.speech.errors import CorpusError, MissingDependencyError

upath = pytest.importorskip("upath")


@pytest.fixture
def table(tone_corpus: Path, tmp_path: Path) -> Path:
    """The tones as a table whose files are relative to it."""
    target = tmp_path / "tones" / "utterances.csv"
    target.parent.mkdir()
    with target.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("audio", "textgrid", "speaker"))
        for recording in sorted(tone_corpus.rglob("*.wav")):
            grid = recording.with_suffix(".TextGrid")
            for file in (recording, grid):
                (target.parent / file.name).write_bytes(file.read_bytes())
            rows.writerow((recording.name, grid.name, recording.parent.name))
    return target


def test_a_corpus_behind_an_address_gives_the_index_of_the_same_files_here(
    table: Path, tmp_path: Path
) -> None:
    distant = upath.UPath("memory://bucket/tones")
    distant.mkdir(parents=True, exist_ok=True)
    for file in table.parent.iterdir():
        (distant / file.name).write_bytes(file.read_bytes())

    def build(where: str, corpus: str) -> dict[str, bytes]:
        out = tmp_path / where / "index"
        build_index(BuildRequest((corpus,), "en-US", out, encoder="spectral"))
        return {file.name: file.read_bytes() for file in out.iterdir()}

    address = "memory://bucket/tones/utterances.csv"
    assert build("distant", address) == build("here", str(table))


def test_single_files_of_a_table_may_be_elsewhere(table: Path) -> None:
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[1] = f"file://{table.parent}/{lines[1]}"
    lines[2] = f"nowhere://{lines[2]}"
    table.write_text("\n".join(lines), encoding="utf-8")
    corpus = read_corpus(table)
    first = corpus.utterances[0].audio
    assert not is_local(first)
    with local_copy(first) as copy:
        assert copy.read_bytes() == (table.parent / first.name).read_bytes()
    assert not copy.exists()
    assert len(corpus.utterances) == 29
    assert "nowhere://" in corpus.set_aside[0].reason


def test_what_is_missing_elsewhere_is_told() -> None:
    with (
        pytest.raises(CorpusError, match="There is no file"),
        local_copy(corpus_path("memory://bucket/none.wav")),
    ):
        pass
    with pytest.raises(CorpusError, match="There is no corpus"):
        read_corpus("memory://bucket/none.csv")


def test_a_protocol_that_cannot_be_spoken_is_told_with_what_to_install() -> None:
    with pytest.raises(MissingDependencyError) as told:
        read_corpus("nowhere://bucket/utterances.csv")
    assert "nativeear[ray]" in told.value.fix
