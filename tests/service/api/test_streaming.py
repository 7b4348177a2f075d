import io
import json
from typing import Any

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient
from numpy.typing import NDArray

from service.api.references import Reference
from service.api.streaming import NothingFinishedError, PartialWork
from service.demo import PROMPT as DEMO
from speech.audio import Audio
from tests.service.api.conftest import DATA, TEXT

STREAM = "ws://localhost/v1/stream"
LONG = f"{TEXT} {DEMO[1]} {TEXT}"


@pytest.fixture(scope="module")
def spoken() -> NDArray[np.int16]:
    """Three prompts, one after the other: about seven seconds."""
    names = ("vm-msgsaved", "priv-introsaved", "vm-msgsaved")
    parts = [soundfile.read(DATA / f"{name}.flac", dtype="int16") for name in names]
    assert {rate for _, rate in parts} == {parts[0][1]}
    return np.concatenate([samples for samples, _ in parts])


RATE = soundfile.info(DATA / "vm-msgsaved.flac").samplerate


def streamed(client: TestClient, samples: NDArray[np.int16], **request: Any) -> list[Any]:
    """Send samples in odd pieces and wait for each assessment that falls due."""
    with client.websocket_connect(STREAM) as socket:
        socket.send_text(json.dumps({"sample_rate": RATE, **request}))
        answers = [socket.receive_json()]
        data = samples.tobytes()
        for at in range(0, len(data), 4001):
            socket.send_bytes(data[at : at + 4001])
        socket.send_text('{"end": true}')
        while not {"final", "problem"} & set(answers[-1]):
            answers.append(socket.receive_json())
    return answers


def test_the_final_assessment_is_that_of_the_whole_recording(
    client: TestClient, spoken: NDArray[np.int16]
) -> None:
    answers = streamed(client, spoken, text=LONG)
    wav = io.BytesIO()
    soundfile.write(wav, spoken, RATE, format="WAV", subtype="PCM_16")
    whole = client.post("/v1/assessments", files={"audio": wav.getvalue()}, data={"text": LONG})
    final = answers[-1]["final"]
    assert client.get(f"/v1/assessments/{final['id']}").json() == final
    assert {**final, "id": ""} == {**whole.json(), "id": ""}


def test_words_are_finished_before_the_recording_is(
    reference: Reference, spoken: NDArray[np.int16]
) -> None:
    heard = Audio.from_samples(spoken[: int(3.1 * RATE)], RATE)
    result = PartialWork(reference, heard, LONG).run(reference.assessor)
    assert [word.word for word in result.words] == ["Your", "message", "has", "been", "saved"]
    whole = reference.assessor.assess(Audio.from_samples(spoken, RATE), LONG)
    for word, later in zip(result.words, whole.words, strict=False):
        assert word.end_s == pytest.approx(later.end_s, abs=0.06)
        assert word.score == pytest.approx(later.score, abs=15)
    with pytest.raises(NothingFinishedError):
        PartialWork(reference, heard, LONG, told=5).run(reference.assessor)


@pytest.mark.parametrize(
    "first",
    [
        "{}",
        "no JSON",
        '{"sample_rate": 16000}',
        '{"sample_rate": 1, "text": "a"}',
        '{"sample_rate": 16000, "text": "a", "index": "../en-US"}',
        '{"sample_rate": 16000, "text": "a", "more": 1}',
    ],
)
def test_a_first_message_that_asks_for_nothing_is_refused(client: TestClient, first: str) -> None:
    with client.websocket_connect(STREAM) as socket:
        socket.send_text(first)
        problem = socket.receive_json()["problem"]
        assert problem["status"] == 422
        assert problem["detail"]


def test_silence_and_nonsense_are_told(client: TestClient) -> None:
    answers = streamed(client, np.zeros(RATE, np.int16), text=TEXT)
    assert "silent" in answers[-1]["problem"]["detail"]
    with client.websocket_connect(STREAM) as socket:
        socket.send_text(json.dumps({"sample_rate": RATE, "text": TEXT}))
        socket.receive_json()
        socket.send_text("hello")
        assert "neither" in socket.receive_json()["problem"]["detail"]


def test_another_web_page_gets_no_stream(client: TestClient) -> None:
    from starlette.websockets import WebSocketDisconnect

    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(STREAM, headers={"Origin": "https://evil.example"}),
    ):
        pass
