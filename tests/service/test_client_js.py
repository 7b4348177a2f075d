"""The JavaScript client in Node and Chromium, and its types against those of the service."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from nativeear.service.database.keys import NewKey
from nativeear.service.database.people_store import People
from nativeear.service.database.store import Store
from nativeear.speech.audio import Audio
from tests.service.conftest import BUSY
from tests.support.browser import NODE, chromium, hosted
from tests.support.recorded import asked_for, recorded, routes
from tests.support.served import ROOT, Served, serving

FOLDER = ROOT / "packages" / "client-js"
PROMPT = ROOT / "service" / "data" / "vm-msgsaved.flac"
TSC = shutil.which("tsc")
FOREIGN_PAGE = "<!doctype html><title>An app of another origin</title>"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A web server of another origin that has the client."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "index.html").write_text(FOREIGN_PAGE)
    shutil.copy(FOLDER / "nativeear.js", folder)
    shutil.copy(PROMPT, folder)
    with hosted(folder, {}) as url:
        yield url.rstrip("/")


@pytest.fixture(scope="module")
def closed(
    tmp_path_factory: pytest.TempPathFactory, pages: str
) -> Iterator[tuple[Served, str, str]]:
    """A service with a key and a teacher's code."""
    folder = tmp_path_factory.mktemp("closed")
    store = Store.open(f"sqlite:///{folder / 'service.db'}")
    _, key = store.create_key(NewKey(name="school", scopes=("assess", "read")))
    code = People(store).create("teacher", "Tom", expires_at=None)[1]
    store.close()
    with serving(folder, *BUSY, "--workers", "1", "--allow-origin", pages) as served:
        yield served, key, code


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_it_works_in_node(closed: tuple[Served, str, str], tmp_path: Path) -> None:
    served, key, code = closed
    archive, samples = tmp_path / "two.zip", tmp_path / "samples"
    with zipfile.ZipFile(archive, "w") as out:
        out.write(PROMPT, "a.flac")
        out.write(PROMPT, "b.flac")
    heard = Audio.load(PROMPT).samples
    samples.write_bytes((heard * 32767).astype(np.dtype("<i2")).tobytes())
    given = {
        "URL": served.url, "KEY": key, "TEACHER": code, "PROMPT": str(PROMPT),
        "ARCHIVE": str(archive), "SAMPLES": str(samples),
    }  # fmt: skip
    environment = {**os.environ, **{f"NATIVEEAR_{name}": value for name, value in given.items()}}
    streams = "--experimental-websocket"  # from Node 20.10 on, and of itself from 22 on
    options = [streams] if _takes(streams) else []
    done = subprocess.run(
        [str(NODE), *options, "--test", ROOT / "tests/service/client_js/client.test.mjs"],
        capture_output=True, text=True, check=False, env=environment, timeout=800,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_its_example_does_what_it_says(closed: tuple[Served, str, str], tmp_path: Path) -> None:
    served, key, _ = closed
    (example,) = re.findall(r"^```js\n(.*?)^```$", (FOLDER / "README.md").read_text(), re.M | re.S)
    for told, meant in (
        ('"nativeear-client"', f'"{(FOLDER / "nativeear.js").as_uri()}"'),
        ("http://127.0.0.1:8000", served.url),
        ("nek_…", key),
        ("assess(recording,", f'assess((await import("node:fs")).readFileSync("{PROMPT}"),'),
        ("I think so.", "Your message has been saved."),
    ):
        assert told in example
        example = example.replace(told, meant)
    script = tmp_path / "example.mjs"
    script.write_text(example)
    done = subprocess.run([str(NODE), script], capture_output=True, text=True, check=True)
    assert re.match(r"\d+(\.\d+)? \[", done.stdout), done.stdout


def _takes(option: str) -> bool:
    return not subprocess.run(
        [str(NODE), option, "-e", ""], capture_output=True, check=False
    ).returncode


IN_BROWSER = (ROOT / "tests/service/client_js/in_browser.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with chromium() as opened:
        yield opened


def test_it_works_on_a_page_of_another_origin(
    closed: tuple[Served, str, str], pages: str, browser: object
) -> None:
    served, key, _ = closed
    page = browser.new_page()  # type: ignore[attr-defined]
    page.goto(pages)
    asked = {"client": f"{pages}/nativeear.js", "url": served.url, "key": key}
    told = page.evaluate(IN_BROWSER, {**asked, "sound": f"{pages}/{PROMPT.name}", "code": None})
    assert told == {
        "words": 5, "refused": "unsupported-media", "streamed": "bad-input", "listed": True,
        "role": "program",
    }  # fmt: skip


def test_it_works_with_the_session_of_a_browser(
    closed: tuple[Served, str, str], browser: object
) -> None:
    served, _, code = closed
    page = browser.new_page()  # type: ignore[attr-defined]
    for file in (FOLDER / "nativeear.js", PROMPT):
        page.route(
            f"{served.url}/{file.name}", lambda route, _, file=file: route.fulfill(path=file)
        )
    page.goto(f"{served.url}/healthz")
    asked = {"client": f"{served.url}/nativeear.js", "url": served.url, "key": None}
    sound = f"{served.url}/{PROMPT.name}"
    told = page.evaluate(IN_BROWSER, {**asked, "sound": sound, "code": code})
    assert (told["words"], told["role"], told["streamed"]) == (5, "teacher", "bad-input")
    assert page.evaluate("document.cookie") == ""  # no script reads it


@pytest.fixture(scope="module")
def declared() -> ModuleType:
    spec = importlib.util.spec_from_file_location("declarations", FOLDER / "declarations.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_types_are_those_of_the_service(declared: ModuleType) -> None:
    told = (FOLDER / "nativeear.d.ts").read_text(encoding="utf-8")
    assert told == declared.written(), "run: python packages/client-js/declarations.py"


def test_it_has_the_version_of_the_whole() -> None:
    (version,) = re.findall(r'(?m)^version = "(.+)"', (ROOT / "pyproject.toml").read_text())
    assert json.loads((FOLDER / "package.json").read_text())["version"] == version


def test_every_method_is_declared() -> None:
    """Checked by the names: a type checker is not always there."""
    source = (FOLDER / "nativeear.js").read_text(encoding="utf-8")
    body = source[source.index("export class Client") : source.index("class Inbox")]
    methods = set(re.findall(r"^  (?:async )?\*?([a-zA-Z]\w*)\(", body, re.M))
    told = (FOLDER / "nativeear.d.ts").read_text(encoding="utf-8")
    face = told[told.index("export class Client") : told.index("// What follows")]
    assert methods == set(re.findall(r"^  (\w+)\(", face, re.M))


ASKING = """
import {{ Client }} from "{client}";

const client = new Client("{url}", {{ patienceMs: 0 }});
for (const name of Object.getOwnPropertyNames(Client.prototype)) {{
  if (["constructor", "stream"].includes(name)) continue;
  try {{
    const answer = client[name]("a", "a", "a");
    if (answer.next) await answer.next();
    else await answer;
  }} catch (error) {{
    if (error.name !== "ProblemError") throw error;
  }}
}}
"""


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_every_route_has_a_method(tmp_path: Path) -> None:
    script = tmp_path / "asking.mjs"
    with recorded() as (url, asked):
        script.write_text(ASKING.format(client=(FOLDER / "nativeear.js").as_uri(), url=url))
        subprocess.run([str(NODE), script], check=True)
    assert asked_for(asked, routes()) == routes()


@pytest.mark.skipif(TSC is None, reason="tsc is not installed")
def test_a_type_checker_takes_it(tmp_path: Path) -> None:
    use = tmp_path / "use.ts"
    use.write_text(
        f'import {{ Client }} from "{FOLDER}/nativeear.js";\n'
        'const result = await new Client("http://a").assess(new Blob(), { text: "Hello." });\n'
        "export const score: number | null | undefined = result.words[0]?.phones?.[0]?.score;\n"
        "// @ts-expect-error: there is no such field\n"
        'await new Client("http://a").assess(new Blob(), { txet: "Hello." });\n'
    )
    options = ["--noEmit", "--strict", "--target", "es2022", "--module", "esnext"]
    found = subprocess.run(
        [str(TSC), *options, "--moduleResolution", "bundler", use],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout
