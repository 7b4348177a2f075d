import io
import json
import time
from typing import Any

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient
from numpy.typing import NDArray

from nativeear.service.api import streaming
from nativeear.service.api.engine import Work
from nativeear.service.api.limits import ConcurrencyLimit
from nativeear.service.api.problems import BusyError
from nativeear.service.api.quota import ByteQuota
from nativeear.service.api.references import Reference
from nativeear.service.api.routes import stream
from nativeear.service.api.streaming import (
    CONTEXT_S,
    NothingFinishedError,
    PartialWork,
    StreamBuffer,
    Window,
)
from nativeear.service.demo import PROMPT as DEMO
from nativeear.speech.audio import Audio
from nativeear.speech.errors import AudioError
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


@pytest.mark.parametrize("keep", [True, False])
def test_a_stream_is_kept_where_that_is_allowed(
    client: TestClient, spoken: NDArray[np.int16], keep: bool
) -> None:
    said = spoken[: 2 * RATE]
    final = streamed(client, said, text=TEXT, partial=False, keep_audio=keep)[-1]["final"]
    answer = client.get(f"/v1/assessments/{final['id']}/audio")
    if not keep:
        assert answer.status_code == 404
        return
    heard, _ = soundfile.read(io.BytesIO(answer.content), dtype="int16")
    assert abs(len(heard) / 16_000 - 2.0) < 0.01


def test_words_are_finished_before_the_recording_is(
    reference: Reference, spoken: NDArray[np.int16]
) -> None:
    heard = Audio.from_samples(spoken[: int(3.1 * RATE)], RATE)
    meant = reference.assessor.pronounce(LONG)
    result = PartialWork(reference, heard, LONG, pronunciation=meant).run(reference.assessor)
    assert [word.word for word in result.words] == ["Your", "message", "has", "been", "saved"]
    whole = reference.assessor.assess(Audio.from_samples(spoken, RATE), LONG)
    for word, later in zip(result.words, whole.words, strict=False):
        assert word.end_s == pytest.approx(later.end_s, abs=0.06)
        assert word.score == pytest.approx(later.score, abs=15)
    with pytest.raises(NothingFinishedError):
        PartialWork(reference, heard, LONG, pronunciation=meant, window=Window(finished=5)).run(
            reference.assessor
        )


