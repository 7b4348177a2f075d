"""What teachers say of assessments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import rows_of
from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.people import find_person
from nativeear.service.database.people_tables import CommentRow, PersonRow


@dataclass(frozen=True)
class Comment:
    """A comment, and by whom."""

    id: str
    author_id: str
    author: str
    text: str
    created_at: datetime


def insert_comment(session: Session, assessment_id: str, author_id: str, text: str) -> Comment:
    """Comment on an assessment; whoever calls has seen to it that its author may see it."""
    author = find_person(session, author_id)
    row = CommentRow(
        id=uuid4().hex,
        assessment_id=assessment_id,
        author_id=author.id,
        text=text,
        created_at=datetime.now(timezone.utc),
    )
    session.add(row)
    session.flush()
    return _comment(row, author.name)


def list_comments(session: Session, assessment_id: str) -> tuple[Comment, ...]:
    """The comments on an assessment, the oldest first."""
    query = (
        select(CommentRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == CommentRow.author_id)
        .where(CommentRow.assessment_id == assessment_id)
        .order_by(CommentRow.created_at, CommentRow.id)
    )
    return tuple(_comment(*row) for row in session.execute(query))


def delete_comment(session: Session, assessment_id: str, id: str, author_id: str) -> None:
    """Take back a comment of one's own.

    Raises
    ------
    NotFoundError
        If there is none, or it is another's.
    """
    own = (CommentRow.id == id) & (CommentRow.author_id == author_id)
    gone = delete(CommentRow).where(own, CommentRow.assessment_id == assessment_id)
    if not rows_of(session, gone):
        raise NotFoundError(f"There is no comment {id}.")


def _comment(row: CommentRow, author: str) -> Comment:
    return Comment(row.id, row.author_id, author, row.text, row.created_at)
