"""Recordings are kept until their jobs end, so that any service can go on with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "queued_recordings"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step on."""
    op.create_table(
        "queued_recordings",
        sa.Column(
            "job_id", sa.Text(), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("is_of_batch", sa.Boolean(), nullable=False),
        sa.Column("learner_id", sa.Text()),
        sa.Column("max_audio_s", sa.Float()),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_queued_size", "queued_recordings", ["size"])
    op.create_index("ix_queued_learner", "queued_recordings", ["learner_id"])


def downgrade() -> None:
    """Go one step back."""
    op.drop_table("queued_recordings")