def test_a_look_stops_at_its_next_step_once_the_recording_has_ended(
    reference: Reference, spoken: NDArray[np.int16], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Audio.from_samples(spoken[: int(3.1 * RATE)], RATE)
    meant = reference.assessor.pronounce(LONG)
    work = PartialWork(reference, heard, LONG, pronunciation=meant)

    def reached(*_: object) -> None:
        work.ended.set()

    def judged(*_: object, **__: object) -> None:
        raise AssertionError("It was judged, though nobody waits.")

    monkeypatch.setattr(streaming, "words_reached", reached)
    monkeypatch.setattr(reference.assessor, "assess", judged)
    with pytest.raises(NothingFinishedError, match="Nobody waits"):
        work.run(reference.assessor)


@pytest.mark.parametrize("more", [False, True])
def test_what_was_heard_up_to_a_pause_is_assessed_before_the_end_is_known(
    client: TestClient, spoken: NDArray[np.int16], monkeypatch: pytest.MonkeyPatch, more: bool
) -> None:
    heard_s: list[float] = []
    run = Work.run

    def counted(work: Work, assessor: Any) -> Any:
        heard_s.append(work.audio.duration_s)
        return run(work, assessor)

    monkeypatch.setattr(Work, "run", counted)
    first, rest = spoken[: 3 * RATE], spoken[3 * RATE :]
    with client.websocket_connect(STREAM) as socket:
        socket.send_text(json.dumps({"sample_rate": RATE, "text": LONG}))
        assert "ready" in socket.receive_json()
        socket.send_bytes(first[: len(first) // 2].tobytes())
        socket.send_bytes(first[len(first) // 2 :].tobytes())
        socket.send_text('{"pause": true}')
        socket.send_text('{"pause": true}')
        told = [socket.receive_json() for _ in range(5)]
        assert [answer["word"]["word"] for answer in told] == TEXT.rstrip(".").split()
        if more:
            for at in range(0, len(rest), 2 * RATE):
                socket.send_bytes(rest[at : at + 2 * RATE].tobytes())
        socket.send_text('{"end": true}')
        while "final" not in (answer := socket.receive_json()):
            assert "word" in answer
    final = answer["final"]
    whole_s = [seconds for seconds in heard_s if seconds == pytest.approx(final["duration_s"])]
    assert len(whole_s) == 1
    assert final["duration_s"] == pytest.approx(len(spoken if more else first) / RATE, abs=0.02)
    assert any(word["omitted"] for word in final["words"]) is not more


def test_only_what_is_new_enough_is_assessed_ahead() -> None:
    take = StreamBuffer(16_000, 300.0, ByteQuota(1 << 30).reserve())
    rng = np.random.default_rng(0)
    second = rng.integers(-9000, 9000, 16_000, dtype=np.int16).tobytes()
    assessed_s = []
    for _ in range(300):
        take.add(second)
        if take.is_worth_assessing:
            assessed_s.append(take.so_far().duration_s)
    assert assessed_s[:3] == [1, 2, 3]
    assert sum(assessed_s) < 12 * 300


def test_nothing_is_looked_at_once_every_word_is_told(
    client: TestClient, spoken: NDArray[np.int16], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    run = PartialWork.run

    def counted(work: PartialWork, assessor: Any) -> Any:
        nonlocal looks
        looks += 1
        return run(work, assessor)

    monkeypatch.setattr(PartialWork, "run", counted)
    monkeypatch.setattr(StreamBuffer, "told", len(TEXT.split()))
    answers = streamed(client, spoken[: 3 * RATE], text=TEXT)
    assert "final" in answers[-1]
    assert looks == 0


def test_each_look_at_a_long_recording_costs_the_same(
    reference: Reference, spoken: NDArray[np.int16]
) -> None:
    readings = 4
    text = " ".join([LONG] * readings)
    meant = reference.assessor.pronounce(text)
    take = StreamBuffer(RATE, 300.0, ByteQuota(1 << 30).reserve())
    data = np.tile(spoken, readings).tobytes()
    told, looked_s = [], []
    for at in range(0, len(data), 2 * RATE * 2):
        take.add(data[at : at + 2 * RATE * 2])
        window = take.window
        heard = take.recent()
        assert window.start_s + heard.duration_s == pytest.approx(take.heard_s, abs=0.01)
        looked_s.append(heard.duration_s)
        work = PartialWork(reference, heard, text, pronunciation=meant, window=window)
        try:
            told += take.news(work.run(reference.assessor), window)
        except NothingFinishedError:
            continue
    whole = reference.assessor.assess(Audio.from_samples(np.tile(spoken, readings), RATE), text)
    assert len(told) >= len(whole.words) - 3
    assert [place for place, _ in told] == list(range(len(told)))
    assert [word.word for _, word in told] == [word.word for word in whole.words[: len(told)]]
    apart = [
        abs(word.end_s - later.end_s) for (_, word), later in zip(told, whole.words, strict=False)
    ]
    assert np.quantile(apart, 0.9) <= 0.06
    assert max(looked_s) < CONTEXT_S + 6
    assert len(looked_s) * 2 > 3 * max(looked_s)


def test_looks_become_rare_where_somebody_strays_from_the_text() -> None:
    take = StreamBuffer(16_000, 300.0, ByteQuota(1 << 30).reserve())
    rng = np.random.default_rng(0)
    second = rng.integers(-9000, 9000, 16_000, dtype=np.int16).tobytes()
    looked_s = []
    for _ in range(300):
        take.add(second)
        if take.is_due:
            looked_s.append(take.recent().duration_s)
    assert sum(looked_s) < 12 * 300
    assert len(looked_s) < 50


@pytest.mark.parametrize("rate", [4_000, 16_000, 48_000, 192_000])
def test_a_stream_holds_little_and_is_what_was_sent(rate: int) -> None:
    rng = np.random.default_rng(0)
    samples = rng.integers(-9000, 9000, 20 * rate, dtype=np.int16)
    quota = ByteQuota(1 << 30)
    take = StreamBuffer(rate, 20.0, quota.reserve())
    data, at = samples.tobytes(), 0
    while at < len(data):
        size = int(rng.integers(1, rate))
        take.add(data[at : at + size])
        at += size
    assert quota.held <= 20 * 16_000 * 4
    np.testing.assert_array_equal(take.whole().samples, Audio.from_samples(samples, rate).samples)
    with pytest.raises(AudioError, match="limit"):
        take.add(data)


def test_streams_hold_no_more_together_than_all_may() -> None:
    quota = ByteQuota(1 << 20)
    takes = [StreamBuffer(16_000, 300.0, quota.reserve()) for _ in range(3)]
    second = bytes(32_000)
    with pytest.raises(BusyError):
        for _ in range(10):
            for take in takes:
                take.add(second)
    assert quota.held <= quota.total


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


def opened(socket: Any) -> Any:
    socket.send_text(json.dumps({"sample_rate": RATE, "text": TEXT}))
    return socket.receive_json()


def test_there_are_so_many_streams_and_no_more(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = ConcurrencyLimit("streams", most=5, most_per_client=2)
    monkeypatch.setattr(client.app.state.service, "streams", limit)
    with (
        client.websocket_connect(STREAM) as first,
        client.websocket_connect(STREAM) as second,
        client.websocket_connect(STREAM) as third,
    ):
        assert "ready" in opened(first)
        assert "ready" in opened(second)
        problem = opened(third)["problem"]
        assert problem["type"] == "urn:nativeear:problem:busy"
        assert "2 of one client" in problem["cause"]
        second.send_text("nonsense")
        assert "problem" in second.receive_json()
        with client.websocket_connect(STREAM) as fourth:
            assert "ready" in opened(fourth)


def test_seats_are_bounded_in_all() -> None:
    limit = ConcurrencyLimit("streams", most=2, most_per_client=2)
    with (
        limit.taken("a"),
        limit.taken("b"),
        pytest.raises(BusyError, match="too many streams"),
        limit.taken("c"),
    ):
        pass
    with limit.taken("c"):
        pass


def test_a_stream_ends_some_day(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_SPARE_S", 2 - client.app.state.service.settings.max_seconds)
    with client.websocket_connect(STREAM) as socket:
        assert "ready" in opened(socket)
        for _ in range(8):
            socket.send_bytes(bytes(2))
            time.sleep(0.2)
        assert "did not end" in socket.receive_json()["problem"]["detail"]
    assert client.app.state.service.uploads.held == 0
