"""What README and docs tell people to type."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
ELSEWHERE = {"api.md", "deploy.md"}
"""Their commands build on each other and on a service: `tests/service/test_api_guide.py` and
`tests/service/test_deploy.py` run them."""

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_INLINE = re.compile(r"`((?:nativeear|python -m) [^`]+)`")


def blocks(page: Path, *kinds: str) -> list[str]:
    """The blocks of some kinds, in order."""
    return [body for kind, body in _BLOCK.findall(page.read_text("utf-8")) if kind in kinds]


def commands(page: Path) -> list[str]:
    """The lines of shell blocks, in order."""
    lines = "".join(blocks(page, "bash", "")).replace("\\\n", "").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.strip()]


def mentions(page: Path) -> list[str]:
    """Commands that stand in the text."""
    outside = _BLOCK.sub("", page.read_text("utf-8"))
    return [" ".join(found.split()) for found in _INLINE.findall(outside)]
