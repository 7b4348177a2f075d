"""Answers that are zip files, too large for memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

from fastapi.responses import StreamingResponse

ZIP = "application/zip"
ARCHIVE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in (ZIP, "application/octet-stream")
        }
    }
}
"""Such an answer, for OpenAPI; generated clients know bytes by the second type."""

_IN_MEMORY = 4 << 20
_BLOCK = 1 << 16


def archive_response(write: Callable[[IO[bytes]], object], name: str) -> StreamingResponse:
    """Have a file written, and send it once it is whole; the browser saves it as `name`."""
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (closed when it has been sent)
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    length = file.tell()
    file.seek(0)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(length),
    }
    return StreamingResponse(_blocks(file), media_type=ZIP, headers=headers)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block
