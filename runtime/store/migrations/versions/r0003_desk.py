"""The desk of all processes: what waits for a person, and who looked at it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "waiting",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("handoff_id", sa.String(64), nullable=False),
        sa.Column("handoff", sa.String(128), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.Column("place", sa.String(16), nullable=False),
        sa.Column("answered_by", sa.String(64)),
        sa.Column("why", sa.String(32)),
        sa.Column("received_ms", sa.BigInteger),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("alive_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("waiting_by_change", "waiting", ["changed_ms"])
    op.create_index("waiting_by_call", "waiting", ["call_id"])
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "accesses",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("accesses_by_call", "accesses", ["call_id"])
