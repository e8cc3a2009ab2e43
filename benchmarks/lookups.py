"""Look-ups of callers: 200 a second, held for a while on SQLite and on PostgreSQL, and how long each took.

A look-up is timed from the moment it is due, so that one that had to wait for others counts its waiting. The
floor is the same statement on a bare connection of the database's own driver, one after the other.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import asyncpg

from benchmarks.figures import Figure, Floor, Goal, percentile
from runtime import context
from runtime.context import Source
from runtime.settings import load
from tests.runtime import postgres

ROWS: Final = 100_000
PER_SECOND: Final = 200
QUERY: Final = "SELECT first_name, account_status, open_tickets, last_call FROM people WHERE phone = :number"
HELD: Final = Goal("value", "at_least", 0.98 * PER_SECOND)
TABLE: Final = (
    "CREATE TABLE people (phone VARCHAR(20) PRIMARY KEY, first_name TEXT, account_status TEXT,"
    " open_tickets INTEGER, last_call TEXT)"
)
ENVIRONMENT: Final = {"VFC_PUBLIC_URL": "https://c.example", "OPENAI_API_KEY": "k", "TWILIO_AUTH_TOKEN": "t"}


def measure(*, quick: bool) -> tuple[Figure, ...]:
    """The rate held, the median and the p99 on each database; PostgreSQL where it is installed."""
    seconds = 2 if quick else 15
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(_sqlite(Path(folder), seconds))
        if postgres.binaries() is None:
            return figures
        with postgres.running() as server:
            return figures + asyncio.run(_postgres(Path(folder), server.new(), seconds))


async def _sqlite(folder: Path, seconds: int) -> tuple[Figure, ...]:
    path = folder / "crm.db"
    with sqlite3.connect(path) as connection:
        connection.execute(TABLE)
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", map(_row, range(ROWS)))
        statement = QUERY.replace(":number", "?")
        floor = []
        for n in _picked():
            began = perf_counter()
            connection.execute(statement, (number(n),)).fetchone()
            floor.append(1000 * (perf_counter() - began))
    connection.close()
    return await _held("SQLite", f"sqlite:///{path}", folder, seconds, Floor("sqlite3 alone", median(floor)))


async def _postgres(folder: Path, url: str, seconds: int) -> tuple[Figure, ...]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(TABLE)
        await connection.copy_records_to_table("people", records=[_row(n) for n in range(ROWS)])
        statement = QUERY.replace(":number", "$1")
        floor = []
        for n in _picked():
            began = perf_counter()
            await connection.fetchrow(statement, number(n))
            floor.append(1000 * (perf_counter() - began))
    finally:
        await connection.close()
    return await _held("PostgreSQL", url, folder, seconds, Floor("asyncpg alone", median(floor)))


async def _held(name: str, url: str, folder: Path, seconds: int, floor: Floor) -> tuple[Figure, ...]:
    file = folder / "vfc.toml"
    file.write_text(f'[facts.crm]\nsource = "sql"\nurl = "{url}"\nquery = "{QUERY}"\n', encoding="utf-8")
    source = context.open_source("crm", load(file, ENVIRONMENT))
    try:
        await asyncio.gather(*(source.look_up(number(n)) for n in range(20)))  # every connection is open
        waits, rate = await _paced(lambda n: _one(source, n), seconds)
    finally:
        await source.close()
    what = f"look-ups on {name}, {ROWS:,} callers"
    return (
        Figure(
            f"{what}, {PER_SECOND} asked a second: answered",
            rate,
            "per_s",
            Floor("asked", PER_SECOND),
            HELD,
        ),
        Figure(f"{what}: median", median(waits), "ms", floor),
        Figure(f"{what}: p99", percentile(waits, 0.99), "ms", floor, Goal("value", "at_most", 100)),
    )


async def _one(source: Source, n: int) -> None:
    facts = await source.look_up(number(n))
    if facts is None or facts["first_name"] != f"Caller {n}":
        raise RuntimeError("a look-up found somebody else")


async def _paced(ask: Callable[[int], Awaitable[None]], seconds: int) -> tuple[list[float], float]:
    """Milliseconds from due to answered of every look-up, and how many a second were answered."""
    began = perf_counter()

    async def due(turn: int) -> float:
        at = began + turn / PER_SECOND
        await asyncio.sleep(max(0.0, at - perf_counter()))
        await ask(turn * 7919 % ROWS)
        return 1000 * (perf_counter() - at)

    waits = await asyncio.gather(*(due(turn) for turn in range(seconds * PER_SECOND)))
    return waits, len(waits) / (perf_counter() - began)


def number(n: int) -> str:
    """The n-th caller's number."""
    return f"+1202{5_000_000 + n}"


def _row(n: int) -> tuple[str, str, str, int, str]:
    return number(n), f"Caller {n}", "customer", n % 5, "asked about an invoice"


def _picked() -> list[int]:
    return [turn * 7919 % ROWS for turn in range(1000)]
