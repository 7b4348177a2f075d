"""The package in Chromium, used as a newcomer or an enemy would: each fault is told, none hangs."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nativeear.speech.audio import Audio
from tests.support.browser import LOAD, chromium, hosted, needs_package
from tests.support.served import ROOT

pytestmark = needs_package

PROMPT = Audio.load(ROOT / "service" / "data" / "vm-msgsaved.flac")
TEXT = "Your message has been saved."
TOLD = """async (said) => {
  try {
    return { value: await said() };
  } catch ({ name, message, code, reason, fix }) {
    return { name, message, code, reason, fix };
  }
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(browser: Any, demo: Path) -> Iterator[Any]:
    """A page that has loaded the pack, and has what was said in `samples`."""
    with hosted(demo) as url:
        opened = browser.new_page()
        opened.goto(f"{url}nativeear/")
        opened.evaluate(LOAD, 1)
        opened.evaluate("(said) => (globalThis.samples = Float32Array.from(said))", _samples())
        yield opened
        opened.close()


def _samples() -> list[float]:
    samples: list[float] = PROMPT.samples.tolist()
    return samples


def told(page: Any, said: str) -> dict[str, Any]:
    """What comes of a promise: its value, or the fields of its error."""
    found: dict[str, Any] = page.evaluate(f"({TOLD})(async () => {{ {said} }})")
    return found


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ("new Float32Array(0), 'so'", "bad-audio", "0.000 s long"),
        ("new Float32Array(0), 'so', { sampleRate: 44100 }", "bad-audio", "0.000 s long"),
        ("new Float32Array(9600000), 'so'", "bad-audio", "longer than the limit of 60 s"),
        ("new Float32Array(16000), 'so'", "bad-audio", "is silent"),
        ("new Float32Array(16000).fill(0.3), 'so'", "bad-audio", "a constant signal"),
        ("samples.map(() => NaN), 'so'", "bad-audio", "samples that are NaN"),
        ("samples.map((x) => x / 0), 'so'", "bad-audio", "samples that are NaN"),
        ("samples.map((x) => Math.sign(x)), 'so'", "bad-audio", "clipped to noise"),
        ("samples, 'so', { sampleRate: NaN }", "bad-audio", "no speech is recorded"),
        ("Array.from(samples), 'so'", "bad-input", "no Float32Array"),
        ("undefined, 'so'", "bad-input", "no Float32Array"),
        ("samples, ''", "no-pronunciation", "The text has no words"),
        ("samples, ' … !'", "no-pronunciation", "The text has no words"),
        ("samples, '👍🏽'", "no-pronunciation", "👍"),
        ("samples, 'I have 3 cats'", "no-pronunciation", '"3"'),
        ("samples, 'colourless zyxwv'", "no-pronunciation", '"zyxwv"'),
        ("samples, 'я думаю'", "no-pronunciation", '"думаю"'),
        ("samples", "bad-input", "neither a text nor a pronunciation"),
        ("samples, null", "bad-input", "neither a text nor a pronunciation"),
        ("samples, { words: [], warnings: [] }", "bad-input", "neither a text nor"),
        (
            "samples, { words: [{ word: 'grün', variants: [{ phones: ['y'], stress: [1],"
            " syllables: [[0, 1]] }] }], warnings: [] }",
            "bad-input",
            "neither a text nor",
        ),
    ],
)
def test_what_cannot_be_heard_is_refused_in_words(
    page: Any, asked: str, code: str, message: str
) -> None:
    error = told(page, f"return ear.assess({asked})")
    assert (error.get("name"), error["code"]) == ("NativeEarError", code), error
    assert message in error["message"]
    assert error["fix"]


def test_sound_that_is_put_right_is_heard_with_a_warning(page: Any) -> None:
    found = told(page, f"return ear.assess(samples.map((x) => x + 0.2), '{TEXT}')")["value"]
    assert found["warnings"] == ["A constant offset of +20% of full scale was removed."]
    found = told(page, f"return ear.assess(samples.map((x) => 32768 * x), '{TEXT}')")["value"]
    assert "were scaled to 1" in found["warnings"][0]
    assert found["reading"]["matches"]


def test_what_is_asked_at_once_is_heard_in_turn_and_may_be_ended(page: Any) -> None:
    found = told(
        page,
        f"""
        const stop = new AbortController();
        const whole = ear.assess(samples, "{TEXT}", {{ id: "first" }});
        const ended = ear.assess(samples, "{TEXT}", {{ signal: stop.signal }});
        const last = ear.assess(samples, "Your", {{ id: "last" }});
        stop.abort();
        const error = await ended.catch(({{ name }}) => name);
        const again = ear.assess(samples, "a", {{ signal: stop.signal }});
        const before = await again.catch(({{ name }}) => name);
        return [error, before, (await whole).id, (await last).id];
        """,
    )["value"]
    assert found == ["AbortError", "AbortError", "first", "last"]


