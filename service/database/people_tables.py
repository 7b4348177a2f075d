"""The tables of people: who they are, how they come in, and what is written down of what they do.

What somebody says is stored under his id in place of a key's, see `service.database.ownership`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from nativeear.service.database.tables import Table


class PersonRow(Table):
    """Somebody with a role; of a learner the name is what a teacher or he himself gave."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime]


class GroupRow(Table):
    """A group of a teacher's; assessments made in it have its id in `group_name`."""

    __tablename__ = "groups"
    __table_args__ = (Index("ix_groups_teacher", "teacher_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    teacher_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    name: Mapped[str]
    created_at: Mapped[datetime]


class MemberRow(Table):
    """A learner in a group."""

    __tablename__ = "members"
    __table_args__ = (Index("ix_members_person", "person_id"),)

    group_id: Mapped[str] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    joined_at: Mapped[datetime]


class CodeRow(Table):
    """A code that lets a person come in, or anybody join a group; each has one at most.

    `selector` is its beginning, by which it is found; of the rest only scrypt's hash is kept.
    """

    __tablename__ = "codes"
    __table_args__ = (
        Index("ix_codes_selector", "selector"),
        Index("ix_codes_expires", "expires_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    selector: Mapped[str]
    salt: Mapped[bytes]
    secret_scrypt: Mapped[bytes]
    person_id: Mapped[str | None] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), unique=True
    )
    group_id: Mapped[str | None] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), unique=True
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class SessionRow(Table):
    """A browser in which somebody is signed in; its cookie is kept as SHA-256."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_person", "person_id"),
        Index("ix_sessions_expires", "expires_at"),
    )

    token_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class DisclosureRow(Table):
    """That an operator asked to see what people say, why, and until when."""

    __tablename__ = "disclosures"

    actor: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    until: Mapped[datetime]


class CommentRow(Table):
    """What a teacher says of an assessment."""

    __tablename__ = "comments"
    __table_args__ = (Index("ix_comments_assessment", "assessment_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    assessment_id: Mapped[str] = mapped_column(ForeignKey("assessments.id", ondelete="CASCADE"))
    author_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    text: Mapped[str]
    created_at: Mapped[datetime]


class AuditRow(Table):
    """Who did what to whose data. It has ids and no names, so that it outlives an erasure."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_at", "at", "id"),
        Index("ix_audit_subject", "subject"),
        Index("ix_audit_actor", "actor"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    role: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str | None]
    what: Mapped[str]
    detail: Mapped[str]


class ReceiptRow(Table):
    """What an erasure deleted, in numbers."""

    __tablename__ = "receipts"
    __table_args__ = (Index("ix_receipts_subject", "subject_sha256"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    subject_sha256: Mapped[str]
    deleted: Mapped[str]
