import csv
import io
import json
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from tests.service.api.conftest import TEXT


def send(client: TestClient, audio: bytes, headers: dict[str, str] | None = None, **fields: Any):
    return client.post(
        "/v1/assessments",
        files={"audio": ("../../me.wav", audio, "text/plain")},
        data={"text": TEXT, **fields},
        headers=headers,
    )


@pytest.fixture(scope="module")
def kept(client: TestClient, prompt: bytes) -> dict[str, Any]:
    answer = send(client, prompt, keep_audio="true", learner_id="ana", group="3b")
    assert answer.status_code == 200
    return answer.json()


def test_an_assessment_is_that_of_the_library(
    kept: dict[str, Any], prompt: bytes, assessor: Assessor
) -> None:
    expected = assessor.assess(prompt, TEXT, id=kept["id"])
    assert Assessment.model_validate(kept) == expected
    assert expected.score.overall is not None


def test_another_calibration_and_phones_are_those_of_the_library(
    client: TestClient, prompt: bytes
) -> None:
    import nativeear

    phones = "Y AO R | M EH S IH JH | HH AE Z | B IH N | S EY V D"
    answer = send(client, prompt, text="", phones=phones, calibration="training-free", l1="es")
    expected = nativeear.load("en-US", calibration="training-free").assess(
        prompt, None, phones=phones, id=answer.json()["id"], l1="es"
    )
    assert Assessment.model_validate(answer.json()) == expected


def test_it_is_kept_with_its_recording(
    client: TestClient, kept: dict[str, Any], prompt: bytes
) -> None:
    where = f"/v1/assessments/{kept['id']}"
    assert client.get(where).json() == kept
    sound = client.get(f"{where}/audio")
    assert (sound.content, sound.headers["content-type"]) == (
        prompt,
        "audio/flac",
    )


def test_it_is_told_as_a_report_that_reaches_nothing(
    client: TestClient, kept: dict[str, Any]
) -> None:
    page = client.get(f"/v1/assessments/{kept['id']}/report.html")
    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert "<audio" in page.text


def test_it_is_told_as_a_textgrid(client: TestClient, kept: dict[str, Any]) -> None:
    grid = client.get(f"/v1/assessments/{kept['id']}/textgrid")
    assert grid.text.startswith('File type = "ooTextFile"')
    assert '"saved"' in grid.text


