"""The floor of the bridge: audio from the telephone to the model and back on the same libraries, and
nothing else.

No flow, no record, no marks, no timers, no check of who calls: a webhook, a socket on each side, and
two loops that splice payloads from one message into the other. Whatever the bridge costs above this is
what the project costs.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
import openai
from msgspec import Struct
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed

SILENCE_MS: Final = 500
SESSION: Final = {
    "type": "realtime",
    "output_modalities": ["audio"],
    "audio": {
        "input": {
            "format": {"type": "audio/pcmu"},
            "turn_detection": {
                "type": "server_vad",
                "silence_duration_ms": SILENCE_MS,
                "create_response": True,
                "interrupt_response": False,
            },
        },
        "output": {"format": {"type": "audio/pcmu"}, "voice": "marin"},
    },
}
SOCKET: Final = {"ping_interval": 10, "ping_timeout": 10, "close_timeout": 1, "max_size": 16 * 1024 * 1024}


class _Payload(Struct):
    payload: str


class _Start(Struct, rename="camel"):
    stream_sid: str


class _FromLine(Struct):
    event: str
    media: _Payload | None = None
    start: _Start | None = None


class _FromModel(Struct):
    type: str
    delta: str = ""


_read_line: Final = msgspec.json.Decoder(_FromLine).decode
_read_model: Final = msgspec.json.Decoder(_FromModel).decode


def app(model_url: str) -> Starlette:
    """The relay as an ASGI application, for a Realtime server at this base URL."""
    client = openai.AsyncOpenAI(base_url=model_url, api_key="none", max_retries=0)

    async def voice(request: Request) -> Response:
        media = str(request.url_for("media"))
        return Response(
            f'<Response><Connect><Stream url="{media}"/></Connect></Response>', media_type="text/xml"
        )

    async def media(socket: WebSocket) -> None:
        await socket.accept()
        manager = client.realtime.connect(model="gpt-realtime", websocket_connection_options=SOCKET)  # type: ignore[arg-type]
        connection = await manager.enter()
        try:
            await _carry(socket, connection)
        finally:
            await connection.close()

    return Starlette(
        routes=[
            Route("/twilio/voice", voice, methods=["POST"]),
            WebSocketRoute("/twilio/media", media, name="media"),
        ]
    )


async def _carry(socket: WebSocket, connection: AsyncRealtimeConnection) -> None:
    stream_id = await _started(socket)
    await connection.send_raw(msgspec.json.encode({"type": "session.update", "session": SESSION}).decode())
    await connection.send_raw('{"type":"response.create"}')
    back = asyncio.create_task(_to_line(connection, socket, stream_id))
    try:
        await _to_model(socket, connection)
    finally:
        back.cancel()
        await asyncio.gather(back, return_exceptions=True)


async def _started(socket: WebSocket) -> str:
    while True:
        message = _read_line(await socket.receive_text())
        if message.start is not None:
            return message.start.stream_sid


async def _to_model(socket: WebSocket, connection: AsyncRealtimeConnection) -> None:
    while True:
        received = await socket.receive()
        if received["type"] != "websocket.receive":
            return
        message = _read_line(received["text"])
        if message.media is not None:
            await connection.send_raw(
                f'{{"type":"input_audio_buffer.append","audio":"{message.media.payload}"}}'
            )


async def _to_line(connection: AsyncRealtimeConnection, socket: WebSocket, stream_id: str) -> None:
    head = f'{{"event":"media","streamSid":"{stream_id}","media":{{"payload":"'
    while True:
        try:
            event = _read_model(await connection.recv_bytes())
        except ConnectionClosed:
            return
        if event.type == "response.output_audio.delta":
            await socket.send_text(f'{head}{event.delta}"}}}}')
