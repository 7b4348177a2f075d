"""Indexes of two ears, and with a phone head that was fitted on their own speech."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import nativeear
from nativeear.indexer.adding import AddRequest, add
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.rebuilding import RebuildRequest, rebuild
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.cli import app
from nativeear.service.demo import DONOR, PROMPT
from nativeear.speech.encoders.fitted_head import FittedHead
from nativeear.speech.errors import EncoderError
from tests.support.tiny_models import ESPEAK, saved

PHONES = "IY AA M S"
PROMPTS = Path(__file__).parents[2] / "service" / "data"
SPOKEN = (("vm-msgsaved.flac", "Your message has been saved."), PROMPT, DONOR)


def built(out: Path, corpus: Path, **more: str) -> PhoneIndex:
    build_index(
        BuildRequest(corpora=(str(corpus),), language="en-US", out=out, encoder="spectral", **more)
    )
    return PhoneIndex.open(out)


@pytest.fixture(scope="module")
def of_two_ears(tmp_path_factory: pytest.TempPathFactory) -> PhoneIndex:
    """Built from the three prompts that ship."""
    folder = tmp_path_factory.mktemp("two")
    rows = "".join(f'{PROMPTS / audio},"{text}",anna\n' for audio, text in SPOKEN)
    (folder / "prompts.csv").write_text(f"audio,text,speaker\n{rows}", encoding="utf-8")
    return built(folder / "ears", folder / "prompts.csv", head="compact")


@pytest.fixture(scope="module")
def with_fitted(tone_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> PhoneIndex:
    return built(tmp_path_factory.mktemp("fitted") / "ears", tone_corpus, head="fitted")


# ---- two ears -----------------------------------------------------------------------------------


def test_both_ears_are_in_the_manifest_and_in_the_fingerprint(of_two_ears: PhoneIndex) -> None:
    encoder = of_two_ears.manifest.encoder
    assert encoder.name == "spectral+compact"
    assert [ear.name for ear in encoder.ears] == ["spectral", "compact"]
    assert len({encoder.fingerprint, *(ear.fingerprint for ear in encoder.ears)}) == 3
    assert "--encoder spectral --head compact" in of_two_ears.manifest.command
    assert of_two_ears.head is None


def test_natives_have_posteriors_of_the_second(of_two_ears: PhoneIndex) -> None:
    known = of_two_ears.table.column("log_posterior").to_numpy()
    assert np.isfinite(known).sum() > 50


def test_an_assessment_hears_with_both(of_two_ears: PhoneIndex) -> None:
    audio, text = SPOKEN[0]
    result = nativeear.load(of_two_ears.path).assess(PROMPTS / audio, text)
    assert result.encoder == "spectral+compact"
    assert result.reading is not None
    assert result.reading.matches
    phones = [phone for word in result.words for phone in word.phones]
    assert len(phones) > 15
    assert all(phone.gop.sf is not None for phone in phones)


def test_the_first_ear_alone_is_completed_and_another_refused(of_two_ears: PhoneIndex) -> None:
    whole = of_two_ears.manifest.encoder.fingerprint
    for name in ("spectral", "spectral+compact"):
        assert nativeear.load(of_two_ears.path, encoder=name).encoder.fingerprint == whole
    with pytest.raises(EncoderError, match="built with another encoder"):
        nativeear.load(of_two_ears.path, encoder="compact+compact")


# ---- a fitted head ------------------------------------------------------------------------------


def test_the_fitted_head_is_in_the_manifest_and_the_fingerprint(with_fitted: PhoneIndex) -> None:
    encoder = with_fitted.manifest.encoder
    assert encoder.name == "spectral+fitted"
    assert with_fitted.head is not None
    head = FittedHead.load(with_fitted.head)
    assert [ear.fingerprint for ear in encoder.ears][1] == head.fingerprint
    assert set(head.phones) == {"IY", "AA", "M", "S"}
    assert "--head fitted" in with_fitted.manifest.command


def test_it_tells_the_tones_apart(with_fitted: PhoneIndex, tone_corpus: Path) -> None:
    """On the index's own speech; how good it is on others is for `benchmarks.phone_heads`."""
    assert np.nanmedian(with_fitted.table.column("log_posterior").to_numpy()) > np.log(0.9)
    assessor = nativeear.load(with_fitted.path)
    assert assessor.aligner.name != "ctc"
    audio = nativeear.Audio.load(tone_corpus / "anna" / "anna00.wav")
    frames = assessor.encoder.encode(audio)
    assert frames.log_probs is not None
    np.testing.assert_allclose(np.exp(frames.log_probs).sum(axis=1), 1.0, atol=1e-4)
    assert frames.log_probs.argmax(axis=1)[[2, -3]].tolist() == [0, 0]  # silence is the blank


