"""What somebody does on the service's page in a browser."""

import time
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pytest

from nativeear.service.database.people_store import People
from nativeear.service.database.store import Store
from nativeear.service.demo import PROMPT

PROMPT_FILE = Path(str(files("nativeear.service"))) / "data" / PROMPT[0]
PHONE = (390, 844)
PATIENCE_MS = 60_000
AXE = (
    Path(find_spec("axe_core_python").origin).with_name("axe.min.js")
    if find_spec("axe_core_python")
    else None
)


def teacher_of(folder):
    """The code of a teacher, Ms Adams, of the service that is served from a folder."""
    store = Store.open(f"sqlite:///{folder / 'service.db'}")
    code = People(store).create("teacher", "Ms Adams", expires_at=None)[1]
    store.close()
    return code


def tell(page, **fields):
    page.click("#you")
    for name, value in fields.items():
        page.fill(f"dialog [name={name}]", value)
    page.click("dialog[open] button.main")


def write(page, text):
    """Choose a text of one's own."""
    page.click("#other")
    page.select_option("#set", "own")
    page.fill("#text", text)
    page.click("#take-text")
    page.wait_for_selector("#speak:enabled")


def wait_for_result(page):
    page.wait_for_selector("#result .first", timeout=PATIENCE_MS)


def say_prompt(page):
    """Choose the prompt as an own text, and say it: it ends, and is sent, by itself."""
    write(page, PROMPT[1])
    page.click("#speak")
    wait_for_result(page)


def send_file(page, path, text=PROMPT[1]):
    """Choose a text and a file instead of speaking."""
    write(page, text)
    page.set_input_files("#file", path)


def complaints_of_axe(page):
    """What axe finds wrong, as short sentences; where axe is not installed the test is skipped."""
    if AXE is None:
        pytest.skip("axe-core-python is not installed: nothing was looked for")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    return [
        f"{each['id']}: {[node['target'] for node in each['nodes']]}"
        for each in found["violations"]
    ]


def focused(page):
    """What has the focus, by its id or its name."""
    return page.evaluate("document.activeElement.id || document.activeElement.tagName")


def focused_class(page):
    return page.evaluate("document.activeElement.className")


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
