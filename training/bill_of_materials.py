"""Print what an installation of NativeEar consists of: a CycloneDX 1.5 bill of materials.

    python -m training.bill_of_materials > sbom.json

It is read from the metadata of what is installed: NativeEar and, link by link, everything that it
requires here. What optional extras require is listed where it is installed.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

ROOT = "nativeear"


def bill_of_materials(root: str = ROOT) -> dict[str, Any]:
    """The bill of one installed distribution.

    Raises
    ------
    PackageNotFoundError
        If it is not installed.
    """
    found: dict[str, Distribution] = {_key(root): distribution(root)}
    waiting, links = [_key(root)], {}
    while waiting:
        name = waiting.pop()
        links[name] = sorted(_installed(found, waiting, found[name]))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": _component(found[_key(root)], "application")},
        "components": [
            _component(found[name], "library") for name in sorted(found) if name != _key(root)
        ],
        "dependencies": [
            {"ref": _reference(found[name]), "dependsOn": [_reference(found[n]) for n in names]}
            for name, names in sorted(links.items())
        ],
    }


def _installed(found: dict[str, Distribution], waiting: list[str], of: Distribution) -> set[str]:
    """Names of the installed ones that a distribution requires; new ones are noted."""
    names = set()
    for requirement in of.requires or ():
        matched = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
        if matched is None:
            continue
        name = _key(matched.group())
        if name not in found:
            try:
                found[name] = distribution(name)
            except PackageNotFoundError:
                continue  # of another system, or an extra that is not there
            waiting.append(name)
        names.add(name)
    return names


def _component(of: Distribution, kind: str) -> dict[str, Any]:
    told = of.metadata.json
    licence = str(told.get("license_expression") or told.get("license") or "").strip()
    component: dict[str, Any] = {
        "type": kind,
        "bom-ref": _reference(of),
        "name": of.metadata["Name"],
        "version": of.version,
        "purl": _reference(of),
    }
    if licence and "\n" not in licence:
        component["licenses"] = [{"license": {"name": licence}}]
    return component


def _reference(of: Distribution) -> str:
    return f"pkg:pypi/{_key(of.metadata['Name'])}@{of.version}"


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    print(json.dumps(bill_of_materials(), indent=1))
