"""Actions by a statement, on SQLite and PostgreSQL alike: once a key, whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.database import close_engine, open_engine, read_url, reading, writing
from tests.runtime.actions.desk import opened, order, problem, reason

INSERT = "INSERT INTO demos (email, seats) VALUES (:email, :seats) RETURNING '3 pm' AS time"


def table(url: str, statement: str = INSERT) -> str:
    """A table of an action by this statement."""
    return f'executor = "sql"\nurl = "{url}"\nstatement = "{statement}"'


@pytest.fixture
async def engine(database_url: str, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """The CRM's database with a table of demos."""
    one = open_engine(read_url(database_url, tmp_path))
    async with writing(one) as connection:
        await connection.execute(text("CREATE TABLE demos (email TEXT NOT NULL, seats INTEGER)"))
    yield one
    await close_engine(one)


async def rows(engine: AsyncEngine) -> list[Any]:
    """The demos there are."""
    async with reading(engine) as connection:
        return [tuple(row) for row in await connection.execute(text("SELECT email, seats FROM demos"))]


async def test_a_statement_is_done_once_a_key(database_url: str, tmp_path: Path, engine: AsyncEngine) -> None:
    """Asked at once, again, and by another process, one key is one row with one answer."""
    async with opened(tmp_path, table(database_url)) as one, opened(tmp_path, table(database_url)) as two:
        results = await asyncio.gather(*(actions.run(order()) for actions in (one, two) for _ in range(5)))
        await one.run(order("k2"))
    assert [dict(result) for result in results] == [{"time": "3 pm"}] * 10
    assert await rows(engine) == [("dana@example.com", 3)] * 2


@pytest.mark.faults
async def test_a_value_is_never_part_of_the_statement(
    database_url: str, tmp_path: Path, engine: AsyncEngine
) -> None:
    """Text that would be SQL is stored as it is."""
    hostile = "x'); DROP TABLE demos; --"
    async with opened(tmp_path, table(database_url)) as actions:
        await actions.run(order(arguments={"email": hostile, "seats": None}))
    assert await rows(engine) == [(hostile, None)]


@pytest.mark.faults
async def test_a_statement_that_fails_leaves_no_trace(
    database_url: str, tmp_path: Path, engine: AsyncEngine
) -> None:
    """A refused statement is rolled back with its key, so that the same key may be done later."""
    async with opened(tmp_path, table(database_url)) as actions:
        assert await reason(actions, order(arguments={"email": None, "seats": 3})) == "refused"
        await actions.run(order())
    assert len(await rows(engine)) == 1


async def test_an_action_that_only_asks_cannot_change_anything(
    database_url: str, tmp_path: Path, engine: AsyncEngine
) -> None:
    """For an action that changes nothing the database is opened for reading."""
    del engine
    select = "SELECT '3 pm' AS time WHERE :email <> ''"
    async with opened(tmp_path, table(database_url, select), action="ask") as actions:
        assert await actions.run(order(action="ask")) == {"time": "3 pm"}
    async with opened(tmp_path, table(database_url), action="ask") as actions:
        assert await reason(actions, order(action="ask")) == "refused"


async def test_an_argument_the_flow_does_not_give_is_refused(tmp_path: Path) -> None:
    """A statement that wants more than the flow gives is not run."""
    wants = table("sqlite:///x.db", "INSERT INTO demos VALUES (:card)")
    async with opened(tmp_path, wants) as actions:
        assert await reason(actions, order()) == "bad_arguments"


def test_a_wrong_address_is_told_without_its_password(tmp_path: Path) -> None:
    """The line names the setting and shows no secret."""
    line = problem(tmp_path, table("env:CRM_URL"), CRM_URL="oracle://u:s3cret@x/y")
    assert line.startswith("actions.book.url must be an address")
    assert "s3cret" not in line
