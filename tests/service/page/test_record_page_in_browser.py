"""A native reads for an index in headless Chromium, from the first sentence to a larger index."""

import csv
import json
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from nativeear.indexer.audit.session import Session, SessionLine
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.audio import Audio
from tests.support.browser import chromium, for_microphone
from tests.support.page import complaints_of_axe
from tests.support.served import ROOT, serving

NATIVES = ROOT.parent / "shared" / "data" / "native-english"
RECORD = ROOT / "service" / "record_page"
PATIENCE_MS = 120_000
PROMPTS = {
    "vm-msgsaved": "Your message has been saved.",
    "auth-incorrect": "Password incorrect. Please enter your password followed by the pound key.",
}


def two_readings():
    """Two recordings of one native with their texts: a stranger to the index where there is one."""
    if not NATIVES.is_dir():
        return [(ROOT / "service" / "data" / f"{id}.flac", text) for id, text in PROMPTS.items()]
    with (NATIVES / "utterances.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    return [(NATIVES / rows[id]["audio"], rows[id]["text"]) for id in ("SF1_100002", "SF1_100003")]


@contextmanager
def page_that_hears(path, url, width=390):
    with chromium(path) as browser:
        page = browser.new_page(viewport={"width": width, "height": 844})
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        yield page
    assert not complaints


def enter(page):
    page.wait_for_selector("#enter:not([hidden])")
    page.fill("#name", "Anna K.")
    page.select_option("#sex", "female")
    page.check("#agrees")
    page.click("#enter button.main")
    page.wait_for_selector("#reading:not([hidden])")


def read(page, seconds):
    """Record by the keyboard alone, and wait for the verdict."""
    page.keyboard.press("Space")
    page.wait_for_selector("#read.on")
    page.wait_for_timeout(1000 * seconds + 1200)
    page.keyboard.press("Space")
    page.wait_for_selector("#told.good, #told.poor", timeout=PATIENCE_MS)


def shot(page, name):
    """Keep what is seen, where somebody wants to look at it."""
    if folder := os.environ.get("NATIVEEAR_SHOTS"):
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            page.screenshot(path=Path(folder) / f"record-{name}-{width}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.set_viewport_size({"width": 390, "height": 844})


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A service that records for a copy of the shipped index: its address, its folder."""
    folder = tmp_path_factory.mktemp("record")
    indexes, takes = folder / "indexes", folder / "anna-reads"
    shutil.copytree(ROOT / "indexes" / "en-US", indexes / "en-US")
    takes.mkdir()
    lines = tuple(SessionLine(text=text, seconds=4, fills=1) for _, text in two_readings())
    script = Session(index="en-US", language="en-US", seconds=8, gaps=2, left=0, lines=lines)
    (takes / "script.json").write_text(script.model_dump_json())
    with serving(
        folder,
        *("--record", "en-US", "--record-dir", str(takes), "--workers", "1", "--timeout", "600"),
        environment={"NATIVEEAR_INDEXES": str(indexes)},
    ) as served:
        yield served.url, indexes / "en-US"


def test_from_the_first_sentence_to_a_larger_index(session, tmp_path):
    url, index = session
    before = PhoneIndex.open(index).manifest
    (first, said), (second, other) = two_readings()
    seconds = [Audio.load(path).duration_s for path in (first, second)]
    soft = for_microphone(tmp_path / "soft.wav", first, gain=0.02)
    with page_that_hears(soft, f"{url}/record/") as page:
        page.wait_for_selector("#enter:not([hidden])")
        shot(page, "enter")
        enter(page)
        assert page.inner_text("#line") == said
        read(page, seconds[0])
        assert "soft" in page.inner_text("#faults")
        shot(page, "refused")
    with page_that_hears(for_microphone(tmp_path / "first.wav", first), f"{url}/record/") as page:
        enter(page)
        assert page.inner_text("#place").endswith("0 read")
        read(page, seconds[0])
        assert page.inner_text("#told.good")
        shot(page, "kept")
        with page.expect_response(lambda answer: answer.url.endswith("/takes/1/audio")) as got:
            page.keyboard.press("l")
        assert got.value.status == 200
        page.keyboard.press("Space")  # goes on
        assert page.inner_text("#line") == other
        read(page, seconds[0])  # the microphone still says the first
        assert page.inner_text("#faults")
        assert page.inner_text("#place").endswith("1 read")
        page.reload()
        page.wait_for_selector("#reading:not([hidden])")
        assert page.inner_text("#line") == other
        page.keyboard.press("ArrowLeft")
        page.click("#drop")
        page.wait_for_selector("#hear", state="hidden")
        assert page.inner_text("#place").endswith("0 read")
        page.keyboard.press("ArrowRight")  # skips the first
        page.reload()
        page.wait_for_selector("#reading:not([hidden])")
        assert page.inner_text("#line") == other
        page.keyboard.press("ArrowLeft")
        read(page, seconds[0])
        assert page.inner_text("#told.good")
    with page_that_hears(for_microphone(tmp_path / "second.wav", second), f"{url}/record/") as page:
        enter(page)  # another browser, the same name: goes on
        assert page.inner_text("#line") == other
        read(page, seconds[1])
        assert page.inner_text("#place").endswith("2 read")
        assert page.inner_text("#status")
        page.click("#add")
        page.locator("#grown", has_text="added").wait_for(timeout=PATIENCE_MS)
        assert page.is_disabled("#add")
        shot(page, "added")
    after = PhoneIndex.open(index)
    assert after.manifest.revision == before.revision + 1
    assert after.manifest.counts.utterances == before.counts.utterances + 2
    assert after.manifest.counts.exemplars > before.counts.exemplars
    assert {("anna-reads", "anna-k-001"), ("anna-reads", "anna-k-002")} <= after.native_utterances
    assert httpx.get(f"{url}/v1/indexes/en-US").json()["revision"] == after.manifest.revision
    assert not list(index.parent.glob(".*adding*"))


@pytest.mark.parametrize("language", ["fr", "ru"])
def test_a_native_is_spoken_to_in_his_own_language(session, language):
    texts = json.loads((RECORD / "texts" / f"{language}.json").read_text("utf-8"))
    with chromium() as browser:
        page = browser.new_context(
            locale=language, viewport={"width": 320, "height": 568}
        ).new_page()
        page.goto(f"{session[0]}/record/")
        page.wait_for_selector("#enter:not([hidden])")
        assert page.inner_text("h1") == texts["record.enter"]
        assert page.get_attribute("html", "lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert complaints_of_axe(page) == []
        page.route("**/v1/recording/speakers", lambda way: way.abort())
        page.fill("#name", "Anna")
        page.check("#agrees")
        page.click("#enter button.main")
        page.wait_for_selector("#status.trouble")  # a fault stands out, and stays


def test_a_page_with_a_strict_policy(session):
    answer = httpx.get(f"{session[0]}/record/")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert not re.search(r"<style|style=|<script>| on\w+=", answer.text)
