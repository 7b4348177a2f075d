"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step on."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "assessments",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("expires_at", moment),
        sa.Column("learner_id", sa.Text()),
        sa.Column("group_name", sa.Text()),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("index_name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("duration_s", sa.Float(), nullable=False),
        sa.Column("overall", sa.Float()),
        sa.Column("pronunciation", sa.Float()),
        sa.Column("fluency", sa.Float()),
        sa.Column("prosody", sa.Float()),
        sa.Column("completeness", sa.Float()),
        sa.Column("idempotency_key", sa.Text()),
        sa.Column("request_digest", sa.Text()),
        sa.Column("result", sa.Text(), nullable=False),
        sa.UniqueConstraint("key_id", "idempotency_key", name="uq_assessments_idempotency"),
    )
    op.create_index("ix_assessments_created", "assessments", ["created_at", "id"])
    op.create_index("ix_assessments_learner", "assessments", ["learner_id", "created_at"])
    op.create_index("ix_assessments_group", "assessments", ["group_name"])
    op.create_index("ix_assessments_expires", "assessments", ["expires_at"])
    op.create_table(
        "phones",
        sa.Column(
            "assessment_id",
            sa.Text(),
            sa.ForeignKey("assessments.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("ipa", sa.Text(), nullable=False),
        sa.Column("score", sa.Float()),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("probability", sa.Float()),
    )
    op.create_table(
        "audio",
        sa.Column(
            "assessment_id",
            sa.Text(),
            sa.ForeignKey("assessments.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("assessment_id", sa.Text(), sa.ForeignKey("assessments.id", ondelete="CASCADE")),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("problem", sa.Text()),
    )
    op.create_index("ix_jobs_created", "jobs", ["created_at", "id"])
    op.create_index("ix_jobs_assessment", "jobs", ["assessment_id"])
    op.create_index("ix_jobs_state", "jobs", ["state", "updated_at"])
    op.create_table(
        "keys",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("requests_per_minute", sa.Integer()),
        sa.Column("max_audio_s", sa.Float()),
        sa.Column("max_bytes", sa.BigInteger()),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment),
        sa.Column("revoked_at", moment),
        sa.Column("last_used_at", moment),
    )
    op.create_index("ix_keys_prefix", "keys", ["prefix"])


def downgrade() -> None:
    """Go one step back."""
    for table in ("keys", "jobs", "audio", "phones", "assessments"):
        op.drop_table(table)