def test_it_is_listed_and_exported(client: TestClient, kept: dict[str, Any]) -> None:
    listed = client.get("/v1/assessments", params={"learner_id": "ana"}).json()
    item = next(item for item in listed["items"] if item["id"] == kept["id"])
    assert (item["text"], item["overall"]) == (TEXT, kept["score"]["overall"])
    table = client.get("/v1/assessments", params={"learner_id": "ana", "format": "csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert kept["id"] in {row["id"] for row in csv.DictReader(io.StringIO(table.text))}


def test_it_counts_in_a_history_and_in_a_group(client: TestClient, kept: dict[str, Any]) -> None:
    progress = client.get("/v1/learners/ana/progress").json()
    assert kept["id"] in {sentence["id"] for sentence in progress["sentences"]}
    assert {p["phone"] for p in progress["phones"]} >= {"Y", "S", "V"}
    assert "ana" in {item["learner_id"] for item in client.get("/v1/learners").json()["items"]}
    group = client.get("/v1/groups/3b/summary").json()
    assert [learner["learner_id"] for learner in group["learners"]] == ["ana"]
    for path in ("/v1/learners", "/v1/learners/ana/progress", "/v1/groups/3b/summary"):
        table = list(csv.DictReader(io.StringIO(client.get(path, params={"format": "csv"}).text)))
        assert table
        assert float(table[0]["mean_score"]) >= 0
    assert client.get("/v1/learners/nobody/progress").status_code == 404


def test_without_its_recording_there_is_no_report_and_deleted_means_gone(
    client: TestClient, prompt: bytes
) -> None:
    where = f"/v1/assessments/{send(client, prompt).json()['id']}"
    for part in ("audio", "report.html"):
        answer = client.get(f"{where}/{part}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.get(f"{where}/textgrid").status_code == 200
    assert client.delete(where).status_code == 204
    assert client.get(where).status_code == client.delete(where).status_code == 404


def test_the_same_request_is_assessed_once(client: TestClient, prompt: bytes) -> None:
    once = {"Idempotency-Key": "once"}
    first = send(client, prompt, once)
    again = send(client, prompt, once)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = send(client, prompt, once, text="Another text.")
    kind = "urn:nativeear:problem:idempotency-key-reused"
    assert (other.status_code, other.json()["type"]) == (422, kind)


def test_whoever_prefers_gets_a_job(client: TestClient, prompt: bytes) -> None:
    answer = send(client, prompt, {"Prefer": "respond-async"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "respond-async")
    told = client.get(f"{answer.headers['location']}/events")
    assert told.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in told.text.splitlines() if line.startswith("data: ")]
    assert events[-1]["state"] == "done"
    result = Assessment.model_validate(events[-1]["result"])
    assert client.get(f"/v1/assessments/{result.id}").json() == events[-1]["result"]


def test_a_job_that_waits_can_be_cancelled(client: TestClient, prompt: bytes) -> None:
    for _ in range(10):  # a job may begin before somebody can cancel it: then it is done
        held = [send(client, prompt, {"Prefer": "respond-async"}) for _ in range(3)]
        last = held[-1].headers["location"]
        assert client.post(f"{last}/cancel").status_code == 200
        until = time.monotonic() + 240
        while (state := client.get(last).json()["state"]) not in {"done", "cancelled"}:
            assert time.monotonic() < until
            time.sleep(0.1)
        if state == "cancelled":
            return
    pytest.fail("Ten jobs were cancelled, and all were done.")


REFUSED = [
    ({"text": ""}, 422, "bad-input"),
    ({"text": "..."}, 422, "no-pronunciation"),
    ({"text": "", "phones": "QQ"}, 422, "unknown-phone"),
    ({"index": "../en-US"}, 422, "bad-input"),
    ({"index": "/etc"}, 422, "bad-input"),
    ({"language": "xx"}, 422, "bad-input"),
    ({"l1": "/etc/passwd:zz"}, 422, "invalid-request"),
    ({"l1": "mine.csv:zz"}, 422, "invalid-request"),
    ({"learner_id": ".."}, 422, "invalid-request"),
    ({"learner_id": "."}, 422, "invalid-request"),
    ({"group": ".."}, 422, "invalid-request"),
    ({"learner_id": "two\nlines"}, 422, "invalid-request"),
    ({"langauge": "de"}, 422, "invalid-request"),
    ({"calibration": "kind"}, 422, "invalid-request"),
    ({"text": "a\0b"}, 422, "invalid-request"),
    ({"text": "word " * 2000}, 422, "invalid-request"),
]


@pytest.mark.parametrize(("fields", "status", "slug"), REFUSED)
def test_what_cannot_be_assessed_is_refused_in_plain_words(
    client: TestClient, prompt: bytes, fields: dict[str, str], status: int, slug: str
) -> None:
    answer = send(client, prompt, **fields)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:nativeear:problem:{slug}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["detail"].endswith((".", "]", ":"))
    assert "Traceback" not in answer.text


def test_a_first_language_of_which_nothing_is_known_is_a_warning(
    client: TestClient, prompt: bytes
) -> None:
    answer = send(client, prompt, l1="uk")
    assert answer.status_code == 200
    (warning,) = (said for said in answer.json()["warnings"] if "first language" in said)
    assert "'uk'" in warning
    assert "Known: ar, de, en, es" in warning
    assert not any("first language" in said for said in send(client, prompt).json()["warnings"])


@pytest.mark.parametrize(
    ("audio", "status"),
    [
        (b"", 422),
        (b"no sound at all", 415),
        (b"<svg onload=alert(1)>", 415),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", 422),
        (b"fLaC" + bytes(200), 422),
        (bytes(2_000_001), 413),
        (bytes(3_000_000), 413),
    ],
)
def test_what_is_no_recording_is_refused(client: TestClient, audio: bytes, status: int) -> None:
    answer = send(client, audio)
    assert answer.status_code == status
    assert answer.json()["status"] == status


def test_a_recording_above_the_limit_is_refused(client: TestClient) -> None:
    import numpy as np
    import soundfile

    noise = np.random.default_rng(1).normal(0, 0.1, 31 * 8000)
    out = io.BytesIO()
    soundfile.write(out, noise, 8000, format="WAV", subtype="PCM_16")
    answer = send(client, out.getvalue())
    assert answer.status_code == 422
    assert "limit of 30 s" in answer.json()["detail"]
