"""The page of a running service in Chromium, whose microphone hears a packaged prompt."""

import re

import pytest

from tests.support.browser import chromium, for_microphone
from tests.support.page import PHONE, PROMPT_FILE
from tests.support.served import serving


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    path = tmp_path_factory.mktemp("microphone") / "prompt.wav"
    with chromium(for_microphone(path, PROMPT_FILE)) as opened:
        yield opened


@pytest.fixture(scope="module")
def url(browser, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("service")) as served:
        yield f"{served.url}/"


@pytest.fixture
def page(browser, url):
    """The page as it is first seen; whatever the console complains of fails the test."""
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    opened = context.new_page()
    complaints = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(url)
    opened.wait_for_selector("#model button")
    yield opened
    context.close()
    expected = re.compile(r"status of 4\d\d")  # what the browser itself says of an answer
    assert not [text for text in complaints if not expected.search(text)]
