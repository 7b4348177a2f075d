"""The site of the docs names every page. The commands of `docs/api.md` are run elsewhere:
`tests/service/test_api_guide.py`."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_page_of_the_site_is_there() -> None:
    pages = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.M))
    assert pages == {page.name for page in (ROOT / "docs").glob("*.md")}


def test_pages_count_the_speech_that_ships() -> None:
    """What the index holds and the judge has learnt from, as their own records say."""
    manifest = json.loads((ROOT / "indexes/en-US/manifest.json").read_text("utf-8"))
    (prompts,) = [one["utterances"] for one in manifest["corpora"] if "asterisk" in one["name"]]
    assert f"{prompts} utterances in the index" in (ROOT / "docs/data-card.md").read_text("utf-8")
    judge = json.loads((ROOT / "scoring/data/expert-en/record.json").read_text("utf-8"))
    for page in ("README.md", "docs/data-card.md", "docs/model-card.md"):
        told = re.findall(r"\b(\d+) (?:of th[eo]se )?learners", (ROOT / page).read_text("utf-8"))
        assert str(judge["speakers"]) in told, f"{page}: the judge learnt from {judge['speakers']}"
