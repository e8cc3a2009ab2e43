"""One worker among those that share a port: whom else to ask about a call that is not ours.

1. A request is passed on as it came, over a socket only this user's processes can open, and checked again
   there; it is passed on once.
2. A worker whose loop does not turn is not asked: whoever was asked answers as if it were dead.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx2
from starlette.requests import Request
from starlette.responses import Response

from runtime.server.calls import Calls
from runtime.server.scoreboard import Scoreboard

NOT_MINE: Final = 421  # Misdirected Request: the call is not this worker's
PASSED_ON: Final = "x-vfc-passed-on"
WITHIN_S: Final = 5.0  # a call may take three seconds to say why it ended
HELLO_S: Final = 0.5


def socket_path(folder: Path, slot: int) -> Path:
    """Where a worker listens for the others."""
    return folder / f"w{slot}.sock"


def slot_of(owner: str) -> int:
    """The slot of the worker an owner's name names; -1 where it names none."""
    slot = owner.partition(".")[0].removeprefix("w")
    return int(slot) if slot.isdigit() else -1


@dataclass(slots=True)
class Fleet:
    """The workers of one supervisor, seen from the one in `slot`."""

    folder: Path
    slot: int
    board: Scoreboard
    _clients: dict[int, httpx2.AsyncClient] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return f"w{self.slot}"

    def calls(self, ours: int) -> tuple[int, int]:
        """How many calls all workers carry (`ours`: this one, now), and how many they may."""
        live = [row for row in self.board.rows() if row.live]
        others = sum(row.calls for row in live if row.slot != self.slot)
        return others + ours, sum(row.most for row in live)

    def listen(self) -> socket.socket:
        """Our own socket for the others, for this user's processes alone."""
        path = socket_path(self.folder, self.slot)
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(path))
        path.chmod(0o600)
        return listening

    def pulse_of(self, calls: Calls) -> Callable[[float], None]:
        """Write at every beat of the loop how this worker is."""
        most = calls.settings.limits.calls

        def told(lag_ms: float) -> None:
            ready = not calls.draining
            self.board.write(self.slot, calls=calls.live, most=most, ready=ready, lag_ms=lag_ms)

        return told

    async def ask(self, request: Request, body: bytes) -> Response | None:
        """What the worker says whose call this is; None when it is nobody's."""
        others = [row.slot for row in self.board.rows() if row.slot != self.slot and row.live]
        answers = await asyncio.gather(*(self._ask(slot, request, body) for slot in others))
        return next((answer for answer in answers if answer is not None), None)

    async def _ask(self, slot: int, request: Request, body: bytes) -> Response | None:
        query = f"?{request.url.query}" if request.url.query else ""
        headers = {name: value for name, value in request.headers.items() if name not in _OURS}
        try:
            answer = await self._client(slot).request(
                request.method,
                f"http://worker{request.scope['path']}{query}",
                content=body,
                headers=headers | {PASSED_ON: self.name},
            )
        except (httpx2.HTTPError, OSError):
            return None
        if answer.status_code == NOT_MINE:
            return None
        kind = answer.headers.get("content-type")
        return Response(answer.content, answer.status_code, media_type=kind)

    async def tell_taken(self, call_id: str) -> None:
        """Tell whoever answered this call that its stream came here."""

        async def tell(slot: int) -> None:
            try:
                await self._client(slot).post(f"http://worker/fleet/taken/{call_id}")
            except (httpx2.HTTPError, OSError):
                pass  # it will find out by itself

        others = [row.slot for row in self.board.rows() if row.slot != self.slot and row.live]
        await asyncio.gather(*(tell(slot) for slot in others))

    def _client(self, slot: int) -> httpx2.AsyncClient:
        if slot not in self._clients:
            transport = httpx2.AsyncHTTPTransport(uds=str(socket_path(self.folder, slot)))
            timeout = httpx2.Timeout(WITHIN_S, connect=HELLO_S)
            self._clients[slot] = httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False)
        return self._clients[slot]

    async def close(self) -> None:
        """Let go of every connection."""
        for client in self._clients.values():
            await client.aclose()


_OURS: Final = frozenset({PASSED_ON, "host", "content-length", "connection", "transfer-encoding"})


def inside(request: Request) -> bool:
    """Whether a request came over the workers' own socket: a network address is never missing there."""
    return request.client is None


def passed_on(request: Request) -> bool:
    """Whether another worker passed this on."""
    return inside(request) and PASSED_ON in request.headers
