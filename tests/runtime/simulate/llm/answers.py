"""A server on loopback that speaks the documented shape of `POST /v1/responses`."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Told = dict[str, Any]


@dataclass
class Answers:
    """Its address, what it was asked, and what it answers: (status, body), None never."""

    answer: Callable[[Told], tuple[int, Told] | None]
    asked: list[Told] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    url: str = ""


def response(
    *output: Told, status: str = "completed", tokens: tuple[int, int] = (100, 20)
) -> tuple[int, Told]:
    """A response object as the reference documents it."""
    usage = {
        "input_tokens": tokens[0],
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": tokens[1],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": sum(tokens),
    }
    body: Told = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": None,
        "max_output_tokens": 1500,
        "model": "gpt-5.4-mini",
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
        "metadata": {},
    }
    return 200, body


def text(value: Any) -> Told:
    """A message whose text is this value as JSON."""
    part = {"type": "output_text", "text": json.dumps(value), "annotations": [], "logprobs": []}
    return {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}


def refusal() -> Told:
    part = {"type": "refusal", "refusal": "I can't help with that."}
    return {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}


def called(name: str, arguments: Any) -> Told:
    """A call of a function with these arguments."""
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {
        "id": "fc_1",
        "type": "function_call",
        "status": "completed",
        "call_id": "call_1",
        "name": name,
        "arguments": written,
    }


def error(status: int, code: str) -> tuple[int, Told]:
    return status, {"error": {"message": "no", "type": "error", "param": None, "code": code}}


@asynccontextmanager
async def answering(answer: Callable[[Told], tuple[int, Told] | None]) -> AsyncIterator[Answers]:
    """The server, for as long as this lasts."""
    told = Answers(answer)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                assert head[0].startswith("POST /v1/responses")
                told.asked.append(body)
                told.keys.add(headers["authorization"])
                made = told.answer(body)
                if made is None:
                    await asyncio.sleep(3600)
                    return
                status, value = made
                content = json.dumps(value).encode()
                lines = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nretry-after-ms: 1\r\n"
                writer.write(f"{lines}Content-Length: {len(content)}\r\n\r\n".encode() + content)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    told.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield told
    finally:
        server.close()
