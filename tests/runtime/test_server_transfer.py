"""Transfers: a person is rung through the provider, and the caller comes back when nobody takes the call."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from runtime.call import Caller, Outside
from runtime.engine.effects import Transfer
from runtime.handoff import CallDesk
from runtime.settings import SettingsError
from runtime.telephony.base import Media, StreamStarted
from tests.runtime.handoffs import unheard
from tests.runtime.inbox import Inbox
from tests.runtime.switchboard import (
    CALL,
    PATIENCE_S,
    Switchboard,
    artifact,
    end,
    form,
    media_message,
    open_switchboard,
    read,
    stop_message,
    token_of,
)
from voiceflow_compiler.artifact import seal

PERSON = '[handoffs.sales]\nleast_talk_ms = 0\nnumber = "+15005550009"'
LEG = "CA" + "8" * 32  # the person's own leg


class Bridge:
    """A bridge that orders a transfer at the first frame, and afterwards answers frames with how it went."""

    def __init__(self, mode: str = "warm") -> None:
        self.mode = mode
        self.went: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
        self.streams = 0

    async def carry(self, caller: Caller, outside: Outside) -> str:
        transfer: asyncio.Task[None] | None = None
        inbox = Inbox(outside.line)
        while (message := await inbox.receive()) is not None:
            match outside.codec.decode(message):
                case StreamStarted():
                    self.streams += 1
                case Media() if transfer is None:
                    transfer = asyncio.create_task(self.transfer(outside))
                case Media():
                    outside.line.send(outside.codec.mark("/".join(await self.went)))
                case _:
                    return await end(outside, "caller_hangup")
            if self.went.done() and self.went.result()[0] == "accepted":
                break
        if transfer:
            await transfer
        accepted = self.went.done() and self.went.result()[0] == "accepted"
        return await end(outside, "transferred" if accepted else "line_lost")

    async def transfer(self, outside: Outside) -> None:
        order = Transfer(handoff_id="h1", handoff="sales", mode=self.mode, timeout_ms=30_000)  # type: ignore[arg-type]
        result = await outside.desk.transfer(order, unheard)
        self.went.set_result((result.result, result.reason))
        if result.result == "accepted":
            outside.line.close()


async def ordered(board: Switchboard) -> None:
    """Bring a call to where its stream was closed for a transfer."""
    token = await board.answer()
    async with board.stream(token) as socket:
        await socket.send(media_message())
        async with asyncio.timeout(PATIENCE_S):
            await socket.wait_closed()
    assert socket.close_code == 1000


async def result(bridge: Bridge) -> tuple[str, str]:
    """How the transfer went, as the bridge was told."""
    async with asyncio.timeout(PATIENCE_S):
        return await bridge.went


async def come_back(board: Switchboard, token: str) -> str:
    """The stream after a transfer that failed; what the bridge says on it."""
    async with board.stream(token) as socket:
        await socket.send(media_message())
        said: str = (await read(socket))["mark"]["name"]
        await socket.send(stop_message())
        assert await board.over() == "caller_hangup"
        return said


async def test_a_person_who_presses_one_has_the_caller(tmp_path: Path) -> None:
    """The person hears who it is, presses 1, and the call counts as transferred; afterwards it is hung up."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=PERSON) as board:
        await ordered(board)
        dial = await board.ask("/twilio/after-stream")
        number = dial.find("Dial/Number")
        assert number is not None
        assert number.text == "+15005550009"
        path = number.attrib["url"].removeprefix(board.running.url)
        whisper = await board.ask(path, form(LEG))
        assert "Press 1" in (whisper.findtext("Gather/Say") or "")
        gather = whisper.find("Gather")
        assert gather is not None
        answer = gather.attrib["action"].removeprefix(board.running.url)
        assert len(await board.ask(answer, form(LEG, Digits="1"))) == 0
        assert await result(bridge) == ("accepted", "")
        assert await board.over() == "transferred"
        ended = await board.ask("/twilio/after-dial", form(DialCallStatus="completed"))
        assert [verb.tag for verb in ended] == ["Hangup"]


async def test_a_blind_transfer_joins_at_once(tmp_path: Path) -> None:
    """Without a whisper the person has the caller when they pick up."""
    bridge = Bridge("cold")
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=PERSON) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        assert len(await board.ask(f"/twilio/whisper/{CALL}", form(LEG))) == 0
        assert await result(bridge) == ("accepted", "")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("busy", "unanswered/busy"),
        ("no-answer", "unanswered/no_answer"),
        ("failed", "unanswered/failed"),
        ("canceled", "unanswered/failed"),
    ],
)
async def test_the_caller_comes_back_when_nobody_answers(tmp_path: Path, status: str, said: str) -> None:
    """A dial that reached nobody brings the caller back on a new stream, and the bridge is told then why."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=PERSON) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        again = await board.ask("/twilio/after-dial", form(DialCallStatus=status))
        assert not bridge.went.done()
        assert await come_back(board, token_of(again)) == said
        assert bridge.streams == 1


async def test_a_person_who_declines_sends_the_caller_back(tmp_path: Path) -> None:
    """Another key than 1 is a refusal, whatever the provider says about the leg."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=PERSON) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        declined = await board.ask(f"/twilio/whisper/{CALL}/answer", form(LEG, Digits="2"))
        assert [verb.tag for verb in declined] == ["Hangup"]
        again = await board.ask("/twilio/after-dial", form(DialCallStatus="completed"))
        assert await come_back(board, token_of(again)) == "refused/declined"


