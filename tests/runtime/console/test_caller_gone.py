"""A caller who hangs up at any step of a handoff: nobody is joined to nobody, and the desk forgets them."""

import asyncio
from pathlib import Path

import pytest

from tests.runtime.console.test_browser import DESK, LEG, Bridge
from tests.runtime.switchboard import CALL, PATIENCE_S, form, media_message, open_switchboard, stop_message

STEPS = ("delivered", "ringing", "whispering", "accepted_on_the_page")


@pytest.mark.faults
@pytest.mark.parametrize("step", STEPS)
async def test_a_caller_who_is_gone_is_nobody_s(tmp_path: Path, step: str) -> None:
    """The call ends once, its handoff leaves the board, and whoever picks up afterwards is turned away."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=DESK) as board:
        desk = board.running.calls.board
        assert desk is not None
        async with board.stream(await board.answer()) as socket:
            await socket.send(media_message())
            await bridge.until("delivered")
            (waiting,) = desk.of_call(CALL)
            if step == "delivered":
                await socket.send(stop_message())
            else:
                await socket.send(media_message(number=2))
            async with asyncio.timeout(PATIENCE_S):
                await socket.wait_closed()
        if step != "delivered":
            await board.ask("/twilio/after-stream")
            assert waiting.place == "ringing"
        if step == "whispering":
            await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        if step == "accepted_on_the_page":
            desk.answer(waiting.key, "Ana", accepted=True)
        if step != "delivered":
            gone = form(DialCallStatus="no-answer", CallStatus="completed")
            assert [verb.tag for verb in await board.ask("/twilio/after-dial", gone)] == ["Hangup"]
        assert await board.over() in ("caller_hangup", "line_lost")
        assert "accepted/" not in bridge.told
        assert desk.of_call(CALL) == []
        assert desk.answer(waiting.key, "Ben", accepted=True) is None
        for path in (f"/twilio/whisper/{CALL}", f"/twilio/whisper/{CALL}/answer"):
            late = await board.ask(path, form(LEG, Digits="1"))
            assert [verb.tag for verb in late] == ["Hangup"]
