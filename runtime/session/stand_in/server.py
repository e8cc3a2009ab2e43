"""The stand-in as a server: the Realtime WebSocket and the speech endpoint on one port, with no key of
anybody's.

    async with StandIn(voice="tones") as stand_in:
        client = AsyncOpenAI(base_url=stand_in.base_url, api_key="anything")

starlette and uvicorn carry it, because `websockets`' own server takes no request bodies.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from runtime import audio
from runtime.session.stand_in.configuration import Json
from runtime.session.stand_in.connection import Connection, Manner
from runtime.session.stand_in.conversation import SESSION_LIMIT_S, Conversation
from runtime.session.stand_in.faults import FaultPlan
from runtime.session.stand_in.policy import decide
from runtime.session.stand_in.responses import Pace
from runtime.session.stand_in.turns import Policy
from runtime.voices import Voice, open_voice

MAX_FRAME_BYTES = (
    32 * 1024 * 1024
)  # above the 15 MiB of audio in base64, so that too much is an error event, not a hang-up
DEFAULT_MODEL = "gpt-realtime-2.1"
SPEECH_RATE_HZ = 24_000
_serials = itertools.count(1)


class StandIn:
    """A running stand-in. `faults` may be changed at any time; it applies to connections made afterwards."""

    def __init__(
        self,
        *,
        voice: str = "text",
        host: str = "127.0.0.1",
        port: int = 0,
        key: str | None = None,
        policy: Policy = decide,
        faults: FaultPlan | None = None,
        pace: Pace | None = None,
        think_ms: float = 0,
        transcript_delay_ms: float = 0,
        session_limit_s: float = SESSION_LIMIT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`voice` is text, tones or spoken; port 0 takes a free one; `key` None accepts any key but none at
        all."""
        self.faults = faults or FaultPlan()
        self.connections = 0
        # Sees every event that comes in or goes out on a connection, and every fault that was carried out.
        self.watch: Callable[[int, str, Json], None] = lambda number, way, event: None
        self._voice_name, self._address, self._key = voice, (host, port), key
        self._manner = Manner(
            policy,
            pace or Pace(),
            think_ms,
            transcript_delay_ms,
            session_limit_s,
            clock,
            lambda way, event: None,
        )
        self._speaker: Voice = open_voice(voice)  # a missing extra shows here, not in the first call
        self._speaking = asyncio.Lock()
        self._transports: dict[Any, asyncio.BaseTransport] = {}

    @property
    def base_url(self) -> str:
        """What to give a client as its base URL, e.g. http://127.0.0.1:41234/v1."""
        host, port = self._address
        return f"http://{host}:{port}/v1"

    async def __aenter__(self) -> StandIn:
        listening = socket.create_server(self._address)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
        self._address = listening.getsockname()[:2]
        self._server = Beside(self._config())
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started:
            if self._serving.done():
                self._serving.result()
            await asyncio.sleep(0.005)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        for transport in list(self._transports.values()):
            if isinstance(transport, asyncio.Transport) and not transport.is_reading():
                transport.abort()  # frozen by a fault: it would not see anybody go
        await self._serving

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                WebSocketRoute("/v1/realtime", self._realtime),
                Route("/v1/audio/speech", self._speech, methods=["POST"]),
                Route("/v1/models", self._models),
            ]
        )

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self.app(),
            ws=_remembering(self._transports),
            ws_max_size=MAX_FRAME_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            proxy_headers=False,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )

    def _refusal(self, header: str) -> Response | None:
        scheme, _, key = header.partition(" ")
        if scheme.lower() == "bearer" and key and self._key in (None, key):
            return None
        text = "Incorrect API key provided." if key else "You didn't provide an API key."
        return _error(401, text, "invalid_api_key" if key else None)

    async def _realtime(self, websocket: WebSocket) -> None:
        self.connections += 1
        number = self.connections
        plan = self.faults.for_connection(number)
        refusal = self._refusal(websocket.headers.get("authorization", ""))
        if plan.refuse_status:
            refusal = _error(plan.refuse_status, "Refused by the stand-in's fault plan.", plan.refuse_code)
        if refusal:
            await websocket.send_denial_response(refusal)
            return
        if plan.accept_delay_s:
            await asyncio.sleep(plan.accept_delay_s)
        offered = websocket.scope.get("subprotocols") or []
        await websocket.accept(subprotocol="realtime" if "realtime" in offered else None)
        if plan.close_on_open:
            await websocket.close(plan.close_on_open)
            return
        conversation = Conversation(
            serial=f"{next(_serials):04d}",
            model=websocket.query_params.get("model", DEFAULT_MODEL),
            now_s=self._manner.clock(),
            lifetime_s=self._manner.session_limit_s,
        )
        voice = open_voice(self._voice_name)
        manner = replace(self._manner, watch=partial(self.watch, number))
        await Connection(websocket, conversation, voice, manner, plan).serve(lambda: self._wire(websocket))

    def _wire(self, websocket: WebSocket) -> asyncio.Transport | None:
        transport = self._transports.get(tuple(websocket.scope["client"]))
        return transport if isinstance(transport, asyncio.Transport) else None

    async def _speech(self, request: Request) -> Response:
        if refusal := self._refusal(request.headers.get("authorization", "")):
            return refusal
        if self.faults.speech_status:
            return _error(self.faults.speech_status, "Refused by the stand-in's fault plan.", None)
        try:
            wanted = json.loads(await request.body())
        except ValueError:
            return _error(400, "We could not parse the JSON body of your request.", None)
        if not isinstance(wanted, dict):
            return _error(400, "The body of a speech request is a JSON object.", None)
        for name in ("model", "input", "voice"):
            if not wanted.get(name):
                return _error(400, f"Missing required parameter: '{name}'.", "missing_required_parameter")
        form = wanted.get("response_format", "mp3")
        if form not in ("pcm", "wav"):
            return _error(
                400, f"The stand-in makes response_format pcm and wav, not {form}.", "invalid_value"
            )
        async with self._speaking:
            mulaw = await asyncio.to_thread(self._speaker.speak, str(wanted["input"]))
        pcm = audio.resample(audio.mulaw_to_pcm16(mulaw), audio.SAMPLE_RATE_HZ, SPEECH_RATE_HZ)
        if form == "wav":
            return Response(audio.mono_wav(pcm, SPEECH_RATE_HZ), media_type="audio/wav")
        return Response(pcm, media_type="audio/pcm")

    async def _models(self, request: Request) -> Response:
        if refusal := self._refusal(request.headers.get("authorization", "")):
            return refusal
        model = {"id": DEFAULT_MODEL, "object": "model", "created": 0, "owned_by": "stand-in"}
        return JSONResponse({"object": "list", "data": [model]})


def _error(status: int, message: str, code: str | None) -> Response:
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return JSONResponse(body, status_code=status)


class Beside(uvicorn.Server):
    """uvicorn beside other work in the same process: signals belong to whoever runs the loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _remembering(transports: dict[Any, asyncio.BaseTransport]) -> type[WebSocketsSansIOProtocol]:
    """uvicorn's WebSocket protocol that keeps its transport by peer address, so that a fault can cut the
    wire."""

    class Remembering(WebSocketsSansIOProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._peer = tuple(transport.get_extra_info("peername"))
            transports[self._peer] = transport
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self._peer, None)
            super().connection_lost(exc)

    return Remembering


def run(host: str = "127.0.0.1", port: int = 8081, voice: str = "tones", key: str | None = None) -> None:
    """Serve until interrupted (for `vfc stand-in`). Raises VoiceMissing when the voice is not installed."""
    stand_in = StandIn(voice=voice, host=host, port=port, key=key)
    asyncio.run(_serve_until_interrupted(stand_in))


async def _serve_until_interrupted(stand_in: StandIn) -> None:
    async with stand_in:
        await asyncio.get_running_loop().create_future()
