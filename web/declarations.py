"""Writes what an assessment is, as TypeScript, to `src/assessment.ts`.

    python web/declarations.py

It comes from the models of the result, as the declarations of the JavaScript client do; a test
holds the file to them.
"""

from __future__ import annotations

import runpy
from pathlib import Path

from pydantic import TypeAdapter

from nativeear.scoring.assessment import Assessment

FILE = Path(__file__).parent / "src" / "assessment.ts"
CLIENT = Path(__file__).parents[1] / "packages" / "client-js" / "declarations.py"


def written() -> str:
    """The file as it should be: every field is there, as in the JSON of a result."""
    interface = runpy.run_path(str(CLIENT))["_interface"]
    schema = TypeAdapter(Assessment).json_schema(mode="serialization")
    found = {**schema.pop("$defs"), "Assessment": schema}
    for model in found.values():
        model["required"] = list(model["properties"])
    interfaces = (interface(name, found[name]) for name in sorted(found))
    return "\n".join(["// Written by declarations.py.\n", *interfaces])


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
