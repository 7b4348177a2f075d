"""The page of a running service in headless Chromium, whose microphone hears a packaged prompt."""

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
import soxr

from nativeear.service.demo import PROMPT
from nativeear.service.report.spectrogram import spectrogram_db
from nativeear.speech.audio import SAMPLE_RATE, Audio

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
RATE = 48_000
PROMPT_FILE = Path(str(files("nativeear.service"))) / "data" / PROMPT[0]
PHONE = (390, 844)
STARTED_WITHIN_S = 120
PATIENCE_MS = 60_000
SPOKEN_MS = 5_000
"""The prompt lasts 4.1 s and follows 0.4 s of silence."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@contextmanager
def serving(folder):
    """A service of its own on a free port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    log = folder / "log"
    arguments = ["serve", "--port", str(port), "--database", f"sqlite:///{folder / 'page.db'}"]
    with log.open("w") as out:
        service = subprocess.Popen(
            [sys.executable, "-c", "from nativeear.service.cli import main; main()", *arguments],
            stdout=out,
            stderr=out,
            cwd=Path(str(files("nativeear.service"))).parent,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    url = f"http://127.0.0.1:{port}/"
    try:
        until = time.monotonic() + STARTED_WITHIN_S
        while not is_ready(url):
            assert service.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield url
    finally:
        service.terminate()
        service.wait(30)


def is_ready(url):
    try:
        return httpx.get(url + "readyz", timeout=2).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def prompt(tmp_path_factory):
    """The prompt as a fake microphone reads it."""
    samples, rate = soundfile.read(PROMPT_FILE)
    speech = soxr.resample(samples, rate, RATE)
    path = tmp_path_factory.mktemp("microphone") / "prompt.wav"
    whole = np.concatenate([np.zeros(round(0.4 * RATE)), speech, np.zeros(10 * RATE)])
    soundfile.write(path, whole, RATE, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("service")) as where:
        yield where


@pytest.fixture(scope="module")
def browser(prompt):
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={prompt}%noloop",
            ],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser, url):
    """The page as it is first seen; whatever the console complains of fails the test."""
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    opened = context.new_page()
    complaints = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(url)
    opened.wait_for_selector("#sentences button")
    yield opened
    context.close()
    expected = re.compile(r"status of 4\d\d")  # what the browser itself says of an answer
    assert not [text for text in complaints if not expected.search(text)]


def tell(page, **fields):
    page.click("#you")
    for name, value in fields.items():
        page.fill(f"dialog [name={name}]", value)
    page.click("dialog[open] button.main")


def say_prompt(page):
    """Choose the prompt as an own text, say it into the microphone, and send it."""
    page.select_option("#set", "own")
    page.fill("#text", PROMPT[1])
    page.click("#record")
    page.wait_for_timeout(SPOKEN_MS)
    page.click("#record")
    page.wait_for_selector("#send:visible")
    page.click("#send")
    page.wait_for_selector(".timeline", timeout=PATIENCE_MS)


def test_a_spoken_sentence_is_heard_scored_opened_and_played(page):
    say_prompt(page)
    words = page.locator(".sentence .word")
    assert words.count() == 13
    assert int(page.inner_text(".overall b")) >= 75
    assert "of 100" in page.text_content("#status")
    assert page.evaluate("document.activeElement.tagName") == "H2"

    words.nth(2).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator(".word[aria-expanded=true] .text").inner_text() == "hold"
    assert page.locator(".chip").count() == 4
    page.click("summary")
    assert "exemplars of the phone" in page.inner_text(".numbers dl")
    assert "[object" not in page.inner_text("main")
    page.wait_for_selector(".turn .play")
    turn = page.locator(".turn .play").first
    turn.click()
    page.wait_for_selector(".turn .play.playing")
    turn.click()
    assert page.locator(".playing").count() == 0

    page.locator(".lane .sound").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector(".sound.playing")
    assert page.locator(".spectrogram").evaluate("(canvas) => canvas.width") > 1000
    assert page.locator(".melody .own").count() > 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def focused(page):
    """What has the focus, by its id or its name."""
    return page.evaluate("document.activeElement.id || document.activeElement.tagName")


