"""Action executors: done once, within their time, where the settings say."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime.actions import Actions, open_actions
from runtime.engine.effects import RunAction
from runtime.ports import OutsideFailure
from runtime.settings import Settings, load
from runtime.settings.keys import SettingsError
from tests.runtime.office import Answer, listening
from voiceflow_compiler.artifact import Action

BOOK = Action(does="Books a demo.", returns={"time": "text", "seats": "integer"}, changes_something=True)
ASK = Action(does="Asks for a time.", returns={"time": "text"})
FLOW = {"book": BOOK}
ASKING = {"ask": ASK}


def order(key: str = "k1", *, within_ms: int = 5000, retries: int = 0, action: str = "book") -> RunAction:
    """An order to book."""
    arguments: dict[str, str | int | float | bool | None] = {
        "email": "dana@example.com",
        "seats": 3,
        "note": None,
    }
    return RunAction(
        run_id="r1",
        action=action,
        arguments=arguments,
        idempotency_key=key,
        within_ms=within_ms,
        retries=retries,
    )


def settings(folder: Path, table: str = "", action: str = "book") -> Settings:
    """Settings with this table for the action."""
    outbound = '[outbound]\nprivate_hosts = ["127.0.0.1"]\n'
    (folder / "vfc.toml").write_text(f"{outbound}[actions.{action}]\n{table}\n" if table else "")
    environment = {"VFC_PUBLIC_URL": "https://c.example", "OPENAI_API_KEY": "k", "TWILIO_AUTH_TOKEN": "t"}
    return load(folder / "vfc.toml", environment | {"CRM_TOKEN": "s3cret"})


@asynccontextmanager
async def opened(folder: Path, table: str = "", action: str = "book") -> AsyncIterator[Actions]:
    """The flow's actions by these settings."""
    actions = open_actions(ASKING if action == "ask" else FLOW, settings(folder, table, action))
    try:
        yield actions
    finally:
        await actions.close()


def lines(folder: Path) -> list[Mapping[str, Any]]:
    """What was written down."""
    return [json.loads(line) for line in (folder / "records" / "actions.jsonl").read_text().splitlines()]


async def failure(actions: Actions, one: RunAction) -> str:
    """The reason an order fails for."""
    with pytest.raises(OutsideFailure) as told:
        await actions.run(one)
    return told.value.reason


async def test_an_action_nobody_connected_is_written_down_and_told(tmp_path: Path) -> None:
    """Without a table the action is one line on the disk, its result has every declared field, and the
    operator is told.
    """
    told: list[str] = []
    actions = open_actions(FLOW, settings(tmp_path), tell=told.append)
    result = await actions.run(order())
    await actions.close()
    assert set(result) == {"time", "seats"}
    (line,) = lines(tmp_path)
    assert line["arguments"]["email"] == "dana@example.com"
    assert "no [actions.book]" in told[0]
    assert (tmp_path / "records" / "actions.jsonl").stat().st_mode & 0o077 == 0


async def test_what_a_local_action_answers_can_be_set(tmp_path: Path) -> None:
    """`returns` in the settings is what the action answers with."""
    async with opened(tmp_path, 'executor = "local"\nreturns = { time = "3 pm" }') as actions:
        assert (await actions.run(order()))["time"] == "3 pm"


async def test_the_same_key_is_done_once(tmp_path: Path) -> None:
    """Asked many times at once and again after a restart, an action is one line, with one answer."""
    async with opened(tmp_path) as actions:
        results = await asyncio.gather(*(actions.run(order()) for _ in range(20)))
    async with opened(tmp_path) as actions:
        results.append(await actions.run(order()))
        await actions.run(order("k2"))
    assert all(result == results[0] for result in results)
    assert [line["idempotency_key"] for line in lines(tmp_path)] == ["k1", "k2"]


async def test_a_call_that_ends_while_it_writes_does_not_write_twice(tmp_path: Path) -> None:
    """An order cancelled in the middle is finished, and asking again finds it done."""
    async with opened(tmp_path) as actions:
        first = asyncio.create_task(actions.run(order()))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await actions.run(order())
    assert len(lines(tmp_path)) == 1


