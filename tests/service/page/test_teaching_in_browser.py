"""A teacher and a learner of his in headless Chromium, from an invitation to a corpus of labels."""

import csv
import json
import os
import subprocess
import sys
import zipfile

import pytest

from nativeear.service.demo import PROMPT
from tests.support.browser import chromium
from tests.support.page import (
    PATIENCE_MS,
    PHONE,
    PROMPT_FILE,
    complaints_of_axe,
    tab_to,
    teacher_of,
    until,
    wait_for_result,
)
from tests.support.served import serving

DESK = (1280, 900)


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


class Visitor:
    """Somebody's browser; whatever its console complains of is kept."""

    def __init__(self, browser, size):
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda asked: asked.accept())


class Class:
    """A service with a teacher who has come in, and a learner who has come by his link."""

    def __init__(self, browser, where, code):
        self.teacher = Visitor(browser, DESK)
        self.learner = Visitor(browser, PHONE)
        self.where, self.code = where, code
        teacher, learner = self.teacher.page, self.learner.page
        teacher.goto(where)
        teacher.fill("#secret", code)
        teacher.keyboard.press("Enter")
        teacher.wait_for_selector("#you:has-text('Ms Adams')")
        teacher.click("#to-group")
        teacher.fill("#group form input", "3b")
        teacher.keyboard.press("Enter")
        teacher.wait_for_selector("#group h2:has-text('3b')")
        self.group = teacher.url.rpartition("/")[2]
        link = self.invite()
        learner.goto(link)
        learner.fill("#called", "Ana")
        learner.keyboard.press("Enter")
        learner.click("#welcome[open] button")
        learner.wait_for_selector("#model button")

    def invite(self):
        """The link of a code for the whole group."""
        page = self.teacher.page
        page.click(".invites summary")
        page.click("text=Make a code for the group")
        return page.inner_text(".slip .address")


