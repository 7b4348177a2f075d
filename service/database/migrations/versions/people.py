"""People with roles, their groups, codes and sessions, and who read or deleted what."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "people"
down_revision = "queued_recordings"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go one step on."""
    _people()
    _codes()
    _records()


def downgrade() -> None:
    """Go one step back."""
    for table in (
        *("receipts", "audit", "comments", "disclosures", "sessions"),
        *("codes", "members", "groups", "people"),
    ):
        op.drop_table(table)


def _text(name: str, *, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=optional)


def _moment(name: str, *, optional: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, _MOMENT, nullable=optional)


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.Text(), primary_key=True)


def _of(name: str, table: str, **more: bool) -> sa.Column[str]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.Text(), key, **{"nullable": False, **more})  # type: ignore[arg-type]


def _people() -> None:
    op.create_table("people", _id(), _text("role"), _text("name"), _moment("created_at"))
    op.create_table(
        "groups", _id(), _of("teacher_id", "people"), _text("name"), _moment("created_at")
    )
    op.create_index("ix_groups_teacher", "groups", ["teacher_id"])
    op.create_table(
        "members",
        _of("group_id", "groups", primary_key=True),
        _of("person_id", "people", primary_key=True),
        _moment("joined_at"),
    )
    op.create_index("ix_members_person", "members", ["person_id"])


def _codes() -> None:
    op.create_table(
        "codes",
        _id(),
        _text("selector"),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("secret_scrypt", sa.LargeBinary(), nullable=False),
        _of("person_id", "people", nullable=True, unique=True),
        _of("group_id", "groups", nullable=True, unique=True),
        _moment("created_at"),
        _moment("expires_at", optional=True),
    )
    op.create_index("ix_codes_selector", "codes", ["selector"])
    op.create_index("ix_codes_expires", "codes", ["expires_at"])
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.LargeBinary(), primary_key=True),
        _of("person_id", "people"),
        _moment("created_at"),
        _moment("expires_at"),
    )
    op.create_index("ix_sessions_person", "sessions", ["person_id"])
    op.create_index("ix_sessions_expires", "sessions", ["expires_at"])
    op.create_table(
        "disclosures",
        sa.Column("actor", sa.Text(), primary_key=True),
        _text("reason"),
        _moment("opened_at"),
        _moment("until"),
    )


def _records() -> None:
    op.create_table(
        "comments",
        _id(),
        _of("assessment_id", "assessments"),
        _of("author_id", "people"),
        _text("text"),
        _moment("created_at"),
    )
    op.create_index("ix_comments_assessment", "comments", ["assessment_id"])
    op.create_table(
        "audit",
        _id(),
        _moment("at"),
        *(_text(name) for name in ("actor", "role", "action")),
        _text("subject", optional=True),
        *(_text(name) for name in ("what", "detail")),
    )
    op.create_index("ix_audit_at", "audit", ["at", "id"])
    op.create_index("ix_audit_subject", "audit", ["subject"])
    op.create_index("ix_audit_actor", "audit", ["actor"])
    op.create_table(
        "receipts",
        _id(),
        _moment("at"),
        *(_text(name) for name in ("actor", "subject_sha256", "deleted")),
    )
    op.create_index("ix_receipts_subject", "receipts", ["subject_sha256"])
