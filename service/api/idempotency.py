"""A request with an idempotency key is worked at once, however often and however fast it comes.

As draft-ietf-httpapi-idempotency-key-header wants it: the key with another content is refused with
422; while the first is worked at, the others wait for its answer, and for too long end with 409.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from time import monotonic

from anyio import CancelScope, to_thread
from fastapi import Request

from nativeear.service.api.authentication import Caller
from nativeear.service.api.problems import ClientGoneError, InProgressError
from nativeear.service.api.state import Service
from nativeear.service.database.assessments import StoredAssessment
from nativeear.service.database.jobs import Job
from nativeear.service.database.requests import Claim

_FIRST_POLL_S = 0.05
_LONGEST_POLL_S = 1.0
_BESIDE_S = 60.0  # what decoding and storing may take, beside the time-out of the assessment


async def claim_or_wait(
    service: Service, request: Request, caller: Caller, idempotency_key: str, digest: str
) -> Claim | Job | StoredAssessment:
    """Claim a request; or wait for what comes of it, if another has claimed it.

    Raises
    ------
    ReusedKeyError
        If another request had that key.
    InProgressError
        If nothing has come of it in time.
    ClientGoneError
        If nobody waits any more.
    """
    timeout_s = service.settings.timeout_s
    within = timedelta(seconds=timeout_s + _BESIDE_S)
    claim = partial(service.store.claim_request, caller.key_id, idempotency_key, digest, within)
    until, pause_s = monotonic() + timeout_s, _FIRST_POLL_S
    while (found := await to_thread.run_sync(claim)) is None:
        if monotonic() > until:
            raise InProgressError(
                "The same request is still being worked at.",
                fix="Ask again with the same key for its answer.",
                headers={"Retry-After": "5"},
            )
        if await request.is_disconnected():
            raise ClientGoneError("The client left before its request was answered.")
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_POLL_S)
    return found


@asynccontextmanager
async def released_on_failure(service: Service, claim: Claim | None) -> AsyncIterator[None]:
    """Inside, a claimed request is worked at; if that fails, it may be tried anew."""
    try:
        yield
    except BaseException:
        if claim is not None:
            release = partial(service.store.release_request, claim)
            with CancelScope(shield=True):
                await to_thread.run_sync(service.outbox.write, f"request {claim.token}", release)
        raise
