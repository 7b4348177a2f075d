"""The description of the interface is valid, and a client that is made from it works."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import httpx
import pytest
import soundfile

from tests.service.test_client import PROMPT, TEXT
from tests.support.served import Served

PACKAGE = "nativeear_generated"


@pytest.fixture(scope="module")
def described(served: Served) -> dict[str, Any]:
    return httpx.get(f"{served.url}/openapi.json").json()


@pytest.fixture(scope="module")
def generated(described: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A package made from the description, without options; what the generator said is checked."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(described))
    (folder / "config.yml").write_text("post_hooks: []\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json"),
            *("--output-path", PACKAGE, "--meta", "none", "--config", "config.yml"),
            "--fail-on-warning",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield PACKAGE
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def test_the_description_is_valid(described: dict[str, Any]) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    assert [error.message for error in OpenAPIV31SpecValidator(described).iter_errors()] == []


def test_every_route_has_a_plain_name_of_its_own(described: dict[str, Any]) -> None:
    names = [told["operationId"] for path in described["paths"].values() for told in path.values()]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() for name in names)


def test_what_refuses_unknown_fields_says_so(described: dict[str, Any]) -> None:
    bodies = [
        media["schema"]["$ref"].rpartition("/")[2]
        for path in described["paths"].values()
        for told in path.values()
        for media in told.get("requestBody", {}).get("content", {}).values()
        if told["tags"] != ["compat"]  # apps send others' fields, which are passed over
    ]
    assert len(bodies) == 18
    schemas = described["components"]["schemas"]
    assert all(schemas[body]["additionalProperties"] is False for body in bodies)


def test_a_generated_client_works(served: Served, generated: str) -> None:
    def part(name: str) -> ModuleType:
        return import_module(f"{generated}.{name}")

    models, types = part("models"), part("types")
    with part("client").Client(served.url) as client:

        def ask(route: str, *path: object, **fields: object) -> Any:
            return part(f"api.{route}").sync(*path, client=client, **fields)

        def form() -> Any:
            audio = types.File(payload=io.BytesIO(PROMPT.read_bytes()), file_name="me.flac")
            return models.BodyAssess(audio=audio, text=TEXT, learner_id="made", keep_audio=True)

        result = ask("assessments.assess", body=form())
        assert isinstance(result, models.Assessment), result
        assert [word.word for word in result.words] == TEXT.rstrip(".").split()
        listed = ask("assessments.assessments", learner_id="made")
        assert [item.id for item in listed.items] == [result.id]

        heard = ask("assessments.audio", result.id)
        assert heard.payload.read() == PROMPT.read_bytes()
        native = ask("indexes.exemplar_audio", "en-US", 0, context_s=0.3)
        assert soundfile.info(native.payload).samplerate == 16_000
        sentence = ask("indexes.sentences", "en-US", limit=1).items[0]
        whole = ask("indexes.utterance_audio", "en-US", sentence.utterance, corpus=sentence.corpus)
        assert soundfile.info(whole.payload).duration == pytest.approx(sentence.audio_s, abs=0.5)
        assert ask("assessments.report", result.id).startswith("<!doctype html>")
        assert "IntervalTier" in ask("assessments.textgrid", result.id)

        created = ask("assessments.assess", body=form(), prefer="respond-async")
        assert isinstance(created, models.JobCreated)
        assert "event: done" in ask("jobs.events", created.job.id)
        done = ask("jobs.job", created.job.id)
        assert isinstance(done.result, models.Assessment)

        wrong = ask("texts.validate", body=models.TextRequest(text="a", index="none"))
        assert isinstance(wrong, models.Problem)
        assert wrong.type_ == "urn:nativeear:problem:bad-input"
        assert ask("learners.progress", "made").learner_id == "made"
        assert ask("learners.forget", "made") is None
        assert ask("assessments.assessment", result.id).status == 404
