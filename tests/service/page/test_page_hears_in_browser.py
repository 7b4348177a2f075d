"""`nativeear serve --in-browser`: the page hears by itself in Chromium, and sends no speech."""

import subprocess
from pathlib import Path

import httpx
import pytest

from nativeear.service.demo import PROMPT
from tests.support.browser import NODE, WEB, chromium, for_microphone, needs_package
from tests.support.page import PROMPT_FILE
from tests.support.served import ROOT, serving

PATIENCE_MS = 300_000

pytestmark = needs_package


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    subprocess.run([NODE, "build.mjs"], check=True, cwd=WEB)
    folder = tmp_path_factory.mktemp("service")
    data = {"XDG_DATA_HOME": str(folder / "data")}
    with serving(folder, "--in-browser", str(WEB / "dist"), environment=data) as served:
        yield f"{served.url}/"


@pytest.fixture
def page(url, tmp_path):
    with chromium(for_microphone(tmp_path / "prompt.wav", PROMPT_FILE)) as browser:
        yield browser.new_context(viewport={"width": 390, "height": 844}).new_page()


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

    page.click("#to-progress")
    page.wait_for_selector("#progress td button", timeout=PATIENCE_MS)
    assert "on this device" in page.inner_text("#progress")
    assert page.locator("#progress th.ipa, #progress b.ipa").count() > 10
    page.on("dialog", lambda dialog: dialog.accept())
    page.click(f"#progress td button:has-text('{PROMPT[1]}')")
    page.wait_for_selector("#progress .sentence .word", timeout=PATIENCE_MS)
    page.click("#progress .result ~ * button, #progress > div button")
    page.click("#progress td.end button")
    page.wait_for_function("!document.querySelector('#progress td')", timeout=PATIENCE_MS)
    assert not [each for each in sent if "assessments/device-" in each[1] and each[0] != "GET"]


OLD = "in-browser/packs/en-US-0/encoder.onnx"
KEPT = "caches.open('nativeear-1').then((kept) => kept.keys())"


def test_a_pack_that_is_offered_no_more_is_kept_no_more(page, url):
    page.goto(url)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    page.wait_for_selector("#device:not([hidden])", timeout=PATIENCE_MS)
    page.evaluate(f"caches.open('nativeear-1').then((kept) => kept.put('{OLD}', new Response('')))")
    page.reload()
    page.wait_for_selector("#device:not([hidden])", timeout=PATIENCE_MS)
    page.evaluate("fetch('in-browser/offer.json').then((answer) => answer.json())")
    kept = page.evaluate(f"{KEPT}.then((found) => found.map(({{ url }}) => url))")
    assert f"{url}{OLD}" not in kept
    assert f"{url}in-browser/offer.json" in kept


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
