"""The number under which a request is spoken of: in its answer, in a problem and in the log."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from uuid import uuid4

from starlette.datastructures import Headers

HEADER = "x-request-id"

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""That of the request that is being answered; empty beside any."""

_KNOWN = re.compile(r"[A-Za-z0-9._~+/=-]{1,128}")


def id_of(headers: Headers) -> str:
    """The number that a client or a proxy gave a request; a new one for none, or an odd one."""
    given = headers.get(HEADER, "")
    return given if _KNOWN.fullmatch(given) else uuid4().hex


class Numbered(logging.Filter):
    """Lets every line of a log tell, as `request_id`, of which request it is."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        record.request_id = REQUEST_ID.get() or "-"
        return True
