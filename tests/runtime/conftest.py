"""What several folders of tests share: one PostgreSQL server a run, and a database of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """The server, started when the first test asks for it."""
    with postgres.running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once of each kind."""
    if request.param == "sqlite":
        (tmp_path / "test.db").touch()
        return f"sqlite:///{tmp_path / 'test.db'}"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.new()
