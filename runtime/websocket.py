"""One WebSocket, of a carrier or of a model: messages come by a call, leave at once, and nobody waits.

1. A message is handed on in the turn of the event loop in which it came, in order; what comes before anybody
   listens is kept.
2. `send` never waits. While the peer takes nothing (`full`), whoever sends decides what is worth keeping.
3. None is the last message, once, however the socket ended.

picows reads and writes the frames (RFC 6455) without a task or a queue in between: that is what a frame of
audio costs least with.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSHandshakeError,
    WSListener,
    WSMsgType,
    WSProtocolError,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # not in the stubs

CLOSE_S: Final = 1.0  # how long a peer may take to answer a goodbye
PING_S: Final = 20.0
BUFFER: Final = 4096  # to begin with; it grows with what comes. A frame of audio is a tenth of it
EARLY: Final = 100  # messages kept before anybody listens; after that the peer has to wait
TEXT, BINARY = WSMsgType.TEXT, WSMsgType.BINARY
DATA: Final = (TEXT, BINARY)
NEVER_SENT: Final = (WSCloseCode.NO_INFO, WSCloseCode.ABNORMAL_CLOSURE)
LOG: Final = logging.getLogger("vfc.websocket")
LOG.setLevel(logging.CRITICAL)  # what picows would say quotes peers; whoever uses a socket reports its end

Message = str | bytes
Take = Callable[[Message | None], None]
Admit = Callable[[str, Mapping[str, str]], "Socket | int"]


class RefusedError(Exception):
    """The server answered something else than a WebSocket. `status` is 0 when it was not even HTTP."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"refused with status {status}")
        self.status, self.body = status, body


class Socket(WSListener):
    """One open WebSocket.

    `full`: the peer takes nothing at the moment. `close_code`: what the peer closed with, None without one.
    """

    def __init__(self, most: int) -> None:
        """`most`: bytes a message may have."""
        super().__init__()
        self.full = self.gone = False
        self.close_code: int | None = None
        self._most = most
        self._transport: WSTransport | None = None
        self._early: deque[Message | None] = deque()
        self._take: Take = self._keep
        self._flow: Callable[[], None] = nothing
        self._parts: list[bytes] = []
        self._parts_kind: WSMsgType | None = None
        self._ended = asyncio.Event()

    # ---- for those who talk

    def listen(self, take: Take, flow: Callable[[], None] | None = None) -> None:
        """From now on `take` has every message as it comes, and None once the socket is gone; `flow` is
        called when a peer that took nothing takes again.
        """
        self._take, self._flow = take, flow or nothing
        while self._early and self._take is take:
            take(self._early.popleft())
        self.read(reading=True)

    def hold(self) -> None:
        """Keep what comes until somebody listens again."""
        self._take, self._flow = self._keep, nothing

    def send(self, message: Message) -> None:
        """Hand a message to the peer; on a socket that is gone, to nobody."""
        if self._transport is not None:
            self._transport.send(TEXT if isinstance(message, str) else BINARY, message)

    def read(self, *, reading: bool) -> None:
        """Take what the peer sends, or leave it on the wire: a peer that goes on is held back by TCP."""
        if self._transport is not None and not self.gone:
            wire = self._transport.underlying_transport
            (wire.resume_reading if reading else wire.pause_reading)()

    def room(self, size: int) -> None:
        """How many bytes may wait on our side of the wire before the peer is held back."""
        if self._transport is not None:
            wire = self._transport.underlying_transport.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    def ahead(self, size: int) -> None:
        """How many bytes the system may hold that it has not sent; past them the socket is full."""
        if self._transport is not None and not self.gone and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            wire = self._transport.underlying_transport.get_extra_info("socket")
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, size)

    def close(self, code: int = 1000) -> None:
        """Say goodbye. The socket is gone once the peer answers, or after CLOSE_S."""
        transport = self._transport
        if transport is None or self.gone or transport.is_close_frame_sent:
            return
        transport.send_close(WSCloseCode(code))
        self.read(reading=True)  # the peer's goodbye may be behind what nobody took
        asyncio.get_running_loop().call_later(CLOSE_S, transport.disconnect, False)

    def abort(self) -> None:
        """Let go of it now, without a word."""
        if self._transport is not None:
            self._transport.disconnect(False)

    async def wait_gone(self) -> None:
        """Wait until it is gone."""
        await self._ended.wait()

    # ---- what picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is over."""
        self._transport = transport
        # Whatever the system does not take at once makes the socket full: what waits must not grow old.
        transport.underlying_transport.set_write_buffer_limits(0)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame came. What breaks the protocol closes the socket with the code the standard has for it."""
        kind = frame.msg_type
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "reserved bits")
        if kind in DATA:
            if self._parts_kind is not None:
                raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "a message within a message")
            if frame.fin:
                self._take(_text(frame) if kind == TEXT else frame.get_payload_as_bytes())
            else:
                self._parts_kind = kind
                self._part(frame)
        elif kind == WSMsgType.CONTINUATION:
            if self._parts_kind is None:
                raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "nothing to continue")
            self._part(frame)
            if frame.fin:
                self._whole()
        elif kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            self._closed(transport, frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is over."""
        self.gone = True
        self._parts.clear()
        self._ended.set()
        take, self._take, self._flow = self._take, nobody, nothing
        take(None)

    def pause_writing(self) -> None:
        """The peer takes nothing more for now."""
        self.full = True

    def resume_writing(self) -> None:
        """The peer takes again."""
        self.full = False
        self._flow()

    # ---- small steps

    def _keep(self, message: Message | None) -> None:
        self._early.append(message)
        if len(self._early) == EARLY and message is not None:
            self.read(reading=False)

    def _part(self, frame: WSFrame) -> None:
        self._parts.append(frame.get_payload_as_bytes())
        if sum(map(len, self._parts)) > self._most:
            raise WSProtocolError(WSCloseCode.MESSAGE_TOO_BIG, "too long")

    def _whole(self) -> None:
        kind, self._parts_kind = self._parts_kind, None
        whole = b"".join(self._parts)
        self._parts.clear()
        self._take(_decoded(whole) if kind == TEXT else whole)

    def _closed(self, transport: WSTransport, frame: WSFrame) -> None:
        told = frame.get_close_code() if frame.payload_size else WSCloseCode.OK
        if told in NEVER_SENT:
            raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "a code that is never sent")
        self.close_code = int(told.value) if frame.payload_size else 1005
        if not transport.is_close_frame_sent:
            transport.send_close(told)
        transport.disconnect()


