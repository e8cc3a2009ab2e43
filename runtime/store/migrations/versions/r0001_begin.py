"""The first tables: calls, packages, deeds and rollouts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _calls()
    _packages()
    _deeds()
    op.create_table(
        "rollouts",
        sa.Column("flow", sa.String(128), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
    )


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call_id", sa.String(64), primary_key=True),
        sa.Column("flow", sa.String(128), nullable=False),
        sa.Column("flow_version", sa.String(64), nullable=False),
        sa.Column("artifact", sa.String(64), nullable=False),
        sa.Column("caller", sa.String(32)),
        sa.Column("called", sa.String(32)),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("reason", sa.String(64)),
        sa.Column("outcome", sa.String(128)),
    )
    op.create_index("calls_by_start", "calls", ["started_ms"])
    op.create_index("calls_by_caller", "calls", ["caller"])


def _packages() -> None:
    op.create_table(
        "packages",
        sa.Column("call_id", sa.String(64), primary_key=True),
        sa.Column("handoff_id", sa.String(64), primary_key=True),
        sa.Column("handoff", sa.String(128), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("kept_ms", sa.BigInteger, nullable=False),
        sa.Column("receipt", sa.String(256)),
        sa.Column("acknowledged_ms", sa.BigInteger),
    )
    op.create_index("packages_by_time", "packages", ["kept_ms"])


def _deeds() -> None:
    op.create_table(
        "deeds",
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("flow", sa.String(128), nullable=False),
        sa.Column("action", sa.String(128), nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("reason", sa.String(64)),
        sa.Column("begun_ms", sa.BigInteger, nullable=False),
        sa.Column("settled_ms", sa.BigInteger),
    )
    op.create_index("deeds_by_state", "deeds", ["state", "begun_ms"])
