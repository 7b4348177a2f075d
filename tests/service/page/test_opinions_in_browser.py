"""What models elsewhere say, on the page in headless Chromium, and that a learner may forbid it."""

import json
import sqlite3
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest

from nativeear.scoring.language_use import Correction, LanguageUse
from tests.support.judging import MODEL, judging
from tests.support.page import (
    PATIENCE_MS,
    PROMPT_FILE,
    complaints_of_axe,
    say_prompt,
    send_file,
    wait_for_result,
)
from tests.support.served import serving

SENT = LanguageUse(
    model="a-model-that-reads",
    grammar=70,
    vocabulary=None,
    relevance=None,
    corrections=(Correction(said="message", better="<b>messages", why="There are two."),),
    remarks=("Well told.",),
)


@pytest.fixture(scope="module")
def endpoint():
    with judging() as there:
        yield there


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def url(folder, endpoint):
    with serving(folder, "--judge", f"{endpoint[0]}/good/v1") as served:
        yield f"{served.url}/"


def test_a_second_ear_stands_beside_ours_with_its_name(page, endpoint):
    before = len(endpoint[1])
    send_file(page, PROMPT_FILE)
    wait_for_result(page)
    assert len(endpoint[1]) == before + 1
    opinion = page.locator(".opinion")
    assert opinion.count() == 1
    assert opinion.inner_text().startswith("What another model heard")
    assert f"{MODEL} heard this recording, too." in opinion.inner_text()
    assert rows_of(opinion.locator("table").first) == [
        ["", "Its opinion", "Ours"],
        ["Overall", "70", page.inner_text(".overall b")],
    ]
    opinion.get_by_text("Word by word").click()
    words = rows_of(opinion.locator("table").last)[1:]
    assert [word[1] for word in words] == ["60"] * page.locator("#result .word").count()
    assert complaints_of_axe(page) == []


def rows_of(table):
    return [row.split("\t") for row in table.locator("tr").all_inner_texts()]


def test_a_learner_may_forbid_it(page, endpoint):
    page.click("#you")
    assert urlsplit(endpoint[0]).netloc in page.inner_text("#here")
    page.check("dialog [name=here]")
    page.click("dialog[open] button.main")
    before = len(endpoint[1])
    send_file(page, PROMPT_FILE)
    wait_for_result(page)
    assert page.locator(".opinion").count() == 0
    page.click("#to-practice")
    say_prompt(page)  # and none of a stream
    assert page.locator(".opinion").count() == 0
    assert len(endpoint[1]) == before


def test_the_use_of_language_is_shown_as_what_a_model_thinks(page, url, folder):
    """A kept result, to which is added what a language model would have said."""
    send_file(page, PROMPT_FILE)
    wait_for_result(page)
    kept = httpx.get(url + "v1/assessments?limit=1").json()["items"][0]["id"]
    result = httpx.get(f"{url}v1/assessments/{kept}").json()
    result["language_use"] = SENT.model_dump(mode="json")
    with closing(sqlite3.connect(folder / "service.db")) as database, database:
        told = (json.dumps(result), kept)
        database.execute("UPDATE assessments SET result = ? WHERE id = ?", told)
    page.evaluate(
        "indexedDB.databases().then((all) => all.map(({ name }) => indexedDB.deleteDatabase(name)))"
    )
    page.goto(f"{url}?again#result/{kept}")
    wait_for_result(page)
    told = page.locator(".opinion").last.inner_text()
    assert told.startswith("Grammar and words")
    assert "a-model-that-reads, a language model, read the words" in told
    assert "Grammar\t70" in told
    assert "Vocabulary" not in told
    assert "“message” → “<b>messages” There are two." in told
    assert "Well told." in told


def test_a_topic_goes_with_free_speech_where_words_are_read(page, url):
    """This service has no such model, and says so of a topic: the page has sent it."""

    def with_reader(route):
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "language_use": "reader.example"})

    page.route("**/v1/me", with_reader)
    page.goto(f"{url}?reads")
    page.wait_for_selector("#model button")
    assert page.locator("#topic").is_hidden()
    page.click("#other")
    page.select_option("#set", "free")
    page.wait_for_selector("#topic:visible")
    assert complaints_of_axe(page) == []
    page.fill("#topic input", "My holiday")
    page.set_input_files("#file", PROMPT_FILE)
    page.wait_for_selector("#status.trouble", timeout=PATIENCE_MS)
    assert "tells nothing of the use of language" in page.text_content("#status")
