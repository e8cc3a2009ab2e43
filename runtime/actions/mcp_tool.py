"""Actions by a tool of an MCP server: over HTTP, or a program that is started and spoken to.

The connection is kept open by a task of its own, since it must be closed by whoever opened it. The tool's own
schema is what its arguments are judged by.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runtime.actions.base import Contract, Opened, Opening
from runtime.engine.effects import RunAction
from runtime.outbound import Reach, open_client, read_headers, read_secrets, refusal
from runtime.outbound.exchange import MAX_BYTES
from runtime.outbound.schemas import read_schema
from runtime.ports import OutsideFailure
from runtime.settings.keys import Key, SettingsError, read_options, read_text, read_url, read_yes
from voiceflow_compiler.extras import missing

if TYPE_CHECKING:
    from mcp import Client

CLOSE_S: Final = 2.0
META: Final = "voiceflow-compiler/idempotency-key"


def _read_address(value: Any) -> str | None:
    return read_url("https", "http")(value) if value else None


def _read_command(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise ValueError('a list such as ["crm-mcp", "--stdio"]')
    return tuple(value)


KEYS: Final = (
    Key("url", None, _read_address, "the server's address, or set `command`", ""),
    Key("command", None, _read_command, "the program that is the server, or set `url`", ()),
    Key("tool", None, read_text, "the tool's name"),
    Key("headers", None, read_headers, "headers, with secrets by variable: env:NAME", {}, secret=True),
    Key("repeatable", None, read_yes, f"true if the tool does one key (_meta, {META}) once", False),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server is: an address, or a program."""

    url: str | None
    command: tuple[str, ...]
    headers: Mapping[str, str] = field(repr=False)
    reach: Reach


@dataclass(slots=True)
class _Connection:
    """One open connection, and the schema of the tool it was opened for."""

    client: Client
    contract: Contract
    over: asyncio.Event


@dataclass(slots=True)
class McpTool:
    """One tool of one server."""

    place: Place
    tool: str
    repeatable: bool
    _keepers: set[asyncio.Task[None]] = field(default_factory=set, repr=False)
    _opening: asyncio.Future[_Connection] | None = field(default=None, repr=False)

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Call the tool. Raises OutsideFailure."""
        from anyio import BrokenResourceError, ClosedResourceError
        from mcp import MCPError

        connection: _Connection | None = None
        try:
            async with asyncio.timeout(order.within_ms / 1000):
                connection = await self._connected()
                arguments = {name: value for name, value in order.arguments.items() if value is not None}
                connection.contract.check_arguments(arguments)
                meta: Any = {META: order.idempotency_key}
                answer = await connection.client.call_tool(self.tool, arguments, meta=meta)
        except TimeoutError:
            self._drop(connection)
            raise OutsideFailure("unreachable" if connection is None else "timeout") from None
        except (MCPError, ClosedResourceError, BrokenResourceError):
            self._drop(connection)
            raise OutsideFailure("broken") from None
        if answer.is_error:
            raise OutsideFailure("refused")
        return _result(answer)

    async def _connected(self) -> _Connection:
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_future()
            keeper = asyncio.create_task(self._keep(self._opening))
            self._keepers.add(keeper)
            keeper.add_done_callback(self._keepers.discard)
        return await asyncio.shield(self._opening)

    async def _keep(self, opening: asyncio.Future[_Connection]) -> None:
        """Open the connection, hold it until it is dropped, and close it."""
        try:
            async with AsyncExitStack() as stack:
                client = await stack.enter_async_context(await _client(self.place, stack))
                tools = {tool.name: tool for tool in (await client.list_tools()).tools}
                if self.tool not in tools:
                    return _fail(opening, OutsideFailure("not_configured"))
                contract = Contract(read_schema(tools[self.tool].input_schema))
                over = asyncio.Event()
                opening.set_result(_Connection(client, contract, over))
                await over.wait()
        except Exception:  # noqa: BLE001 - the library tells a broken connection by groups of exceptions
            _fail(opening, OutsideFailure("unreachable"))
        finally:
            if self._opening is opening:
                self._opening = None

    def _drop(self, connection: _Connection | None) -> None:
        """The next call opens a new connection; this one is closed by its keeper."""
        if connection is not None:
            connection.over.set()
            self._opening = None

    async def close(self) -> None:
        """Close the connection."""
        if self._opening is not None and self._opening.done() and not self._opening.exception():
            self._drop(self._opening.result())
        _, late = await asyncio.wait(self._keepers, timeout=CLOSE_S) if self._keepers else ((), ())
        for keeper in late:
            keeper.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _fail(opening: asyncio.Future[_Connection], failure: OutsideFailure) -> None:
    if not opening.done():
        opening.set_exception(failure)
        opening.exception()  # nobody may be waiting any more


async def _client(place: Place, stack: AsyncExitStack) -> Client:
    from mcp import Client, StdioServerParameters
    from mcp.client.streamable_http import streamable_http_client

    if place.url is None:
        program, *arguments = place.command
        return Client(StdioServerParameters(command=program, args=arguments))
    http = await stack.enter_async_context(open_client(place.reach))
    http.headers.update(place.headers)
    return Client(streamable_http_client(place.url, http_client=http, max_sse_event_size=MAX_BYTES))


def _result(answer: Any) -> dict[str, Any]:
    """The structured content; else the text as JSON, or as the field `text`."""
    structured = answer.structured_content
    if isinstance(structured, dict):
        if len(msgspec.json.encode(structured)) > MAX_BYTES:
            raise OutsideFailure("bad_answer")
        return structured
    text = "".join(part.text for part in answer.content if part.type == "text")[:MAX_BYTES]
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return {"text": text}


def open_executor(opening: Opening) -> Opened:
    """The executor a table with `executor = "mcp"` describes. Raises SettingsError."""
    options = read_options(opening.place, opening.options, KEYS)
    if bool(options["url"]) == bool(options["command"]):
        raise SettingsError([f"{opening.place} must have either `url` or `command`."])
    why = refusal(opening.reach, options["url"]) if options["url"] else None
    if why is not None:
        raise SettingsError([f"{opening.place}.url {why}."])
    try:
        import mcp  # noqa: F401 - told here, not in the first call
    except ImportError:
        raise SettingsError([missing(f"{opening.place}.executor: mcp is not installed", "mcp")]) from None
    headers = read_secrets(opening.place, options["headers"], opening.environment)
    place = Place(options["url"] or None, options["command"], headers, opening.reach)
    return Opened(McpTool(place, options["tool"], options["repeatable"]))
