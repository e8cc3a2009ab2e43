"""The store: the same promises on SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from runtime.database import open_engine, read_url, writing
from runtime.ports import Intent, OutsideFailure, Settled, Standing
from runtime.settings import load
from runtime.settings.keys import SettingsError
from runtime.store import Store, open_store, store_url
from runtime.store import migrate as steps
from runtime.store.tables import METADATA

CALL = {
    "call_id": "CA1",
    "flow": "lead",
    "flow_version": "1",
    "artifact": "abc",
    "caller": "+12025550101",
    "called": None,
    "direction": "inbound",
    "record": "records/calls/CA1.jsonl",
}
LEASE_MS = 10_000


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time in the store."""
    return Clock()


@pytest.fixture
async def store(database_url: str, clock: Clock) -> AsyncIterator[Store]:
    """An open, empty store."""
    one = await open_store(read_url(database_url, Path()), clock=clock)
    yield one
    await one.close()


def other(store: Store) -> Store:
    """The same store as another process sees it."""
    return replace(store, owner=token_hex(8))


def intent(key: str = "k1", *, repeatable: bool = True) -> Intent:
    """A deed about to be done."""
    return Intent(key, "lead", "book", {"email": "dana@example.com"}, LEASE_MS, repeatable)


async def test_a_call_is_found_with_its_end(store: Store) -> None:
    """A call that began and ended stands in the index once, with how it ended first."""
    await store.begin_call(CALL)
    await store.begin_call(CALL | {"flow": "other"})
    await store.end_call("CA1", "caller_hangup", "qualified_lead")
    await store.end_call("CA1", "internal_error", None)
    (row,) = await store.calls()
    assert (row["flow"], row["reason"], row["outcome"]) == ("lead", "caller_hangup", "qualified_lead")
    assert row["started_ms"] < row["ended_ms"]


async def test_the_calls_of_a_caller_can_be_forgotten(store: Store) -> None:
    """A caller's calls are found by number, and a forgotten call leaves neither a row nor a package."""
    await store.begin_call(CALL)
    await store.begin_call(CALL | {"call_id": "CA2", "caller": "+12025550102"})
    await store.keep_package("CA1", "h1", "sales", b"{}")
    assert [row["call_id"] for row in await store.calls(caller="+12025550101")] == ["CA1"]
    await store.forget_call("CA1")
    assert [row["call_id"] for row in await store.calls()] == ["CA2"]
    assert await store.packages("CA1") == []


async def test_a_package_is_kept_once_and_acknowledged(store: Store) -> None:
    """The same handoff twice is one package; its receipt is there once the human's side has it."""
    await store.keep_package("CA1", "h1", "sales", b'{"a": 1}')
    await store.keep_package("CA1", "h1", "sales", b'{"a": 2}')
    assert [(kept.content, kept.receipt) for kept in await store.packages("CA1")] == [(b'{"a": 1}', None)]
    await store.acknowledge_package("CA1", "h1", "r-1")
    assert [kept.receipt for kept in await store.packages("CA1")] == ["r-1"]


async def test_one_of_many_claims_a_deed(store: Store) -> None:
    """Twenty processes that claim the same deed at once: one may do it, the others are told it is taken."""
    standings = await asyncio.gather(*(other(store).intend(intent()) for _ in range(20)))
    assert sorted(one.state for one in standings) == ["mine"] + ["taken"] * 19


async def test_a_deed_that_is_done_answers_with_its_result(store: Store) -> None:
    """Whoever asks for a deed that was done gets what it answered then."""
    await store.intend(intent())
    await store.settle("k1", Settled("done", {"time": "3 pm"}))
    assert await other(store).intend(intent()) == Standing("done", {"time": "3 pm"})


async def test_a_deed_certainly_not_done_may_be_tried_again(store: Store) -> None:
    """A failed deed is anybody's, also where a repeat would not be harmless."""
    await store.intend(intent(repeatable=False))
    await store.settle("k1", Settled("failed", reason="refused"))
    assert (await other(store).intend(intent(repeatable=False))).state == "mine"


async def test_a_deed_of_a_dead_process_is_taken_over_with_the_same_key(store: Store, clock: Clock) -> None:
    """Past its lease a deed that is harmless to repeat is another's; before it, it is taken."""
    await store.intend(intent())
    assert (await other(store).intend(intent())).state == "taken"
    assert await store.left_over("lead") == []
    clock.now += LEASE_MS
    (left,) = await store.left_over("lead")
    assert (left.key, left.arguments) == ("k1", {"email": "dana@example.com"})
    second = other(store)
    assert (await second.intend(intent())).state == "mine"
    found = await store.deed("k1")
    assert found is not None
    assert found.attempts == 2


