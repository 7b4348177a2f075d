"""Jobs belong to a service for a time; what was heard in free speech is listed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step on. Nobody renews the jobs that are there: their services have ended."""
    op.add_column("jobs", sa.Column("leased_until", sa.DateTime(timezone=True)))
    op.add_column("assessments", sa.Column("transcript", sa.Text()))


def downgrade() -> None:
    """Go one step back."""
    op.drop_column("assessments", "transcript")
    op.drop_column("jobs", "leased_until")
