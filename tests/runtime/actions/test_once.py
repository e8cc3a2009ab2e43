"""Done once: through repeats, races, lost answers and dead processes, on SQLite and PostgreSQL."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.database import read_url
from runtime.ports import Intent, OutsideFailure, Settled, Standing, Unsure
from runtime.store import Store, open_store
from tests.faults.bed import sized
from tests.runtime.actions.desk import opened, order, reason
from tests.runtime.office import Answer, listening
from tests.runtime.provider import provider

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[3]


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store."""
    one = await open_store(read_url(database_url, Path()))
    yield one
    await one.close()


async def state(store: Store, key: str = "k1") -> tuple[str, int]:
    """How a deed stands, and how often it was begun."""
    deed = await store.deed(key)
    assert deed is not None
    return deed.state, deed.attempts


def http(url: str, more: str = "") -> str:
    """A table of an action over HTTP."""
    return f'executor = "http"\nurl = "{url}/demos"\n{more}'


async def test_row_35_two_to_five_requests_are_one_deed(store: Store, tmp_path: Path) -> None:
    """In a thousand random schedules of repeats, two processes, interruptions and lost answers, every key is
    done exactly once.
    """
    dice = random.Random(35)
    schedules = sized(60, 1000)
    async with (
        provider(lose=schedules // 10) as (url, deeds),
        opened(tmp_path, http(url, "breaker_failures = 1000"), ledger=store) as one,
    ):
        twin = replace(store, owner="twin")
        async with opened(tmp_path, http(url, "breaker_failures = 1000"), ledger=twin) as two:

            async def ask(key: str) -> None:
                await asyncio.sleep(dice.random() / 50)
                task = asyncio.create_task(dice.choice((one, two)).run(order(key)))
                if dice.random() < 0.3:
                    await asyncio.sleep(dice.random() / 100)
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)

            keys = [f"k{number}" for number in range(schedules)]
            for at in range(0, schedules, 20):
                several = [key for key in keys[at : at + 20] for _ in range(dice.randint(2, 5))]
                dice.shuffle(several)
                await asyncio.gather(*(ask(key) for key in several))
            for key in keys:
                await one.find_out(order(key))
    assert Counter(deeds) == dict.fromkeys(keys, 1)


async def test_the_same_action_asked_in_any_order_is_done_once(store: Store, tmp_path: Path) -> None:
    """Interrupted, repeated, asked by two processes at once: the provider has one deed for each key."""
    dice = random.Random(7)
    async with provider() as (url, deeds), opened(tmp_path, http(url), ledger=store) as one:
        twin = replace(store, owner="twin")
        async with opened(tmp_path, http(url), ledger=twin) as two:

            async def ask(key: str) -> None:
                task = asyncio.create_task(dice.choice((one, two)).run(order(key)))
                if dice.random() < 0.3:
                    await asyncio.sleep(dice.random() / 100)
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)

            await asyncio.gather(*(ask(f"k{number % 20}") for number in range(100)))
            results = [await one.run(order(f"k{number}")) for number in range(20)]
    assert Counter(deeds) == {f"k{number}": 1 for number in range(20)}
    assert len({str(result) for result in results}) == 20


async def test_a_lost_answer_is_asked_for_again_with_the_same_key(store: Store, tmp_path: Path) -> None:
    """Done there and not told: it is unknown first, then the same key is asked again, and the provider has
    one deed.
    """
    async with provider(lose=1) as (url, deeds), opened(tmp_path, http(url), ledger=store) as actions:
        assert await reason(actions, order(retries=2)) == "lost"
        assert await state(store) == ("unknown", 1)
        assert (await actions.find_out(order()))["booked"] == "k1"
    assert deeds == ["k1"]
    assert await state(store) == ("done", 2)


