"""What Alembic runs the steps with: the one connection it is handed, in that connection's transaction."""

from alembic import context

from runtime.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
