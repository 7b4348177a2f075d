"""Whatever name a learner or a group is stored under, it is found under, over real connections."""

import httpx
import pytest

from nativeear.service.client import Client, ProblemError
from tests.service.test_client import PROMPT, TEXT
from tests.support.served import Served

NAMES = [
    "ana",
    "a/b",
    "/a",
    "a/",
    "a//b",
    "a/../b",
    "../../etc/passwd",
    "a/progress",
    "progress",
    "...",
    ".a",
    "a.",
    "100%",
    "%2e%2e",
    "%2F",
    "a?b=c&d#e",
    "a+b c",
    " ",
    "\\",
    "Žofie Ünal",
    "Zo\u0301fie",  # as decomposed as it was sent
    "李雷",
    "👩‍🏫",
    "\u202eana",
    "'; DROP TABLE assessments; --",
    "x" * 200,
    "👩" * 200,
]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_found_and_deleted(served: Served, name: str) -> None:
    with Client(served.url) as client:
        stored = client.assess(PROMPT, text=TEXT, learner_id=name, group=name)
        assert name in [learner.learner_id for learner in client.learners()]
        assert [item.id for item in client.assessments(learner_id=name)] == [stored.id]
        assert [item.id for item in client.assessments(group=name)] == [stored.id]
        assert client.progress(name).learner_id == name
        assert [sentence.id for sentence in client.progress(name).sentences] == [stored.id]
        assert [learner.learner_id for learner in client.group(name).learners] == [name]
        client.delete_learner(name)
        assert not list(client.assessments(learner_id=name))
        with pytest.raises(ProblemError) as refused:
            client.progress(name)
        assert (refused.value.status, refused.value.code) == (404, "not-found")
        assert repr(name)[1:-1] in refused.value.message


@pytest.mark.parametrize("name", [".", "..", "a\nb", "a\tb", "\x1b[31m", "\x7f", "x" * 201])
@pytest.mark.parametrize("field", ["learner_id", "group"])
def test_what_could_not_be_found_is_not_stored(served: Served, name: str, field: str) -> None:
    with Client(served.url) as client:
        before = len(list(client.assessments()))
        with pytest.raises(ProblemError) as refused:
            client.assess(PROMPT, text=TEXT, **{field: name})
        assert (refused.value.status, refused.value.code) == (422, "invalid-request")
        assert field in refused.value.message
        assert len(list(client.assessments())) == before


def test_an_empty_field_is_as_none(served: Served) -> None:
    answer = httpx.post(
        f"{served.url}/v1/assessments",
        files={"audio": PROMPT.read_bytes()},
        data={"text": TEXT, "learner_id": "", "group": "", "language": "", "l1": ""},
        timeout=60,
    )
    assert answer.status_code == 200
    with Client(served.url) as client:
        item = next(client.assessments())
        assert (item.id, item.learner_id, item.group) == (answer.json()["id"], None, None)
        assert "" not in [learner.learner_id for learner in client.learners()]