def test_a_closed_ear_answers_that_it_is_closed(page: Any) -> None:
    found = told(
        page,
        """
        const { NativeEar } = await import("/nativeear/nativeear.js");
        const other = await NativeEar.load("/pack");
        const asked = other.assess(samples, "so").catch(({ code }) => code);
        other.close();
        return [await asked, await other.assess(samples, "so").catch(({ code }) => code)];
        """,
    )["value"]
    assert found == ["closed", "closed"]
    assert told(page, "return (await ear.assess(samples, 'your')).id")["value"] == ""


def test_loading_may_be_ended(page: Any) -> None:
    found = told(
        page,
        """
        const { NativeEar } = await import("/nativeear/nativeear.js");
        const stop = new AbortController();
        const options = { signal: stop.signal, progress: () => stop.abort() };
        return NativeEar.load("/pack/", options).catch(({ name }) => name);
        """,
    )
    assert found == {"value": "AbortError"}


@pytest.fixture(scope="module")
def broken(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A host of the package, and of packs that are none."""
    folder = tmp_path_factory.mktemp("broken")
    for name in ("pack", "nativeear"):
        (folder / name).symlink_to(demo / name)
    manifest = json.loads((demo / "pack" / "pack.json").read_text(encoding="utf-8"))
    lexicon = manifest["files"]["lexicon"]["path"]
    content = (demo / "pack" / lexicon).read_bytes()
    for name, changed in {"cut": content[:-9], "changed": content[:-9] + bytes(9)}.items():
        shutil.copytree(demo / "pack", folder / name, ignore=shutil.ignore_patterns("clips"))
        (folder / name / lexicon).write_bytes(changed)
    for name, text in {"text": "<!doctype html>", "old": '{"format_version": 1}'}.items():
        (folder / name).mkdir()
        (folder / name / "pack.json").write_text(text, encoding="utf-8")
    with hosted(folder) as url:
        yield url


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ("'/nowhere/'", "bad-pack", "pack.json could not be fetched"),
        ("'http://127.0.0.1:9/pack/'", "bad-pack", "pack.json could not be fetched"),
        ("'/text/'", "bad-pack", "What was fetched as pack.json is none"),
        ("'/old/'", "bad-pack", "Make it again with"),
        ("'/cut/'", "bad-pack", "is not the file that belongs"),
        ("'/changed/'", "bad-pack", "is not the file that belongs"),
        ("'/pack/', { worker: '/nowhere.js' }", "fault", "worker could not be started"),
    ],
)
def test_a_pack_that_is_none_is_refused(
    browser: Any, broken: str, asked: str, code: str, message: str
) -> None:
    page = browser.new_page()
    page.goto(f"{broken}nativeear/")
    load = 'const { NativeEar } = await import("/nativeear/nativeear.js");'
    error = told(page, f"{load} return NativeEar.load({asked})")
    page.close()
    assert error["code"] == code
    assert message in f"{error['message']} {error['fix']}"


def test_a_file_that_was_kept_cut_off_is_fetched_again(
    browser: Any, demo: Path, tmp_path: Path
) -> None:
    for name in ("pack", "nativeear"):
        shutil.copytree(demo / name, tmp_path / name, ignore=shutil.ignore_patterns("clips"))
    manifest = json.loads((tmp_path / "pack" / "pack.json").read_text(encoding="utf-8"))
    lexicon = tmp_path / "pack" / manifest["files"]["lexicon"]["path"]
    content = lexicon.read_bytes()
    lexicon.write_bytes(content[:-9])
    with hosted(tmp_path) as url:  # which lets a browser keep everything
        page = browser.new_page()
        page.goto(f"{url}nativeear/")
        load = 'const { NativeEar } = await import("/nativeear/nativeear.js");'
        asked = f"{load} return (await NativeEar.load('/pack/')).close()"
        assert told(page, asked)["code"] == "bad-pack"
        lexicon.write_bytes(content)
        assert "code" not in told(page, asked)
        page.close()


def test_a_microphone_that_is_not_allowed_is_told(browser: Any, demo: Path) -> None:
    with hosted(demo) as url:
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("#record:not([disabled])", timeout=300_000)
        page.click("#record")
        page.wait_for_function("told.textContent.includes('microphone cannot be used')")
        page.close()
