"""What can be held about the page without a browser."""

import csv
import json
import re
from collections import Counter
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from nativeear.scoring.feedback.sentences import languages, texts
from nativeear.scoring.grading import FLAGGED_SCORE, GOOD_SCORE
from nativeear.scoring.verdicts import BESIDE_MEANINGS, BESIDE_SYMBOLS, MEANINGS, SYMBOLS
from nativeear.service.report import prosody, spectrogram
from tests.support.catalogues import PLURALS, lacks

PAGE = Path(str(files("nativeear.service"))) / "page"
PRACTICE = Path(str(files("nativeear.service"))) / "data" / "practice"
REPORT_CSS = Path(str(files("nativeear.service"))) / "templates" / "report.css"
FIRST_LANGUAGES = Path(str(files("nativeear.speech"))) / "data" / "first_languages.csv"
FIRST_WAY_BYTES = 150_000  # scripts and styles to say a sentence and see its result
WHOLE_BYTES = 260_000  # in one language
LANGUAGE_BYTES = 60_000
SVG = "http://www.w3.org/2000/svg"

SCRIPTS = sorted(PAGE.glob("*.js"))
TEXTS = sorted(path for path in PAGE.rglob("*") if path.is_file())
HTML = (PAGE / "index.html").read_text(encoding="utf-8")
CODE = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
TEXTS_OF = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (PAGE / "texts").glob("*.json")
}
ENGLISH = TEXTS_OF["en"]
ADVICE = Path(str(files("nativeear.scoring.feedback"))) / "texts"

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


def texts_under(prefix):
    """Texts by the last part of their key."""
    return {
        key.removeprefix(prefix): text for key, text in ENGLISH.items() if key.startswith(prefix)
    }


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


def loaded_at_once(*names):
    """Scripts with all that they import at once; what is fetched when it is needed is not there."""
    found, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            text = (PAGE / name).read_text(encoding="utf-8")
            todo += re.findall(r'(?:from|^import) "\./(.*?)";', text, re.MULTILINE)
    return found


def test_the_page_is_small_and_the_first_way_smaller():
    first = loaded_at_once("app.js") | {"colours.css", "page.css", "recorder-worklet.js"}
    assert "teaching.js" not in first
    assert "progress.js" not in first
    assert sum((PAGE / name).stat().st_size for name in first) < FIRST_WAY_BYTES
    folder = PAGE / "texts"
    one = [path for path in TEXTS if path.parent != folder or path.name == "en.json"]
    assert sum(path.stat().st_size for path in one) < WHOLE_BYTES
    for own in folder.glob("*.json"):  # one at a time is loaded
        advice = ADVICE / own.name
        assert own.stat().st_size + advice.stat().st_size < LANGUAGE_BYTES


def test_what_is_kept_for_no_network_is_all_that_the_page_loads():
    told = re.search(r"const SHELL = \[(.*?)\];", (PAGE / "sw.js").read_text("utf-8"), re.DOTALL)
    assert told
    kept = re.findall(r'["`](.*?)["`]', told[1])
    loaded = {"./"}
    for element in ELEMENTS:
        if element.tag in ("link", "script", "img"):
            loaded.add(element.get("src") or element.get("href"))
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        loaded |= set(re.findall(r'(?:from |import\()"\./(.*?)"', text))
        loaded |= set(re.findall(r'new URL\("([\w.-]+)", import\.meta\.url\)', text))
    loaded |= {"texts/${language}.json", "advice/${language}.json"}
    assert "sw.js" not in kept  # the browser itself keeps it
    assert len(kept) == len(set(kept))
    assert set(kept) == loaded


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


def test_every_text_is_used_and_every_text_that_is_used_exists():
    singles = set(re.findall(r"\bt\(\s*\"([\w.]+)\"", CODE))
    singles |= set(re.findall(r"\"([a-z]\w*(?:\.\w+)+)\"", CODE)) & set(ENGLISH)
    for name in ("data-text", "data-label", "data-hint"):
        singles |= {element.get(name) for element in ELEMENTS if element.get(name)}
    plurals = set(re.findall(r"\btn\(\s*\"([\w.]+)\"", CODE))
    patterns = {
        re.sub(r"\\\$\\{.*?\\}", r"[\\w -]+", re.escape(key))
        for key in re.findall(r"\b(?:t|known)\(`([^`]+)`", CODE)
    }
    assert len(singles) > 50
    assert not singles - set(ENGLISH) - set(texts("en"))
    for key in plurals:
        assert {f"{key}.one", f"{key}.other"} <= set(ENGLISH)
    singles |= {f"{key}.{form}" for key in plurals for form in ("one", "other")}
    unused = [
        key
        for key in set(ENGLISH) - singles
        if not any(re.fullmatch(pattern, key) for pattern in patterns)
    ]
    assert not unused


def test_the_document_says_what_the_english_texts_say():
    for element in ELEMENTS:
        if key := element.get("data-text"):
            assert element.text.strip() == ENGLISH[key].strip(), key
        if key := element.get("data-label"):
            assert element.get("aria-label") == ENGLISH[key]
        if key := element.get("data-hint"):
            assert element.get("title") == ENGLISH[key]


@pytest.mark.parametrize("tag", sorted(TEXTS_OF))
def test_every_language_has_every_text_with_its_places(tag):
    assert lacks(TEXTS_OF[tag], ENGLISH, tag) == []


def test_sets_of_sentences_are_named_as_the_service_names_them():
    named = {}
    for path in PRACTICE.glob("*.json"):
        for each in json.loads(path.read_text("utf-8"))["sets"]:
            named |= {each["id"]: each["title"], f"{each['id']}.about": each["about"]}
    told = texts_under("set.")
    assert told.items() <= named.items()
    assert {key for key in named if key.endswith(".about")} <= set(told)


@pytest.mark.parametrize("tag", sorted(set(TEXTS_OF) - {"en"}))
def test_a_translation_is_no_copy(tag):
    same = [key for key, text in TEXTS_OF[tag].items() if text == ENGLISH.get(key)]
    assert len(same) < len(ENGLISH) / 12, same


def test_every_file_of_texts_is_known_to_the_page():
    assert sorted(table("texts.js", "LANGUAGES")) == sorted(TEXTS_OF)
    assert sorted(languages()) == sorted(TEXTS_OF) == sorted(PLURALS)


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
    assert texts_under("verdict.") == MEANINGS
    assert table("scale.js", "BESIDE_MARKS") == BESIDE_SYMBOLS
    assert texts_under("beside.") == BESIDE_MEANINGS
    assert texts_under("measure.") == {name: label for name, (label, _) in prosody.MEASURES.items()}
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
