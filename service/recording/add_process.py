"""Takes added to an index, in a process of its own: `python -m nativeear.service.recording…`.

The request comes as JSON on stdin; the one line on stdout is an object with `set_aside` (ids of
utterances, with reasons), or with `error`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from nativeear.service.failures import attempt, error_object
from nativeear.speech.errors import NativeEarError


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Add what a request asks for, and tell what came of it."""
    from nativeear.indexer.adding import AddRequest, add

    done = attempt(
        lambda: add(
            AddRequest(
                index=Path(request["index"]),
                corpora=(request["corpus"],),
                reader="csv",
                licence=request["licence"],
                resume=True,
                exclude=frozenset(request["exclude"]),
            )
        )
    )
    if isinstance(done, NativeEarError):
        return {"error": error_object(done)}
    return {"set_aside": done.set_aside}


if __name__ == "__main__":
    # What libraries print must not be read as the answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with answer:
        json.dump(run(json.load(sys.stdin)), answer)
