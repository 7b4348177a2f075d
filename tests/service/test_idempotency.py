"""The same request, as often and as fast as it comes, over real connections."""

import threading
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from nativeear.service.client import Client
from tests.service.test_client import PROMPT, TEXT
from tests.support.served import Served

TOGETHER = 4


@pytest.fixture
def post(served: Served) -> Callable[..., httpx.Response]:
    def send(key: str, text: str = TEXT, **headers: str) -> httpx.Response:
        return httpx.post(
            f"{served.url}/v1/assessments",
            files={"audio": PROMPT.read_bytes()},
            data={"text": text, "learner_id": key},
            headers={"Idempotency-Key": key, **headers},
            timeout=240,
        )

    return send


def at_once(ask: Callable[[], httpx.Response]) -> list[httpx.Response]:
    start = threading.Barrier(TOGETHER)
    answers: list[httpx.Response] = []

    def run() -> None:
        start.wait(10)
        answers.append(ask())

    threads = [threading.Thread(target=run) for _ in range(TOGETHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(answers) == TOGETHER
    return answers


def kept(served: Served, learner: str) -> list[str]:
    with Client(served.url) as client:
        return [item.id for item in client.assessments(learner_id=learner)]


def replayed(answers: list[httpx.Response]) -> int:
    return sum(answer.headers.get("idempotency-replayed") == "true" for answer in answers)


def test_four_at_once_are_one_assessment(served: Served, post) -> None:
    key = uuid4().hex
    answers = at_once(lambda: post(key))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["id"] for answer in answers} == set(kept(served, key))
    assert len(kept(served, key)) == 1
    assert replayed(answers) == TOGETHER - 1


def test_four_at_once_are_one_job_and_a_replay_answers_as_the_first(served: Served, post) -> None:
    key = uuid4().hex
    answers = at_once(lambda: post(key, Prefer="respond-async"))
    assert {answer.status_code for answer in answers} == {202}
    (job,) = {answer.json()["job"]["id"] for answer in answers}
    with Client(served.url) as client:
        done = client.wait(job, timeout_s=240)
    again = post(key)  # whatever it prefers by now
    assert (again.status_code, replayed([again])) == (202, 1)
    assert again.headers["location"] == f"/v1/jobs/{job}"
    assert again.json()["job"] == done.model_dump(mode="json")
    assert kept(served, key) == [done.result.id]


def test_another_content_is_refused_while_the_first_is_worked_at_and_later(
    served: Served, post
) -> None:
    key = uuid4().hex
    texts = iter([TEXT, "Your message."] * TOGETHER)
    lock = threading.Lock()

    def ask() -> httpx.Response:
        with lock:
            text = next(texts)
        return post(key, text)

    answers = [*at_once(ask), post(key, "Quite another text.")]
    assert sorted({answer.status_code for answer in answers}) == [200, 422]
    refused = next(answer for answer in answers if answer.status_code == 422)
    assert refused.json()["type"] == "urn:nativeear:problem:idempotency-key-reused"
    assert refused.headers["content-type"] == "application/problem+json"
    assert len(kept(served, key)) == 1


def test_a_request_that_was_refused_may_be_sent_again(served: Served, post) -> None:
    key = uuid4().hex
    first, again = post(key, "..."), post(key, "...")
    problems = [answer.json() | {"request_id": ""} for answer in (first, again)]
    assert (first.status_code, problems[0]) == (again.status_code, problems[1])
    assert first.json()["type"] == "urn:nativeear:problem:no-pronunciation"
    assert post(key).status_code == 200
    assert len(kept(served, key)) == 1
