"""A real server on loopback with a real stand-in behind it, and the provider's side for tests to play."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import httpx2
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from runtime.call import Caller, Outside
from runtime.server import Running, start
from runtime.server.calls import Carry
from runtime.session.stand_in import StandIn
from runtime.settings import Settings, load
from runtime.telephony.base import Malformed, Media, StreamStopped
from runtime.telephony.twilio import SIGNATURE_HEADER, sign
from tests.faults.laws import judged
from tests.runtime.inbox import Inbox
from voiceflow_compiler.artifact import Artifact, seal
from voiceflow_compiler.pipeline import compile as compile_flow

SECRET = "the-auth-token"
FLOWS = Path(__file__).parents[2] / "flows"
CALL, OTHER_CALL = "CA" + "1" * 32, "CA" + "2" * 32
ACCOUNT = "AC" + "0" * 32
CALLER, OTHER_CALLER = "+15005550006", "+15005550007"
NUMBER = "+15005550001"
AUDIO = "/" * 212 + "//8="
PATIENCE_S = 90


@cache
def artifact(name: str = "lead-qualification") -> Artifact:
    """A shipped flow under this name. Without its exact words: rendering them takes long."""
    compiled = compile_flow(str(FLOWS / "lead_qualification" / "flow.yaml")).artifact
    assert compiled is not None
    return seal(msgspec.structs.replace(compiled, flow=name, scripts={}))


def form(call_id: str = CALL, caller: str = CALLER, **more: str) -> dict[str, str]:
    """What the provider posts about a call."""
    fields = {"CallSid": call_id, "AccountSid": ACCOUNT, "From": caller, "To": NUMBER}
    return fields | {"Direction": "inbound", "CallStatus": "in-progress"} | more


async def echo(caller: Caller, outside: Outside) -> str:
    """A bridge that answers every frame with a mark that names its caller, until the line is gone."""
    reason, inbox = "line_lost", Inbox(outside.line)
    while reason == "line_lost" and (message := await inbox.receive()) is not None:
        match outside.codec.decode(message):
            case Media():
                outside.line.send(outside.codec.mark(caller.caller_number or "withheld"))
            case StreamStopped():
                reason = "caller_hangup"
            case Malformed(wrong):
                raise AssertionError(wrong)
    return await end(outside, reason)


async def end(outside: Outside, reason: str) -> str:
    """End a call as a bridge does."""
    outside.line.close()
    await outside.session.close()
    outside.record.end(0, reason, None)
    return reason


@dataclass(slots=True)
class Switchboard:
    """The provider's side: posts and opens sockets, signed with the right token unless told otherwise."""

    running: Running
    http: httpx2.AsyncClient

    async def post(
        self, path: str, fields: Mapping[str, str] | None = None, *, signature: str | None = None
    ) -> httpx2.Response:
        """Post a form; `signature` "" sends none."""
        url, fields = self.running.url + path, form() if fields is None else fields
        made = sign(SECRET, url, fields.items()) if signature is None else signature
        headers = {SIGNATURE_HEADER: made} if made else {}
        return await self.http.post(url, data=dict(fields), headers=headers)

    async def ask(self, path: str, fields: Mapping[str, str] | None = None) -> Element:
        """The document a signed post is answered with."""
        answer = await self.post(path, fields)
        assert answer.status_code == 200, answer.text
        return fromstring(answer.text)

    async def answer(self, fields: Mapping[str, str] | None = None) -> str:
        """Let the telephone ring; the call's token."""
        return token_of(await self.ask("/twilio/voice", fields))

    @asynccontextmanager
    async def socket(
        self, *, signature: str | None = None, **headers: str
    ) -> AsyncIterator[ClientConnection]:
        """A media socket; `signature` "" sends none."""
        url = self.running.place.media_url
        made = sign(SECRET, url) if signature is None else signature
        sent = headers | ({SIGNATURE_HEADER: made} if made else {})
        async with connect(url, additional_headers=sent, compression=None) as socket:
            yield socket

    @asynccontextmanager
    async def stream(self, token: str, call_id: str = CALL) -> AsyncIterator[ClientConnection]:
        """A media stream that has started."""
        async with self.socket() as socket:
            await socket.send(start_message(token, call_id))
            yield socket

    async def over(self, call_id: str = CALL) -> str:
        """Wait until a call has ended; why."""
        live = self.running.calls.find(call_id)
        assert live is not None
        async with asyncio.timeout(PATIENCE_S):
            await live.ended.wait()
        assert live.reason is not None
        return live.reason


@asynccontextmanager
async def open_switchboard(
    folder: Path,
    *,
    carry: Carry = echo,
    head: str = "",
    toml: str = "",
    flows: Sequence[str] = ("lead-qualification",),
    artifacts: Sequence[Artifact] = (),
    crm: Path | None = None,
) -> AsyncIterator[Switchboard]:
    """A running server for these flows; `head` and `toml` are added to its settings. What its calls left is
    judged afterwards.
    """
    stand_in = StandIn(voice="text")
    async with judged(folder, [SECRET, CALLER, OTHER_CALLER], stand_in), stand_in:
        running = await start(
            artifacts or [artifact(name) for name in flows],
            settings(folder, stand_in.base_url, toml, head, crm),
            carry=carry,
        )
        try:
            async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE_S) as http:
                yield Switchboard(running, http)
        finally:
            await running.aclose()


def settings(
    folder: Path, model_url: str, toml: str = "", head: str = "", crm: Path | None = None
) -> Settings:
    """Settings of a server on loopback that checks signatures."""
    crm = crm or FLOWS / "lead_qualification" / "crm.csv"
    facts = f'[facts.crm]\nsource = "csv_file"\npath = "{crm}"\n'
    (folder / "vfc.toml").write_text(f"{head}\n{facts}{toml}")
    environment = {"OPENAI_BASE_URL": model_url, "TWILIO_AUTH_TOKEN": SECRET, "VFC_PORT": "0"}
    return load(folder / "vfc.toml", environment | {"VFC_PUBLIC_URL": "http://127.0.0.1"})


def token_of(document: Element) -> str:
    """The call token in an answer."""
    parameter = document.find("Connect/Stream/Parameter")
    assert parameter is not None
    return parameter.attrib["value"]


def start_message(token: str, call_id: str = CALL, account: str = ACCOUNT) -> str:
    """The start of a media stream, as the provider sends it."""
    stream = "MZ" + call_id[2:]
    body: dict[str, Any] = {
        "accountSid": account,
        "streamSid": stream,
        "callSid": call_id,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"call_token": token},
    }
    return json.dumps({"event": "start", "sequenceNumber": "1", "start": body, "streamSid": stream})


def media_message(call_id: str = CALL, number: int = 1) -> str:
    """20 ms of the caller's audio, as the provider sends it."""
    media = {"track": "inbound", "chunk": str(number), "timestamp": str(number * 20), "payload": AUDIO}
    body = {"event": "media", "sequenceNumber": str(number + 1), "media": media}
    return json.dumps(body | {"streamSid": "MZ" + call_id[2:]})


def stop_message(call_id: str = CALL) -> str:
    """The caller hung up, as the provider says it."""
    return json.dumps({"event": "stop", "sequenceNumber": "9", "streamSid": "MZ" + call_id[2:]})


async def read(socket: ClientConnection) -> dict[str, Any]:
    """The next message on a stream."""
    async with asyncio.timeout(PATIENCE_S):
        told: dict[str, Any] = json.loads(await socket.recv())
        return told
