"""The media WebSocket's door: who is let in, before anything is done for them.

1. An upgrade from a browser, or with a signature that is not ours, is refused before it is accepted.
2. After that a stream has a few seconds and a few messages to start with a token of its call, once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from runtime.server.calls import Calls
from runtime.server.fleet import Fleet, slot_of, socket_path
from runtime.server.place import Place
from runtime.server.relay import relay
from runtime.server.upgrade import MAX_MESSAGE
from runtime.telephony.base import Asked, Ignored, Provider, StreamStarted
from runtime.websocket import Message, Socket, nobody

FIRST_MESSAGES: Final = 10
WAITING_PER_CALL: Final = 2  # sockets that have not started yet, for each call a process may carry
REFUSED: Final = 1008


class Media:
    """Lets media streams in; each socket is its call's once the stream has started."""

    def __init__(self, calls: Calls, provider: Provider, place: Place, fleet: Fleet | None = None) -> None:
        self.calls, self.provider, self.place, self.fleet = calls, provider, place, fleet
        self._waiting = 0

    def admit(self, path: str, headers: Mapping[str, str]) -> Socket | int:
        """The socket of an upgrade, or the HTTP status it is refused with."""
        why, status = self._turned_away(path, headers)
        if why:
            kind = {403: "security.stream_refused", 503: "call.shed"}.get(status)
            if kind:
                self.calls.alert(kind, detail=why)
            return status
        socket = Socket(MAX_MESSAGE)
        _Waiting(self, socket, headers)
        return socket

    def _turned_away(self, path: str, headers: Mapping[str, str]) -> tuple[str, int]:
        if path != self.place.media:
            return "path", 404
        if self._waiting >= WAITING_PER_CALL * self.calls.settings.limits.calls:
            return "crowd", 503
        if "origin" in headers:
            return "origin", 403  # providers send none; a browser does
        if not self._genuine(headers):
            return "signature", 403
        return "", 0

    def _genuine(self, headers: Mapping[str, str]) -> bool:
        """What the provider puts on an upgrade must be ours; the token of the call is asked for later."""
        telephony = self.calls.settings.telephony
        if telephony.insecure:
            return True
        asked = Asked(self.place.media_url, headers, int(time.time()))
        return self.provider.genuine_stream((telephony.auth_token, telephony.previous_auth_token), asked)

    def waiting(self, more: int) -> None:
        """A socket has begun to wait for its start (1), or waits no longer (-1)."""
        self._waiting += more


class _Waiting:
    """A socket that has not started: it has a few messages and seconds to show a token that opens a call."""

    def __init__(self, media: Media, socket: Socket, headers: Mapping[str, str]) -> None:
        self._media, self._socket, self._headers = media, socket, headers
        self._codec = media.provider.open_codec(media.calls.audio)
        self._messages = 0
        self._refused = False
        limit = media.calls.settings.limits.start_ms / 1000
        self._late = asyncio.get_running_loop().call_later(limit, self._refuse)
        media.waiting(1)
        socket.listen(self._take)

    def _take(self, message: Message | None) -> None:
        event = None if message is None else self._codec.decode(message)
        self._messages += 1
        match event:
            case StreamStarted():
                # Whose call it is may have to be asked: what comes meanwhile is kept.
                self._socket.hold()
                self._media.calls.keep(self._let_in(event, message or ""))
            case Ignored() if self._messages < FIRST_MESSAGES:
                pass
            case _:
                self._refuse()

    async def _let_in(self, started: StreamStarted, message: Message) -> None:
        """Give the socket to the line of the call its token opens, here or in the worker that has it."""
        calls, fleet = self._media.calls, self._media.fleet
        token = started.parameters.get(self._media.provider.TOKEN_PARAMETER, "")
        opens = calls.read_token(token, started)
        if fleet is not None and opens is not None and opens.owner and not calls.find(started.call_id):
            path = socket_path(fleet.folder, slot_of(opens.owner))
            if await relay(self._socket, message, path, self._media.place.media, self._headers):
                self._done()
                return
        live = await calls.claim(token, started)
        if live is None or self._refused:
            self._refuse()
            return
        self._done()
        if live.task:
            live.line.attach(self._socket, message)
            return
        live.line.attach(self._socket, None)
        calls.take(live, self._codec)
        if fleet is not None:
            calls.keep(fleet.tell_taken(live.call.call_id))

    def _refuse(self) -> None:
        if self._refused:
            return
        self._refused = True
        self._media.calls.alert("security.stream_refused", detail="start")
        self._done()
        self._socket.listen(nobody)
        self._socket.close(REFUSED)

    def _done(self) -> None:
        self._late.cancel()
        self._media.waiting(-1)