async def connect(
    url: str,
    headers: Mapping[str, str],
    *,
    most: int,
    trust: ssl.SSLContext | None = None,
    ping_s: float = PING_S,
    unix: Path | None = None,
) -> Socket:
    """Open a socket to a server; a `wss:` address must show a certificate of an authority in `trust`. `unix`:
    to whoever listens there, whatever the address names.

    Raises RefusedError for an answer that is no WebSocket, OSError when nobody answers.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    protocol = WSProtocol(
        parts.netloc,
        path,
        True,  # the client's side
        lambda: Socket(most),
        LOG,
        True,  # an exception of ours closes the socket with 1011
        None,  # whoever connects has a limit of its own
        *(True, ping_s, ping_s, WSAutoPingStrategy.PING_WHEN_IDLE),
        False,  # pongs: a ping is looked at first
        most,
        dict(headers),
        BUFFER,
    )
    loop = asyncio.get_running_loop()
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    if unix is not None:
        await loop.create_unix_connection(lambda: protocol, str(unix))
    else:
        await loop.create_connection(lambda: protocol, host, port, ssl=trust if secure else None)
    try:
        await protocol.wait_until_handshake_complete()
    except WSHandshakeError as error:
        status = int(error.response.status) if error.response is not None else 0
        raise RefusedError(status, bytes(error.raw_body or b"")) from None
    except asyncio.CancelledError:
        protocol.transport.disconnect(False)  # at once
        raise
    if protocol.listener is None:
        raise RefusedError(0, b"")  # the server hung up in the middle of the handshake
    return cast("Socket", protocol.listener)


class ServerSocket(WSProtocol):  # type: ignore[misc]  # a class of C without a stub
    """The protocol of one accepted connection, from its upgrade on.

    `admit(path, headers)` is asked before anything is accepted, header names in small letters: a Socket to be
    opened, or the status the upgrade is refused with.
    """

    def __init__(self, admit: Admit, *, most: int, within_s: float) -> None:
        super().__init__(
            None,  # host and path: a client's
            None,
            False,  # not the client's side
            lambda asked: _admitted(admit, asked),
            LOG,
            True,  # an exception of ours closes the socket with 1011
            within_s,
            True,  # pings
            PING_S,
            PING_S,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            False,  # pongs: a ping is looked at first
            most,
            None,
            BUFFER,
        )

    def data_received(self, content: bytes) -> None:
        """What was read before this protocol had the connection (and, on uvloop, what is read after it)."""
        while content:
            room = self.get_buffer(len(content))
            size = min(len(room), len(content))
            room[:size] = content[:size]
            content = content[size:]
            self.buffer_updated(size)

    def shutdown(self) -> None:
        """The server is going away."""
        if self.listener is not None:
            self.listener.close(1001)
        elif self.transport is not None:
            self.transport.disconnect()


def _admitted(admit: Admit, asked: WSUpgradeRequest) -> Socket | WSUpgradeResponseWithListener:
    headers = {name.lower(): value for name, value in asked.headers.items()}
    admitted = admit(asked.path.decode("latin-1"), headers)
    if isinstance(admitted, Socket):
        return admitted
    refusal = WSUpgradeResponse.create_error_response(admitted, b"refused\n")
    return WSUpgradeResponseWithListener(refusal, None)


def _text(frame: WSFrame) -> str:
    try:
        return frame.get_payload_as_utf8_text()
    except UnicodeDecodeError:
        raise WSProtocolError(WSCloseCode.INVALID_TEXT, "not UTF-8") from None


def _decoded(whole: bytes) -> str:
    try:
        return whole.decode()
    except UnicodeDecodeError:
        raise WSProtocolError(WSCloseCode.INVALID_TEXT, "not UTF-8") from None


def nothing() -> None:
    """Nobody waits for the peer."""


def nobody(message: object) -> None:
    """Nobody listens any more."""
