"""`nativeear serve --in-browser`: the page hears by itself in Chromium, and sends no speech."""

import shutil
import subprocess
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
import soxr

from nativeear.service.demo import PROMPT
from tests.support.served import ROOT, serving

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

WEB = ROOT / "web"
NODE = shutil.which("node")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
RATE = 48_000
PATIENCE_MS = 300_000

pytestmark = pytest.mark.skipif(
    NODE is None or CHROMIUM is None or not (WEB / "node_modules").is_dir(),
    reason="Node, Chromium, or what `npm install` brings into web/, is not there",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    subprocess.run([NODE, "build.mjs"], check=True, cwd=WEB)
    folder = tmp_path_factory.mktemp("service")
    data = {"XDG_DATA_HOME": str(folder / "data")}
    with serving(folder, "--in-browser", str(WEB / "dist"), environment=data) as served:
        yield f"{served.url}/"


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    samples, rate = soundfile.read(ROOT / "service" / "data" / PROMPT[0])
    path = tmp_path_factory.mktemp("microphone") / "prompt.wav"
    speech = soxr.resample(samples, rate, RATE)
    whole = np.concatenate([np.zeros(round(0.4 * RATE)), speech, np.zeros(10 * RATE)])
    soundfile.write(path, whole, RATE, subtype="PCM_16")
    return path


@pytest.fixture
def page(url, spoken):
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={spoken}%noloop",
            ],
        )
        opened = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        yield opened
        browser.close()


def test_a_spoken_sentence_is_heard_here_and_no_audio_is_sent(page, url):
    sent, sockets, complaints = [], [], []
    page.on(
        "request", lambda request: sent.append((request.method, request.url, request.post_data))
    )
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    page.wait_for_selector("#model button", timeout=PATIENCE_MS)
    page.click("#other")
    page.select_option("#set", "own")
    page.fill("#text", PROMPT[1])
    page.click("#take-text")
    page.wait_for_selector("#speak:enabled")
    page.wait_for_selector("#device:not([hidden])")
    assert page.inner_text("#device") == "Heard on this device: your speech is not sent."
    page.click("#speak")
    page.wait_for_selector("#result .first", timeout=PATIENCE_MS)
    assert "#result/device-" in page.url
    assert int(page.inner_text(".overall b")) >= 75
    assert page.locator(".sentence .word").count() == 13
    page.click(".measured > summary")
    page.wait_for_selector(".melody .own", timeout=PATIENCE_MS)
    assert page.evaluate("crossOriginIsolated")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    assert not sockets
    assert not [each for each in sent if each[1].endswith("/v1/assessments")]
    bodies = [body for method, _, body in sent if method not in ("GET", "HEAD")]
    assert all(body is None or len(body) < 1000 for body in bodies)  # texts, at most
    assert complaints == []

    page.reload()
    page.wait_for_selector("#result .first", timeout=PATIENCE_MS)  # it was kept in this browser


def test_a_pack_is_given_in_ranges_and_kept(url):
    offered = httpx.get(f"{url}in-browser/offer.json").json()
    folder = f"{url}in-browser/{offered['packs']['en-US']}"
    told = httpx.get(f"{folder}pack.json")
    assert told.headers["cache-control"] == "no-cache"
    encoder = told.json()["files"]["encoder"]
    part = httpx.get(folder + encoder["path"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, len(part.content)) == (206, 10)
    whole = httpx.get(folder + encoder["path"])
    assert len(whole.content) == encoder["bytes"]
    assert "immutable" in whole.headers["cache-control"]
    assert "content-encoding" not in whole.headers
    assert whole.content[10:20] == part.content


def test_a_service_that_does_not_offer_it_says_so():
    assert not (Path("service/page") / "in-browser" / "nativeear").exists()
    assert (ROOT / "service/page/in-browser/offer.json").read_text() == '{"packs": {}}\n'
