"""An index from each reader's layout, built by the real path, audited in every form."""

import io
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from rich.console import Console

from nativeear.indexer.audit.report import AuditReport, audit
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.corpus import SHIPPED, find_reader
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.audit_summary import print_audit
from nativeear.service.report.audit import render_audit
from tests.conftest import RATE, recording, textgrid

WORDS = {
    "see": ("S", "IY"),
    "me": ("M", "IY"),
    "ma": ("M", "AA"),
    "seem": ("S", "IY", "M"),
}
Spans = list[tuple[float, float, str]]


@dataclass(frozen=True)
class Said:
    """What was said in one recording: its number, its words, the sound, and where it lies."""

    number: int
    words: tuple[str, ...]
    samples: NDArray[np.float32]
    spans: Spans

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def speaker(self) -> str:
        return str(self.number % 2 + 1)

    def write(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = {".mp3": "MP3", ".flac": "FLAC"}.get(path.suffix, "WAV")
        soundfile.write(path, self.samples, RATE, format=kind)
        return path


def speech(number: int, words: int = 3) -> Said:
    rng = np.random.default_rng(number)
    chosen = tuple(rng.choice(list(WORDS), size=words).tolist())
    phones = [phone for word in chosen for phone in WORDS[word]]
    return Said(number, chosen, *recording(phones, number))


SPEECH = tuple(speech(number) for number in range(12))
ONE_WORD = tuple(speech(number, words=1) for number in range(30))


def write(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def grids(folder: Path, said: tuple[Said, ...], *, unknown: bool = False) -> None:
    """TextGrids as MFA writes them; with words that it did not know, marked `spn`."""
    for each in said:
        path = each.write(folder / each.speaker / f"{each.number}.wav")
        spans = each.spans
        if unknown and each.number % 3 == 0:
            spans = [(a, b, "spn" if at == 2 else p) for at, (a, b, p) in enumerate(spans)]
        write(path.with_suffix(".TextGrid"), textgrid(spans, "word"))


def kaldi(folder: Path, *, aligned: bool) -> None:
    """A data folder; its CTM ends with the last phone, as Kaldi's do where nothing was heard."""
    ctm = []
    for each in SPEECH:
        each.write(folder / f"{each.number}.wav")
        spoken = [span for span in each.spans if span[2]]
        ctm += [f"{each.number} 1 {a:.3f} {b - a:.3f} {phone}" for a, b, phone in spoken]
    write(folder / "wav.scp", *(f"{each.number} {each.number}.wav" for each in SPEECH))
    write(folder / "text", *(f"{each.number} {each.text}" for each in SPEECH))
    write(folder / "utt2spk", *(f"{each.number} {each.speaker}" for each in SPEECH))
    if aligned:
        write(folder / "phones.ctm", *ctm)


def table(folder: Path, said: tuple[Said, ...] = SPEECH, *, speaker: str | None = None) -> None:
    rows = (f"{e.number},{e.number}.wav,{e.text},{speaker or e.speaker}" for e in said)
    write(folder / "utterances.csv", "id,audio,text,speaker", *rows)
    for each in said:
        each.write(folder / f"{each.number}.wav")


def transcripts(folder: Path) -> None:
    for each in SPEECH:
        write(
            each.write(folder / each.speaker / f"{each.number}.wav").with_suffix(".lab"), each.text
        )


def librispeech(folder: Path) -> None:
    for speaker in ("1", "2"):
        own = [each for each in SPEECH if each.speaker == speaker]
        chapter = folder / "dev-clean" / speaker / "7"
        for each in own:
            each.write(chapter / f"{speaker}-7-{each.number:04}.flac")
        lines = (f"{speaker}-7-{each.number:04} {each.text.upper()}" for each in own)
        write(chapter / f"{speaker}-7.trans.txt", *lines)


def ljspeech(folder: Path) -> None:
    for each in SPEECH:
        each.write(folder / "wavs" / f"LJ001-{each.number:04}.wav")
    rows = (f"LJ001-{each.number:04}|{each.text}|{each.text}" for each in SPEECH)
    write(folder / "metadata.csv", *rows)


def commonvoice(folder: Path) -> None:
    head = "client_id\tpath\tsentence_id\tsentence\tup_votes\tgender\taccents\tlocale"
    for each in SPEECH:
        each.write(folder / "clips" / f"{each.number}.mp3")
    rows = (f"{e.speaker}\t{e.number}.mp3\ts\t{e.text}\t2\tmale\t\ten" for e in SPEECH)
    write(folder / "validated.tsv", head, *rows)


def fleurs(folder: Path) -> None:
    for each in SPEECH:
        each.write(folder / "audio" / "train" / f"{each.number}.wav")
    rows = (f"1\t{e.number}.wav\t{e.text}\t{e.text}\tx |\t8000\tFEMALE" for e in SPEECH)
    write(folder / "train.tsv", *rows)


def mls(folder: Path) -> None:
    names = {each.number: f"{each.speaker}_9_{each.number:06}" for each in SPEECH}
    for each in SPEECH:
        each.write(folder / "train" / "audio" / each.speaker / "9" / f"{names[each.number]}.flac")
    rows = (f"{names[each.number]}\t{each.text}" for each in SPEECH)
    write(folder / "train" / "transcripts.txt", *rows)
    write(folder / "metainfo.txt", "SPEAKER | GENDER", "1 | M", "2 | F")


def lhotse(folder: Path) -> None:
    recordings, supervisions = [], []
    for each in SPEECH:
        name = each.write(folder / f"{each.number}.wav").name
        source = {"type": "file", "channels": [0], "source": name}
        length = {"sampling_rate": RATE, "num_samples": len(each.samples)}
        own = {"id": name, "sources": [source], "duration": len(each.samples) / RATE, **length}
        recordings.append(json.dumps(own))
        told = {"id": name, "recording_id": name, "start": 0, "duration": own["duration"]}
        supervisions.append(json.dumps({**told, "text": each.text, "speaker": each.speaker}))
    write(folder / "recordings.jsonl", *recordings)
    write(folder / "supervisions.jsonl", *supervisions)


def asterisk(folder: Path) -> None:
    """A voice of Debian's prompts, with its list of texts."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    for each in SPEECH:
        wav = each.write(folder / f"prompt-{each.number}.wav")
        command = ["ffmpeg", "-loglevel", "error", "-i", str(wav), "-c:a", "g722", "-f", "g722"]
        subprocess.run([*command, str(wav.with_suffix(".g722"))], check=True)
        wav.unlink()
    write(folder / "core-sounds-en.txt", *(f"prompt-{e.number}: {e.text}" for e in SPEECH))


IPA = {"S": "s", "IY": "i", "M": "m", "AA": "a"}
LEXICON = "".join(f"{word} {' '.join(IPA[p] for p in phones)}\n" for word, phones in WORDS.items())

Layout = Callable[[Path], None]
CASES: Mapping[str, tuple[Layout, Mapping[str, object]]] = {
    "textgrid": (lambda folder: grids(folder, SPEECH, unknown=True), {"aligner": "auto"}),
    "kaldi": (lambda folder: kaldi(folder, aligned=True), {"aligner": "auto"}),
    "kaldi without alignment": (lambda folder: kaldi(folder, aligned=False), {}),
    "csv": (table, {}),
    "transcripts": (transcripts, {}),
    "librispeech": (librispeech, {}),
    "ljspeech": (ljspeech, {}),
    "commonvoice": (commonvoice, {}),
    "fleurs": (fleurs, {}),
    "mls": (mls, {}),
    "lhotse": (lhotse, {}),
    "asterisk": (asterisk, {}),
    "csv of one speaker": (lambda folder: table(folder, speaker="anna"), {}),
    "csv of letters": (table, {"language": "qaa", "g2p": "graphemes"}),
    "csv with a lexicon alone": (table, {"language": "qaa", "lexicon": True}),
    "csv of thirty words": (lambda folder: table(folder, ONE_WORD), {}),
    "textgrid of thirty words": (lambda folder: grids(folder, ONE_WORD), {"aligner": "auto"}),
}


def test_no_reader_is_forgotten() -> None:
    assert {case.partition(" ")[0] for case in CASES} == set(SHIPPED)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("case", CASES)
def test_what_is_built_can_be_audited(case: str, tmp_path: Path) -> None:
    lay_out, options = CASES[case]
    lay_out(tmp_path / "corpus")
    settings = {"language": "en-US", "aligner": "flatstart", "encoder": "spectral", **options}
    if settings.pop("lexicon", False):
        (tmp_path / "words.dict").write_text(LEXICON)
        settings["lexicon"] = tmp_path / "words.dict"
    assert find_reader(str(tmp_path / "corpus")) == case.partition(" ")[0]
    corpora = (str(tmp_path / "corpus"),)
    built = build_index(BuildRequest(corpora, out=tmp_path / "index", **settings))  # type: ignore[arg-type]
    assert built.set_aside == ()
    index = PhoneIndex.open(tmp_path / "index")
    report = audit(index)
    assert AuditReport.model_validate_json(report.model_dump_json()) == report
    file = io.StringIO()
    print_audit(report, Console(file=file))
    assert index.name in file.getvalue()
    assert f"Audit of {index.name}" in render_audit(report, index)
    assert ("spn" in index.codes("left")[1]) == (case in {"textgrid", "kaldi"})