@pytest.fixture(scope="module")
def school(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("school")
    code = teacher_of(folder)
    with serving(folder) as served:
        made = Class(browser, f"{served.url}/", code)
        yield made
        for visitor in (made.teacher, made.learner):
            visitor.context.close()
            assert not [text for text in visitor.complaints if "status of 4" not in text]


def looked_at(page, name):
    """Hold what is seen to the rules: nothing is wider than the page, and axe is content."""
    width = page.viewport_size["width"]
    for size in (PHONE, DESK):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
        assert complaints_of_axe(page) == [], name
    page.set_viewport_size({"width": width, "height": PHONE[1]})


def at(page, school, *rest):
    page.goto(f"{school.where}#group/" + "/".join(rest))
    page.reload()
    page.wait_for_selector("#group .trail")


def test_a_class_from_the_invitation_to_the_corpus(school, tmp_path):
    teacher, learner = school.teacher.page, school.learner.page
    looked_at(teacher, "a group with its code")

    # A code for each name.
    teacher.fill(".invites textarea", "Ben\n\n Cy ")
    teacher.click("text=Make a code for each name")
    until(teacher, "document.querySelectorAll('.slip').length === 2")
    assert "Ben" in teacher.inner_text(".slip >> nth=0")
    assert "#join=" in teacher.inner_text(".slip >> nth=1")
    at(teacher, school, school.group)
    teacher.wait_for_selector("#group table")
    names = teacher.locator("#group table >> nth=0").locator("tbody th")
    assert names.all_inner_texts() == ["Ana", "Ben", "Cy"]
    assert "not yet" in teacher.inner_text("#group table")

    # Sentences of one's own, by keys alone.
    teacher.goto(f"{school.where}#group/sets")
    teacher.wait_for_selector("#group form textarea")
    looked_at(teacher, "sets, none yet")
    teacher.locator("#group form input").focus()
    teacher.keyboard.type("On the phone")
    teacher.keyboard.press("Tab")
    teacher.keyboard.type(f"{PROMPT[1]}\nI think xyzzyq so 你.")
    teacher.keyboard.press("Tab")
    teacher.wait_for_selector("#group .trouble:has-text('你')")
    teacher.fill("#group form textarea", f"{PROMPT[1]}\nI think so.")
    teacher.keyboard.press("Tab")
    teacher.keyboard.press("Enter")
    teacher.wait_for_selector(".lines:has-text('On the phone')")
    looked_at(teacher, "sets")
    teacher.click(".lines a")
    teacher.wait_for_selector("#group h2:has-text('Change this set')")
    teacher.fill("#group form input", "On the telephone")
    teacher.click("#group form button")
    teacher.wait_for_selector(".lines:has-text('On the telephone')")

    # Homework with a date.
    at(teacher, school, school.group)
    teacher.fill("input[type=date]", "2031-05-06")
    teacher.click("text=Give as homework")
    teacher.wait_for_selector(".homework:has-text('0 of 3 learners have finished')")
    assert "May 6, 2031" in teacher.inner_text(".homework")
    teacher.click(".homework summary")
    looked_at(teacher, "a group with homework")

    # The learner meets it first, and it is marked as it is said.
    learner.evaluate("localStorage.setItem('nativeear-keep', 'yes')")
    learner.goto(school.where)
    learner.reload()
    learner.wait_for_selector("#task:visible")
    assert "Homework: On the telephone" in learner.inner_text("#set-name")
    assert "0 of 2 said" in learner.inner_text("#task")
    assert "Please hold" in learner.text_content("#target")
    looked_at(learner, "homework first")
    learner.set_input_files("#file", PROMPT_FILE)
    wait_for_result(learner)
    result = learner.url.rpartition("/")[2]
    learner.click("text=Next")
    learner.wait_for_selector("#task:has-text('1 of 2 said')")
    learner.click("#other")
    learner.wait_for_selector("#sentences button:has-text('said')")
    looked_at(learner, "homework in the drawer")
    learner.click("#chooser button:has-text('Close')")
    learner.reload()
    learner.wait_for_selector("#task:has-text('1 of 2 said')")
    assert "I think so" in learner.text_content("#target")

    # The teacher sees how it went.
    at(teacher, school, school.group)
    teacher.wait_for_selector(".homework:has-text('0 of 3')")
    row = teacher.locator("#group table >> nth=0").locator("tbody tr >> nth=0").inner_text()
    assert "not yet" not in row
    assert teacher.locator("#group .heat").count() == 1
    looked_at(teacher, "a group that has spoken")
    teacher.click("#group tbody a:has-text('Ana')")
    teacher.wait_for_selector("#group h2:has-text('Ana')")
    looked_at(teacher, "a learner")
    assert teacher.locator("#group button:has-text('Delete')").count() == 0
    teacher.click("#group td button:has-text('Please hold')")
    teacher.wait_for_selector("#group .sentence .word", timeout=PATIENCE_MS)
    assert teacher.url.endswith(f"{school.group}/{teacher.url.split('/')[-2]}/{result}")

    # He hears it beside the native.
    teacher.click("#group .hearing .play:has-text('Ana')")
    teacher.wait_for_selector("#group .hearing .play.playing")
    teacher.click("#group .word >> nth=4")
    teacher.wait_for_selector("#group .listening li")
    teacher.wait_for_selector("#group .turn button:has-text('Ana and native in turn')")
    assert teacher.locator("#group .listening li >> nth=0").inner_text().startswith("Ana")

    # He puts a verdict right by keys alone, and agrees with the rest.
    radio = teacher.locator("#group .ear input >> nth=1")
    radio.focus()
    teacher.keyboard.press("ArrowDown")
    teacher.keyboard.press("ArrowDown")
    teacher.wait_for_selector(".ear-card li:has-text('another sound was heard')")
    teacher.select_option("#group .ear select", "S")
    teacher.wait_for_selector(".ear-card li b:has-text('s')")
    looked_at(teacher, "a result with a verdict put right")
    teacher.click("text=All others are as shown")
    until(teacher, "document.querySelector('.ear-card button').hidden")
    told = teacher.inner_text(".ear-card [role=status]")
    assert told.split()[3] == told.split()[5]  # of all that were judged
    teacher.reload()
    teacher.wait_for_selector(".ear-card li:has-text('another sound was heard')")

    # He writes a comment; the learner reads both.
    teacher.fill("#group .comments-card textarea", "Well done, Ana.\nMind the end.")
    teacher.click("#group .comments-card button:has-text('Send')")
    teacher.wait_for_selector(".comments li")
    looked_at(teacher, "a result with a comment")
    learner.goto(f"{school.where}#result/{result}")
    learner.reload()
    learner.wait_for_selector(".from-teacher")
    said = learner.inner_text(".from-teacher")
    assert "Mind the end." in said
    assert "another sound was heard" in said
    assert "Ms Adams" in said
    looked_at(learner, "what a teacher said")

    # What is printed is headed by name, sentence and date.
    teacher.evaluate("window.print = () => { window.printed = true; }")
    teacher.click("text=Print this result")
    assert teacher.evaluate("window.printed")
    teacher.emulate_media(media="print")
    heading = teacher.inner_text(".letterhead")
    assert heading.startswith("Ana")
    assert "Please hold" in heading
    assert "20" in heading
    assert teacher.locator("body > header").is_hidden()
    assert teacher.locator(".comments").is_visible()
    assert teacher.locator(".comments-card form").is_hidden()
    teacher.emulate_media(media="screen")
    teacher.evaluate("dispatchEvent(new Event('afterprint'))")

    # Tables, and the corpus that `nativeear eval` reads.
    at(teacher, school, school.group)
    with teacher.expect_download() as saved:
        teacher.click("#group .card >> nth=0 >> text=Save as CSV")
    with saved.value.path().open(encoding="utf-8", newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert rows["Ana"]["count"] == "1"
    teacher.goto(f"{school.where}#group")
    teacher.wait_for_selector("text=Save as a zip file")
    looked_at(teacher, "groups")
    with teacher.expect_download() as saved:
        teacher.click("text=Save as a zip file")
    with zipfile.ZipFile(saved.value.path()) as archive:
        archive.extractall(tmp_path)
    measured = subprocess.run(
        [sys.executable, "-m", "nativeear", "eval", "manifest", "--data", "en-US", "--json"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )
    found = json.loads(measured.stdout)
    assert found["corpus"]["set_aside"] == []
    assert found["counts"]["phones"] == int(told.split()[3])
    assert found["counts"]["mispronounced"] == 1  # what the machine takes for right
    assert found["counts"]["false_acceptances"] == 1


def test_addresses_are_kept_and_lead_back(school):
    page = school.teacher.page
    page.goto(f"{school.where}#group")
    page.wait_for_selector("#group a:has-text('3b')")
    page.click("#group a:has-text('3b')")
    page.wait_for_selector("#group h2:has-text('3b')")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    page.click("#group tbody a:has-text('Ben')")
    page.wait_for_selector("#group:has-text('Ben has not said anything yet')")
    page.reload()
    page.wait_for_selector("#group:has-text('Ben has not said anything yet')")
    page.go_back()
    page.wait_for_selector("#group h2:has-text('3b')")
    page.click(".trail a")
    page.wait_for_selector("#group h2:has-text('Your groups')")


def test_a_learner_gets_a_new_code_and_leaves(school):
    page = school.teacher.page
    at(page, school, school.group)
    page.click("#group tbody a:has-text('Cy')")
    page.wait_for_selector("text=New code")
    page.click("text=New code")
    page.wait_for_selector("#group .code")
    looked_at(page, "a learner with a new code")
    page.click("text=Take out of the group")
    page.wait_for_selector("#group h2:has-text('3b')")
    until(page, "!document.querySelector('#group table').textContent.includes('Cy')")


def test_all_of_a_group_is_reached_by_keys(school):
    page = school.teacher.page
    at(page, school, school.group)
    page.wait_for_selector("#group table")
    page.evaluate("document.querySelectorAll('#group details').forEach((d) => { d.open = true; })")
    page.evaluate(
        "document.querySelectorAll('#group :is(a, button, input, textarea, select)')"
        ".forEach((each, i) => { each.id ||= `control-${i}`; })"
    )
    last = page.evaluate(
        "[...document.querySelectorAll('#group :is(a, button, input, textarea, select)')].at(-1).id"
    )
    page.locator("#to-group").focus()
    tab_to(page, last)
