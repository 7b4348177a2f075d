"""The examples of the package for pages, each in Chromium with a microphone that hears a prompt."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import WEB, chromium, for_microphone, hosted, needs_package
from tests.support.served import ROOT

EXAMPLES = WEB / "examples"
PROMPT = ROOT / "service" / "data" / "vm-msgsaved.flac"
TEXT = "Your message has been saved."
PATIENCE_MS = 300_000
SPOKEN_MS = 3_000

pytestmark = needs_package

SHARED = {"Access-Control-Allow-Origin": "*"}


@pytest.fixture(scope="module")
def url(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A host of the demo, with the examples beside it."""
    site = tmp_path_factory.mktemp("examples")
    for name in ("pack", "nativeear"):
        (site / name).symlink_to(demo / name)
    plain = (EXAMPLES / "plain.html").read_text(encoding="utf-8")
    (site / "plain.html").write_text(plain.replace("I think so", TEXT), encoding="utf-8")
    shutil.copyfile(EXAMPLES / "activity.html", site / "activity.html")
    with hosted(site, SHARED) as where:
        yield where


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path = tmp_path_factory.mktemp("microphone") / "prompt.wav"
    with chromium(for_microphone(path, PROMPT)) as opened:
        yield opened


def test_ten_lines_of_html_score_a_file(url: str, browser: Any) -> None:
    assert len((EXAMPLES / "plain.html").read_text(encoding="utf-8").splitlines()) <= 11
    page = browser.new_page()
    page.goto(f"{url}plain.html")
    page.wait_for_function("sound.onchange !== null", timeout=PATIENCE_MS)
    page.set_input_files("#sound", PROMPT)
    page.wait_for_function("told.textContent !== ''", timeout=PATIENCE_MS)
    assert 75 <= int(page.inner_text("#told")) <= 100
    page.set_input_files("#sound", EXAMPLES / "plain.html")
    page.wait_for_function("told.textContent.includes('no sound')", timeout=PATIENCE_MS)
    page.close()


def test_an_activity_tells_the_page_around_it(url: str, browser: Any, tmp_path: Path) -> None:
    frame = f'<iframe allow="microphone" src="{url}activity.html?text={TEXT}"></iframe>'
    listen = "<script>onmessage = ({ data }) => (window.told = data);</script>"
    (tmp_path / "course.html").write_text(f"<!doctype html>{frame}{listen}", encoding="utf-8")
    with hosted(tmp_path, SHARED) as course:
        page = browser.new_page()
        page.goto(f"{course}course.html")
        activity = page.frame_locator("iframe")
        activity.locator("#say:enabled").click(timeout=PATIENCE_MS)
        page.wait_for_timeout(SPOKEN_MS)
        activity.locator("#say").click()
        page.wait_for_function("window.told", timeout=PATIENCE_MS)
        told = page.evaluate("window.told")
        page.close()
    assert (told["type"], told["text"]) == ("nativeear", TEXT)
    assert told["score"]["scaled"] == pytest.approx(told["result"]["score"]["overall"] / 100)
    assert told["score"]["raw"] >= 60
    assert [word["word"] for word in told["result"]["words"]][:2] == ["Your", "message"]


def test_a_card_of_anki_records_and_compares(url: str, browser: Any, tmp_path: Path) -> None:
    card = (EXAMPLES / "anki.html").read_text(encoding="utf-8")
    filled = card.replace("{{Sentence}}", TEXT).replace("{{Audio}}", "")
    (tmp_path / "card.html").write_text(
        f"<!doctype html>{filled.replace('https://cards.example/', url)}", encoding="utf-8"
    )
    with hosted(tmp_path, SHARED) as cards:  # another host than the package's
        page = browser.new_page()
        page.goto(f"{cards}card.html")
        page.wait_for_function("say.onclick !== null", timeout=PATIENCE_MS)
        page.click("#say")
        page.wait_for_timeout(SPOKEN_MS)
        page.click("#say")
        page.wait_for_function(
            "document.getElementById('heard').textContent.includes('of 100')", timeout=PATIENCE_MS
        )
        heard = page.inner_text("#heard")
        assert "Your message has been saved" in heard
        assert page.locator("#heard span").count() > 15  # letter by letter
        assert page.locator("#own[src]").count() == 1
        page.close()
