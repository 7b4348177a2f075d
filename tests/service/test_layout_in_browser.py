"""Every HTML page in headless Chromium, on a phone and on desks: nothing is cut or squeezed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nativeear
from nativeear.indexer.audit.report import audit
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.demo import PROMPT
from nativeear.service.report.audit import write_audit_page
from nativeear.service.report.page import write_report
from nativeear.speech.audio import Audio
from tests.support.browser import chromium
from tests.support.page import PATIENCE_MS, PROMPT_FILE
from tests.support.served import Served

WIDTHS = (390, 1200, 1600)
HEIGHT = 900

MEASURE = """() => {
  const found = [];
  const width = document.documentElement.clientWidth;
  const named = (each) => `${each.tagName.toLowerCase()}#${each.id}.${each.className}`;
  const seen = (each) => each.checkVisibility({ visibilityProperty: true })
    && !each.closest("svg, .spoken, select, script, style");
  const clipped = (each) => {
    for (let at = each.parentElement; at; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== "visible" && at !== document.body) return true;
    return false;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (!seen(node.parentElement)) continue;
    for (const word of node.data.matchAll(/[^\\s/–—-]+/g)) {
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const tops = [...range.getClientRects()].filter((r) => r.width).map((r) => r.top);
      if (Math.max(...tops) - Math.min(...tops) > 8)
        found.push(`narrower than its word ${word[0]}: ${named(node.parentElement)}`);
    }
  }
  for (const each of document.querySelectorAll("body *")) {
    const box = each.getBoundingClientRect();
    if (!box.width || !seen(each)) continue;
    if (!clipped(each) && (box.right > width + 1 || box.left < -1))
      found.push(`sticks out of the page: ${named(each)}`);
    if (/^T[DH]$/.test(each.tagName) && each.scrollWidth > each.clientWidth + 1)
      found.push(`wider than its cell: ${named(each)} ${each.textContent}`);
  }
  if (document.documentElement.scrollWidth > width) found.push("the page is wider than the window");
  return found;
}"""
OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture(params=WIDTHS)
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": request.param, "height": HEIGHT})
    yield opened
    opened.close()


def screens(page: Any) -> float:
    return page.evaluate("document.documentElement.scrollHeight") / HEIGHT


@pytest.fixture(scope="module")
def audits(tone_index: PhoneIndex, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The shipped index, by itself and against a text; and one that holds next to nothing."""
    folder = tmp_path_factory.mktemp("audits")
    practice = folder / "practice.txt"
    practice.write_text(
        "Our garage was a mirage of treasures, beige and usual.\nSee me.\nThirty-three thieves "
        "thought that they thrilled the throne throughout Thursday.\nInternationalisation.\n"
    )
    shipped = PhoneIndex.open(find_index("en-US"))
    for name, index, source in (
        ("shipped", shipped, None),
        ("against", shipped, str(practice)),
        ("tones", tone_index, str(practice)),
    ):
        write_audit_page(folder / f"{name}.html", audit(index, source=source), index)
    return sorted(folder.glob("*.html"))


def test_audits(audits: list[Path], page: Any) -> None:
    assert len(audits) == 3
    for path in audits:
        page.goto(path.as_uri())
        assert page.evaluate(MEASURE) == [], path.name
        assert screens(page) < 6
        page.evaluate(OPEN_ALL)
        assert page.evaluate(MEASURE) == [], path.name


def test_the_first_screen_of_an_audit_answers(audits: list[Path], page: Any) -> None:
    for path in audits:
        page.goto(path.as_uri())
        bottoms = page.evaluate(
            "[...document.querySelectorAll('.answers dd')]"
            ".map((each) => each.getBoundingClientRect().bottom)"
        )
        assert len(bottoms) >= 3
        assert max(bottoms) <= HEIGHT, path.name
        told = page.inner_text(".answers")
        for question in ("May I use it?", "For whom?", "What is missing?"):
            assert question in told


def test_the_places_of_a_phone_add_up(audits: list[Path], browser: Any) -> None:
    page = browser.new_page()
    page.goto(next(path for path in audits if path.name == "shipped.html").as_uri())
    page.evaluate(OPEN_ALL)
    section = page.locator("section:has(h2:has-text('Where in words'))")
    rows = [row.split("\t") for row in section.locator("tr").all_inner_texts()]
    heads = rows[0]
    last = heads.index("All exemplars")
    assert heads[1:last] == ["First in a word", "Within", "Last", "The whole word", "Not known"]
    assert "Of women" in heads
    counts = [
        [int(cell.replace(",", "") or 0) for cell in row[1 : last + 1]]
        for row in rows
        if row[0] != "Phone"
    ]
    assert len(counts) == 39
    for *places, total in counts:
        assert sum(places) == total
    assert "Below 0.5, or with fewer than 10 exemplars" in page.inner_text("main")
    page.goto(next(path for path in audits if path.name == "tones.html").as_uri())
    page.evaluate(OPEN_ALL)
    assert "Of women" not in section.inner_text()  # no corpus of it states the sex
    page.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged prompt, judged as another sentence: words left out, and many sounds wrong."""
    out = tmp_path_factory.mktemp("report") / "report.html"
    ear = nativeear.load()
    audio = Audio.load(PROMPT_FILE)
    text = PROMPT[1].replace("hold", "think").replace("a moment", "azure")
    write_report(out, ear.assess(audio, text), audio, ear.index)
    return out


def test_reports(report: Path, page: Any) -> None:
    page.goto(report.as_uri())
    assert page.evaluate(MEASURE) == []
    for number in range(page.locator("button.word").count()):
        page.locator("button.word").nth(number).click()
    page.evaluate(OPEN_ALL)
    assert page.evaluate(MEASURE) == []


def test_the_page_of_the_service(served: Served, page: Any) -> None:
    page.goto(served.url)
    page.wait_for_selector("#model button")
    assert page.evaluate(MEASURE) == [], "at first"
    page.click("#you")
    page.fill("dialog [name=name]", "Wolfeschlegelsteinhausen")
    page.fill("dialog [name=group]", "3b")
    assert page.evaluate(MEASURE) == [], "a learner's name"
    page.click("dialog[open] button.main")
    page.click("#other")
    page.wait_for_selector("#set option[value=heard]", state="attached")
    assert page.evaluate(MEASURE) == [], "the drawer"
    page.select_option("#set", "own")
    page.fill("#text", PROMPT[1])
    page.click("#take-text")
    page.set_input_files("#file", PROMPT_FILE)
    page.wait_for_selector("#result .sentence", timeout=PATIENCE_MS)
    page.click(".word >> nth=3")
    page.wait_for_selector(".turn .play, .listening .soft")
    page.evaluate(OPEN_ALL)
    page.wait_for_selector(".timeline", timeout=PATIENCE_MS)
    assert page.evaluate(MEASURE) == [], "a result"
    page.click("#to-progress")
    page.wait_for_selector("#progress table")
    assert page.evaluate(MEASURE) == [], "progress"
    page.click("#to-group")
    page.fill("#group-name", "3b")
    page.click("#group-form button")
    page.wait_for_selector("#group table")
    assert page.evaluate(MEASURE) == [], "a group"
