"""docs/api.md is done as it stands: its curl calls and its Python against a running service."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

from nativeear.service.api.metrics import Metrics
from nativeear.service.api.problems import problem_of
from nativeear.speech.errors import NativeEarError
from tests.support.served import ROOT, Served, serving

GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"


def told(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.M | re.S)


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recording, `me.wav`."""
    folder = tmp_path_factory.mktemp("learner")
    shutil.copy(ROOT / "service" / "data" / "vm-msgsaved.flac", folder / "me.wav")
    return folder


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service that has a key, and a folder of corpora."""
    folder = tmp_path_factory.mktemp("closed")
    natives = folder / "corpora" / "natives"
    natives.mkdir(parents=True)
    (natives / "notes.txt").write_text("nothing yet")
    options = ("--workers", "1", "--corpora", str(folder / "corpora"))
    with serving(folder, *options, environment={"NATIVEEAR_INDEXES": str(folder)}) as served:
        yield served


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_every_curl_call_does_what_it_says(closed: Served, learner: Path) -> None:
    python = shlex.quote(sys.executable)
    script = "\n".join(
        [
            "set -euo pipefail",
            f'nativeear() {{ PYTHONPATH={shlex.quote(str(ROOT))} {python} -m nativeear "$@"; }}',
            f'python3() {{ {python} "$@"; }}',
            'curl() { command curl --fail-with-body "$@"; }',
            *told("bash"),
            "ls",
        ]
    )
    done = subprocess.run(
        ["bash", "-c", script.replace(ADDRESS, closed.url)],
        cwd=learner,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NATIVEEAR_DATABASE": f"sqlite:///{closed.folder / 'service.db'}"},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    written = set(re.findall(r" -o (\S+)", GUIDE))
    assert len(written) >= 8
    assert written <= set(done.stdout.split())
    assert (learner / "heard.wav").read_bytes() == (learner / "me.wav").read_bytes()
    assert (learner / "native.wav").read_bytes().startswith(b"RIFF")
    assert (learner / "list.csv").read_text().count("ana") == 1
    assert "event: done" in done.stdout
    assert re.search(r'"state": ?"(queued|running|cancelled|failed)"', done.stdout)
    assert "nativeear_requests_total" in done.stdout


def test_the_python_does_what_it_says(
    closed: Served, learner: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    from nativeear.service.database.keys import NewKey
    from nativeear.service.database.store import Store

    store = Store.open(f"sqlite:///{closed.folder / 'service.db'}")
    _, secret = store.create_key(NewKey(name="python", scopes=("assess", "read")))
    store.close()
    monkeypatch.chdir(learner)
    (example,) = told("python")
    exec(example.replace(ADDRESS, closed.url).replace("nek_…", secret))  # noqa: S102
    said = capsys.readouterr().out.splitlines()
    assert said[-1].startswith("415 unsupported-media ")
    assert len(said) > 10


ROOMS = ("indexer", "indexes", "retriever", "scoring", "service", "speech")

# Those that no client is told: who left hears nothing, whoever writes a plug-in tests it by
# himself, and the others are classes of errors.
UNTOLD = {"nativeear-error", "refused", "client-gone", "nothing-finished", "conformance"}

# Those that are written down as they are, with the status of the problem; see the next test.
WRITTEN = {"internal-error": 500, "interrupted": 503, "build-died": 422}


def listed_problems() -> dict[str, int]:
    listed = {}
    for kinds, status in re.findall(r"^\| (`[^|]+`) \| (\d{3}) \|", GUIDE, re.M):
        listed |= dict.fromkeys(re.findall(r"`([^`]+)`", kinds), int(status))
    return listed


def test_every_kind_of_problem_is_listed_with_its_status() -> None:
    for room in ROOMS:
        for module in walk_packages([str(ROOT / room)], f"nativeear.{room}."):
            if "migrations" not in module.name:
                with suppress(ImportError):  # what needs a library that is not there
                    import_module(module.name)

    def below(kind: type[NativeEarError]) -> Iterator[type[NativeEarError]]:
        for lower in kind.__subclasses__():
            yield lower
            yield from below(lower)

    known = {
        kind.code: problem_of(kind("")).status
        for kind in below(NativeEarError)
        if kind.__module__.startswith("nativeear.")
        and not kind.__module__.startswith("nativeear.service.client")
    }
    known = {code: status for code, status in known.items() if code not in UNTOLD} | WRITTEN
    assert listed_problems() == known


def test_no_kind_of_problem_is_made_up_on_the_spot() -> None:
    """Whatever the source writes down as a kind is that of a class, or one of `WRITTEN`."""
    places = (r"problem:KIND", r"Problem\.of\(\s*\"KIND", r"\"code\": \"KIND", r"code = \"KIND")
    written = "|".join(f'{place.replace("KIND", "([a-z-]+)")}"' for place in places)
    found = {
        "".join(groups)
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        for groups in re.findall(written, file.read_text(encoding="utf-8"))
    }
    assert found - UNTOLD == set(listed_problems())
    made_up = r'Problem\.of\(\s*f"|code=f"'
    assert not [
        file for file in (ROOT / "service").rglob("*.py") if re.search(made_up, file.read_text())
    ]


def test_every_figure_is_listed() -> None:
    listed = {name for line in told_rows() for name in re.findall(r"`(nativeear_\w+)`", line)}
    given = Metrics().text().decode()
    kinds = dict(re.findall(r"^# TYPE (nativeear_\w+) (\w+)", given, re.M))
    assert listed == {name for name in kinds if not name.endswith("_created")}


def told_rows() -> list[str]:
    return [line for line in GUIDE.splitlines() if line.startswith("| `nativeear_")]