async def test_a_line_cut_short_by_a_crash_was_not_done(tmp_path: Path) -> None:
    """A torn last line does not count, and the next line is whole."""
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "actions.jsonl").write_bytes(b'{"idempotency_key":"k1","resu')
    async with opened(tmp_path) as actions:
        await actions.run(order())
    last = (tmp_path / "records" / "actions.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["idempotency_key"] == "k1"


async def test_a_disk_that_refuses_is_a_failure(tmp_path: Path) -> None:
    """An action that could not be written down was not done."""
    (tmp_path / "records").write_text("in the way")
    async with opened(tmp_path) as actions:
        assert await failure(actions, order()) == "disk"


async def test_an_http_action_sends_its_arguments_key_and_headers(tmp_path: Path) -> None:
    """The arguments go as JSON with the key and the headers; the JSON object back is the result."""
    async with listening(Answer(200, b'{"time": "3 pm", "seats": 3}')) as office:
        table = f'executor = "http"\nurl = "{office.url}/demos"\n'
        table += 'headers = { Authorization = "env:CRM_TOKEN" }'
        async with opened(tmp_path, table) as actions:
            assert await actions.run(order()) == {"time": "3 pm", "seats": 3}
    (asked,) = office.requests
    assert (asked.method, asked.target) == ("POST", "/demos")
    assert json.loads(asked.body) == {"email": "dana@example.com", "seats": 3, "note": None}
    assert asked.headers["idempotency-key"] == "k1"
    assert asked.headers["authorization"] == "s3cret"


async def test_a_get_sends_its_arguments_in_the_query(tmp_path: Path) -> None:
    """An action that only asks puts its known arguments, encoded, in the query."""
    async with (
        listening(Answer(200, b"{}")) as office,
        opened(tmp_path, f'executor = "http"\nmethod = "GET"\nurl = "{office.url}/d"') as actions,
    ):
        assert await actions.run(order()) == {}
    assert office.requests[0].target == "/d?email=dana%40example.com&seats=3"


@pytest.mark.parametrize(
    ("answer", "reason", "asked", "booked"),
    [
        (Answer(500, b""), "broken", 3, 1),
        (Answer(429, b""), "unavailable", 3, 3),
        (Answer(302, b""), "broken", 3, 1),
        (Answer(404, b""), "refused", 1, 1),
        (Answer(200, b"[1]"), "bad_answer", 1, 1),
        (Answer(200, b"<html>"), "bad_answer", 1, 1),
        (Answer(200, b'"' + b"x" * 300_000 + b'"'), "bad_answer", 1, 1),
        (Answer(0, b"", drop=True), "lost", 3, 1),
    ],
)
async def test_what_may_pass_is_tried_again_and_what_is_refused_is_not(
    tmp_path: Path, answer: Answer, reason: str, asked: int, booked: int
) -> None:
    """A failure that may pass is tried again with the same key; a refusal and a bad answer are final. What
    changes something is tried again at once only if it was surely not done.
    """
    for action, attempts in (("ask", asked), ("book", booked)):
        table = 'executor = "http"\nurl = "{}"'
        async with (
            listening(answer) as office,
            opened(tmp_path, table.format(office.url), action=action) as actions,
        ):
            assert await failure(actions, order(action=action, retries=2)) == reason
        assert len(office.requests) == attempts, action
        assert {one.headers["idempotency-key"] for one in office.requests} == {"k1"}


async def test_a_second_attempt_may_succeed(tmp_path: Path) -> None:
    """After a broken connection the next attempt's answer is the result: at once where nothing is changed,
    else when it is found out what came of the first.
    """
    answers = (Answer(0, b"", drop=True), Answer(200, b'{"time": "3 pm"}'))
    table = 'executor = "http"\nurl = "{}"'
    async with (
        listening(*answers) as office,
        opened(tmp_path, table.format(office.url), action="ask") as actions,
    ):
        assert await actions.run(order(action="ask", retries=1)) == {"time": "3 pm"}
    async with listening(*answers) as office, opened(tmp_path, table.format(office.url)) as actions:
        assert await failure(actions, order(retries=1)) == "lost"
        assert await actions.find_out(order(retries=1)) == {"time": "3 pm"}


async def test_an_answer_that_never_comes_ends_at_the_deadline(tmp_path: Path) -> None:
    """Nobody is waited for longer than the order allows."""
    async with (
        listening(Answer(0, b"", hang=True)) as office,
        opened(tmp_path, f'executor = "http"\nurl = "{office.url}"') as actions,
    ):
        assert await failure(actions, order(within_ms=50)) == "timeout"


async def test_a_place_where_nothing_listens_is_unreachable(tmp_path: Path) -> None:
    """A refused connection is a failure with a reason, not an exception of a library."""
    async with opened(tmp_path, 'executor = "http"\nurl = "http://127.0.0.1:9/"') as actions:
        assert await failure(actions, order()) == "unreachable"


async def test_an_action_the_flow_does_not_have_is_refused(tmp_path: Path) -> None:
    """An order for an unknown action reaches nothing."""
    async with opened(tmp_path) as actions:
        assert await failure(actions, order(action="wire_money")) == "not_configured"


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ('executor = "htp"', "actions.book.executor is no executor: did you mean http?"),
        ('executor = "http"', "actions.book.url is missing: set `url` under [actions.book] in vfc.toml"),
        ('executor = "http"\nurl = "file:///etc/passwd"', "actions.book.url must be a whole address"),
        (
            'executor = "http"\nurl = "https://x.example/"\nheaders = { A = "env:NOT_SET" }',
            "actions.book.headers.A is missing: set the environment variable NOT_SET.",
        ),
        (
            'executor = "http"\nurl = "https://x.example/"\nheaders = 5',
            "actions.book.headers must be a table",
        ),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path: Path, table: str, line: str) -> None:
    """What cannot be run is told before the first call, in one line that names the setting."""
    with pytest.raises(SettingsError) as told:
        open_actions(FLOW, settings(tmp_path, table))
    assert told.value.problems[0].startswith(line)
