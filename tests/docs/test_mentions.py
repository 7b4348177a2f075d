"""Commands that stand in the text of README and docs exist, with the options that they are given.

They are fragments, or take hours: they are held against the parsers, not run.
"""

import contextlib
import io
import os
import re
import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import typer

from nativeear.service.cli import app
from tests.docs.reading import PAGES, ROOT, mentions

TOLD = sorted({mention for page in PAGES for mention in mentions(page)})
_SHELL: Any = typer.main.get_command(app)


def options_of(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if word.startswith("--")]


@pytest.mark.parametrize("mention", [told for told in TOLD if told.startswith("nativeear")])
def test_a_command_of_the_product_has_these_options(mention: str) -> None:
    _, *words = shlex.split(mention.replace("[", "").replace("]", "").replace("|", " "))
    command: Any = _SHELL
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        name = words.pop(0)
        assert name in command.commands, f"{mention}: there is no {name}"
        command = command.commands[name]
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(options_of(words)) <= known | {"--help"}


@pytest.mark.parametrize("mention", [told for told in TOLD if told.startswith("python -m")])
def test_a_module_has_these_options(mention: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, name, *words = shlex.split(mention)
    with patch.dict(os.environ):  # some limit their threads when they are imported
        module = import_module(name)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    said = io.StringIO()
    if "parse_args" not in Path(str(module.__file__)).read_text("utf-8"):
        assert not options_of(words)
        return
    with contextlib.redirect_stdout(said), pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 0
    for option in options_of(words):
        assert option in said.getvalue(), f"{name} has no {option}"


def test_every_benchmark_that_is_named_exists() -> None:
    """In prose, in code blocks and in comments, with `python -m` and without."""
    ours = [path for room in (ROOT / "nativeear").iterdir() for path in room.rglob("*.py")]
    others = [path for name in ("training", "tests") for path in (ROOT / name).rglob("*.py")]
    gone = {
        f"{path.relative_to(ROOT)}: {folder}.{name}"
        for path in (*PAGES, *(ROOT / "training").glob("*.md"), *ours, *others)
        for folder, name in re.findall(
            r"\b(benchmarks|training)[./]([a-z]\w+)", path.read_text("utf-8")
        )
        if not list((ROOT / folder).glob(f"{name}*"))
    }
    assert gone == set()


def test_there_is_something_to_hold() -> None:
    assert len(TOLD) > 40
