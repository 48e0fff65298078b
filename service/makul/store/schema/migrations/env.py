"""Alembic's entry: migrate over the connection that `makul.store.schema.version` hands in.

The program's tables are not read here: their naming convention would change released migrations.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
