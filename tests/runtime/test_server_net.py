"""Whom the net rings: the flow's own people where they are there now, then the fallback number."""

import asyncio
import datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from msgspec.structs import replace

from runtime.call import Caller, Outside
from tests.runtime.switchboard import (
    OTHER_CALL,
    PATIENCE_S,
    Switchboard,
    artifact,
    form,
    open_switchboard,
    token_of,
)
from voiceflow_compiler.artifact import Artifact, Handoff, Line, seal

pytestmark = pytest.mark.faults
SALES, COVER, FALLBACK = "+15005550006", "+15005550007", "+15005550009"
TODAY = datetime.datetime.now(datetime.UTC).date()
CLOSED = [str(TODAY + datetime.timedelta(days=one)) for one in (-1, 0, 1)]
PEOPLE = f"""
[telephony]
fallback_number = "{FALLBACK}"
[handoffs.night]
number = "+15005550001"
closed_on = {CLOSED}
[handoffs.sales]
numbers = ["{SALES}", "{COVER}"]
"""


def flow() -> Artifact:
    """The flow of the switchboard, with people at night and in sales."""
    one = Handoff("warm", Line("say", "One moment."), (), "end")
    others = {name: each for name, each in artifact().handoffs.items() if name != "sales"}
    return seal(replace(artifact(), handoffs={"night": one, "sales": one, **others}))


def rung(document: Element) -> tuple[str | None, str | None]:
    """Whom a document rings, and where it is told how that went."""
    dial = document.find("Dial")
    return document.findtext("Dial/Number"), None if dial is None else dial.get("action")


async def broken(board: Switchboard) -> Element:
    """What a caller is answered whose call nobody can go on with."""
    return await board.ask("/twilio/after-stream", form(OTHER_CALL))


async def unanswered(board: Switchboard, document: Element, status: str = "no-answer") -> Element:
    """What the network is answered once it has rung whom this document rings."""
    path = (rung(document)[1] or "").removeprefix(board.running.url)
    return await board.ask(path, form(OTHER_CALL, DialCallStatus=status))


async def test_row_44_the_net_rings_who_is_there_now(tmp_path: Path) -> None:
    """The flow's first destination that is open is rung, each of its numbers in order, then the fallback
    number; when nobody takes the call the caller is told so."""
    async with open_switchboard(tmp_path, toml=PEOPLE, artifacts=[flow()]) as board:
        document = await broken(board)
        assert "connecting you with a person" in (document.findtext("Say") or "")
        for number in (SALES, COVER, FALLBACK):
            assert rung(document)[0] == number
            document = await unanswered(board, document)
        assert "nobody can take your call" in (document.findtext("Say") or "")
        assert document.find("Dial") is None


async def test_a_person_who_took_the_call_ends_it(tmp_path: Path) -> None:
    """When somebody who was rung had the call nobody else is rung."""
    async with open_switchboard(tmp_path, toml=PEOPLE, artifacts=[flow()]) as board:
        document = await unanswered(board, await broken(board), "completed")
        assert [verb.tag for verb in document] == ["Hangup"]


async def test_without_anybody_there_the_fallback_is_rung(tmp_path: Path) -> None:
    """Outside their hours the flow's people are not rung; without a fallback number nobody is promised."""
    closed = PEOPLE.replace(f'"{COVER}"]', f'"{COVER}"]\nclosed_on = {CLOSED}')
    async with open_switchboard(tmp_path, toml=closed, artifacts=[flow()]) as board:
        assert rung(await broken(board))[0] == FALLBACK
    without = closed.replace(f'fallback_number = "{FALLBACK}"', "")
    async with open_switchboard(tmp_path, toml=without, artifacts=[flow()]) as board:
        document = await broken(board)
        assert "could not go on" in (document.findtext("Say") or "")
        assert document.find("Dial") is None


async def test_row_47_a_call_of_ours_that_raised_rings_its_flows_people(tmp_path: Path) -> None:
    """A defect that ends a call twice: its caller is brought to the flow's own people."""

    async def fragile(caller: Caller, outside: Outside) -> str:
        raise RuntimeError("a defect")

    async with open_switchboard(tmp_path, toml=PEOPLE, artifacts=[flow()], carry=fragile) as board:
        document = await board.ask("/twilio/voice")
        for _ in range(2):
            async with board.stream(token_of(document)) as stream, asyncio.timeout(PATIENCE_S):
                await stream.wait_closed()
            document = await board.ask("/twilio/after-stream")
        assert rung(document)[0] == SALES


async def test_the_last_words_ring_the_fallback_or_the_flows_people(tmp_path: Path) -> None:
    """The document itself, for the day nobody answers: it can ask nothing, so it rings the fallback number,
    or without one the flow's people."""
    without = PEOPLE.replace(f'fallback_number = "{FALLBACK}"', "")
    for number, toml in ((FALLBACK, PEOPLE), (SALES, without)):
        async with open_switchboard(tmp_path, toml=toml, artifacts=[flow()]) as board:
            document = await board.ask("/twilio/voice")
            assert rung(document) == (number, None)
