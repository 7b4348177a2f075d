"""Addresses may be told what becomes of work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "webhooks"
down_revision = "batches"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step on."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("last_problem", sa.Text()),
    )
    op.create_index("ix_webhooks_key", "webhooks", ["key_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column(
            "webhook_id",
            sa.Text(),
            sa.ForeignKey("webhooks.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", moment, nullable=False),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["due_at"])
    op.create_index("ix_deliveries_webhook", "deliveries", ["webhook_id"])


def downgrade() -> None:
    """Go one step back."""
    for table in ("deliveries", "webhooks"):
        op.drop_table(table)
