"""What can be held about the page without a browser."""

import csv
import re
from collections import Counter
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from nativeear.scoring.grading import FLAGGED_SCORE, GOOD_SCORE
from nativeear.scoring.verdicts import BESIDE_MEANINGS, BESIDE_SYMBOLS, MEANINGS, SYMBOLS
from nativeear.service.report import prosody, spectrogram

PAGE = Path(str(files("nativeear.service"))) / "page"
REPORT_CSS = Path(str(files("nativeear.service"))) / "templates" / "report.css"
FIRST_LANGUAGES = Path(str(files("nativeear.speech"))) / "data" / "first_languages.csv"
BUDGET_BYTES = 200_000
SVG = "http://www.w3.org/2000/svg"

SCRIPTS = sorted(PAGE.glob("*.js"))
TEXTS = sorted(path for path in PAGE.rglob("*") if path.is_file())
HTML = (PAGE / "index.html").read_text(encoding="utf-8")
CODE = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)

VOID = {"meta", "link", "input", "img", "br"}
LABELLED = {"input", "select", "textarea", "meter"}


class Element:
    def __init__(self, tag, attributes, parents):
        self.tag, self.attributes, self.parents, self.text = tag, attributes, parents, ""

    def get(self, name):
        return self.attributes.get(name)


class Page(HTMLParser):
    """Every element of the page with its parents and its text."""

    def __init__(self):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(HTML)

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs), tuple(self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag):
        assert self._open.pop().tag == tag

    def handle_data(self, data):
        for element in self._open:
            element.text += data


ELEMENTS = Page().elements
IDS = [element.get("id") for element in ELEMENTS if element.get("id")]


def constant(script, name):
    found = re.search(rf"const {name} = ([\d.]+)", (PAGE / script).read_text(encoding="utf-8"))
    assert found, f"{name} is not in {script}"
    return float(found[1])


def table(script, name):
    """An object literal of strings as a dict."""
    text = (PAGE / script).read_text(encoding="utf-8")
    body = re.search(rf"const {name} = {{(.*?)\n}};", text, re.DOTALL)
    assert body
    return dict(re.findall(r"^  (\w+): \[?\"(.*?)\"", body[1], re.MULTILINE))


def colours(path):
    """The custom properties that colour scores: of light pages, then of dark ones."""
    return re.findall(
        r"--((?:good|fair|poor|none)(?:-fill|-rule)?): (#\w+)", path.read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_nothing_is_asked_of_others(path):
    text = path.read_text(encoding="utf-8").replace(SVG, "")
    assert not re.search(r"(?:https?:|wss?:)?//[\w-]+\.\w", text)
    assert "@import" not in text


def test_the_whole_page_is_small():
    assert sum(path.stat().st_size for path in TEXTS) < BUDGET_BYTES


def test_a_strict_policy_lets_all_of_it_run():
    for element in ELEMENTS:
        assert not [name for name in element.attributes if name.startswith("on")]
        assert "style" not in element.attributes
        assert element.tag != "style"
        if element.tag == "script":
            assert element.get("src")
            assert not element.text
        for name in ("src", "href"):
            assert not (element.get(name) or "").startswith(("data:", "blob:", "javascript:"))
    for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                   "new Function", '"style"', "style:", "cssText"):  # fmt: skip
        assert unsafe not in CODE


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_what_a_module_imports_is_exported(script):
    text = script.read_text(encoding="utf-8")
    for names, source in re.findall(r"import \{(.*?)\} from \"\./(.*?)\";", text, re.DOTALL):
        exported = (PAGE / source).read_text(encoding="utf-8")
        for name in filter(None, (name.strip() for name in names.split(","))):
            assert re.search(rf"export (?:async )?(?:const|function|class) {name}\b", exported)
            assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{name} is imported in vain"


def test_ids_are_unique_and_those_referred_to_exist():
    assert not [name for name, count in Counter(IDS).items() if count > 1]
    wanted = re.findall(r"byId\(\"([\w-]+)\"\)", CODE)
    for element in ELEMENTS:
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            wanted += (element.get(name) or "").split()
        if (element.get("href") or "").startswith("#") and element.tag == "a":
            target = element.get("href")[1:]
            assert target in IDS or f"view-{target}" in IDS
    assert len(wanted) > 30
    assert not set(wanted) - set(IDS)
    for view in ("practice", "progress", "group"):
        assert {f"view-{view}", f"to-{view}"} <= set(IDS)


def test_landmarks_and_names_for_those_who_hear_the_page():
    tags = Counter(element.tag for element in ELEMENTS)
    assert tags["main"] == tags["header"] == tags["title"] == 1
    assert ELEMENTS[0].get("lang") == "en"
    assert all(element.get("aria-label") for element in ELEMENTS if element.tag == "nav")
    assert any(element.get("aria-live") == "polite" for element in ELEMENTS)
    labelled = {element.get("for") for element in ELEMENTS if element.tag == "label"}
    for element in ELEMENTS:
        if element.tag in LABELLED:
            inside = any(parent.tag == "label" for parent in element.parents)
            assert inside or element.get("aria-label") or element.get("id") in labelled
        if element.tag in ("button", "a"):
            assert element.text.strip()
        if element.tag == "img":
            assert element.get("alt") is not None
        if element.tag == "dialog":
            assert element.get("aria-labelledby")
        assert int(element.get("tabindex") or 0) <= 0


def test_those_who_want_less_motion_more_contrast_or_dark_get_it():
    css = "".join((PAGE / f"{name}.css").read_text("utf-8") for name in ("colours", "page"))
    for wish in ("prefers-reduced-motion", "prefers-color-scheme: dark", "forced-colors"):
        assert wish in css
    before, after = css.split("@media (prefers-reduced-motion: no-preference)")
    assert "animation" not in before
    assert "smooth" not in before
    assert "animation" in after


def test_the_scale_is_that_of_the_terminal_and_the_report():
    assert constant("scale.js", "GOOD_SCORE") == GOOD_SCORE
    assert constant("scale.js", "FLAGGED_SCORE") == FLAGGED_SCORE
    assert table("scale.js", "MARKS") == SYMBOLS
    assert table("scale.js", "MEANINGS") == MEANINGS
    assert table("scale.js", "BESIDE_MARKS") == BESIDE_SYMBOLS
    assert table("scale.js", "BESIDE_MEANINGS") == BESIDE_MEANINGS
    assert table("melody.js", "MEASURES") == {
        name: label for name, (label, _) in prosody.MEASURES.items()
    }
    assert constant("spectrogram.js", "HOP") == spectrogram.HOP
    assert len(colours(PAGE / "colours.css")) == 24
    assert not colours(REPORT_CSS)


def test_every_first_language_with_notes_can_be_told():
    with FIRST_LANGUAGES.open(encoding="utf-8", newline="") as file:
        known = {row["Tag"]: row["LanguageName"] for row in csv.DictReader(file)}
    select = next(element for element in ELEMENTS if element.get("name") == "l1")
    offered = {
        element.get("value"): element.text
        for element in ELEMENTS
        if element.tag == "option" and select in element.parents and element.get("value")
    }
    assert offered == known
