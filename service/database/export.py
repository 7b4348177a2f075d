"""All that is kept of one person, as a zip of JSON and recordings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from functools import partial
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import (
    AssessmentSummary,
    find_assessment,
    find_audio,
    ids_of,
    of_learner,
)
from nativeear.service.database.audio_suffixes import suffix_of
from nativeear.service.database.audit_log import list_entries
from nativeear.service.database.batch_tables import BatchItemRow, BatchRow
from nativeear.service.database.comments import list_comments
from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.labels import list_labels
from nativeear.service.database.ownership import ALL, Owner
from nativeear.service.database.people import find_person, list_groups
from nativeear.service.database.people_tables import CommentRow, SessionRow
from nativeear.service.database.sentence_sets import list_sets
from nativeear.service.database.store import Store
from nativeear.service.database.tables import AssessmentRow, JobRow
from nativeear.service.database.teaching_tables import LabelRow
from nativeear.service.database.usage_tables import UsageRow
from nativeear.service.database.webhook_tables import WebhookRow

_EVERY_ENTRY = 100_000


def export_person(store: Store, id: str, out: IO[bytes]) -> int:
    """Write all that is kept of a person; how many assessments there are.

    Raises
    ------
    NotFoundError
        If there is no such person.
    """
    about = store.read(lambda session: _about(session, id))
    return _write(store, about, AssessmentRow.key_id == id, out)


def export_learner(store: Store, learner_id: str, out: IO[bytes], *, key_id: Owner) -> int:
    """As `export_person`, of a learner whom a program named so.

    Raises
    ------
    NotFoundError
        If nothing is kept of that learner.
    """
    chosen = of_learner(learner_id, key_id)
    if not store.read(lambda session: ids_of(session, chosen)):
        raise NotFoundError(f"Nothing is kept of the learner {learner_id!r}.")
    return _write(store, {"learner_id": learner_id}, chosen, out)


def _write(
    store: Store, about: Mapping[str, Any], chosen: ColumnElement[bool], out: IO[bytes]
) -> int:
    """One assessment at a time: together they may be more than fits into memory."""
    count = 0
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("person.json", _json(about))
        for id in store.read(lambda session: ids_of(session, chosen)):
            for name, content in store.read(partial(_files, id=id)):
                archive.writestr(name, content)
            count += 1
    return count


def _about(session: Session, id: str) -> dict[str, Any]:
    sessions = select(SessionRow.created_at, SessionRow.expires_at)
    written = select(CommentRow.assessment_id, CommentRow.text, CommentRow.created_at)
    labels = select(
        *(LabelRow.assessment_id, LabelRow.position, LabelRow.verdict, LabelRow.heard),
        LabelRow.created_at,
    )
    jobs = select(JobRow.id, JobRow.kind, JobRow.state, JobRow.created_at, JobRow.request)
    batches = select(BatchRow.id, BatchRow.created_at, BatchItemRow.name, BatchItemRow.job_id)
    batches = batches.join(BatchItemRow, BatchItemRow.batch_id == BatchRow.id)
    webhooks = select(WebhookRow.id, WebhookRow.url, WebhookRow.created_at)
    usage = select(UsageRow.day, UsageRow.requests, UsageRow.assessments, UsageRow.audio_s)
    person = find_person(session, id)
    return {
        "person": asdict(person),
        "groups": [asdict(group) for group in list_groups(session, person_id=id)],
        "groups_taught": [asdict(group) for group in list_groups(session, teacher_id=id)],
        "sessions": _rows(session, sessions.where(SessionRow.person_id == id)),
        "comments_written": _rows(session, written.where(CommentRow.author_id == id)),
        "labels_written": _rows(session, labels.where(LabelRow.author_id == id)),
        "sentence_sets": [asdict(each) for each in list_sets(session, id)],
        "jobs": _rows(session, jobs.where(JobRow.key_id == id)),
        "batches": _rows(session, batches.where(BatchRow.key_id == id)),
        "webhooks": _rows(session, webhooks.where(WebhookRow.key_id == id)),
        "usage": _rows(session, usage.where(UsageRow.key_id == id)),
        "audit": [
            asdict(entry) for entry in list_entries(session, about=id, limit=_EVERY_ENTRY).items
        ],
    }


def _rows(session: Session, query: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in session.execute(query)]


def _files(session: Session, id: str) -> list[tuple[str, bytes]]:
    """The files of one assessment; none if it was deleted meanwhile."""
    try:
        stored = find_assessment(session, id, key_id=ALL)
    except NotFoundError:
        return []
    told = {name: getattr(stored, name) for name in AssessmentSummary.__dataclass_fields__}
    comments = [asdict(comment) for comment in list_comments(session, id)]
    labels = [asdict(label) for label in list_labels(session, id)]
    content = told | {"comments": comments, "labels": labels, "result": json.loads(stored.result)}
    files = [(f"assessments/{id}.json", _json(content))]
    if stored.has_audio:
        audio = find_audio(session, id, key_id=ALL)
        files.append((f"audio/{id}{suffix_of(audio.media_type)}", audio.bytes))
    return files


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2, default=_moment).encode("utf-8")


def _moment(value: object) -> str:
    if isinstance(value, date):  # as every datetime is
        return value.isoformat()
    raise TypeError(f"{type(value)} is nothing that JSON has")
