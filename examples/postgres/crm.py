"""A small CRM over HTTP: people by number, and actions it does once for each idempotency key."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote


@dataclass(slots=True)
class Crm:
    """What it knows and what it did."""

    people: Mapping[str, Mapping[str, str]]
    answers: Mapping[str, Mapping[str, Any]]
    url: str = ""
    done: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def answer(self, method: str, path: str, key: str, body: bytes) -> tuple[int, Any]:
        """The status and the JSON of one request."""
        kind, _, name = unquote(path).lstrip("/").partition("/")
        if (method, kind) == ("GET", "people"):
            person = self.people.get(name)
            return (200, {"people": [{"phone": name, "fields": person}]}) if person else (404, {})
        if (method, kind) == ("POST", "actions") and key and name in self.answers:
            self.done.setdefault(key, (name, json.loads(body)))
            return 201, self.answers[name]
        return 404, {}


def read_people(path: Path) -> dict[str, dict[str, str]]:
    """The rows of a flow's crm.csv by number."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row.pop("phone"): row for row in csv.DictReader(file)}


@asynccontextmanager
async def answering(crm: Crm) -> AsyncIterator[Crm]:
    """The CRM, answering on loopback while this lasts."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            status, told = crm.answer(method, path, headers.get("idempotency-key", ""), body)
            content = json.dumps(told).encode()
            length = f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
            writer.write(f"HTTP/1.1 {status} X\r\n{length}".encode() + content)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    crm.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield crm
    finally:
        server.close()
        await server.wait_closed()
