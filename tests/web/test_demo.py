"""`nativeear web-demo`: a page of static files that hears in Chromium, and lets nothing out."""

import subprocess
from pathlib import Path

import pytest

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.browser.demo import write_demo
from nativeear.speech.errors import InputError
from tests.support.browser import NODE, WEB, chromium, hosted, needs_package
from tests.support.served import ROOT

PROMPT = ROOT / "service" / "data" / "vm-msgsaved.flac"


def test_a_package_that_is_not_built_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    index = PhoneIndex.open(ROOT / "indexes" / "en-US")
    with pytest.raises(InputError, match="does not hold the package"):
        write_demo(index, tmp_path, tmp_path / "site")
    assert not (tmp_path / "site").exists()


@needs_package
def test_the_page_hears_a_recording_and_sends_nothing(tmp_path: Path) -> None:
    assert NODE is not None
    subprocess.run([NODE, "build.mjs"], check=True, cwd=WEB)
    site = tmp_path / "site"
    write_demo(PhoneIndex.open(ROOT / "indexes" / "en-US"), WEB / "dist", site)
    with chromium() as browser, hosted(site, {}) as url:
        page = browser.new_page()
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.method))
        page.goto(url)
        page.wait_for_selector("#record:not([disabled])", timeout=300_000)
        page.set_input_files("#file", PROMPT)
        page.wait_for_selector("#words li", timeout=300_000)
        assert "Pronunciation:" in page.inner_text("#told")
        words = page.locator("#words li").all_inner_texts()
        assert [word.split()[0] for word in words] == ["Your", "message", "has", "been", "saved"]
        assert set(sent) == {"GET"}
        page.fill("#text", "Colourless zyxwv sleeps")
        page.set_input_files("#file", [])
        page.set_input_files("#file", PROMPT)
        page.wait_for_function("document.getElementById('told').textContent.includes('zyxwv')")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.context.set_offline(True)
        page.reload()
        page.wait_for_selector("#record:not([disabled])", timeout=300_000)
        assert page.evaluate("crossOriginIsolated")
        page.set_input_files("#file", PROMPT)
        page.wait_for_selector("#words li", timeout=300_000)
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 700})
            inner = page.evaluate("document.documentElement.scrollWidth")
            assert inner <= width
