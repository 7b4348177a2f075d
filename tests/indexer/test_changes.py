import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexer.adding import AddRequest, add
from nativeear.indexer.build import BuildReport, BuildRequest, build_index
from nativeear.indexer.merging import merge
from nativeear.indexer.pooled_utterance import record_name
from nativeear.indexer.removing import remove
from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.locking import writing
from nativeear.indexes.manifest import Manifest
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import sha256_of
from nativeear.indexes.verification import verify
from nativeear.indexes.versions import restore, versions
from nativeear.speech.errors import IndexFormatError, InputError

ROOT = Path(__file__).parents[2]
FITTED = ("vectors.faiss", "exemplars.parquet", "transform.safetensors", "embeddings.npy")


def build(out: Path, *corpora: Path, **options: object) -> BuildReport:
    return build_index(
        BuildRequest(
            corpora=tuple(map(str, corpora)),
            language="en-US",
            out=out,
            encoder="spectral",
            **options,  # type: ignore[arg-type]
        )
    )


def fitted(index: Path) -> dict[str, str]:
    return {name: sha256_of(index / name) for name in (*FITTED, "utterances.parquet")}


def same(one: Path, other: Path) -> bool:
    a, b = read_manifest(one), read_manifest(other)
    assert verify(one).ok
    assert verify(other).ok
    assert sorted(c.name for c in a.corpora) == sorted(c.name for c in b.corpora)
    alike = (a.classes, a.counts, a.decision) == (b.classes, b.counts, b.decision)
    return alike and fitted(one) == fitted(other)


@pytest.fixture(scope="module")
def corpora(tone_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two corpora of three speakers with three words each; each says one N, and only one."""
    folder = tmp_path_factory.mktemp("living")
    words = sorted(tone_corpus.rglob("*.wav"))
    for number, wav in enumerate(words[:18]):
        corpus, speaker = divmod(number // 3, 3)
        target = folder / "ab"[corpus] / f"{'ab'[corpus]}{speaker}" / f"w{number:02d}.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(wav, target)
        grid = wav.with_suffix(".TextGrid").read_text(encoding="utf-8")
        if number in {2, 11}:
            head, phones = grid[: grid.index('"phones"')], grid[grid.index('"phones"') :]
            first = next(p for p in ("M", "IY", "S") if f'"{p}"' in phones)
            grid = head + phones.replace(f'"{first}"', '"N"', 1)
        target.with_suffix(".TextGrid").write_text(grid, encoding="utf-8")
    return folder / "a", folder / "b"


@pytest.fixture(scope="module")
def built(corpora: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Indexes `a`, `b` and `both`, with clips and embeddings, and `bare` without these."""
    folder = tmp_path_factory.mktemp("built")
    a, b = corpora
    build(folder / "a", a, clips="flac")
    build(folder / "b", b, clips="flac")
    build(folder / "both", a, b, clips="flac")
    build(folder / "bare", a, clips="flac", embeddings=False)
    return folder


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "indexes"))


def test_adding_gives_what_one_build_gives(copy: Path, corpora: tuple[Path, Path]) -> None:
    report = add(AddRequest(copy / "a", (str(corpora[1]),)))
    assert same(copy / "a", copy / "both")
    assert report.refitted
    assert report.revision == 2
    assert report.utterances == report.utterances_before * 2 == 18
    assert not [p.name for p in copy.iterdir() if p.name.startswith(".a.")]


def test_a_phone_heard_once_waits_for_company(copy: Path) -> None:
    assert "N" not in read_manifest(copy / "a").classes
    assert "N" not in read_manifest(copy / "b").classes
    assert read_manifest(copy / "both").counts.phones["N"] == 2


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_merging_gives_what_one_build_gives(copy: Path, order: str) -> None:
    merge([copy / name for name in order], copy / "merged")
    assert same(copy / "merged", copy / "both")
    assert sorted(p.name for p in (copy / "merged" / "audio").iterdir()) == sorted(
        p.name for p in (copy / "both" / "audio").iterdir()
    )
    assert read_manifest(copy / "merged").history == tuple(
        read_manifest(copy / name).command for name in order
    )


