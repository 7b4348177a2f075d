import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nativeear.indexer.audit.report import audit
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.audit_summary import rated_speakers
from nativeear.service.cli import app
from nativeear.service.report.audit import render_audit
from nativeear.speech.errors import InputError


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["index", "audit", *map(str, arguments)])


class Elements(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    path = tmp_path / "practice <b>.txt"
    path.write_text("See me.\nSee a <b>seat</b>.\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(tone_index: PhoneIndex) -> str:
    return render_audit(audit(tone_index), tone_index)


def test_json_is_the_whole_report(tone_index: PhoneIndex, practice: Path) -> None:
    result = run(tone_index.path, "--against", practice, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert {p["phone"] for p in told["phones"]} == {"AA", "IY", "M", "S"}
    assert told["against"]["missing"]
    assert told == audit(tone_index, source=str(practice)).model_dump(mode="json")


def test_a_curriculum_is_told_by_level_in_the_terminal_and_on_the_page(
    tone_index: PhoneIndex, tmp_path: Path
) -> None:
    words, out = tmp_path / "words.csv", tmp_path / "audit.html"
    words.write_text("headword,CEFR\nsee,A1\nme,A1\nseat,B2\n", encoding="utf-8")
    result = run(tone_index.path, "--against", words, "--html", out)
    assert result.exit_code == 0, result.output
    assert re.search(r"level +words +judged whole", result.stdout)
    assert re.search(r"A1 +2 +2 +100.0% ", result.stdout)
    assert re.search(r"B2 +1 +0 +66.7% ", result.stdout)
    page = out.read_text(encoding="utf-8")
    assert "Judged whole" in page
    assert page.index(">A1<") < page.index(">B2<")


def test_speakers_who_were_rated_are_not_passed_off_as_natives(tone_index: PhoneIndex) -> None:
    """The shipped index holds one native, and flawless phones of the learners of speechocean762."""
    assert rated_speakers(PhoneIndex.open(find_index("en-US"))) == 125
    assert rated_speakers(tone_index) == 0


def test_people_are_told_what_to_record(tone_index: PhoneIndex, practice: Path) -> None:
    result = run(tone_index.path, "--against", practice)
    assert result.exit_code == 0, result.output
    assert "To record next" in result.stdout
    assert "See me." in result.stdout
    assert "heard" in result.stdout


def test_the_exit_code_is_one_under_the_share_asked_for(
    tone_index: PhoneIndex, practice: Path, tmp_path: Path
) -> None:
    assert run(tone_index.path, "--fail-under", 0.05).exit_code == 0
    failed = run(tone_index.path, "--fail-under", 0.9)  # four phones of the language's are held
    assert failed.exit_code == 1
    assert "its inventory are judged" in failed.stderr
    easy = tmp_path / "easy.txt"
    easy.write_text("See me.", encoding="utf-8")
    assert run(tone_index.path, "--against", easy, "--fail-under", 0.8).exit_code == 0
    assert run(tone_index.path, "--against", practice, "--fail-under", 0.9).exit_code == 1


def test_bad_input_is_a_sentence(tone_index: PhoneIndex, tmp_path: Path) -> None:
    result = run(tone_index.path, "--against", "nothing-of-the-kind")
    assert result.exit_code == 2
    assert "nothing-of-the-kind" in result.stderr
    practice = tmp_path / "practice.txt"
    practice.write_text("see")
    assert run(tone_index.path, "--against", practice, "--html", practice).exit_code == 2
    assert practice.read_text() == "see"
    lost = run(tone_index.path, "--html", tmp_path / "no" / "folder.html")
    assert lost.exit_code == 2
    assert "cannot be written" in lost.stderr
    with pytest.raises(InputError):
        audit(tone_index, source="nothing-of-the-kind")


def test_the_page_needs_nothing_else(page: str) -> None:
    parsed = Elements(page)
    assert not [a for tag, a in parsed.found if "style" in a or any(k.startswith("on") for k in a)]
    sources = [a["src"] or "" for _, a in parsed.found if "src" in a]
    assert sources
    assert all(source.startswith("data:audio/") for source in sources)
    assert "http" not in re.sub(r"data:[^\"]*|http-equiv", "", page)
    policy = next(a["content"] for a in parsed.of("meta") if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    told = re.sub(r"data:[^\"]*", "", page).casefold().split("<main>")[1]
    assert not re.search(r"\bnan\b", told)


def test_points_that_can_be_heard_name_a_clip_of_the_page(page: str) -> None:
    parsed = Elements(page)
    clips = {a["id"] for a in parsed.of("audio")}
    points = [a for a in parsed.of("circle") if "data-clip" in a]
    assert points
    assert {a["data-clip"] for a in points} <= clips
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in points)


def test_every_plot_is_there(page: str) -> None:
    labels = [a.get("aria-label") or "" for a in Elements(page).of("svg")]
    assert "Exemplars by phone and context" in labels
    assert "Confusions of left-out natives" in labels
    assert labels.count("Error by exemplars, in percent") == 5  # all, and four phones


def test_what_people_write_cannot_become_markup(
    tone_index: PhoneIndex, practice: Path, tmp_path: Path
) -> None:
    out = tmp_path / "audit.html"
    result = run(tone_index.path, "--against", practice, "--html", out)
    assert result.exit_code == 0, result.output
    written = out.read_text(encoding="utf-8")
    assert "&lt;b&gt;seat" in written
    assert "<b>seat" not in written
    assert "Against practice &lt;b&gt;.txt" in written
    assert [p.name for p in tmp_path.iterdir()].count("audit.html") == 1
    assert not list(tmp_path.glob(".*partial"))
