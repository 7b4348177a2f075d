"""One index being built, in a process of its own: `python -m nativeear.service.api.build_process`.

The request comes as JSON on stdin; every line on stdout is a JSON object with `stage`, `done` and
`total`, or at the end `result` or `problem`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from nativeear.service.failures import InternalError, error_object
from nativeear.speech.errors import NativeEarError


def run(request: dict[str, Any], out: TextIO) -> None:
    """Build what a request asks for and emit how far it is."""

    def emit(**message: Any) -> None:
        out.write(json.dumps(message, ensure_ascii=False) + "\n")
        out.flush()

    try:
        from nativeear.indexer.build import BuildRequest, build_index

        report = build_index(
            BuildRequest(
                corpora=(request["corpus"],),
                language=request["language"],
                out=Path(request["out"]),
                name=request["name"],
                aligner=request["aligner"],
                encoder=request["encoder"],
                licence=request["licence"],
                clips=request["clips"],
                reader=request["reader"],
                within=Path(request["within"]) if request["within"] else None,
            ),
            lambda stage, done, total: emit(stage=stage, done=done, total=total),
        )
    except NativeEarError as error:
        emit(problem=error_object(error))
    except Exception as error:
        emit(problem=error_object(InternalError.of(error)))
    else:
        result = asdict(report)
        del result["path"]
        emit(result={"index": request["name"], **result})


if __name__ == "__main__":
    # What libraries print must not be read as progress.
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    run(json.load(sys.stdin), messages)