def test_removing_speakers_gives_what_a_build_without_them_gives(copy: Path) -> None:
    report = remove(copy / "both", speakers=["b0", "b1", "b2"])
    assert same(copy / "both", copy / "a")
    assert report.utterances == 9
    audio = {p.name for p in (copy / "both" / "audio").iterdir()}
    assert audio == {p.name for p in (copy / "a" / "audio").iterdir()}
    assert len(audio) == 9


def test_removing_utterances_gives_what_excluding_them_gives(
    copy: Path, corpora: tuple[Path, Path]
) -> None:
    _, ids = PhoneIndex.open(copy / "both").codes("utterance")
    gone = sorted(ids)[3:5]
    build(copy / "less", *corpora, exclude=frozenset(gone))
    remove(copy / "both", utterances=gone)
    assert same(copy / "both", copy / "less")


def test_the_same_utterance_counts_once_and_another_one_of_its_name_is_refused(
    copy: Path, corpora: tuple[Path, Path], tmp_path: Path
) -> None:
    before = fitted(copy / "a")
    add(AddRequest(copy / "a", (str(corpora[0]),)))
    assert fitted(copy / "a") == before
    other = Path(shutil.copytree(corpora[0], tmp_path / "other" / "a"))
    grid = next(other.rglob("w01.TextGrid"))
    grid.write_text(grid.read_text().replace('"S"', '"N"'))
    with pytest.raises(InputError, match="w01 of a is there twice and differs"):
        add(AddRequest(copy / "a", (str(other),)))
    assert fitted(copy / "a") == before
    assert len(versions(copy / "a")) == 2


def test_an_index_without_embeddings_keeps_its_space(
    copy: Path, corpora: tuple[Path, Path]
) -> None:
    before = PhoneIndex.open(copy / "bare")
    report = add(AddRequest(copy / "bare", (str(corpora[1]),)))
    after = PhoneIndex.open(copy / "bare")
    assert not report.refitted
    assert after.manifest.transform == before.manifest.transform
    assert after.manifest.decision == before.manifest.decision
    assert not (copy / "bare" / "embeddings.npy").exists()
    corpus, names = after.codes("corpus")
    old = corpus == names.index("a")
    assert np.array_equal(after.vectors[old], before.vectors)
    assert np.array_equal(after.native_margins[old], before.native_margins, equal_nan=True)
    assert (after.native_margins[~old] > 0).mean() > 0.8, "new natives sound like the old ones"
    remove(copy / "bare", speakers=["b0", "b1", "b2"])
    assert np.array_equal(PhoneIndex.open(copy / "bare").vectors, before.vectors)
    with pytest.raises(InputError, match="search in different spaces"):
        merge([copy / "bare", copy / "b"], copy / "merged")


def test_indexes_of_one_space_are_merged_without_embeddings(copy: Path) -> None:
    whole = PhoneIndex.open(copy / "bare")
    shutil.copytree(copy / "bare", copy / "rest")
    remove(copy / "bare", speakers=["a0"])
    remove(copy / "rest", speakers=["a1", "a2"])
    merge([copy / "bare", copy / "rest"], copy / "merged")
    merged = PhoneIndex.open(copy / "merged")
    assert np.array_equal(merged.vectors, whole.vectors)
    assert verify(copy / "merged").ok


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("language", "en-GB", "differ in language"),
        ("pooling", "middle-frame", "differ in pooling"),
        ("encoder", {"fingerprint": "sha256:0"}, "differ in encoder's weights"),
        ("inventory", {"language": "en"}, "differ in phone inventory"),
    ],
)
def test_what_does_not_fit_together_is_not_merged(
    copy: Path, field: str, value: object, words: str
) -> None:
    path = copy / "b" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest[field] = {**manifest[field], **value} if isinstance(value, dict) else value
    path.write_text(Manifest.model_validate(manifest).sealed_text())
    with pytest.raises(InputError, match=words):
        merge([copy / "a", copy / "b"], copy / "merged")
    assert not (copy / "merged").exists()