async def test_a_deed_that_may_not_be_repeated_stays_unknown(store: Store, clock: Clock) -> None:
    """Where a repeat could do it twice, a deed left over is told as unknown, for a person to see."""
    await store.intend(intent(repeatable=False))
    clock.now += LEASE_MS
    assert (await other(store).intend(intent(repeatable=False))).state == "unknown"
    assert [deed.key for deed in await store.unknown()] == ["k1"]


async def test_who_lost_a_deed_cannot_settle_it(store: Store, clock: Clock) -> None:
    """A process thought dead that comes back does not overwrite what its successor found."""
    await store.intend(intent())
    clock.now += LEASE_MS
    second = other(store)
    await second.intend(intent())
    await second.settle("k1", Settled("done", {"time": "3 pm"}))
    await store.settle("k1", Settled("unknown", reason="timeout"))
    found = await store.deed("k1")
    assert found is not None
    assert (found.state, found.result) == ("done", {"time": "3 pm"})


async def test_a_rollout_changes_from_the_version_that_was_seen(store: Store) -> None:
    """Two who change the same version: the first wins, the second is told."""
    assert await store.rollout("lead") is None
    assert await store.change_rollout("lead", 0, {"share": 5})
    assert not await store.change_rollout("lead", 0, {"share": 50})
    assert await store.change_rollout("lead", 1, {"share": 10})
    assert not await store.change_rollout("lead", 1, {"share": 100})
    found = await store.rollout("lead")
    assert found is not None
    assert (found.version, found.state) == (2, {"share": 10})


async def test_the_migrations_make_the_tables_the_code_knows(store: Store) -> None:
    """What the steps made has no difference to the tables of the code."""

    def differences(connection: Connection) -> list[object]:
        found: list[object] = compare_metadata(MigrationContext.configure(connection), METADATA)
        return found

    async with writing(store.engine) as connection:
        assert await connection.run_sync(differences) == []


async def test_many_processes_may_start_an_empty_store_at_once(database_url: str) -> None:
    """Whoever comes first makes the tables; the others find them."""
    url = read_url(database_url, Path())
    stores = await asyncio.gather(*(open_store(url) for _ in range(4)))
    assert await stores[3].calls() == []
    for one in stores:
        await one.close()


def test_the_newest_version_is_the_last_step() -> None:
    """A store at the version the code asks for has had every step."""
    config = Config()
    config.set_main_option("script_location", str(Path(steps.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [steps.NEWEST]


async def test_a_store_that_cannot_be_opened_is_a_failure(tmp_path: Path) -> None:
    """A path that is in the way and a server that is not there are outside failures without private text."""
    (tmp_path / "records").write_text("in the way")
    with pytest.raises(OutsideFailure, match="unavailable"):
        await open_store(read_url("sqlite:///records/store.db", tmp_path))
    with pytest.raises(OutsideFailure, match="unavailable"):
        await open_store(read_url("postgresql://vfc:s3cret@127.0.0.1:9/vfc", tmp_path))


def test_the_embedded_store_lies_with_the_records(tmp_path: Path) -> None:
    """Without a setting the store is a file beside the call records; a wrong address is one line, unshown."""
    environment = {"VFC_PUBLIC_URL": "https://c.example", "OPENAI_API_KEY": "k", "TWILIO_AUTH_TOKEN": "t"}
    (tmp_path / "vfc.toml").write_text("")
    url = store_url(load(tmp_path / "vfc.toml", environment))
    assert url.database == str(tmp_path / "records" / "store.db")
    with pytest.raises(SettingsError) as told:
        store_url(load(tmp_path / "vfc.toml", environment | {"VFC_STORE_URL": "mysql://u:s3cret@db/vfc"}))
    assert "s3cret" not in str(told.value)
    assert "postgresql://" in str(told.value)


async def test_only_the_owner_reads_the_embedded_store(tmp_path: Path) -> None:
    """The file of the store, which holds numbers and packages, is closed to others."""
    store = await open_store(read_url("sqlite:///records/store.db", tmp_path))
    await store.close()
    assert (tmp_path / "records" / "store.db").stat().st_mode & 0o077 == 0


def test_a_database_of_another_kind_is_refused() -> None:
    """Only the databases the tests run on are taken."""
    for text in ("mysql://x/y", "sqlite://", "nonsense", "sqlite:///:memory:"):
        with pytest.raises(ValueError, match=r"an address|the address"):
            read_url(text, Path())
    assert open_engine(read_url("postgres://x/y", Path())).url.drivername == "postgresql+asyncpg"
