"""Actions by tools of an MCP server."""

import sys
from pathlib import Path

import pytest

from tests.runtime.actions.desk import opened, order, problem, reason

SERVER = Path(__file__).parent / "mcp_server.py"
GIVEN = {"email": "dana@example.com", "seats": 3}


def table(folder: Path, tool: str = "book_demo") -> str:
    """A table of an action by a tool of the small server."""
    command = [sys.executable, str(SERVER), str(folder / "ledger")]
    return f'executor = "mcp"\ntool = "{tool}"\ncommand = {command!r}'


def ledger(folder: Path) -> list[str]:
    """The keys the server was asked with."""
    file = folder / "ledger"
    return file.read_text().splitlines() if file.exists() else []


async def test_a_tool_is_called_with_the_key(tmp_path: Path) -> None:
    """The tool's structured content is the result; one connection serves every call."""
    async with opened(tmp_path, table(tmp_path)) as actions:
        assert dict(await actions.run(order(arguments=GIVEN, within_ms=20_000))) == {"time": "3 pm"}
        assert dict(await actions.run(order("k2", arguments=GIVEN, within_ms=20_000))) == {"time": "3 pm"}
    assert ledger(tmp_path) == ["k1", "k2"]


@pytest.mark.faults
async def test_a_tool_that_refuses_crashes_or_is_not_there_is_a_reason(tmp_path: Path) -> None:
    """A refusal, arguments that do not fit and a server that dies are failures; then it works again."""
    async with opened(tmp_path, table(tmp_path)) as actions:
        refused = {"email": "refuse@example.com", "seats": 3}
        assert await reason(actions, order(arguments=refused, within_ms=20_000)) == "refused"
        mistyped = {"email": "x", "seats": "three"}
        assert await reason(actions, order("k2", arguments=mistyped, within_ms=20_000)) == "bad_arguments"
        crash = {"email": "crash@example.com", "seats": 3}
        assert await reason(actions, order("k3", arguments=crash, within_ms=20_000)) in {"broken", "timeout"}
        assert dict(await actions.run(order("k4", arguments=GIVEN, within_ms=20_000))) == {"time": "3 pm"}
    assert ledger(tmp_path) == ["k1", "k3", "k4"]
    async with opened(tmp_path, table(tmp_path, "no_such_tool")) as actions:
        assert await reason(actions, order(arguments=GIVEN, within_ms=20_000)) == "not_configured"


@pytest.mark.faults
async def test_a_server_that_cannot_be_started_is_unreachable(tmp_path: Path) -> None:
    """A program that is not there and a closed port are the same kind of failure."""
    gone = 'executor = "mcp"\ntool = "x"\ncommand = ["/no/such/program"]'
    closed = 'executor = "mcp"\ntool = "x"\nurl = "http://127.0.0.1:9/mcp"'
    for one in (gone, closed):
        async with opened(tmp_path, one) as actions:
            assert await reason(actions, order(arguments=GIVEN, within_ms=20_000)) == "unreachable"


def test_a_table_must_say_where_the_server_is(tmp_path: Path) -> None:
    """Either an address or a program, and the address like any other."""
    assert "either `url` or `command`" in problem(tmp_path, 'executor = "mcp"\ntool = "x"')
    inside = 'executor = "mcp"\ntool = "x"\nurl = "https://10.0.0.1/mcp"'
    assert problem(tmp_path, inside).startswith("actions.book.url leads to 10.0.0.1")