async def test_where_a_key_means_nothing_a_lost_answer_is_not_asked_for_again(
    store: Store, tmp_path: Path
) -> None:
    """With `repeatable = false` the deed stays unknown: never twice, and told so when asked for again."""
    table = "repeatable = false"
    async with provider(lose=1) as (url, deeds), opened(tmp_path, http(url, table), ledger=store) as actions:
        assert await reason(actions, order(retries=2)) == "lost"
        assert await reason(actions, order(retries=2)) == "unknown"
    assert deeds == ["k1"]
    assert await state(store) == ("unknown", 1)


async def test_a_refusal_after_a_timeout_does_not_count_as_not_done(store: Store, tmp_path: Path) -> None:
    """An attempt nobody heard of and then a refusal: the deed may have been done, and stays unknown."""
    async with (
        listening(Answer(0, b"", drop=True), Answer(404, b"")) as office,
        opened(tmp_path, http(office.url, "find_out_s = 1"), ledger=store) as actions,
    ):
        assert await reason(actions, order()) == "lost"
        with pytest.raises(Unsure):
            await actions.find_out(order())
    assert (await state(store))[0] == "unknown"


async def test_a_deed_goes_on_when_nobody_waits_any_more(store: Store, tmp_path: Path) -> None:
    """A caller who hangs up in the middle leaves a deed that is finished and written down."""
    async with provider(slow_s=0.2) as (url, deeds), opened(tmp_path, http(url), ledger=store) as actions:
        waiting = asyncio.create_task(actions.run(order()))
        while (await store.deed("k1")) is None:  # noqa: ASYNC110 - a row is no event
            await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert deeds == ["k1"]
    assert await state(store) == ("done", 1)


class Broken:
    """A store that is away."""

    async def intend(self, intent: Intent) -> Standing:
        raise OutsideFailure("unavailable")

    async def settle(self, key: str, settled: Settled) -> None:
        raise OutsideFailure("unavailable")


async def test_without_a_record_nothing_is_done(tmp_path: Path) -> None:
    """With the store away an action that changes something is refused before anybody is asked."""
    async with provider() as (url, deeds), opened(tmp_path, http(url), ledger=Broken()) as actions:
        assert await reason(actions, order()) == "not_recorded"
    assert deeds == []


async def test_a_storm_of_failures_opens_the_breaker_of_that_action_alone(
    store: Store, tmp_path: Path
) -> None:
    """After five failures the office is left alone; another action is not touched."""
    async with (
        listening(Answer(500, b"")) as office,
        opened(tmp_path, http(office.url), ledger=store) as broken,
        provider() as (url, deeds),
        opened(tmp_path, http(url), ledger=store) as well,
    ):
        told = [await reason(broken, order(f"b{number}")) for number in range(8)]
        await well.run(order("w1"))
    assert told == ["broken"] * 5 + ["resting"] * 3
    assert len(office.requests) == 5
    assert deeds == ["w1"]


@pytest.mark.parametrize("mark", ["intended", "called", "settled"])
@pytest.mark.parametrize("time", range(sized(1, 50)))
async def test_row_36_a_killed_process_leaves_a_deed_that_is_done_once(
    store: Store, database_url: str, tmp_path: Path, mark: str, time: int
) -> None:
    """kill -9 between intent and call, call and outcome, outcome and words: afterwards it is done, once, and
    whoever asks gets the answer the provider gave.
    """
    async with provider() as (url, deeds):
        script = Path(__file__).parent / "crashing.py"
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            str(script),
            mark,
            database_url,
            url,
            str(tmp_path),
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
        )
        assert await child.wait() == -9
        assert deeds == ([] if mark == "intended" else ["k1"])
        async with opened(tmp_path, http(url), ledger=store) as actions:
            left = await store.left_over("lead")
            assert [deed.key for deed in left] == ([] if mark == "settled" else ["k1"])
            ended = await actions.repeat(left)
            assert set(ended.values()) <= {"done"}
            assert (await actions.run(order()))["booked"] == "k1"
    assert deeds == ["k1"]
    assert (await state(store))[0] == "done"
    assert await store.unknown() == []
