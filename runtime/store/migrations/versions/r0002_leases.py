"""Leases: whose a live call is, and the state it is gone on with should that process die."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "leases",
        sa.Column("call_id", sa.String(64), primary_key=True),
        sa.Column("flow", sa.String(128), nullable=False),
        sa.Column("artifact", sa.String(64), nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("token", sa.String(512), nullable=False),
        sa.Column("expects", sa.Boolean, nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(128)),
        sa.Column("begun_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
    )
    op.create_index("leases_by_end", "leases", ["ended_ms"])
