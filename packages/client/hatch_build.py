"""Gathers the package `nativeear_client` from the modules of this repository that ask a service.

It is made when it is built, so that there is one source: `FACE`, `FRAMES` and all that they import,
with `nativeear` in their imports replaced. A name of its own lets it be installed beside
`nativeear`, and either be uninstalled.
"""

from __future__ import annotations

import ast
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "nativeear_client"
FACE = "service.client"
FRAMES = "scoring.data_frames"  # looked up by name when a data frame is asked for


class GatheringHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the package into a wheel or a source distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Gather it, unless a source distribution holds it already."""
        self._made = Path(tempfile.mkdtemp())
        if not (Path(self.root) / PACKAGE).is_dir():
            source = gathered(Path(self.root).parents[1], self._made)
            build_data["force_include"][str(source)] = PACKAGE

    def finalize(self, *_: object) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._made)


def gathered(repository: Path, out: Path) -> Path:
    """Write the package, and return its folder."""
    pending, files = [FACE, FRAMES], set[Path]()
    while pending:
        name = pending.pop().replace(".", "/")
        own = repository / f"{name}.py"
        file = own if own.is_file() else repository / name / "__init__.py"
        if file in files:
            continue
        files.add(file)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nativeear."):
                pending.append(str(node.module).removeprefix("nativeear."))
        pending += [name.rpartition("/")[0]] * ("/" in name)
    package = out / PACKAGE
    for file in files:
        copy = package / file.relative_to(repository)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(renamed(file.read_text(encoding="utf-8")), encoding="utf-8")
    face = repository / FACE.replace(".", "/") / "__init__.py"
    (package / "__init__.py").write_text(
        renamed(face.read_text(encoding="utf-8")), encoding="utf-8"
    )
    (package / "py.typed").touch()
    return package


def renamed(source: str) -> str:
    """A module, or the example in its docstring, that imports from the package itself."""
    return re.sub(r"\b(from|import) nativeear\b", rf"\1 {PACKAGE}", source)
