"""Whom a live call's caller is being brought to, for the worker that sees to them should this one die."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("leases", sa.Column("room", sa.Text, nullable=False, server_default=""))
