"""Teachers' own sentences, homework, and verdicts that they put right."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "teaching"
down_revision = "webhooks"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go one step on."""
    op.create_table(
        "sentence_sets",
        sa.Column("id", sa.Text(), primary_key=True),
        _of("teacher_id", "people"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("title", "language")),
        sa.Column("sentences", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
    )
    op.create_index("ix_sentence_sets_teacher", "sentence_sets", ["teacher_id"])
    op.create_table(
        "homework",
        sa.Column("id", sa.Text(), primary_key=True),
        _of("group_id", "groups"),
        _of("set_id", "sentence_sets"),
        sa.Column("due", sa.Date()),
        sa.Column("created_at", _MOMENT, nullable=False),
    )
    op.create_index("ix_homework_group", "homework", ["group_id"])
    op.create_index("ix_homework_set", "homework", ["set_id"])
    op.create_table(
        "labels",
        sa.Column("assessment_id", sa.Text(), _key("assessments"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
        _of("author_id", "people"),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("heard", sa.Text()),
        sa.Column("created_at", _MOMENT, nullable=False),
    )
    op.create_index("ix_labels_author", "labels", ["author_id"])


def downgrade() -> None:
    """Go one step back."""
    for table in ("labels", "homework", "sentence_sets"):
        op.drop_table(table)


def _key(table: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.id", ondelete="CASCADE")


def _of(name: str, table: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), _key(table), nullable=False)
