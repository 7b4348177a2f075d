"""Requests are known while they are worked at; services tell that they can write."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step on."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "requests",
        sa.Column("key_id", sa.Text(), primary_key=True),
        sa.Column("idempotency_key", sa.Text(), primary_key=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("claimed_until", moment, nullable=False),
        sa.Column("job_id", sa.Text(), sa.ForeignKey("jobs.id", ondelete="CASCADE")),
    )
    op.create_index("ix_requests_job", "requests", ["job_id"])
    op.create_table(
        "services",
        sa.Column("opened_by", sa.Text(), primary_key=True),
        sa.Column("wrote_at", moment, nullable=False),
    )


def downgrade() -> None:
    """Go one step back."""
    for table in ("services", "requests"):
        op.drop_table(table)
