"""The media endpoint speaks RFC 6455 to the letter: the cases of the Autobahn test suite (sections 1 to 7, 9
and 10) by a client that writes its frames byte by byte.
"""

import asyncio
import os
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.session.tls import authorities
from runtime.websocket import Message, RefusedError, ServerSocket, Socket, connect
from tests.runtime.authority import issue

MOST = 65_536
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
PATIENCE_S = 90
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455, section 1.3


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it stands on the wire."""

    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    masked: bool = True
    says: int | None = None  # a length that is not the payload's

    def raw(self) -> bytes:
        """Its bytes, masked with a key of its own."""
        length = len(self.payload) if self.says is None else self.says
        head = bytes([self.fin << 7 | self.rsv << 4 | self.opcode])
        mask = 0x80 if self.masked else 0
        if length < 126:
            head += bytes([mask | length])
        elif length < 65_536:
            head += bytes([mask | 126]) + struct.pack("!H", length)
        else:
            head += bytes([mask | 127]) + struct.pack("!Q", length)
        if not self.masked:
            return head + self.payload
        key = os.urandom(4)
        return head + key + bytes(byte ^ key[place % 4] for place, byte in enumerate(self.payload))


@dataclass(slots=True)
class Client:
    """A client that knows nothing of WebSockets but the bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *frames: Frame, chop: int = 0) -> None:
        """Write frames, in pieces of `chop` bytes if told so."""
        raw = b"".join(frame.raw() for frame in frames)
        for start in range(0, len(raw), chop or len(raw)):
            self.writer.write(raw[start : start + (chop or len(raw))])
            await self.writer.drain()
            if chop:
                await asyncio.sleep(0)

    async def read(self) -> tuple[int, bytes]:
        """The next frame of the server: its opcode and payload; (-1, b"") at the end of the connection."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                first, second = await self.reader.readexactly(2)
                length = second
                if second == 126:
                    length = struct.unpack("!H", await self.reader.readexactly(2))[0]
                elif second == 127:
                    length = struct.unpack("!Q", await self.reader.readexactly(8))[0]
                assert first & 0x70 == 0, "the server sets no reserved bit"
                return first & 0x0F, await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return -1, b""

    async def end(self) -> int | None:
        """What the server closed with, whatever came before; None without a close frame."""
        code = None
        while True:
            opcode, payload = await self.read()
            if opcode == -1:
                return code
            if opcode == CLOSE:
                code = struct.unpack("!H", payload[:2])[0] if payload else 1005


def echo(path: str, headers: object) -> Socket | int:
    """Every message goes back as it came."""
    if path == "/refused":
        return 403
    socket = Socket(MOST)

    def back(message: Message | None) -> None:
        if message is not None:
            socket.send(message)

    socket.listen(back)
    return socket


@asynccontextmanager
async def open_server() -> AsyncIterator[int]:
    """The echo on a free port of this machine."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ServerSocket(echo, most=MOST, within_s=5), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def talking(**headers: str) -> AsyncIterator[Client]:
    """A client whose upgrade was accepted."""
    async with open_server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = {"Host": "here", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": KEY}
        asked |= {"Sec-WebSocket-Version": "13"} | headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
        writer.write(f"GET /media HTTP/1.1\r\n{lines}\r\n".encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert answer.startswith("http/1.1 101")
        assert "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in answer
        assert "sec-websocket-extensions" not in answer
        try:
            yield Client(reader, writer)
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)


SIZES = [0, 1, 125, 126, 127, 128, 65_535, 65_536]


@pytest.mark.parametrize("chop", [0, 997])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", SIZES)
async def test_a_message_of_any_length_comes_back(size: int, opcode: int, chop: int) -> None:
    """Section 1, 9: every width of the length field, whole and in pieces, up to the most we take."""
    async with talking() as client:
        await client.send(Frame(opcode, b"*" * size), chop=chop)
        assert await client.read() == (opcode, b"*" * size)


async def test_a_frame_may_come_byte_by_byte() -> None:
    """Section 1, 2, 6: the place where TCP cuts means nothing."""
    async with talking() as client:
        await client.send(Frame(TEXT, "κόσμε".encode()), Frame(PING, b"here?"), chop=1)
        assert await client.read() == (TEXT, "κόσμε".encode())
        assert await client.read() == (PONG, b"here?")


@pytest.mark.parametrize("payload", [b"", b"payload", bytes(range(125)), b"\xfe" * 125])
async def test_a_ping_is_answered_with_its_payload(payload: bytes) -> None:
    """Section 2: also an empty one and one of bytes that are no text."""
    async with talking() as client:
        await client.send(Frame(PING, payload))
        assert await client.read() == (PONG, payload)


async def test_pings_are_answered_in_order_and_pongs_ignored() -> None:
    """Section 2.10, 2.7: ten pings have ten pongs; a pong nobody asked for changes nothing."""
    async with talking() as client:
        pings = [Frame(PING, b"%d" % number) for number in range(10)]
        await client.send(Frame(PONG, b"unasked"), *pings)
        assert [await client.read() for _ in pings] == [(PONG, ping.payload) for ping in pings]


WRONG: dict[str, Sequence[Frame]] = {
    "2.5 a ping that is too long": [Frame(PING, b"*" * 126)],
    **{f"3 reserved bits {rsv:03b}": [Frame(TEXT, b"x", rsv=rsv)] for rsv in range(1, 8)},
    "3 reserved bits on a ping": [Frame(PING, rsv=1)],
    **{f"4 opcode {code}": [Frame(code, b"x")] for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "5.1 a ping in two frames": [Frame(PING, b"a", fin=False), Frame(CONTINUATION, b"b")],
    "5.2 a pong in two frames": [Frame(PONG, b"a", fin=False), Frame(CONTINUATION, b"b")],
    "5.9 a continuation of nothing": [Frame(CONTINUATION, b"a")],
    "5.10 a continuation of nothing, not the last": [Frame(CONTINUATION, b"a", fin=False)],
    "5.16 a continuation before a message": [Frame(CONTINUATION, b"a", fin=False), Frame(TEXT, b"b")],
    "5.18 a message within a message": [Frame(TEXT, b"a", fin=False), Frame(TEXT, b"b")],
    "5.18 bytes within a text": [Frame(TEXT, b"a", fin=False), Frame(BINARY, b"b")],
    "7.3.2 a goodbye of one byte": [Frame(CLOSE, b"\x03")],
    "7.3.6 a goodbye that is too long": [Frame(CLOSE, struct.pack("!H", 1000) + b"*" * 124)],
    **{
        f"7.9 the code {code}": [Frame(CLOSE, struct.pack("!H", code))]
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999)
    },
    "5.1 of the RFC: a frame without a mask": [Frame(TEXT, b"x", masked=False)],
}


@pytest.mark.parametrize("frames", WRONG.values(), ids=WRONG.keys())
async def test_what_breaks_the_protocol_closes_with_1002(frames: Sequence[Frame]) -> None:
    """Sections 2 to 5 and 7: a protocol error ends the connection, and says why."""
    async with talking() as client:
        await client.send(*frames)
        assert await client.end() == 1002


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("cuts", [1, 2, 7])
async def test_a_message_in_fragments_is_one_message(cuts: int, opcode: int) -> None:
    """Section 5: also with pings between its fragments, and empty fragments."""
    whole = "fragment-κόσμε-1234".encode()
    size = -(-len(whole) // (cuts + 1))
    parts = [whole[start : start + size] for start in range(0, len(whole), size)] + [b""]
    frames: list[Frame] = []
    for place, part in enumerate(parts):
        frames += [
            Frame(CONTINUATION if place else opcode, part, fin=place == len(parts) - 1),
            Frame(PING, b"%d" % place),
        ]
    async with talking() as client:
        await client.send(*frames)
        got = [await client.read() for _ in range(len(parts) + 1)]
        assert (opcode, whole) in got
        assert [payload for kind, payload in got if kind == PONG] == [b"%d" % n for n in range(len(parts))]


async def test_many_empty_fragments_are_one_empty_message() -> None:
    """Section 6.1: nothing at all is a text, too."""
    async with talking() as client:
        parts = [Frame(CONTINUATION, fin=False)] * 5
        await client.send(Frame(TEXT, fin=False), *parts, Frame(CONTINUATION))
        assert await client.read() == (TEXT, b"")


NOT_TEXT = {
    "6.3 a bad byte in the middle": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64",
    "6.6 a cut-off character": "κόσμε".encode()[:-1],
    "6.8 five bytes": b"\xf8\x88\x80\x80\x80",
    "6.8 six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "6.10 past the last code point": b"\xf4\x90\x80\x80",
    "6.12 a lonely continuation": b"\x80",
    "6.14 a lonely start": b"\xc0 ",
    "6.16 an overlong slash": b"\xc0\xaf",
    "6.18 an overlong nothing": b"\xe0\x80\x80",
    "6.20 half a surrogate pair": b"\xed\xa0\x80",
    "6.21 a surrogate pair": b"\xed\xa0\x80\xed\xb0\x80",
    "6.22 bytes that are never text": b"\xfe\xff",
}


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "in two fragments"])
@pytest.mark.parametrize("payload", NOT_TEXT.values(), ids=NOT_TEXT.keys())
async def test_text_that_is_not_utf8_closes_with_1007(payload: bytes, whole: bool) -> None:
    """Section 6: invalid UTF-8 is refused however it is cut."""
    cut = len(payload) // 2
    parts = [Frame(TEXT, payload[:cut], fin=False), Frame(CONTINUATION, payload[cut:])]
    async with talking() as client:
        await client.send(*([Frame(TEXT, payload)] if whole else parts))
        assert await client.end() == 1007


