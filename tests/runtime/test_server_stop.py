"""How the server starts and stops: refusing to run, draining, and leaving nothing behind."""

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from runtime.server import start
from runtime.settings import Listen
from runtime.settings.keys import SettingsError
from tests.runtime.switchboard import (
    CALL,
    OTHER_CALL,
    PATIENCE_S,
    artifact,
    form,
    media_message,
    open_switchboard,
    read,
    settings,
    stop_message,
)

NOBODY = "http://127.0.0.1:9/v1"


async def told(folder: Path, toml: str, *flows: str) -> tuple[str, ...]:
    """The lines an operator reads when a server cannot start."""
    with pytest.raises(SettingsError) as error:
        await start(
            [artifact(name) for name in flows or ("lead-qualification",)], settings(folder, NOBODY, toml)
        )
    return error.value.problems


async def test_a_drain_takes_no_call_and_lets_live_ones_finish(tmp_path: Path) -> None:
    """While it drains, a new caller is told so, and the live call goes on until it ends by itself."""
    async with open_switchboard(tmp_path) as board:
        token = await board.answer()
        async with board.stream(token) as stream:
            await stream.send(media_message())
            await read(stream)
            drain = asyncio.create_task(board.running.calls.drain(60_000))
            await asyncio.sleep(0)
            declined = await board.ask("/twilio/voice", form(OTHER_CALL))
            assert "restarted" in (declined.findtext("Say") or "")
            assert (await board.http.get(board.running.url + "/readyz")).status_code == 503
            await stream.send(media_message(number=2))
            assert (await read(stream))["event"] == "mark"
            assert not drain.done()
            await stream.send(stop_message())
            async with asyncio.timeout(PATIENCE_S):
                await drain
        assert board.running.calls.live == 0


async def test_at_the_deadline_a_live_call_ends_and_the_caller_is_told(tmp_path: Path) -> None:
    """A call that outlives the drain is closed, and the provider's question gets an honest sentence."""
    async with open_switchboard(tmp_path) as board:
        token = await board.answer()
        async with board.stream(token) as stream:
            await stream.send(media_message())
            await read(stream)
            await board.running.calls.drain(1, leave_s=0)
            async with asyncio.timeout(PATIENCE_S):
                await stream.wait_closed()
        assert "went wrong" in ((await board.ask("/twilio/after-stream")).findtext("Say") or "")


async def test_stopping_leaves_no_task_and_no_session(tmp_path: Path) -> None:
    """After calls that were carried, missed and cut off, no task of theirs is left."""
    before = asyncio.all_tasks()
    async with open_switchboard(tmp_path) as board:
        await board.answer(form(OTHER_CALL))
        token = await board.answer()
        async with board.stream(token) as stream:
            await stream.send(media_message())
            await read(stream)
            await board.running.aclose()
    async with asyncio.timeout(PATIENCE_S):
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left)


async def test_a_call_whose_stream_never_comes_is_let_go(tmp_path: Path) -> None:
    """An answered call without a stream is counted until it is let go, with its connection to the model."""
    async with open_switchboard(tmp_path) as board:
        await board.answer()
        assert board.running.calls.live == 1
        await board.running.calls.close()
        assert board.running.calls.live == 0
        assert await board.over() == "never_started"


async def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    """A port somebody else listens on is told with its number, and no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        chosen = replace(settings(tmp_path, NOBODY), listen=Listen("127.0.0.1", port))
        with pytest.raises(SettingsError) as error:
            await start([artifact()], chosen)
    (line,) = error.value.problems
    assert line.startswith(f"listen.port: 127.0.0.1:{port} cannot be listened on")


async def test_everything_that_keeps_a_flow_from_running_is_told(tmp_path: Path) -> None:
    """Numbers of flows that are not served, and several flows without numbers, are told at once."""
    assert await told(tmp_path, '[numbers]\n"+15005550001" = "sales"') == (
        "numbers.+15005550001 names the flow 'sales', which is not served: name one of lead-qualification.",
    )
    (line,) = await told(tmp_path, "", "one", "two")
    assert line.startswith("with several flows, say which answers which number")
    (line,) = await told(tmp_path, "", "one", "one")
    assert line.startswith("two of the flows have the same name")
    (line,) = await told(tmp_path, '[telephony]\nprovider = "twillio"')
    assert line.startswith("telephony.provider must be one of twilio")


async def test_wrong_tables_are_all_told_at_once(tmp_path: Path) -> None:
    """A flow whose action and whose handoff are both wrong is told about both."""
    toml = '[actions.book_demo]\nexecutor = "htp"\n[handoffs.sales]\nnumber = "me"'
    lines = await told(tmp_path, toml)
    assert len(lines) == 2
    assert lines[0].startswith("actions.book_demo.executor")
    assert lines[1].startswith("handoffs.sales.number")


async def test_exact_words_that_cannot_be_rendered_are_told(tmp_path: Path) -> None:
    """Without a model to speak the disclosure, the server does not start, and says where it asked."""
    flow = msgspec.structs.replace(artifact(), scripts={"disclosure": "I am an assistant."})
    with pytest.raises(SettingsError) as error:
        await start([flow], settings(tmp_path, NOBODY))
    (line,) = error.value.problems
    assert "cannot be spoken (unreachable)" in line
    assert NOBODY in line


async def test_a_call_that_is_over_holds_nothing(tmp_path: Path) -> None:
    """A remembered call has let go of its session, its look-up and its sound, carried or missed."""
    async with open_switchboard(tmp_path) as board:
        token = await board.answer()
        async with board.stream(token) as stream:
            await stream.send(stop_message())
            await board.over()
        await board.answer(form(OTHER_CALL))
        await board.running.calls.close()
        for call_id in (CALL, OTHER_CALL):
            live = board.running.calls.find(call_id)
            assert live is not None
            assert live.held is None
