"""A teacher's page where something is odd: names, two tabs, ends of sessions, no network, paper."""

import httpx
import pytest

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.feedback.sentences import sentence
from nativeear.service.demo import PROMPT
from tests.support.browser import chromium
from tests.support.page import (
    PATIENCE_MS,
    PROMPT_FILE,
    complaints_of_axe,
    teacher_of,
    until,
    wait_for_result,
)
from tests.support.served import serving

NAMES = (
    "<script>window.ran = true</script>",
    "Pneumonoultramicroscopicsilicovolcanoconiosis" * 2,
    "ليلى بنت عبد الرحمن",
    '{name} {count} & "quoted" \u202eevil',
)
SLIP = PROMPT[1].replace("hold", "fold")  # what the prompt does not say
DESK = {"width": 1280, "height": 900}


class Program:
    """Somebody who is signed in by a program, not by the page."""

    def __init__(self, where, code):
        self._client = httpx.Client(base_url=where, timeout=120)
        self.me = self._client.post("/v1/join", json={"code": code, "name": None}).json()

    def ask(self, method, path, **sent):
        answer = self._client.request(
            method, f"/v1/{path}", headers={"X-CSRF-Token": self.me["csrf"]}, **sent
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


class School:
    """A service with a teacher, a group of odd names, and a result with a slip."""

    def __init__(self, where, code):
        self.where, self.code = f"{where}/", code
        self.teacher = Program(where, code)
        self.group = self.made("groups", name=NAMES[0])["id"]
        people = [
            self.made("people", role="learner", name=name, group=self.group) for name in NAMES
        ]
        title = {"title": "W" * 100, "language": "en-US", "sentences": ["Wow" * 80, SLIP]}
        due = {"set": self.made("sets", **title)["id"], "due": None}
        self.made(f"groups/{self.group}/homework", **due)
        self.learner_code = people[1]["code"]["code"]
        learner = Program(where, self.learner_code)
        self.learner = learner.me["id"]
        sent = {"text": SLIP, "group": self.group, "keep_audio": "true"}
        self.result = learner.ask(
            "POST", "assessments", files={"audio": PROMPT_FILE.read_bytes()}, data=sent
        )

    def made(self, path, **what):
        return self.teacher.ask("POST", path, json=what)


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def school(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("school")
    code = teacher_of(folder)
    with serving(folder) as served:
        yield School(served.url, code)


def come_in(page, school, code):
    page.goto(school.where)
    page.fill("#secret", code)
    page.keyboard.press("Enter")
    until(page, "!document.getElementById('key').open")


@pytest.fixture
def context(browser, request):
    opened = browser.new_context(viewport=DESK, locale=getattr(request, "param", "en-US"))
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context, school):
    opened = context.new_page()
    opened.on("dialog", lambda asked: asked.accept())
    come_in(opened, school, school.code)
    return opened


def at(page, school, *rest):
    page.goto(f"{school.where}#group/" + "/".join(rest))
    page.reload()
    page.wait_for_selector("#group .card")


def on_paper(page):
    """Print what is shown, and see it as paper does."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})


def test_odd_names_break_nothing_and_are_text(page, school):
    at(page, school, school.group)
    page.wait_for_selector("#group table")
    page.evaluate("document.querySelectorAll('#group details').forEach((d) => { d.open = true; })")
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert complaints_of_axe(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    narrowest = "Math.min(...[...document.querySelectorAll('.members a')]"
    narrowest += ".map((name) => name.closest('th').clientWidth))"
    assert page.evaluate(narrowest) >= 120  # a name is read, not spelt downwards
    assert set(NAMES) <= set(page.locator(".members th a").all_inner_texts())
    assert page.evaluate("window.ran ?? null") is None

    at(page, school, school.group, school.learner, school.result["id"])
    page.click("#group .word >> nth=3")
    page.wait_for_selector("#group .turn .play")
    wider = "[...document.querySelectorAll('#group .sounds, #group .card')]"
    wider += ".filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.innerText)"
    assert page.evaluate(wider) == []


def test_a_name_from_right_to_left_turns_nothing_around_it(page):
    told = page.evaluate("""async (name) => {
      const { t } = await import("/texts.js");
      return [t("pupil.code", { name }), t("pupil.code", { name: "Ana" })];
    }""", NAMES[2])  # fmt: skip
    assert f"\u2068{NAMES[2]}\u2069" in told[0]
    assert "\u2068" not in told[1]


def test_what_is_gone_is_told(page, context, school):
    group = school.made("groups", name="to go")["id"]
    at(page, school, group)
    school.teacher.ask("DELETE", f"groups/{group}")
    page.click(".invites summary")
    page.click("text=Make a code for the group")
    page.wait_for_selector("#status:has-text('not there any more')")
    page.fill(".invites textarea", "Ben\nCy")
    page.click("text=Make a code for each name")
    page.wait_for_selector("#status.trouble")
    assert page.input_value(".invites textarea") == "Ben\nCy"
    for rest in ((group,), (school.group, "nobody"), (school.group, school.learner, "nothing"),
                 ("sets", "none")):  # fmt: skip
        at(page, school, *rest)
        assert "not there any more" in page.inner_text("#group")
        assert complaints_of_axe(page) == []
    assert page.locator("text=New code").count() == 0


def test_who_has_said_nothing_is_not_told_to_speak_to_his_teacher(page, school):
    person = school.made("people", role="learner", name="Di", group=school.group)["person"]
    at(page, school, school.group, person["id"])
    page.wait_for_selector("#group:has-text('Di has not said anything yet.')")


def test_a_press_too_many_makes_nothing_twice(page, school):
    at(page, school)
    page.fill("#group form input", "once")
    page.locator("#group form button").dblclick()
    page.wait_for_selector("#group h2:has-text('once')")
    at(page, school)
    assert page.locator("#group .lines a:has-text('once')").count() == 1


def test_those_who_came_in_have_their_codes_whatever_becomes_of_the_rest(page, school):
    group = school.made("groups", name="half")["id"]
    at(page, school, group)
    page.click(".invites summary")
    page.fill(".invites textarea", "Ed\nFay\nGus")
    page.route("**/v1/people", lambda way: (
        way.abort() if "Fay" in way.request.post_data else way.continue_()
    ))  # fmt: skip
    page.click("text=Make a code for each name")
    page.wait_for_selector(".slip")
    assert page.locator(".slip h4").all_inner_texts() == ["Ed"]
    assert page.input_value(".invites textarea") == "Fay\nGus"
    assert "cannot be reached" in page.inner_text("#status")


@pytest.mark.parametrize("context", ["de"], indirect=True)
def test_a_session_that_ends_is_told_plainly_and_gone_on_with(page, context, school):
    at(page, school, school.group, school.learner, school.result["id"])
    page.wait_for_selector(".comments-card textarea")
    page.fill(".comments-card textarea", "Weiter so.")
    context.clear_cookies()
    send = ".comments-card button.main"
    page.click(send)
    page.wait_for_selector("#key[open]")
    page.click("#key .quiet")
    page.wait_for_selector("#status:has-text('Dafür musst du angemeldet sein.')")
    assert page.get_attribute("#status", "lang") == "de"
    page.click(send)
    page.wait_for_selector("#key[open]")
    page.fill("#secret", "AAAA-BBBB-CCCC-DDDD")
    page.keyboard.press("Enter")
    page.wait_for_selector("#refused:visible")
    assert page.get_attribute("#refused", "lang") == "en"  # the service's words
    page.fill("#secret", school.code)
    page.keyboard.press("Enter")
    path = f"assessments/{school.result['id']}/comments"
    page.wait_for_selector("#group .comments li")
    assert [each["text"] for each in school.teacher.ask("GET", path)["items"]] == ["Weiter so."]


def test_without_a_network_nobody_is_taken_for_a_stranger(page, context, school):
    at(page, school, school.group)
    until(page, "navigator.serviceWorker.controller !== null")
    page.reload()
    page.wait_for_selector("#group table")
    context.set_offline(True)
    page.reload()
    page.wait_for_selector("#status:has-text('cannot be reached')")
    assert page.locator("#group-form").is_hidden()
    context.set_offline(False)
    page.wait_for_selector("#group table")
    assert page.inner_text("#you .label") == "Ms Adams"


def test_a_learners_take_that_waited_through_a_reload_is_his(context, school):
    page = context.new_page()
    come_in(page, school, school.learner_code)
    page.wait_for_selector("#model button, #model .who")
    until(page, "navigator.serviceWorker.controller !== null")
    page.reload()
    page.wait_for_selector("#model button, #model .who")
    page.wait_for_timeout(1000)
    context.set_offline(True)
    page.reload()
    page.wait_for_selector("#speak:enabled")
    page.set_input_files("#file", PROMPT_FILE)
    until(page, "document.getElementById('status').textContent.includes('waits in this browser')")
    before = school.teacher.ask("GET", f"assessments?learner_id={school.learner}")["items"]
    context.set_offline(False)
    until(page, "document.getElementById('status').textContent.includes('was sent')")
    after = school.teacher.ask("GET", f"assessments?learner_id={school.learner}")["items"]
    assert len(after) == len(before) + 1
    page.click("#to-practice")
    wait_for_result(page)


def test_two_tabs_take_nothing_back_from_each_other(page, context, school):
    other = context.new_page()
    for tab in (page, other):
        at(tab, school, school.group, school.learner, school.result["id"])
        tab.wait_for_selector("#group .word")
    for tab, word in ((page, 1), (other, 2)):
        tab.click(f"#group .word >> nth={word}")
        tab.locator("#group .ear input >> nth=2").check()
        until(tab, "document.getElementById('status').textContent === 'Saved.'")
    path = f"assessments/{school.result['id']}/labels"
    assert len(school.teacher.ask("GET", path)["items"]) == 2
    other.wait_for_selector("#group .ear-card li >> nth=1")


@pytest.mark.parametrize("context", ["de"], indirect=True)
def test_paper_has_the_language_of_the_page_and_nothing_to_press(page, school):
    at(page, school, school.group, school.learner, school.result["id"])
    page.evaluate("window.print = () => {}")
    page.wait_for_selector("#group .advice")
    page.click("#group .off-paper button >> nth=0")
    on_paper(page)
    flagged = [
        phone.advice
        for phone in Assessment.model_validate(school.result).phones
        if phone.advice is not None
    ]
    assert flagged
    told = page.locator("table.on-paper td:last-child").all_inner_texts()
    assert told == [sentence(advice, "de") for advice in flagged]
    assert page.locator("#group .letterhead").is_visible()
    for name in (".about", ".places", ".hearing", ".trail"):
        assert page.locator(f"#group {name}").first.is_hidden(), name


def test_slips_fit_the_paper(page, school):
    at(page, school, school.group)
    page.evaluate("window.print = () => {}")
    page.click(".invites summary")
    page.fill(".invites textarea", "W" * 80)
    page.click("text=Make a code for each name")
    page.wait_for_selector(".slip")
    page.click(".invited > button")
    on_paper(page)
    assert page.locator(".slip").is_visible()
    assert page.locator(".members").is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
