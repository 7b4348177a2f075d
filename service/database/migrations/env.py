"""Runs the steps inside the transaction that `service.database.connection` has begun."""

from __future__ import annotations

from alembic import context

from nativeear.service.database.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,  # SQLite cannot alter a table in place
)
context.run_migrations()