def test_the_same_speech_fits_the_same_head(
    with_fitted: PhoneIndex, tone_corpus: Path, tmp_path: Path
) -> None:
    again = built(tmp_path / "ears", tone_corpus, head="fitted")
    assert again.manifest.encoder == with_fitted.manifest.encoder
    assert again.manifest.files == with_fitted.manifest.files


@pytest.mark.parametrize("kind", ["compact", "fitted"])
def test_they_grow_and_are_built_again(kind: str, tone_corpus: Path, tmp_path: Path) -> None:
    for speaker in ("anna", "ben"):
        shutil.copytree(tone_corpus / speaker, tmp_path / speaker / speaker)
    index = built(tmp_path / "index", tmp_path / "anna", head=kind)
    head = index.head and index.head.read_bytes()
    added = add(AddRequest(index.path, corpora=(str(tmp_path / "ben"),)))
    grown = PhoneIndex.open(index.path)
    assert grown.manifest.encoder == index.manifest.encoder
    assert grown.manifest.counts.speakers == 2
    assert (grown.head and grown.head.read_bytes()) == head
    assert any("phone head" in told for told in added.one_build) == (kind == "fitted")
    rebuild(RebuildRequest(index.path))
    again = PhoneIndex.open(index.path)
    same = again.manifest.encoder.fingerprint == index.manifest.encoder.fingerprint
    assert same == (kind == "compact")  # fitted on more speech, it is another head
    assert [ear.name for ear in again.manifest.encoder.ears] == ["spectral", kind]
    assert nativeear.load(again.path).encoder.fingerprint == again.manifest.encoder.fingerprint


# ---- by the command line, from folders ----------------------------------------------------------


def test_two_folders_of_weights_make_one_index(
    tone_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    saved(tmp_path / "hubert-large", "Hubert")
    saved(tmp_path / "xlsr-head", "Wav2Vec2", ESPEAK)
    command = f"index build --corpus {tone_corpus} --lang en-US --out index --json --layer 2"
    made = CliRunner().invoke(
        app, [*command.split(), "--encoder", "hubert-large", "--head", "./xlsr-head"]
    )
    assert made.exit_code == 2  # a name of the list goes before a folder, and has no weights here
    made = CliRunner().invoke(
        app, [*command.split(), "--encoder", "./hubert-large", "--head", "./xlsr-head"]
    )
    assert made.exit_code == 0, made.output
    manifest = json.loads((tmp_path / "index" / "manifest.json").read_text())
    assert [ear["name"] for ear in manifest["encoder"]["ears"]] == ["hubert-large", "xlsr-head"]
    assert manifest["encoder"]["layer"] == 2
    assert str(tmp_path) not in manifest["command"]
    audio = tone_corpus / "anna" / "anna00.wav"
    heard = CliRunner().invoke(
        app, ["assess", str(audio), "--phones", PHONES, "--index", "./index", "--json"]
    )
    assert heard.exit_code == 0, heard.output
    assert json.loads(heard.stdout)["encoder"] == "hubert-large+xlsr-head"
