"""The media WebSocket's door: who is let in, before anything is done for them.

1. An upgrade from a browser, or with a signature that is not ours, is refused before it is accepted.
2. After that a stream has a few seconds and a few messages to start with a token of its call, once.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from runtime.server.calls import Calls
from runtime.server.place import Place
from runtime.telephony.base import Asked, Codec, Ignored, Provider, StreamStarted

FIRST_MESSAGES: Final = 10
WAITING_PER_CALL: Final = 2  # sockets that have not started yet, for each call a process may carry
REFUSED: Final = 1008


class Media:
    """Lets media streams in and keeps each socket open as long as its call needs it."""

    def __init__(self, calls: Calls, provider: Provider, place: Place) -> None:
        self.calls, self.provider, self.place = calls, provider, place
        self._waiting = 0

    async def stream(self, socket: WebSocket) -> None:
        """One media WebSocket from its upgrade to its end."""
        why, status = self._turned_away(socket)
        if why:
            self.calls.alert("security.stream_refused" if status == 403 else "call.shed", detail=why)
            await socket.send_denial_response(PlainTextResponse("refused\n", status_code=status))
            return
        await socket.accept()
        self._waiting += 1
        try:
            released = await self._let_in(socket)
        finally:
            self._waiting -= 1
        if released is None:
            self.calls.alert("security.stream_refused", detail="start")
            await _close(socket)
            return
        await released.wait()

    def _turned_away(self, socket: WebSocket) -> tuple[str, int]:
        if self._waiting >= WAITING_PER_CALL * self.calls.settings.limits.calls:
            return "crowd", 503
        if "origin" in socket.headers:
            return "origin", 403  # providers send none; a browser does
        if not self._genuine(socket):
            return "signature", 403
        return "", 0

    def _genuine(self, socket: WebSocket) -> bool:
        """What the provider puts on an upgrade must be ours; the token of the call is asked for later."""
        telephony = self.calls.settings.telephony
        if telephony.insecure:
            return True
        asked = Asked(self.place.media_url, dict(socket.headers), int(time.time()))
        return self.provider.genuine_stream((telephony.auth_token, telephony.previous_auth_token), asked)

    async def _let_in(self, socket: WebSocket) -> asyncio.Event | None:
        """Wait for a start with a token that opens a call, and attach the socket to that call's line."""
        codec = self.provider.open_codec(self.calls.audio)
        try:
            async with asyncio.timeout(self.calls.settings.limits.start_ms / 1000):
                started, message = await _start(socket, codec)
        except TimeoutError:
            return None
        if started is None:
            return None
        live = self.calls.claim(started.parameters.get(self.provider.TOKEN_PARAMETER, ""), started)
        if live is None:
            return None
        if live.task:
            return live.line.attach(socket, message)
        released = live.line.attach(socket, None)
        self.calls.take(live, codec)
        return released


async def _start(socket: WebSocket, codec: Codec) -> tuple[StreamStarted | None, str | bytes]:
    for _ in range(FIRST_MESSAGES):
        received = await socket.receive()
        if received["type"] != "websocket.receive":
            break
        message: str | bytes = received.get("text") or received.get("bytes") or ""
        match codec.decode(message):
            case StreamStarted() as started:
                return started, message
            case Ignored():
                continue
            case _:
                break
    return None, ""


async def _close(socket: WebSocket) -> None:
    try:
        await socket.close(REFUSED)
    except (RuntimeError, OSError):
        pass  # it was gone already
