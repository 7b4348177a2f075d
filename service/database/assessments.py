"""Assessments and their recordings: stored whole, listed, and deleted for good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Delete,
    Select,
    Update,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.orm import Session

from nativeear.scoring.assessment import Assessment
from nativeear.service.database.erasures import refuse_erased
from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.ownership import Owner, belongs_to, stored_key
from nativeear.service.database.paging import Page, behind, cursor
from nativeear.service.database.people_tables import CommentRow
from nativeear.service.database.tables import (
    NO_KEY,
    AssessmentRow,
    AudioRow,
    PhoneRow,
    columns_of,
)
from nativeear.service.database.usage import Amount, add_usage


@dataclass(frozen=True)
class NewAssessment:
    """What is to be stored.

    Attributes
    ----------
    result
        The `scoring.assessment.Assessment` as JSON.
    audio, audio_type
        The recording and its media type; None is not kept.
    expires_at
        When `purge` deletes it; None is never.
    idempotency_key, request_digest
        The name that a client gave its request, and what tells requests apart.
    """

    id: str
    language: str
    index: str
    result: str
    duration_s: float
    key_id: str | None = None
    learner_id: str | None = None
    group: str | None = None
    text: str | None = None
    audio: bytes | None = None
    audio_type: str | None = None
    expires_at: datetime | None = None
    idempotency_key: str | None = None
    request_digest: str | None = None


@dataclass(frozen=True)
class AssessmentSummary:
    """An assessment without its details. Scores are 0–100, None where not measured.

    `comments` are counted where many are listed.
    """

    id: str
    key_id: str | None
    created_at: datetime
    expires_at: datetime | None
    learner_id: str | None
    group: str | None
    language: str
    index: str
    text: str | None
    transcript: str | None
    duration_s: float
    overall: float | None
    pronunciation: float | None
    fluency: float | None
    prosody: float | None
    completeness: float | None
    has_audio: bool
    comments: int = field(default=0, kw_only=True)


@dataclass(frozen=True)
class StoredAssessment(AssessmentSummary):
    """An assessment with its result as JSON."""

    result: str


@dataclass(frozen=True)
class StoredAudio:
    """A recording as it was sent."""

    bytes: bytes
    media_type: str


def insert_assessment(session: Session, new: NewAssessment) -> StoredAssessment:
    """Store an assessment; the database refuses an idempotency key that is taken.

    Raises
    ------
    ValueError
        If the result is no Assessment.
    NotFoundError
        If the person who made it was erased meanwhile.
    """
    refuse_erased(session, new.key_id)
    result = Assessment.model_validate_json(new.result)
    now = datetime.now(timezone.utc)
    row = AssessmentRow(
        id=new.id,
        key_id=stored_key(new.key_id),
        created_at=now,
        day=now.date(),
        expires_at=new.expires_at,
        learner_id=new.learner_id,
        group_name=new.group,
        language=new.language,
        index_name=new.index,
        text=new.text,
        transcript=result.transcript.text if result.transcript else None,
        duration_s=new.duration_s,
        idempotency_key=new.idempotency_key,
        request_digest=new.request_digest,
        result=new.result,
        **result.score.model_dump(),
    )
    session.add(row)
    session.flush()
    add_usage(session, new.key_id, row.day, Amount(assessments=1, audio_s=new.duration_s))
    if phones := list(_phones(new.id, result)):
        session.execute(insert(PhoneRow), phones)
    if new.audio is not None:
        media_type = new.audio_type or "application/octet-stream"
        session.add(AudioRow(assessment_id=new.id, media_type=media_type, data=new.audio))
    session.flush()
    return _stored(row, new.audio is not None)


def _phones(id: str, result: Assessment) -> Iterator[dict[str, Any]]:
    if result.transcript is not None and result.transcript.source == "phones":
        return  # what was heard was not meant: it belongs to no history of sounds
    spoken = ((word, phone) for word in result.words for phone in word.phones)
    for position, (word, phone) in enumerate(spoken):
        if word.start_s is None:
            continue  # what was not read was not practised
        yield {
            "assessment_id": id,
            "position": position,
            "word": word.word,
            "phone": phone.phone,
            "ipa": phone.ipa,
            "score": phone.score,
            "verdict": phone.verdict,
            "probability": phone.probability_mispronounced,
        }


def find_assessment(session: Session, id: str, *, key_id: Owner) -> StoredAssessment:
    """Fetch an assessment.

    Raises
    ------
    NotFoundError
        If it is not there, or belongs to another key.
    """
    found = session.execute(
        _with_audio().where(AssessmentRow.id == id, belongs_to(AssessmentRow.key_id, key_id))
    ).first()
    if found is None:
        raise _absent(id)
    return _stored(*found)


def list_assessments(
    session: Session,
    *,
    key_id: Owner,
    learner_id: str | None = None,
    group: str | None = None,
    language: str | None = None,
    index: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[AssessmentSummary]:
    """Assessments, the newest first.

    Parameters
    ----------
    since, until
        Not before, and before.
    after
        `next` of the page before.

    Raises
    ------
    InputError
        If `after` is none that was given out.
    """
    columns = [column for column in AssessmentRow.__table__.columns if column.name != "result"]
    query = (
        select(
            *columns,
            AudioRow.assessment_id.is_not(None).label("has_audio"),
            select(func.count())
            .where(CommentRow.assessment_id == AssessmentRow.id)
            .scalar_subquery()
            .label("comments"),
        )
        .outerjoin(AudioRow, AudioRow.assessment_id == AssessmentRow.id)
        .where(belongs_to(AssessmentRow.key_id, key_id))
        .order_by(AssessmentRow.created_at.desc(), AssessmentRow.id.desc())
        .limit(limit + 1)  # one more tells whether there is more
    )
    for column, wanted in (
        (AssessmentRow.learner_id, learner_id),
        (AssessmentRow.group_name, group),
        (AssessmentRow.language, language),
        (AssessmentRow.index_name, index),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if since is not None:
        query = query.where(AssessmentRow.created_at >= since)
    if until is not None:
        query = query.where(AssessmentRow.created_at < until)
    if after is not None:
        query = query.where(behind(after, AssessmentRow.created_at, AssessmentRow.id))
    items = tuple(AssessmentSummary(**_summary(row)) for row in session.execute(query))
    shown = items[:limit]
    more = len(items) > limit
    return Page(shown, cursor(shown[-1].created_at, shown[-1].id) if more and shown else None)


def find_audio(session: Session, id: str, *, key_id: Owner) -> StoredAudio:
    """The recording of an assessment.

    Raises
    ------
    NotFoundError
        If there is no such assessment, or its recording was not kept.
    """
    found = session.execute(
        select(AssessmentRow.id, AudioRow.data, AudioRow.media_type)
        .outerjoin(AudioRow, AudioRow.assessment_id == AssessmentRow.id)
        .where(AssessmentRow.id == id, belongs_to(AssessmentRow.key_id, key_id))
    ).first()
    if found is None:
        raise _absent(id)
    if found.data is None:
        raise NotFoundError(
            "The recording of this assessment was not kept.",
            fix="Ask for it to be kept when it is assessed: keep_audio.",
        )
    return StoredAudio(found.data, found.media_type)


def delete_assessment(session: Session, id: str, key_id: Owner) -> None:
    """Delete an assessment with its phones, its recording and its job.

    Raises
    ------
    NotFoundError
        If it is not there, or belongs to another key.
    """
    chosen = (AssessmentRow.id == id) & belongs_to(AssessmentRow.key_id, key_id)
    if not delete_assessments(session, chosen):
        raise _absent(id)


def of_learner(learner_id: str, key_id: Owner) -> ColumnElement[bool]:
    """Condition that an assessment is one of a learner."""
    return (AssessmentRow.learner_id == learner_id) & belongs_to(AssessmentRow.key_id, key_id)


def owners(
    session: Session, *, key_id: Owner, learner_id: str | None = None, group: str | None = None
) -> frozenset[str | None]:
    """Who stored what somebody sees, of a learner or a group if one is named."""
    query = select(AssessmentRow.key_id).where(belongs_to(AssessmentRow.key_id, key_id)).distinct()
    if learner_id is not None:
        query = query.where(AssessmentRow.learner_id == learner_id)
    if group is not None:
        query = query.where(AssessmentRow.group_name == group)
    return frozenset(None if id == NO_KEY else id for id in session.scalars(query))


def expired(now: datetime) -> ColumnElement[bool]:
    """Condition that the time of an assessment is over."""
    return AssessmentRow.expires_at <= now


def ids_of(session: Session, chosen: ColumnElement[bool]) -> list[str]:
    """Ids of assessments."""
    return list(session.scalars(select(AssessmentRow.id).where(chosen)))


def delete_assessments(session: Session, chosen: ColumnElement[bool]) -> int:
    """Delete assessments with all that belongs to them; how many there were."""
    return rows_of(session, delete(AssessmentRow).where(chosen))


def rows_of(session: Session, change: Delete | Update) -> int:
    """Delete or change rows; how many there were."""
    result = session.execute(change.execution_options(synchronize_session=False))
    return result.rowcount if isinstance(result, CursorResult) else 0


def _with_audio() -> Select[AssessmentRow, bool]:
    return select(AssessmentRow, AudioRow.assessment_id.is_not(None)).outerjoin(
        AudioRow, AudioRow.assessment_id == AssessmentRow.id
    )


def _stored(row: AssessmentRow, has_audio: bool) -> StoredAssessment:
    return StoredAssessment(**_summary(row, has_audio), result=row.result)


def _summary(row: Any, has_audio: bool | None = None) -> dict[str, Any]:
    """The fields of a summary from a row, or from the columns of a list."""
    return columns_of(AssessmentSummary, row) | {
        "key_id": None if row.key_id == NO_KEY else row.key_id,
        "group": row.group_name,
        "index": row.index_name,
        "has_audio": row.has_audio if has_audio is None else has_audio,
    }


def _absent(id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no assessment {id}.", cause="It was deleted, has expired, or never was."
    )
