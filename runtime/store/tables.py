"""The tables of the store, as code knows them; the migrations make the same ones."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text

METADATA: Final = MetaData()

# Times are milliseconds since 1970 (UTC): the same number in every database.
CALLS: Final = Table(
    "calls",
    METADATA,
    Column("call_id", String(64), primary_key=True),
    Column("flow", String(128), nullable=False),
    Column("flow_version", String(64), nullable=False),
    Column("artifact", String(64), nullable=False),
    Column("caller", String(32)),  # personal
    Column("called", String(32)),
    Column("direction", String(16), nullable=False),
    Column("record", Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("reason", String(64)),
    Column("outcome", String(128)),
    Index("calls_by_start", "started_ms"),
    Index("calls_by_caller", "caller"),
)

PACKAGES: Final = Table(
    "packages",
    METADATA,
    Column("call_id", String(64), primary_key=True),
    Column("handoff_id", String(64), primary_key=True),
    Column("handoff", String(128), nullable=False),
    Column("content", Text, nullable=False),  # personal
    Column("kept_ms", BigInteger, nullable=False),
    Column("receipt", String(256)),
    Column("acknowledged_ms", BigInteger),
    Index("packages_by_time", "kept_ms"),
)

DEEDS: Final = Table(
    "deeds",
    METADATA,
    Column("key", String(128), primary_key=True),
    Column("flow", String(128), nullable=False),
    Column("action", String(128), nullable=False),
    Column("arguments", Text, nullable=False),  # personal
    Column("state", String(16), nullable=False),  # intended, done, failed, unknown
    Column("owner", String(64), nullable=False),
    Column("lease_until_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("result", Text),  # personal
    Column("reason", String(64)),
    Column("begun_ms", BigInteger, nullable=False),
    Column("settled_ms", BigInteger),
    Index("deeds_by_state", "state", "begun_ms"),
)

# What the desks of all processes see; the package itself is in PACKAGES.
WAITING: Final = Table(
    "waiting",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("call_id", String(64), nullable=False),
    Column("handoff_id", String(64), nullable=False),
    Column("handoff", String(128), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("place", String(16), nullable=False),  # waiting, ringing, accepted, declined, over
    Column("answered_by", String(64)),  # personal
    Column("why", String(32)),
    Column("received_ms", BigInteger),
    Column("changed_ms", BigInteger, nullable=False),
    Column("alive_ms", BigInteger, nullable=False),
    Index("waiting_by_change", "changed_ms"),
    Index("waiting_by_call", "call_id"),
)

# Who looked at a package on a desk, and what they did with it.
ACCESSES: Final = Table(
    "accesses",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False),
    Column("call_id", String(64), nullable=False),
    Column("who", String(64), nullable=False),  # personal
    Column("what", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("accesses_by_call", "call_id"),
)

ROLLOUTS: Final = Table(
    "rollouts",
    METADATA,
    Column("flow", String(128), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

LEASES: Final = Table(
    "leases",
    METADATA,
    Column("call_id", String(64), primary_key=True),
    Column("flow", String(128), nullable=False),
    Column("artifact", String(64), nullable=False),
    Column("call", Text, nullable=False),  # personal
    Column("token", String(512), nullable=False),  # personal: it names the caller
    Column("expects", Boolean, nullable=False),  # the token was not brought yet
    Column("owner", String(128), nullable=False),  # "": answered, and its stream has not come
    Column("fence", Integer, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("state", Text),  # personal
    Column("reason", String(64), nullable=False),
    Column("outcome", String(128)),
    Column("room", Text, nullable=False, server_default=""),
    Column("begun_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Index("leases_by_end", "ended_ms"),
)

# What is to be taken back, since its caller hung up meanwhile: by whoever lives when its end is known.
UNDOING: Final = Table(
    "undoing",
    METADATA,
    Column("key", String(128), primary_key=True),  # of the deed that is taken back
    Column("call_id", String(64), nullable=False),
    Column("flow", String(128), nullable=False),
    Column("artifact", String(64), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("state", Text, nullable=False),  # personal
    Column("kept_ms", BigInteger, nullable=False),
    Index("undoing_by_call", "call_id"),
)
