"""Run the migrations on the connection that ``experiments.store.migrate`` opened, inside its transaction."""

from alembic import context

from experiments.store.models import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
context.run_migrations()
