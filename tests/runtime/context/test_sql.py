"""Facts from a database, on SQLite and PostgreSQL alike."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from runtime.context import Source
from runtime.database import close_engine, open_engine, read_url, writing
from tests.runtime.context.places import DANA, opened, problem, reason
from tests.runtime.postgres import Server

QUERY = "SELECT first_name, balance, seen, tickets, blank FROM people WHERE phone = :number"
ROWS = (
    "CREATE TABLE people (phone TEXT, first_name TEXT, balance NUMERIC, seen DATE, tickets INT, blank TEXT)",
    "INSERT INTO people VALUES ('+12025550101', 'Dana', 12.50, '2026-01-31', 3, NULL)",
    "INSERT INTO people VALUES ('+12025550102', 'Ann', 1, NULL, 0, NULL)",
    "INSERT INTO people VALUES ('+12025550102', 'Bob', 1, NULL, 0, NULL)",
    "INSERT INTO people VALUES ('+12025550103', 'Robert''); DROP TABLE people;--', 1, NULL, 0, NULL)",
)


def toml(url: str, query: str = QUERY) -> str:
    """A table of facts from a database."""
    return f'[facts.crm]\nsource = "sql"\nurl = "{url}"\nquery = "{query}"\n'


@pytest.fixture
async def crm(database_url: str, tmp_path: Path) -> AsyncIterator[Source]:
    """The source over a small table."""
    engine = open_engine(read_url(database_url, tmp_path))
    async with writing(engine) as connection:
        for statement in ROWS:
            await connection.execute(text(statement))
    await close_engine(engine)
    source = opened(tmp_path, toml(database_url))
    yield source
    await source.close()


async def test_a_row_is_the_caller_s_facts(crm: Source) -> None:
    """The columns of the row are facts in plain types; a column without a value is a fact nobody knows."""
    facts = await crm.look_up(DANA)
    assert facts is not None
    assert dict(facts) == {"first_name": "Dana", "balance": 12.5, "seen": "2026-01-31", "tickets": 3}


async def test_no_row_is_an_unknown_caller(crm: Source) -> None:
    """A number in no row has no facts, and neither has one that would be a statement if it were pasted in."""
    assert await crm.look_up("+12025550199") is None
    assert await crm.look_up("' OR 1=1 --") is None


async def test_two_rows_are_nobody_s(crm: Source) -> None:
    """A number in two rows is ambiguous."""
    assert await reason(crm, "+12025550102") == "ambiguous"


@pytest.mark.faults
async def test_hostile_text_stays_text(crm: Source) -> None:
    """What stands in a row is a value like any other."""
    facts = await crm.look_up("+12025550103")
    assert facts is not None
    assert facts["first_name"] == "Robert'); DROP TABLE people;--"


@pytest.mark.faults
async def test_a_query_cannot_change_anything(database_url: str, tmp_path: Path, crm: Source) -> None:
    """The database is opened for reading: a statement that writes is refused, whatever the settings say."""
    query = "DELETE FROM people WHERE phone = :number"
    writer = opened(tmp_path, toml(database_url, query))
    assert await reason(writer) == "refused"
    await writer.close()
    assert await crm.look_up(DANA) is not None


@pytest.mark.faults
async def test_a_database_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    """A closed port, a missing file and a missing table are reasons, without the text of any library."""
    closed = opened(tmp_path, toml("postgresql://u:s3cret@127.0.0.1:9/x"))
    missing = opened(tmp_path, toml("sqlite:///gone.db"))
    assert await reason(closed) == "unavailable"
    assert await reason(missing) == "unavailable"
    await closed.close()
    await missing.close()


@pytest.mark.faults
async def test_a_server_that_was_restarted_is_found_again(postgres_server: Server, tmp_path: Path) -> None:
    """Connections that died with the server are replaced without a failed look-up."""
    url = postgres_server.new()
    source = opened(tmp_path, toml(url, "SELECT 'Dana' AS first_name WHERE :number <> ''"))
    assert await source.look_up(DANA) == {"first_name": "Dana"}
    postgres_server.stop()
    try:
        assert await reason(source) in {"unavailable", "lost"}
    finally:
        postgres_server.start()
    assert await source.look_up(DANA) == {"first_name": "Dana"}
    await source.close()


def test_a_table_that_cannot_work_is_told(tmp_path: Path) -> None:
    """A query that does not ask for the number, one that wants what nobody gives, and a wrong address."""
    ok = "sqlite:///x.db"
    assert ":number, :digits or :national" in problem(tmp_path, toml(ok, "SELECT 1"))
    assert "knows only :number" in problem(tmp_path, toml(ok, "SELECT 1 WHERE :number = :email"))
    line = problem(tmp_path, toml("env:CRM_URL"), CRM_URL="mysql://u:s3cret@db/x")
    assert line.startswith("facts.crm.url must be")
    assert "s3cret" not in line
