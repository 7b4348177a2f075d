"""Dockerfile and compose.yaml against the commands and the settings that there are."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nativeear.service.cli import app
from nativeear.service.database.connection import ENVIRONMENT
from tests.support.served import ROOT, Served

tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")


def services() -> dict:
    return yaml.safe_load(COMPOSE)["services"]


def commands() -> list[list[str]]:
    """Every `nativeear …` that the two files run or tell."""
    told = re.findall(r"run --rm nativeear (.+)", COMPOSE)
    return [json.loads(re.findall(r"^CMD (.+)", DOCKERFILE, re.M)[0]), *map(str.split, told)]


def test_the_commands_and_their_options_exist() -> None:
    assert len(commands()) == 2
    for command in commands():
        words = [word for word in command if not word.startswith("-")]
        verbs = words[:2] if words[0] == "keys" else words[:1]
        told = CliRunner().invoke(app, [*verbs, "--help"])
        assert told.exit_code == 0, command
        for option in (word for word in command if word.startswith("--")):
            assert re.search(rf"{option}\b", told.output), (command, option)


def test_it_runs_as_nobody_in_particular_and_writes_where_it_may() -> None:
    ours = services()["nativeear"]
    user = re.findall(r"^USER (\S+)", DOCKERFILE, re.M)[-1]
    assert ours["user"] == user
    assert int(user) > 0
    assert ours["read_only"] is True
    assert ours["cap_drop"] == ["ALL"]
    written = {volume.partition(":")[2] for volume in ours["volumes"]} | {
        mounted.partition(":")[0] for mounted in ours["tmpfs"]
    }
    assert written == {"/data", "/tmp"}  # noqa: S108
    assert re.search(r"^VOLUME /data$", DOCKERFILE, re.M)
    jobs = commands()[0][commands()[0].index("--jobs-dir") + 1]
    assert Path(jobs).is_relative_to("/data")


def test_it_is_published_on_this_machine_only() -> None:
    assert all(port.startswith("127.0.0.1:") for port in services()["nativeear"]["ports"])
    assert "ports" not in services()["database"]


def test_the_two_services_mean_the_same_database() -> None:
    ours, theirs = services()["nativeear"]["environment"], services()["database"]["environment"]
    assert ours[ENVIRONMENT] == (
        f"postgresql+psycopg://{theirs['POSTGRES_USER']}@database/{theirs['POSTGRES_DB']}"
    )
    assert ours["PGPASSWORD"] == theirs["POSTGRES_PASSWORD"]
    assert services()["nativeear"]["depends_on"] == {"database": {"condition": "service_healthy"}}


def test_the_build_arguments_and_extras_exist() -> None:
    given = services()["nativeear"]["build"]["args"]
    declared = dict(re.findall(r"^ARG (\w+)=(\S+)", DOCKERFILE, re.M))
    assert set(given) <= set(declared)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(declared["EXTRAS"].split(",")) <= set(project["project"]["optional-dependencies"])
    assert declared["TORCH_BACKEND"] == "cpu"


def test_all_that_the_wheel_is_made_of_is_sent_to_the_builder() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (package,) = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    rooms = [link.resolve().name for link in (ROOT / package).iterdir() if link.is_symlink()]
    metadata = [project["project"]["readme"], *project["project"]["license-files"]]
    sent = [
        line[1:].partition("/")[0]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    assert {package, *rooms, *metadata, "pyproject.toml", ".gitignore"} == set(sent)
    assert all((ROOT / name).exists() for name in sent)


def test_the_health_check_tells_a_service_from_none(served: Served) -> None:
    check = json.loads(re.findall(r"^HEALTHCHECK .*? CMD (.+)", DOCKERFILE, re.M)[0])
    assert check[0] == "python"
    port = commands()[0][commands()[0].index("--port") + 1]
    address = f"http://127.0.0.1:{port}"
    assert address in check[2]

    def checked(url: str) -> int:
        code = check[2].replace(address, url)
        done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
        return done.returncode

    assert checked(served.url) == 0
    assert checked("http://127.0.0.1:9") != 0
    assert checked(f"{served.url}/nothing") != 0