def tab_to(page, id):
    """Press Tab until something has the focus, as somebody without a mouse does."""
    for _ in range(80):
        if focused(page) == id:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {id}")


def until(page, told):
    """Wait for what the page tells; its policy forbids Playwright's own way to do that."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(told):
        assert time.monotonic() < end, told
        page.wait_for_timeout(50)


def ask_first(page):
    """Give the microphone only when `window.allow` is called."""
    page.evaluate("""() => {
      const devices = navigator.mediaDevices;
      const open = devices.getUserMedia.bind(devices);
      devices.getUserMedia = async (wanted) => {
        await new Promise((done) => { window.allow = done; });
        window.given = await open(wanted);
        return window.given;
      };
    }""")


def wait_until_clear_of_what_is_said(page):
    """Wait until what has the focus is not covered by the line at the bottom."""
    page.wait_for_function("""() => {
      const status = document.getElementById("status").getBoundingClientRect();
      return document.activeElement.getBoundingClientRect().bottom <= status.top;
    }""")


@pytest.mark.parametrize("key", ["Space", "Enter"])
def test_a_sentence_is_said_and_sent_by_keys_alone(page, key):
    page.select_option("#set", "own")
    page.fill("#text", PROMPT[1])
    tab_to(page, "record")
    page.keyboard.press(key)
    page.wait_for_selector("#record.on")
    assert focused(page) == "record"
    assert page.get_by_role("button", name="Stop", exact=True).count() == 1
    assert page.text_content("#status").startswith("Recording.")
    page.wait_for_timeout(SPOKEN_MS)
    assert float(page.text_content("#clock").removesuffix(" s")) > 4
    page.keyboard.press(key)
    page.wait_for_selector("#send:visible")
    assert page.get_by_role("button", name="Record", exact=True).count() == 1
    assert focused(page) == "send"
    page.keyboard.press(key)
    page.keyboard.press(key)  # a tremor sends nothing twice
    assert focused(page) == "send"
    wait_until_clear_of_what_is_said(page)
    page.wait_for_selector(".timeline", timeout=PATIENCE_MS)
    assert focused(page) == "H2"
    assert page.locator("#stage[aria-busy], #send[aria-disabled]").count() == 0


def test_presses_while_the_microphone_opens_and_closes_change_nothing(page):
    ask_first(page)
    page.locator("#record").focus()
    for _ in range(3):
        page.keyboard.press("Space")
    until(page, "Boolean(window.allow)")
    page.evaluate("window.allow()")
    page.wait_for_selector("#record.on")
    page.wait_for_timeout(1000)
    page.evaluate("for (let i = 0; i < 3; i += 1) document.getElementById('record').click()")
    page.wait_for_selector("#send:visible")
    assert page.locator("#record.on").count() == 0
    assert focused(page) == "send"


def test_a_microphone_that_is_allowed_too_late_stays_shut(page):
    ask_first(page)
    page.locator("#record").focus()
    page.keyboard.press("Space")
    until(page, "Boolean(window.allow)")
    assert focused(page) == "record"
    page.click("#to-progress")
    page.evaluate("window.allow()")
    until(page, "window.given?.getTracks().every((track) => track.readyState === 'ended')")
    page.click("#to-practice")
    assert page.locator("#record.on").count() == 0
    assert page.text_content("#record .label") == "Record"


def test_a_refused_microphone_leaves_the_focus_on_the_button(page):
    page.evaluate("""() => {
      const refused = new DOMException("no", "NotAllowedError");
      navigator.mediaDevices.getUserMedia = async () => { throw refused; };
    }""")
    page.locator("#record").focus()
    page.keyboard.press("Space")
    page.wait_for_selector("#status.trouble")
    assert "not allowed" in page.text_content("#status")
    assert focused(page) == "record"
    assert page.locator("#record").is_enabled()


def test_a_refused_recording_leaves_the_focus_on_the_button(page, tmp_path):
    path = tmp_path / "note.wav"
    path.write_text("this is no sound")
    page.set_input_files("#file", path)
    page.wait_for_selector("#send:visible")
    assert focused(page) == "send"
    page.keyboard.press("Enter")
    page.wait_for_selector("#status.trouble", timeout=PATIENCE_MS)
    assert focused(page) == "send"


def test_what_is_going_on_is_always_listened_to(page):
    """A region that is hidden while it is empty is told by no screen reader when it fills."""
    until(page, "document.getElementById('status').textContent === ''")
    shown = "getComputedStyle(document.getElementById('status'))"
    assert page.evaluate(f"{shown}.visibility") == "visible"
    assert page.evaluate(f"{shown}.display") != "none"


def test_keys_keep_their_place_in_a_history(page):
    tell(page, name="Ivo", group="4c")
    page.set_input_files("#file", PROMPT_FILE)
    page.select_option("#set", "own")
    page.fill("#text", PROMPT[1])
    page.set_input_files("#file", PROMPT_FILE)
    page.wait_for_selector("#send:visible")
    page.keyboard.press("Enter")
    page.wait_for_selector(".timeline", timeout=PATIENCE_MS)
    inside = "(view) => document.getElementById(view).contains(document.activeElement)"

    listen = page.get_by_role("button", name="Hear all of it")
    listen.focus()
    page.keyboard.press("Space")
    assert listen.get_attribute("aria-pressed") == "true"
    page.keyboard.press("Space")
    assert listen.get_attribute("aria-pressed") == "false"

    page.evaluate(
        "history.pushState(null, '', '#progress'); dispatchEvent(new Event('hashchange'))"
    )
    assert focused(page) == "main"
    page.locator("#progress td button:has-text('Please hold')").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#progress .sentence .word")
    assert focused(page) == "H2"
    page.locator("text=All results").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#progress h2:has-text('Ivo')")
    assert page.evaluate(inside, "progress")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#progress td button:has-text('Delete')").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#progress:has-text('Nothing is kept')")
    assert page.evaluate(inside, "progress")


def test_of_another_text_that_alone_is_told(page):
    page.select_option("#set", "own")
    page.fill("#text", "Tomorrow we shall walk to the river.")
    page.set_input_files("#file", PROMPT_FILE)
    page.wait_for_selector("#send:visible")
    page.click("#send")
    page.wait_for_selector(".timeline", timeout=PATIENCE_MS)
    told = page.inner_text("#result")
    assert told.count("The recording is not of this text") == 1
    assert "Tomorrow we shall walk to the river" in told.partition("The text")[2]
    assert page.locator("#result").locator(".headline, .word, .legend").count() == 0
    assert "–" not in told


def test_free_speech_needs_no_text(page):
    tell(page, name="Eve")
    page.select_option("#set", "free")
    assert page.inner_text("#target") == "Say whatever you like."
    assert page.locator("#sentences").is_hidden()
    page.set_input_files("#file", PROMPT_FILE)
    page.wait_for_selector("#send:visible")
    page.click("#send")
    page.wait_for_selector(".timeline", timeout=PATIENCE_MS)
    assert page.inner_text("#result h2").startswith("Heard: “")
    assert page.locator(".sentence .word").count() >= 1
    assert "Sounds between pauses" in page.inner_text("#result")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.click("#to-progress")
    page.wait_for_selector("#progress table")
    assert "None yet" in page.inner_text("#progress")
    page.click("#progress td button:has-text('Heard: ')")
    page.wait_for_selector("#progress .sentence .word")


def test_what_it_draws_and_writes_is_what_python_draws_and_reads(page):
    whole, rate = soundfile.read(PROMPT_FILE, dtype="float32")
    assert rate == SAMPLE_RATE
    samples = np.ascontiguousarray(whole[8_000:16_000])
    greys, wav = page.evaluate(
        """async (values) => {
          const { drawSpectrogram } = await import("/spectrogram.js");
          const { wav } = await import("/recorder.js");
          const samples = Float32Array.from(values);
          const canvas = document.createElement("canvas");
          drawSpectrogram(canvas, samples);
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const file = wav(samples, 16000);
          return [
            Array.from(data).filter((_, i) => i % 4 === 0),
            Array.from(new Uint8Array(await file.arrayBuffer())),
          ];
        }""",
        samples.tolist(),
    )
    decibels = spectrogram_db(Audio(samples))[:128]  # without the row of 8 kHz itself
    drawn = np.array(greys).reshape(128, -1)[::-1]
    np.testing.assert_allclose(drawn, -255 * decibels / 60, atol=1)

    read, rate = soundfile.read(io.BytesIO(bytes(wav)), dtype="float32")
    assert rate == SAMPLE_RATE
    np.testing.assert_allclose(read, samples, atol=1 / 32_000)


def test_what_is_no_recording_is_refused_in_plain_words(page, tmp_path):
    path = tmp_path / "note.wav"
    path.write_text("this is no sound")
    page.set_input_files("#file", path)
    page.wait_for_selector("#send:visible")
    assert page.locator("#listen").is_hidden()
    page.click("#send")
    page.wait_for_selector("#status.trouble", timeout=PATIENCE_MS)
    told = page.inner_text("#status")
    assert len(told) > 20
    assert "Traceback" not in told
    assert page.locator("#send").is_enabled()


def test_words_without_a_pronunciation_are_named(page):
    page.select_option("#set", "own")
    page.fill("#text", "I say 你好 slowly")
    page.wait_for_selector("#unknown:not(:empty)")
    assert "你好" in page.inner_text("#unknown")


def test_how_a_text_is_read_is_shown_before_recording(page):
    page.select_option("#set", "own")
    page.fill("#text", "Henry VIII said xyzzyq")
    page.wait_for_selector("#reading:not(:empty)")
    told = page.inner_text("#reading")
    assert '"VIII" was read as "the eighth"' in told
    assert '"xyzzyq" is in no dictionary' in told


def test_natives_can_be_heard_and_repeated(page):
    page.wait_for_selector("#set option[value=heard]", state="attached")
    page.select_option("#set", "heard")
    page.click("#native button")
    page.wait_for_selector("#native .playing")
    assert "Native" in page.inner_text("#status")
    page.click(".say >> nth=0")
    page.wait_for_selector(".say.playing")


def test_a_history_is_kept_opened_and_deleted(page):
    tell(page, name="Ana", group="3b")
    say_prompt(page)
    page.click("#to-progress")
    page.wait_for_selector("#progress table")
    assert "1 sentence so far" in page.inner_text("#progress")
    assert page.locator("#progress table").first.locator("tbody tr").count() > 10

    page.click("#to-group")
    page.fill("#group-name", "3b")
    page.click("#group-form button")
    page.wait_for_selector("#group table")
    page.click("#group button:has-text('Ana')")
    page.wait_for_selector("#group h2:has-text('Ana')")

    page.click("#to-progress")
    page.click("#progress button:has-text('Please hold')")
    page.wait_for_selector("#progress .sentence .word")
    assert "was not kept" in page.inner_text("#progress")

    page.click("text=All results")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#progress td button:has-text('Delete')")
    page.wait_for_selector("#progress:has-text('Nothing is kept')")


def test_a_key_is_asked_for_once_where_one_is_needed(browser, tmp_path):
    from nativeear.service.database.keys import NewKey
    from nativeear.service.database.store import Store

    store = Store.open(f"sqlite:///{tmp_path / 'page.db'}")
    try:
        _, secret = store.create_key(NewKey(name="class", scopes=("assess", "read")))
    finally:
        store.close()
    with serving(tmp_path) as where:
        context = browser.new_context()
        opened = context.new_page()
        opened.goto(where)
        opened.wait_for_selector("#key[open]")
        opened.fill("#secret", "nek_wrong")
        opened.keyboard.press("Enter")
        opened.wait_for_selector("#refused:visible")
        opened.fill("#secret", secret)
        opened.keyboard.press("Enter")
        opened.wait_for_selector("#sentences button")
        opened.reload()
        opened.wait_for_selector("#sentences button")
        assert opened.locator("#key[open]").count() == 0
        context.close()