def test_nobody_unknown_is_removed_and_never_everybody(copy: Path) -> None:
    with pytest.raises(InputError, match="no speaker 'b9'") as caught:
        remove(copy / "both", speakers=["b9"])
    assert caught.value.cause.startswith("It holds b")
    assert "b0" in caught.value.cause
    with pytest.raises(InputError, match="Nothing would be left"):
        remove(copy / "a", speakers=["a0", "a1", "a2"])
    with pytest.raises(InputError, match="Nothing was named"):
        remove(copy / "a")
    assert read_manifest(copy / "a").revision == 1


def test_a_name_that_several_corpora_have_is_told_apart(colliding: Path) -> None:
    with pytest.raises(InputError, match="several utterances 'n'") as caught:
        remove(colliding, utterances=["n"])
    assert caught.value.cause == "There are x/n, x--y/n."
    remove(colliding, utterances=["x/n"])
    assert ("x--y", "n") in PhoneIndex.open(colliding).utterances[1]
    assert ("x", "n") not in PhoneIndex.open(colliding).utterances[1]
    remove(colliding, utterances=["n"])


def test_damage_does_not_pass_into_a_new_version(copy: Path) -> None:
    path = copy / "both" / "embeddings.npy"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(IndexFormatError, match="is damaged"):
        remove(copy / "both", speakers=["b0"])


def test_versions_are_kept_as_many_as_told_and_come_back(copy: Path) -> None:
    index = copy / "both"
    first = fitted(index)
    for speaker in ("a0", "a1", "b0"):
        remove(index, speakers=[speaker], keep=2)
    assert [v.revision for v in versions(index)] == [4, 3, 2]
    assert read_manifest(index).history[-1] == "nativeear index remove both --speaker a1"
    assert restore(index, 2).revision == 2
    assert [v.revision for v in versions(index)] == [4, 3, 2]
    remove(index, speakers=["b1"], keep=1)
    assert [v.revision for v in versions(index)] == [5, 2]
    assert restore(index).revision == 2
    with pytest.raises(InputError, match="No version 1 of both is kept"):
        restore(index, 1)
    remove(index, speakers=["b2"], keep=0)
    assert [v.revision for v in versions(index)] == [6]
    assert fitted(index) != first


def test_a_reader_keeps_the_version_that_it_opened(copy: Path) -> None:
    reader = PhoneIndex.open(copy / "both")
    vectors = reader.vectors.copy()
    remove(copy / "both", speakers=["b0"], keep=0)
    assert np.array_equal(reader.vectors, vectors)
    assert {reader.exemplar(row).speaker for row in range(len(vectors))} >= {"b0"}
    assert "b0" not in PhoneIndex.open(copy / "both").codes("speaker")[1]


def test_two_writers_do_not_mix(copy: Path) -> None:
    with (
        writing(copy / "both", "nativeear index add both"),
        pytest.raises(InputError, match="Another command is writing") as caught,
    ):
        remove(copy / "both", speakers=["b0"])
    assert f"`nativeear index add both` runs as process {os.getpid()}" in caught.value.cause
    remove(copy / "both", speakers=["b0"])
    assert not (copy / ".both.lock").exists()


CHANGE_FOR_EVER = """
import sys
from pathlib import Path
from nativeear.indexer.adding import AddRequest, add
from nativeear.indexer.removing import remove
from nativeear.indexes.index_files import read_manifest
index, corpus = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
while True:
    if len(read_manifest(index).corpora) == 2:
        remove(index, speakers=["b0", "b1", "b2"])
    else:
        add(AddRequest(index, (corpus,), resume=True))
"""


