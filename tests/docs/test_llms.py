"""`llms.txt` says of the product what is so, and the service and the docs tell the same."""

import re
import shlex
from typing import Any

import pytest
import typer
import yaml

import nativeear
from nativeear.service.cli import app
from tests.docs.reading import ROOT
from tests.service.api.conftest import client_of
from tests.support.recorded import NOT_FOR_CLIENTS, routes

FILE = ROOT / "service" / "page" / "llms.txt"
TEXT = FILE.read_text(encoding="utf-8")


def test_it_begins_as_models_expect_it() -> None:
    title, nothing, summary = TEXT.splitlines()[:3]
    assert (title, nothing, summary[:2]) == ("# NativeEar", "", "> ")
    assert len(TEXT) < 4000


def test_the_service_and_the_docs_tell_it(tmp_path: Any) -> None:
    from nativeear.service.api.settings import ServiceSettings

    settings = ServiceSettings(database=f"sqlite:///{tmp_path / 'service.db'}", indexes=("none",))
    answer = client_of(settings).get("/llms.txt")
    assert answer.text == TEXT
    assert answer.headers["content-type"].startswith("text/plain")
    assert (ROOT / "docs" / "llms.txt").read_text(encoding="utf-8") == TEXT


def test_its_routes_are_there() -> None:
    named = set(re.findall(r"`(GET|POST|DELETE) (/[^`]*)`", TEXT))
    assert len(named) > 10
    assert named <= routes() | NOT_FOR_CLIENTS


def test_it_names_every_page_that_one_reads_first() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    first = {page for entry in nav for page in entry.values() if isinstance(page, str)}
    named = {name.removeprefix("docs/") for name in re.findall(r"docs/[\w-]+\.md", TEXT)}
    assert named == first - {"contributing.md"}


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`(nativeear [^`]+)`", TEXT))))
def test_its_commands_are_there(command: str) -> None:
    _, name, *words = shlex.split(command)
    shell: Any = typer.main.get_command(app)
    known = {option for each in shell.commands[name].params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_its_names_are_there() -> None:
    assert {"Client", "AsyncClient"} <= set(nativeear.__all__)
    assert (ROOT / re.findall(r"`(packages/\S+\.js)`", TEXT)[0]).is_file()
