"""What a worker is asked about a call that another one holds: it passes the question on, or answers it itself
when the other dies meanwhile."""

import asyncio
import os
import signal
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import httpx2
import pytest

from runtime.simulate.carriers import CARRIERS
from runtime.telephony.twilio import SIGNATURE_HEADER, sign
from tests.stack.workers import TOKEN, Fleet, open_fleet

pytestmark = pytest.mark.faults
PATIENCE_S = 120
CALL = "CA" + "7" * 32


async def ask(fleet: Fleet, slot: int, path: str, **more: str) -> httpx2.Response:
    """Ask this worker alone, as the provider would."""
    fields = {"CallSid": CALL, "AccountSid": CARRIERS["twilio"].account, "From": "+12025550101"}
    fields |= {"To": "+12025550100", "Direction": "inbound", "CallStatus": "in-progress"} | more
    headers = {SIGNATURE_HEADER: sign(TOKEN, fleet.address + path, fields.items())}
    transport = httpx2.AsyncHTTPTransport(uds=fleet.socket(slot))
    async with httpx2.AsyncClient(transport=transport, base_url="http://worker") as http:
        return await http.post(path, data=fields, headers=headers, timeout=PATIENCE_S)


async def document(fleet: Fleet, slot: int, path: str) -> Element:
    """The document this worker answers with."""
    answer = await ask(fleet, slot, path)
    assert answer.status_code == 200
    return fromstring(answer.text)


def token(opened: Element) -> str:
    """What a document lets a stream in with."""
    parameter = opened.find("Connect/Stream/Parameter")
    assert parameter is not None
    return parameter.get("value", "")


async def kept(fleet: Fleet) -> None:
    """Wait until the store was told of the call: nobody waits for that."""
    async with asyncio.timeout(PATIENCE_S):
        while await fleet.store.leases.find(CALL) is None:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.05)


async def test_any_worker_answers_for_a_call_that_another_one_holds(tmp_path: Path) -> None:
    """The action URL, a way back and a status callback of a call that one worker answered, each asked of the
    other: the document is the holder's own, and the holder hears that the call is over."""
    async with open_fleet(tmp_path) as fleet:
        answered = token(await document(fleet, 0, "/twilio/voice"))
        assert token(await document(fleet, 1, "/twilio/after-stream")) == answered
        back = token(await document(fleet, 1, f"/twilio/back/{CALL}"))
        assert back != answered
        assert (await ask(fleet, 1, "/twilio/events", CallStatus="completed")).status_code == 204
        over = await document(fleet, 0, f"/twilio/back/{CALL}")
        assert [verb.tag for verb in over] == ["Hangup"]
        nobodys = await document(fleet, 1, f"/twilio/back/{CALL[:-1]}8")
        assert [verb.tag for verb in nobodys] == ["Hangup"]


async def test_a_holder_that_dies_while_it_is_asked_is_replaced(tmp_path: Path) -> None:
    """The worker that holds the call stands still while another passes a question on to it, and is killed:
    the other goes on with the call itself, by a token of its own."""
    async with open_fleet(tmp_path) as fleet:
        answered = token(await document(fleet, 0, "/twilio/voice"))
        await kept(fleet)
        holder = fleet.worker(0)
        os.kill(holder, signal.SIGSTOP)
        asking = asyncio.create_task(document(fleet, 1, "/twilio/after-stream"))
        await asyncio.wait({asking}, timeout=0.5)
        os.kill(holder, signal.SIGKILL)
        assert token(await asking) != answered
        lease = await fleet.store.leases.find(CALL)
        assert lease is not None
        assert (lease.expects, lease.attempts, lease.fence) == (True, 1, 1)