def test_a_kill_leaves_one_version_whole(copy: Path, corpora: tuple[Path, Path]) -> None:
    index = copy / "both"
    allowed = {sha256_of(copy / name / "vectors.faiss") for name in ("a", "both")}
    rng = np.random.default_rng(1)
    for _ in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", CHANGE_FOR_EVER, str(index), str(corpora[1])],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0.1, 0.8))
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        assert verify(index).ok
        assert sha256_of(index / "vectors.faiss") in allowed
        with writing(index, "tidying"):
            left = {p.name for p in copy.iterdir() if p.name.startswith(".")}
        assert left <= {".both.lock", ".both.adding"}
        assert all(verify(version.path).ok for version in versions(index))


@pytest.fixture
def colliding(corpora: tuple[Path, Path], tmp_path: Path) -> Path:
    """An index of two speakers whose utterances are called all but alike."""
    (tmp_path / "corpora").mkdir()
    for corpus, ids, source in (
        ("x", ("a/b", "y--z", "a--b", "n"), corpora[0]),
        ("x--y", ("a/b", "z", "a--b", "n"), corpora[1]),
    ):
        rows = [
            f"{id},{word},{word.with_suffix('.TextGrid')},speaker of {corpus}"
            for id, word in zip(ids, sorted(source.rglob("*.wav")), strict=False)
        ]
        table = "\n".join(["id,audio,textgrid,speaker", *rows])
        (tmp_path / "corpora" / f"{corpus}.csv").write_text(table, encoding="utf-8")
    index = tmp_path / "indexes" / "index"
    build(index, *sorted((tmp_path / "corpora").iterdir()), clips="flac")
    return index


def voice(index: Path, speaker: str) -> set[bytes]:
    """What an index keeps of a speaker: the end of every recording, vectors and embeddings."""
    opened = PhoneIndex.open(index)
    codes, speakers = opened.codes("speaker")
    rows = np.flatnonzero(codes == speakers.index(speaker))
    pieces = {path.read_bytes()[-1000:] for row in rows.tolist() if (path := opened.clip(row))}
    assert len(pieces) == 4, "each recording has a file of its own"
    for kept in (opened.vectors, np.load(index / "embeddings.npy")):
        pieces |= {row.tobytes() for row in kept[rows]}
    return pieces


def traces(folder: Path, pieces: set[bytes]) -> list[Path]:
    """Files anywhere under a folder that hold one of these pieces."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in files if any(piece in path.read_bytes() for piece in pieces)]


@pytest.mark.parametrize("speaker", ["speaker of x", "speaker of x--y"])
def test_no_byte_of_a_removed_voice_stays(colliding: Path, speaker: str) -> None:
    gone = voice(colliding, speaker)
    assert len(traces(colliding, gone)) == 6
    assert len(PhoneIndex.open(colliding).clips) == 8
    remove(colliding, speakers=[speaker], keep=1)
    left = traces(colliding, gone)
    assert {path.relative_to(colliding).parts[:2] for path in left} == {("versions", "1")}
    assert len(left) == 6, "the version before is kept, and holds it"
    assert len(PhoneIndex.open(colliding).clips) == 4
    remove(colliding, utterances=["n"], keep=1)
    assert traces(colliding.parent, gone) == []


def test_nothing_of_a_voice_is_kept_anywhere_where_no_version_is(colliding: Path) -> None:
    gone = voice(colliding, "speaker of x")
    unfinished = colliding.parent / ".index.adding"
    unfinished.mkdir()
    (unfinished / record_name("x", "n")).write_bytes(min(gone))
    assert unfinished / record_name("x", "n") in traces(colliding.parent, gone)
    remove(colliding, speakers=["speaker of x"], keep=0)
    assert traces(colliding.parent, gone) == []
