"""Where uvicorn hands a connection over to the media sockets: same process, same connection, no hop between.

uvicorn reads every request. One that asks for a WebSocket it gives, with all that was read of it, to the
protocol named in its configuration, and never touches the connection again. It gives a request all the time
in the world; here one has REQUEST_S to be whole, from the connection or its first byte on.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from runtime.websocket import Admit, ServerSocket

MAX_MESSAGE: Final = 65_536
REQUEST_S: Final = 5.0
SEND_BUFFER: Final = 32_768  # three seconds of mu-law on the wire: a carrier that stops reading is seen soon


class Requests(H11Protocol):
    """A connection before any upgrade: a peer that does not finish its request in time is let go."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A peer has connected and has said nothing yet."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Some of a request, or all of it."""
        super().data_received(data)
        ours = self.transport.get_protocol() is self  # h11 does not see the end of a request that upgrades
        if ours and self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._wait()
        else:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(REQUEST_S, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def upgrades(admit: Admit) -> Any:
    """What uvicorn makes for each connection that asks for a WebSocket."""

    def upgraded(config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any]) -> _Upgraded:
        return _Upgraded(admit, server_state)

    return upgraded


class _Upgraded(ServerSocket):
    """A connection as uvicorn counts it, so that it is closed when the server is."""

    def __init__(self, admit: Admit, state: ServerState) -> None:
        super().__init__(admit, most=MAX_MESSAGE, within_s=REQUEST_S)
        self._state = state

    def connection_made(self, transport: asyncio.Transport) -> None:
        """The connection is ours from here on."""
        self._state.connections.add(self)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._state.connections.discard(self)
        super().connection_lost(exc)
