"""What keys use is counted by day, and may be limited by day and month."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "usage"
down_revision = "people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step on."""
    op.create_table(
        "usage",
        sa.Column("key_id", sa.Text(), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("assessments", sa.Integer(), nullable=False),
        sa.Column("audio_s", sa.Float(), nullable=False),
    )
    op.create_table(
        "quotas",
        sa.Column(
            "key_id", sa.Text(), sa.ForeignKey("keys.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("requests_per_day", sa.Integer()),
        sa.Column("requests_per_month", sa.Integer()),
        sa.Column("audio_s_per_day", sa.Float()),
        sa.Column("audio_s_per_month", sa.Float()),
    )


def downgrade() -> None:
    """Go one step back."""
    for table in ("quotas", "usage"):
        op.drop_table(table)
