"""A small HTTP server on loopback, the firm's side: it keeps what it was asked and answers by a list."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `hang`: read the request and never answer; `drop`: read it and break the connection;
    `drips`: a byte of the body every tenth of a second.
    """

    status: int
    body: bytes
    hang: bool = False
    drop: bool = False
    drips: bool = False
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Office:
    """A running office: where it is, and what it was asked."""

    url: str
    requests: list[Asked] = field(default_factory=list)


@asynccontextmanager
async def listening(*answers: Answer) -> AsyncIterator[Office]:
    """An office that gives these answers in turn, the last one again and again."""
    office = Office("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _serve(office, answers, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    office.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield office
    finally:
        server.close()
        getattr(server, "close_clients", lambda: None)()  # since Python 3.13
        await server.wait_closed()


async def _serve(
    office: Office, answers: tuple[Answer, ...], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    answer = answers[min(len(office.requests), len(answers) - 1)]
    office.requests.append(Asked(method, target, headers, body))
    await asyncio.sleep(answer.after_s)
    if answer.hang:
        await reader.read()
    if answer.hang or answer.drop:
        return
    where = "Location: http://127.0.0.1:9/\r\n" if answer.status == 302 else ""
    length = f"Content-Length: {len(answer.body)}\r\nConnection: close\r\n"
    writer.write(f"HTTP/1.1 {answer.status} X\r\n{where}{length}\r\n".encode())
    for piece in [answer.body[at : at + 1] for at in range(len(answer.body))] if answer.drips else ():
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.1)
    writer.write(b"" if answer.drips else answer.body)
    await writer.drain()
