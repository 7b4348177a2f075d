"""The site of the docs names every page. The commands of `docs/api.md` are run elsewhere:
`tests/service/test_api_guide.py`."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_page_of_the_site_is_there() -> None:
    pages = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.M))
    assert pages == {page.name for page in (ROOT / "docs").glob("*.md")}
