"""Where uvicorn hands a connection over to the media sockets: same process, same connection, no hop between.

uvicorn reads every request. One that asks for a WebSocket it gives, with all that was read of it, to the
protocol named in its configuration, and never touches the connection again.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

import uvicorn
from uvicorn.server import ServerState

from runtime.websocket import Admit, ServerSocket

MAX_MESSAGE: Final = 65_536
REQUEST_S: Final = 5.0
SEND_BUFFER: Final = 32_768  # three seconds of mu-law on the wire: a carrier that stops reading is seen soon


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