@pytest.mark.parametrize("text", ["\u0000", "\u07ff", "\uffff", "\U0010ffff", "\ufffe", "𠀋𡈽", "\x7f"])
async def test_text_of_every_plane_comes_back(text: str) -> None:
    """Section 6.5 to 6.23: the edges of every length of UTF-8, non-characters among them."""
    raw = text.encode()
    async with talking() as client:
        await client.send(Frame(TEXT, raw[:1], fin=False), Frame(CONTINUATION, raw[1:]))
        assert await client.read() == (TEXT, raw)


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
)
async def test_a_goodbye_is_answered_with_its_code(code: int) -> None:
    """Section 7.7: every code a peer may use; what comes after it is not answered."""
    async with talking() as client:
        await client.send(Frame(CLOSE, struct.pack("!H", code) + b"bye"), Frame(PING), Frame(TEXT, b"late"))
        opcode, payload = await client.read()
        assert (opcode, payload[:2]) == (CLOSE, struct.pack("!H", code))
        assert await client.read() == (-1, b"")


async def test_a_goodbye_without_a_code_is_answered() -> None:
    """Section 7.3.1: an empty close frame is a normal end."""
    async with talking() as client:
        await client.send(Frame(CLOSE))
        assert await client.end() in (1000, 1005)


async def test_a_reason_that_is_not_text_is_an_error() -> None:
    """Section 7.5.1: the reason of a goodbye is text, too."""
    async with talking() as client:
        await client.send(Frame(CLOSE, struct.pack("!H", 1000) + b"\xff\xfe"))
        assert await client.end() == 1007


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "in fragments"])
async def test_a_message_that_is_too_long_closes_with_1009(whole: bool) -> None:
    """Section 9: more than the most we take is refused without being kept, however it is cut."""
    half = b"*" * (MOST // 2 + 1)
    parts = [Frame(BINARY, half, fin=False), Frame(CONTINUATION, half)]
    async with talking() as client:
        await client.send(*([Frame(BINARY, half * 2)] if whole else parts))
        assert await client.end() == 1009


async def test_a_length_that_is_a_lie_is_refused_at_once() -> None:
    """Section 9: a frame that promises eight exabytes is refused before a byte of it has come."""
    async with talking() as client:
        await client.send(Frame(BINARY, says=2**62))
        assert await client.end() in (1002, 1009)


async def test_compression_is_not_agreed_to() -> None:
    """Section 12, 13: an offer of compression is declined; the connection works without."""
    async with talking(
        **{"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    ) as client:
        await client.send(Frame(TEXT, b"plain"))
        assert await client.read() == (TEXT, b"plain")


async def test_a_refusal_is_told_before_anything_is_accepted() -> None:
    """Our own client has the status of a refused upgrade."""
    async with open_server() as port:
        with pytest.raises(RefusedError) as refused:
            await connect(f"ws://127.0.0.1:{port}/refused", {}, most=MOST)
        assert refused.value.status == 403


async def test_a_connect_that_is_given_up_leaves_nothing() -> None:
    """A server that never answers the upgrade is let go of when nobody waits any more."""
    came, left = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            came.set()
        left.set()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connecting = asyncio.create_task(connect(f"ws://127.0.0.1:{port}/", {}, most=MOST))
        async with asyncio.timeout(PATIENCE_S):
            await came.wait()
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        async with asyncio.timeout(PATIENCE_S):
            await left.wait()


async def test_what_comes_before_anybody_listens_is_kept() -> None:
    """Messages wait, in order, for whoever listens first."""
    async with open_server() as port:
        socket = await connect(f"ws://127.0.0.1:{port}/media", {}, most=MOST)
        for number in range(300):
            socket.send(str(number))
        await asyncio.sleep(0.1)
        got: list[Message | None] = []
        all_there = asyncio.Event()

        def take(message: Message | None) -> None:
            got.append(message)
            if len(got) == 300:
                all_there.set()

        socket.listen(take)
        async with asyncio.timeout(PATIENCE_S):
            await all_there.wait()
        assert got == [str(number) for number in range(300)]
        socket.close()
        await socket.wait_gone()
        assert got[-1] is None


@asynccontextmanager
async def open_tls_server(folder: Path, name: str) -> AsyncIterator[tuple[str, ssl.SSLContext]]:
    """The echo behind TLS with a certificate for `name`; the address, and the context that trusts it."""
    serving, trusting = issue(folder, name)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: ServerSocket(echo, most=MOST, within_s=5), "127.0.0.1", 0, ssl=serving
    )
    async with server:
        yield f"wss://localhost:{server.sockets[0].getsockname()[1]}/media", trusting


async def test_a_socket_behind_tls_carries_messages(tmp_path: Path) -> None:
    """A certificate of a trusted authority for the name that was asked opens it; long messages pass."""
    async with open_tls_server(tmp_path, "localhost") as (url, trusting):
        socket = await connect(url, {}, most=MOST, trust=trusting)
        got: asyncio.Queue[Message | None] = asyncio.Queue()
        socket.listen(got.put_nowait)
        for message in ("a word", "*" * MOST):
            socket.send(message)
            async with asyncio.timeout(PATIENCE_S):
                assert await got.get() == message
        socket.close()
        await socket.wait_gone()


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    """Nothing is sent to a server that is not who was asked for."""
    async with open_tls_server(tmp_path, "elsewhere.example") as (url, trusting):
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(url, {}, most=MOST, trust=trusting)


async def test_a_certificate_of_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    """Only the authorities of this machine are trusted unless told otherwise."""
    async with open_tls_server(tmp_path, "localhost") as (url, _):
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(url, {}, most=MOST, trust=authorities())
