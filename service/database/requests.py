"""Requests that their clients gave a name, so that each is worked at once, however often it comes.

Whoever takes a request claims it first. A claim ends with what came of the request: an assessment
keeps the key itself, a job is noted beside it, and of a request that failed nothing is kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import (
    NewAssessment,
    StoredAssessment,
    find_assessment,
    rows_of,
)
from nativeear.service.database.errors import ConflictError, ReusedKeyError
from nativeear.service.database.jobs import Job, find_job, insert_job, shared_now
from nativeear.service.database.ownership import ALL, stored_key
from nativeear.service.database.queue import Recording, queue_recording
from nativeear.service.database.tables import AssessmentRow, RequestRow

_SERVERS_FAULT = 500


@dataclass(frozen=True)
class Claim:
    """The right, and the duty, to work at a request."""

    key_id: str | None
    idempotency_key: str
    token: str


Claimed = Claim | Job | StoredAssessment | None
"""A claim of one's own; or what came of the request before; or None while another works at it."""


def claim_request(
    session: Session, key_id: str | None, idempotency_key: str, digest: str, within: timedelta
) -> Claimed:
    """Claim a request for a time, if nobody has and nothing has come of it.

    A job that failed by the service's own fault is as if it had never been.

    Raises
    ------
    ReusedKeyError
        If another request had that idempotency key.
    IntegrityError
        If another claims it at this very moment.
    """
    now = shared_now(session)
    claim = Claim(key_id, idempotency_key, uuid4().hex)
    row = session.get(RequestRow, (stored_key(key_id), idempotency_key), with_for_update=True)
    if row is None:
        row = RequestRow(
            key_id=stored_key(key_id), idempotency_key=idempotency_key, digest=digest, job_id=None
        )
    elif row.digest != digest:
        raise _reused()
    elif row.job_id is not None:
        job = find_job(session, row.job_id, key_id=ALL)
        if not _was_failed_by_the_service(job):
            return job
    elif row.claimed_until > now:
        return None
    row.claim, row.claimed_until, row.job_id = claim.token, now + within, None
    session.add(row)
    session.flush()
    # Not before: whoever stores an assessment ends the claim with it.
    before = find_replayed(session, key_id, idempotency_key, digest)
    if before is not None:
        session.delete(row)
        return before
    return claim


def _was_failed_by_the_service(job: Job) -> bool:
    problem = json.loads(job.problem) if job.problem else {}
    return job.state == "failed" and problem.get("status", 0) >= _SERVERS_FAULT


def find_replayed(
    session: Session, key_id: str | None, idempotency_key: str, digest: str | None
) -> StoredAssessment | None:
    """What the same request was answered with before; None if it is new.

    Raises
    ------
    ReusedKeyError
        If another request had the same idempotency key.
    """
    query = select(AssessmentRow.id, AssessmentRow.request_digest).where(
        AssessmentRow.key_id == stored_key(key_id), AssessmentRow.idempotency_key == idempotency_key
    )
    found = session.execute(query).first()
    if found is None:
        return None
    if found.request_digest != digest:
        raise _reused()
    return find_assessment(session, found.id, key_id=ALL)


def find_stored(session: Session, new: NewAssessment) -> StoredAssessment | None:
    """What is there in the place of one that could not be stored; None if it is quite another.

    Raises
    ------
    ReusedKeyError
        If another request had the same idempotency key.
    """
    if new.idempotency_key is not None:
        before = find_replayed(session, new.key_id, new.idempotency_key, new.request_digest)
        if before is not None:
            return before
    same = (AssessmentRow.id == new.id) & (AssessmentRow.result == new.result)
    query = select(AssessmentRow.id).where(same, AssessmentRow.key_id == stored_key(new.key_id))
    found = session.scalar(query)
    return None if found is None else find_assessment(session, found, key_id=ALL)


def _reused() -> ReusedKeyError:
    return ReusedKeyError(
        "Another request had the same idempotency key.",
        fix="Give each request a key of its own; repeat one only with the same content.",
    )


def end_claim(session: Session, new: NewAssessment) -> None:
    """End the claim on a request of which an assessment came."""
    if new.idempotency_key is not None:
        own = RequestRow.key_id == stored_key(new.key_id)
        same = own & (RequestRow.idempotency_key == new.idempotency_key)
        rows_of(session, delete(RequestRow).where(same, RequestRow.job_id.is_(None)))


def create_job(
    session: Session,
    kind: str,
    request_json: str,
    *,
    key_id: str | None,
    claim: Claim | None = None,
    recording: Recording | None = None,
) -> Job:
    """Write down a job that waits; one that comes of a claimed request ends the claim.

    With a recording it waits for any service, see `database.queue`; without, it belongs to this.

    Raises
    ------
    ConflictError
        If the claim had ended, and another works at the request.
    """
    job = insert_job(session, kind, request_json, key_id)
    if recording is not None:
        queue_recording(session, job.id, recording)
        job = replace(job, total=1)
    if claim is not None and not rows_of(
        session, update(RequestRow).where(_is(claim)).values(job_id=job.id)
    ):
        raise ConflictError("The request took so long that another took its place.")
    return job


def release_request(session: Session, claim: Claim) -> None:
    """Give up a claim of which nothing came."""
    rows_of(session, delete(RequestRow).where(_is(claim), RequestRow.job_id.is_(None)))


def delete_overdue(session: Session, now: datetime) -> None:
    """Delete claims of which nothing came in time."""
    over = (RequestRow.claimed_until <= now) & RequestRow.job_id.is_(None)
    rows_of(session, delete(RequestRow).where(over))


def _is(claim: Claim) -> ColumnElement[bool]:
    return (
        (RequestRow.key_id == stored_key(claim.key_id))
        & (RequestRow.idempotency_key == claim.idempotency_key)
        & (RequestRow.claim == claim.token)
    )
