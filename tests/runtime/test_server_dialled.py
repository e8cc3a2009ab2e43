"""Calls we place, over real sockets: a provider's REST interface on loopback, and its network."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from runtime import record
from runtime.call import Caller, Outside
from runtime.server import start
from runtime.server.dialled import DialError, Order
from runtime.server.run import Running
from runtime.session.stand_in import StandIn
from runtime.simulate.carriers.base import Asking
from runtime.simulate.carriers.twilio import TWILIO
from runtime.telephony.twilio import SIGNATURE_HEADER, sign
from tests.runtime.switchboard import ACCOUNT, CALL, SECRET, artifact, echo, settings, start_message

PERSON, OURS = "+12025550123", "+15005550001"
PATIENCE_S = 90


@dataclass
class Interface:
    """The provider's REST interface: it remembers what it was asked and answers with a call id."""

    status: int = 201
    asked: list[tuple[str, Mapping[str, str], dict[str, str]]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        token = next(line for line in head.split("\r\n") if line.lower().startswith("authorization"))
        body = (await reader.readexactly(int(headers["content-length"]))).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self.asked.append((head.split(" ")[1], {"authorization": token.partition(": ")[2]}, form))
        text = json.dumps({"sid": CALL})
        writer.write(f"HTTP/1.1 {self.status} OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        await writer.drain()
        writer.close()
        self.arrived.set()


@dataclass
class World:
    running: Running
    interface: Interface
    http: httpx2.AsyncClient

    def ring(self) -> "asyncio.Task[Order]":
        deployment = next(iter(self.running.calls.deployments.values()))
        return asyncio.create_task(self.running.dialled.ring(PERSON, deployment, "c-1"))

    async def placed(self) -> dict[str, str]:
        async with asyncio.timeout(PATIENCE_S):
            await self.interface.arrived.wait()
        return self.interface.asked[0][2]

    async def picked_up(self, url: str) -> str:
        """The answer webhook of a call somebody picked up; its token."""
        asking = Asking("ringing", CALL, OURS, PERSON)
        headers, body = TWILIO.ask(SECRET, url, asking)
        answer = await self.http.post(url, content=body, headers=headers)
        assert answer.status_code == 200
        stream = TWILIO.read(answer.text)[0]
        token: str = stream.parameters["call_token"]  # type: ignore[union-attr]
        return token

    async def tell(self, url: str, **told: str) -> int:
        fields = {"CallSid": CALL, "AccountSid": ACCOUNT, **told}
        headers = {SIGNATURE_HEADER: sign(SECRET, url, fields.items())}
        return (await self.http.post(url, data=fields, headers=headers)).status_code


@asynccontextmanager
async def world(folder: Path, carry: Any = None, status: int = 201, **dialling: Any) -> AsyncIterator[World]:
    interface = Interface(status)
    async with (
        StandIn(voice="text") as stand_in,
        await asyncio.start_server(interface.serve, "127.0.0.1", 0) as listening,
        httpx2.AsyncClient(trust_env=False, timeout=PATIENCE_S) as http,
    ):
        port = listening.sockets[0].getsockname()[1]
        chosen = settings(folder, stand_in.base_url)
        placed = replace(chosen.dialling, number=OURS, api_url=f"http://127.0.0.1:{port}", **dialling)
        chosen = replace(chosen, dialling=placed, telephony=replace(chosen.telephony, account=ACCOUNT))
        running = await start([artifact()], chosen, carry=carry or echo)
        try:
            yield World(running, interface, http)
        finally:
            await running.aclose()


async def test_a_call_is_ordered_with_detection_and_our_addresses(tmp_path: Path) -> None:
    """The interface is asked, as our account, to ring the person from our number and find out who answers."""
    async with world(tmp_path) as here:
        ringing = here.ring()
        form = await here.placed()
        path, headers, _ = here.interface.asked[0]
        assert path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
        assert headers["authorization"] == "Basic " + b64encode(f"{ACCOUNT}:{SECRET}".encode()).decode()
        assert (form["To"], form["From"], form["AsyncAmd"]) == (PERSON, OURS, "true")
        assert await here.tell(form["StatusCallback"], CallStatus="busy") == 204
        assert (await ringing).why == "busy"


@pytest.mark.parametrize(("verdict", "by"), [("human", "person"), ("machine_start", "machine")])
async def test_the_call_is_told_who_answered(tmp_path: Path, verdict: str, by: str) -> None:
    """The call is carried with the person's number, and the verdict reaches it once there is one."""
    seen: list[Any] = []

    async def carry(caller: Caller, outside: Outside) -> str:
        assert outside.answerer is not None
        seen.append((caller.caller_number, caller.called_number, caller.direction, await outside.answerer))
        outside.line.close()
        await outside.session.close()
        outside.record.end(0, "assistant_hangup", None)
        return "assistant_hangup"

    async with world(tmp_path, carry) as here:
        ringing = here.ring()
        form = await here.placed()
        token = await here.picked_up(form["Url"])
        from websockets.asyncio.client import connect

        url = here.running.place.media_url
        async with connect(url, additional_headers={SIGNATURE_HEADER: sign(SECRET, url)}) as socket:
            await socket.send(start_message(token))
            assert await here.tell(form["AsyncAmdStatusCallback"], AnsweredBy=verdict) == 204
            order = await ringing
        assert seen == [(PERSON, OURS, "outbound", by)]
        live = here.running.calls.find(order.call_id or "")
        assert live is not None
        assert live.reason == "assistant_hangup"
    kept = record.read(live.record)
    assert [line["note"]["id"] for line in kept.lines if line.get("note", {}).get("kind") == "consent"] == [
        "c-1"
    ]


async def test_an_order_nobody_made_is_not_connected(tmp_path: Path) -> None:
    """An answer webhook for an order that is unknown gets no stream; a forged event gets nothing."""
    async with world(tmp_path) as here:
        url = here.running.place.url(here.running.place.dialled + "/unknown")
        headers, body = TWILIO.ask(SECRET, url, Asking("ringing", CALL, OURS, PERSON))
        answer = await here.http.post(url, content=body, headers=headers)
        assert "Stream" not in answer.text
        assert "Hangup" in answer.text
        assert (await here.http.post(url + "/event", data={"CallStatus": "busy"})).status_code == 403


async def test_a_provider_that_refuses_is_told(tmp_path: Path) -> None:
    """A call the provider will not place is one plain line, without the number."""
    async with world(tmp_path, status=400) as here:
        with pytest.raises(DialError) as told:
            await here.ring()
        assert "400" in str(told.value)
        assert PERSON not in str(told.value)
