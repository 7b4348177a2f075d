"""Crews: whatever their size, utterances are worked on in order, and decoded together."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nativeear.indexer.corpus import Utterance
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler, reason_of, recording_of
from nativeear.indexer.worker_pool import BATCH, start_workers
from nativeear.speech.errors import NativeEarError
from nativeear.speech.threads import ONE_THREAD

REQUEST = PoolingRequest("en-US", "textgrid", "spectral", None, "middle-third")
NUMBER = BATCH + 4
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> list[Utterance]:
    """Prompts in G.722, each of its own length; the last but one is silent."""
    folder = tmp_path_factory.mktemp("prompts")
    found = []
    for number in range(NUMBER):
        t = np.arange(4000 + 160 * number) / 16_000
        level = 0.0 if number == NUMBER - 2 else 0.5
        wav, g722 = folder / f"{number}.wav", folder / f"{number}.g722"
        soundfile.write(wav, level * np.sin(2 * np.pi * (200 + number) * t), 16_000)
        command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(wav), str(g722)]
        subprocess.run(command, check=True, timeout=120)
        found.append(Utterance(str(number), g722, "one", "anna"))
    return found


INTERRUPTED = """
import time
from nativeear.indexer.worker_pool import spawned

def rest(held, seconds):
    time.sleep(seconds)
    return seconds

if __name__ == "__main__":
    try:
        with spawned(2, str) as run:
            for _ in run(rest, [0.5] * 4 + [0, 60]):
                print("one", flush=True)
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.skipif(os.name == "nt", reason="no groups of processes there")
def test_workers_say_nothing_of_ctrl_c(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(INTERRUPTED)
    child = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout is not None
    for _ in range(5):
        assert child.stdout.readline() == "one\n"  # now one worker is idle, and one rests
    os.killpg(child.pid, signal.SIGINT)
    told, faults = child.communicate(timeout=40)
    assert (told, faults) == ("interrupted\n", "")


def describe(pooler: UtterancePooler, utterance: Utterance, path: Path) -> str:
    try:
        audio = pooler.recording(utterance)
    except NativeEarError as error:
        return reason_of(error)
    digest = hashlib.sha256(audio.samples.tobytes()).hexdigest()
    return f"{path.name} {digest} {[os.environ.get(name) for name in ONE_THREAD]}"


@needs_ffmpeg
def test_crews_decode_together_what_they_would_alone(
    prompts: list[Utterance], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "7")
    pooler = UtterancePooler(REQUEST)
    paths = [Path(f"{utterance.id}.npz") for utterance in prompts]
    alone = [describe(pooler, u, path) for u, path in zip(prompts, paths, strict=True)]
    assert len(set(alone)) == NUMBER
    assert alone[-2].startswith(f"{NUMBER - 2}.g722 is silent.")
    with start_workers(pooler, 1) as run:
        assert list(run(describe, prompts, paths)) == alone
    with start_workers(pooler, 2) as run:
        in_one_thread = [told.replace("['7', '7', '7']", "['1', '1', '1']") for told in alone]
        assert list(run(describe, prompts, paths)) == in_one_thread
        assert list(run(describe, [], [])) == []
    assert os.environ[ONE_THREAD[0]] == "7"


@needs_ffmpeg
def test_what_is_encoded_together_on_a_gpu_is_what_it_is_alone(
    prompts: list[Utterance], monkeypatch: pytest.MonkeyPatch
) -> None:
    pooler = UtterancePooler(REQUEST)
    heard = [u for u in prompts if u.id != str(NUMBER - 2)]
    audios = [pooler.recording(u) for u in heard]
    alone = [pooler.encoder.encode(audio).embeddings for audio in audios]
    batches = []
    encode_batch = type(pooler.encoder).encode_batch

    def counted(encoder: object, audios: list) -> list:
        batches.append(len(audios))
        return encode_batch(encoder, audios)

    monkeypatch.setattr(type(pooler.encoder), "encode_batch", counted)
    monkeypatch.setattr("nativeear.indexer.utterances.has_gpu", lambda: True)
    decoded = []
    monkeypatch.setattr(
        "nativeear.indexer.utterances.recording_of",
        lambda utterance, ahead: decoded.append(utterance.id) or recording_of(utterance, ahead),
    )
    with pooler.together(prompts):
        for utterance, expected in zip(heard, alone, strict=True):
            found = pooler.frames(utterance, pooler.recording(utterance)).embeddings
            np.testing.assert_allclose(found, expected, atol=1e-4)
    assert batches[0] == len(heard)
    assert sorted(decoded) == sorted(u.id for u in prompts), "each is decoded once"
