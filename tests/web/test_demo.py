"""`nativeear web-demo`: a page of static files that hears in Chromium, and lets nothing out."""

import json
import shutil
from pathlib import Path

import pytest

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.browser.demo import write_demo
from nativeear.speech.errors import InputError
from tests.support.browser import chromium, hosted, needs_package
from tests.support.served import ROOT

PROMPT = ROOT / "service" / "data" / "vm-msgsaved.flac"


def test_a_package_that_is_not_built_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    index = PhoneIndex.open(ROOT / "indexes" / "en-US")
    with pytest.raises(InputError, match="does not hold the package"):
        write_demo(index, tmp_path, tmp_path / "site")
    assert not (tmp_path / "site").exists()


@needs_package
def test_the_page_hears_a_recording_and_sends_nothing(demo: Path) -> None:
    with chromium() as browser, hosted(demo, {}) as url:
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


KEPT = """async () => {
  const kept = await caches.open("nativeear-demo");
  return (await kept.keys()).map(({ url }) => url.split("/").pop());
}"""


@needs_package
def test_a_new_pack_takes_the_place_of_the_old_one_once_it_is_whole(
    demo: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    shutil.copytree(demo, site)
    manifest = site / "pack" / "pack.json"
    told = json.loads(manifest.read_text(encoding="utf-8"))
    file = told["files"]["advice"]
    old = file["path"]
    new = old.replace(old.split(".")[1], "0123456789abcdef")
    with chromium() as browser, hosted(site, {}) as url:
        page = browser.new_page()

        def opened() -> list[str]:
            page.goto(url)
            page.wait_for_function("told.textContent !== 'Fetching the native speech …'")
            names: list[str] = page.evaluate(KEPT)
            return names

        page.goto(url)
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        assert old in opened()
        told["files"]["advice"] = file | {"path": new}
        manifest.write_text(json.dumps(told), encoding="utf-8")
        assert {old, new} & set(opened()) == {old}  # it is not there yet: the old one stays whole
        page.context.set_offline(True)
        opened()
        assert page.inner_text("#told") == "Ready."
        page.context.set_offline(False)
        (site / "pack" / old).rename(site / "pack" / new)
        assert {old, new} & set(opened()) == {new}
        assert page.inner_text("#told") == "Ready."
        page.context.set_offline(True)
        opened()
        assert page.inner_text("#told") == "Ready."
