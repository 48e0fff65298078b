"""Alembic's entry: migrate over the connection that `makul.store.schema` hands in."""

from alembic import context

from makul.store.columns import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