async def test_a_machine_that_picks_up_is_nobody(tmp_path: Path) -> None:
    """Something that answers and presses nothing does not get the caller."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=PERSON) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        again = await board.ask("/twilio/after-dial", form(DialCallStatus="completed"))
        assert await come_back(board, token_of(again)) == "unanswered/voicemail"


async def test_a_caller_who_hangs_up_while_it_rings_ends_the_call(tmp_path: Path) -> None:
    """When the call is over at the provider, there is no way back, and nobody waits for one."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=PERSON) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        gone = form(DialCallStatus="no-answer", CallStatus="completed")
        assert [verb.tag for verb in await board.ask("/twilio/after-dial", gone)] == ["Hangup"]
        assert await board.over() == "line_lost"
        late = await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        assert [verb.tag for verb in late] == ["Hangup"]


async def test_the_token_of_the_first_stream_does_not_open_the_second(tmp_path: Path) -> None:
    """Coming back needs the new token."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=PERSON) as board:
        old = await board.answer()
        await ordered(board)
        await board.ask("/twilio/after-stream")
        again = await board.ask("/twilio/after-dial", form(DialCallStatus="busy"))
        async with board.stream(old) as socket:
            async with asyncio.timeout(PATIENCE_S):
                await socket.wait_closed()
            assert socket.close_code == 1008
        assert await come_back(board, token_of(again)) == "unanswered/busy"


async def test_nobody_is_dialled_without_an_order(tmp_path: Path) -> None:
    """Asking for a transfer's documents while none was ordered dials nobody."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=PERSON) as board:
        token = await board.answer()
        for path in (f"/twilio/whisper/{CALL}", f"/twilio/whisper/{CALL}/answer"):
            assert [verb.tag for verb in await board.ask(path, form(LEG, Digits="1"))] == ["Hangup"]
        async with board.stream(token) as socket:
            await socket.send(stop_message())
            assert await board.over() == "caller_hangup"
        assert [verb.tag for verb in await board.ask("/twilio/after-stream")] == ["Hangup"]


async def test_a_transfer_given_up_still_brings_the_caller_back(tmp_path: Path) -> None:
    """When the bridge no longer waits, a late person is not joined, and the caller comes back."""
    gave_up = asyncio.Event()

    async def impatient(caller: Caller, outside: Outside) -> str:
        order = Transfer(handoff_id="h1", handoff="sales", mode="warm", timeout_ms=30_000)
        inbox = Inbox(outside.line)
        await inbox.receive()
        transfer = asyncio.create_task(outside.desk.transfer(order, unheard))
        message = asyncio.create_task(inbox.receive())
        await dialled.wait()
        transfer.cancel()
        await asyncio.gather(transfer, return_exceptions=True)
        gave_up.set()
        assert isinstance(outside.codec.decode(await message or ""), StreamStarted)
        return await end(outside, "assistant_hangup")

    dialled = asyncio.Event()
    async with open_switchboard(tmp_path, carry=impatient, toml=PERSON) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        dialled.set()
        await gave_up.wait()
        late = await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        assert [verb.tag for verb in late] == ["Hangup"]
        again = await board.ask("/twilio/after-dial", form(DialCallStatus="no-answer"))
        async with board.stream(token_of(again)):
            assert await board.over() == "assistant_hangup"


async def test_a_call_that_ended_while_it_rang_is_not_cut_off_silently(tmp_path: Path) -> None:
    """A caller who comes back to a call that is over hears an honest sentence."""

    async def broken(caller: Caller, outside: Outside) -> str:
        order = Transfer(handoff_id="h1", handoff="sales", mode="warm", timeout_ms=30_000)
        await Inbox(outside.line).receive()
        transfer = asyncio.create_task(outside.desk.transfer(order, unheard))
        await dialled.wait()
        transfer.cancel()
        await asyncio.gather(transfer, return_exceptions=True)
        return await end(outside, "internal_error")

    dialled = asyncio.Event()
    async with open_switchboard(tmp_path, carry=broken, toml=PERSON) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        dialled.set()
        assert await board.over() == "internal_error"
        document = await board.ask("/twilio/after-dial", form(DialCallStatus="no-answer"))
        assert "went wrong" in (document.findtext("Say") or "")


SEVERAL = '[handoffs.sales]\nleast_talk_ms = 0\nnumbers = ["+15005550009", "+15005550008"]'


