"""Erasing all that is kept of somebody, and the receipt for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from uuid import uuid4

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from nativeear.service.database.assessments import delete_assessments, rows_of
from nativeear.service.database.audit_log import NewEntry, write_entries
from nativeear.service.database.batch_tables import BatchRow
from nativeear.service.database.erasures import digest_of
from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.people import absent
from nativeear.service.database.people_tables import (
    CodeRow,
    CommentRow,
    DisclosureRow,
    GroupRow,
    MemberRow,
    PersonRow,
    ReceiptRow,
    SessionRow,
)
from nativeear.service.database.tables import (
    AssessmentRow,
    AudioRow,
    JobRow,
    PhoneRow,
    RequestRow,
    Table,
)
from nativeear.service.database.teaching_tables import LabelRow, SentenceSetRow
from nativeear.service.database.usage_tables import UsageRow
from nativeear.service.database.webhook_tables import WebhookRow


@dataclass(frozen=True)
class Receipt:
    """That somebody was erased.

    Attributes
    ----------
    subject_sha256
        SHA-256 of the id of who it was: whoever knows the id can tell, nobody else.
    deleted
        How many rows of what there were.
    """

    id: str
    at: datetime
    actor: str
    subject_sha256: str
    deleted: Mapping[str, int]


def erase_person(session: Session, id: str, actor: str, role: str) -> Receipt:
    """Delete a person with all that he said, is called, and was said of it.

    Raises
    ------
    NotFoundError
        If there is no such person.
    """
    # Locked, so that what is being assessed is stored before, or not at all; in the order in which
    # a job that ends locks them, too.
    session.scalars(select(JobRow.id).where(JobRow.key_id == id).with_for_update()).all()
    person = session.get(PersonRow, id, with_for_update=True)
    if person is None:
        raise absent(id)
    deleted = _said(session, AssessmentRow.key_id == id)
    deleted["jobs"] = rows_of(session, delete(JobRow).where(JobRow.key_id == id))
    rows_of(session, delete(RequestRow).where(RequestRow.key_id == id))
    rows_of(session, delete(DisclosureRow).where(DisclosureRow.actor == id))
    owned: dict[str, tuple[type[Table], ColumnElement[bool]]] = {
        "batches": (BatchRow, BatchRow.key_id == id),
        "webhooks": (WebhookRow, WebhookRow.key_id == id),
        "days_of_usage": (UsageRow, UsageRow.key_id == id),
        "comments_written": (CommentRow, CommentRow.author_id == id),
        "labels_written": (LabelRow, LabelRow.author_id == id),
        "sentence_sets": (SentenceSetRow, SentenceSetRow.teacher_id == id),
        "groups": (GroupRow, GroupRow.teacher_id == id),
        "memberships": (MemberRow, MemberRow.person_id == id),
        "sessions": (SessionRow, SessionRow.person_id == id),
        "codes": (CodeRow, CodeRow.person_id == id),
        "people": (PersonRow, PersonRow.id == id),
    }
    for name, (table, chosen) in owned.items():
        deleted[name] = rows_of(session, delete(table).where(chosen))
    return write_receipt(session, id, actor, role, deleted)


def find_receipt(session: Session, id: str) -> Receipt:
    """Fetch a receipt, or raise `NotFoundError`."""
    row = session.get(ReceiptRow, id)
    if row is None:
        raise NotFoundError(f"There is no receipt {id}.")
    return _read(row)


def _said(session: Session, chosen: ColumnElement[bool]) -> dict[str, int]:
    """Delete assessments with all that hangs on them, and count it before."""
    ids = select(AssessmentRow.id).where(chosen)

    def count(table: type[Table], column: InstrumentedAttribute[str]) -> int:
        query = select(func.count()).select_from(table).where(column.in_(ids))
        return session.scalar(query) or 0

    counts = {
        "recordings": count(AudioRow, AudioRow.assessment_id),
        "phones": count(PhoneRow, PhoneRow.assessment_id),
        "comments": count(CommentRow, CommentRow.assessment_id),
        "labels": count(LabelRow, LabelRow.assessment_id),
    }
    return {"assessments": delete_assessments(session, chosen), **counts}


def write_receipt(
    session: Session, subject: str, actor: str, role: str, deleted: Mapping[str, int]
) -> Receipt:
    """Write down what was deleted of somebody, by the id of a person or the name of a learner."""
    row = ReceiptRow(
        id=uuid4().hex,
        at=datetime.now(timezone.utc),
        actor=actor,
        subject_sha256=digest_of(subject),
        deleted=json.dumps(deleted),
    )
    session.add(row)
    write_entries(session, [NewEntry(actor, role, "erase", f"receipt {row.id}")])
    session.flush()
    return _read(row)


def _read(row: ReceiptRow) -> Receipt:
    return Receipt(row.id, row.at, row.actor, row.subject_sha256, json.loads(row.deleted))