async def test_the_next_number_is_rung_when_the_first_does_not_take_it(tmp_path: Path) -> None:
    """A voicemail at the first number leads to the second without a way back; its person has the caller."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=SEVERAL) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        second = await board.ask("/twilio/after-dial", form(DialCallStatus="completed"))
        assert second.findtext("Dial/Number") == "+15005550008"
        await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        assert len(await board.ask(f"/twilio/whisper/{CALL}/answer", form(LEG, Digits="1"))) == 0
        assert await result(bridge) == ("accepted", "")


async def test_after_the_last_number_the_caller_comes_back(tmp_path: Path) -> None:
    """When nobody in the row takes the call, the caller is back with the last reason."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=SEVERAL) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        await board.ask("/twilio/after-dial", form(DialCallStatus="busy"))
        again = await board.ask("/twilio/after-dial", form(DialCallStatus="no-answer"))
        assert await come_back(board, token_of(again)) == "unanswered/no_answer"


async def test_a_refusal_rings_nobody_else(tmp_path: Path) -> None:
    """A person who declined has decided for the row, and a caller who is gone is rung for no more."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=SEVERAL) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        await board.ask(f"/twilio/whisper/{CALL}/answer", form(LEG, Digits="2"))
        again = await board.ask("/twilio/after-dial", form(DialCallStatus="completed"))
        assert await come_back(board, token_of(again)) == "refused/declined"


async def until(holds: Callable[[], bool]) -> None:
    """Wait until this holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def refuse(outside: Outside, dialled: asyncio.Event) -> None:
    """The person says on the desk's page that they do not take the call, once they are rung."""
    await dialled.wait()
    assert isinstance(outside.desk, CallDesk)
    outside.desk.line.person_answered_elsewhere(accepted=False)


class Declined(Bridge):
    """A bridge whose person declines on a page, before or while they are rung."""

    def __init__(self) -> None:
        super().__init__()
        self.dialled = asyncio.Event()

    async def carry(self, caller: Caller, outside: Outside) -> str:
        refusing = asyncio.create_task(refuse(outside, self.dialled))
        try:
            return await super().carry(caller, outside)
        finally:
            await refusing


async def test_a_person_who_declines_before_they_are_rung_is_not_rung(tmp_path: Path) -> None:
    """A refusal between the order and the dial sends the caller straight back."""
    bridge = Declined()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=PERSON) as board:
        await ordered(board)
        bridge.dialled.set()
        live = board.running.calls.find(CALL)
        assert live is not None
        await until(live.line.refused_early)
        back = await board.ask("/twilio/after-stream")
        assert await come_back(board, token_of(back)) == "refused/declined"


TALK = '[handoffs.sales]\nleast_talk_ms = 60000\nnumber = "+15005550009"'


async def test_a_person_who_drops_off_at_once_brings_the_caller_back(tmp_path: Path) -> None:
    """Where the network joins the two, a dial that ends sooner than a talk takes leads back to us."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=TALK) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        assert len(await board.ask(f"/twilio/whisper/{CALL}/answer", form(LEG, Digits="1"))) == 0
        assert not bridge.went.done()
        again = await board.ask("/twilio/after-dial", form(DialCallStatus="completed"))
        assert await come_back(board, token_of(again)) == "unanswered/left"


async def test_a_caller_who_hangs_up_on_a_person_had_them(tmp_path: Path) -> None:
    """A caller who leaves, however soon, was handed over."""
    bridge = Bridge()
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=TALK) as board:
        await ordered(board)
        await board.ask("/twilio/after-stream")
        await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        await board.ask(f"/twilio/whisper/{CALL}/answer", form(LEG, Digits="1"))
        gone = form(DialCallStatus="completed", CallStatus="completed")
        assert [verb.tag for verb in await board.ask("/twilio/after-dial", gone)] == ["Hangup"]
        assert await result(bridge) == ("accepted", "")


async def test_a_cold_caller_is_sent_on_by_sip(tmp_path: Path) -> None:
    """With `refer` the caller's leg is sent to the address; a refusal brings them back."""
    bridge = Bridge("cold")
    toml = '[handoffs.sales]\nrefer = true\nnumber = "sip:sales@example.com"'
    cold = replace(artifact().handoffs["sales"], mode="cold", package=())
    flow = seal(replace(artifact(), handoffs=artifact().handoffs | {"sales": cold}))
    async with open_switchboard(tmp_path, carry=bridge.carry, toml=toml, artifacts=[flow]) as board:
        await ordered(board)
        document = await board.ask("/twilio/after-stream")
        assert document.findtext("Refer/Sip") == "sip:sales@example.com"
        again = await board.ask("/twilio/after-dial", form(ReferCallStatus="failed"))
        assert await come_back(board, token_of(again)) == "unanswered/failed"


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('number = "sip:sales@example.com"', "REFER cannot"),
        ('number = "+15005550009"', "SIP address"),
    ],
)
async def test_refer_is_for_cold_handoffs_to_sip_alone(tmp_path: Path, toml: str, says: str) -> None:
    """A warm handoff, or a telephone number, with `refer` is told to the operator in one line each."""
    with pytest.raises(SettingsError, match=says):
        async with open_switchboard(tmp_path, toml=f"[handoffs.sales]\nrefer = true\n{toml}"):
            pass
