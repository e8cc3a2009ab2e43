"""Actions over HTTP: the arguments as JSON, an idempotency key, and the JSON object that comes back.

An action may be described by a file that `vfc action import` made from an OpenAPI document: which arguments
go into the path, the query and the body, and the schemas of both sides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from runtime.actions.base import Contract, Opened, Opening
from runtime.engine.effects import RunAction
from runtime.outbound import (
    KEY_HEADER,
    KEYS,
    Endpoint,
    Path,
    Question,
    ask,
    exchange,
    object_of,
    open_endpoint,
    read_headers,
    read_paths,
    read_secrets,
    refusal,
)
from runtime.outbound.exchange import written
from runtime.outbound.schemas import read_schema
from runtime.ports import OutsideFailure
from runtime.settings.keys import Key, SettingsError, read_optional, read_options, read_text, read_yes

OPERATION_VERSION: Final = 1
KEY_PLACE: Final = "{key}"
_PLACE = re.compile(r"\{([A-Za-z0-9_.-]+)\}")


class Operation(Struct, frozen=True, kw_only=True):
    """One operation of an API as its file holds it. What stands in no other place goes into the body."""

    operation: int = OPERATION_VERSION
    name: str
    method: str
    url: str
    query: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    body: bool = True
    key_header: str = KEY_HEADER
    arguments: dict[str, Any]
    result: dict[str, Any] | None = None


STATUS: Final = Key("status", None, read_optional, "where to ask what came of a key: https://…/{key}", "")
RESULT: Final = Key("result", None, read_paths, 'where each field is: { time = "slots[0].start" }', {})
REPEATABLE: Final = Key("repeatable", None, read_yes, "false if the other side ignores the key", True)
PLAIN_KEYS: Final = (*KEYS, RESULT, REPEATABLE, STATUS)
OPERATION_KEYS: Final = (
    Key("operation", None, read_text, "the file of `vfc action import`"),
    Key("server", None, read_optional, "another server than the description names", ""),
    Key("headers", None, read_headers, "headers, with secrets by variable: env:NAME", {}, secret=True),
    RESULT,
    REPEATABLE,
    STATUS,
)


@dataclass(frozen=True, slots=True)
class Http:
    """An action that another system does."""

    endpoint: Endpoint
    operation: Operation | None
    result: Mapping[str, Path]
    repeatable: bool
    status: str = ""

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Ask once. Raises OutsideFailure."""
        seconds = order.within_ms / 1000
        if self.operation is None:
            answer = await ask(self.endpoint, order.arguments, order.idempotency_key, seconds)
        else:
            question = asked(self.endpoint, self.operation, order)
            answer = object_of(await exchange(self.endpoint.client, question, seconds))
        return self._named(answer)

    async def look(self, order: RunAction) -> Mapping[str, Any] | None:
        """Ask once what came of the order's key; None: nothing. Raises OutsideFailure."""
        url = self.status.replace(KEY_PLACE, quote(order.idempotency_key, safe=""))
        question = Question("GET", url, self.endpoint.headers)
        reply = await exchange(self.endpoint.client, question, order.within_ms / 1000)
        if reply.status in (404, 410):
            return None
        reply.require_success()
        match reply.value():
            case None | []:
                return None
            case [dict(found)] | dict(found):
                return self._named(found)
        raise OutsideFailure("bad_answer")

    def _named(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        return {**answer, **{name: path.find(answer) for name, path in self.result.items()}}

    async def close(self) -> None:
        await self.endpoint.client.aclose()


def asked(endpoint: Endpoint, operation: Operation, order: RunAction) -> Question:
    """The request of this order, each argument in its place. Raises OutsideFailure("bad_arguments")."""
    known = {name: value for name, value in order.arguments.items() if value is not None}
    in_path = set(_PLACE.findall(operation.url))
    if not in_path <= known.keys():
        raise OutsideFailure("bad_arguments")
    # A segment of dots would climb; any other text is one segment once it is encoded.
    if any(written(known[name]) in ("", ".", "..") for name in in_path):
        raise OutsideFailure("bad_arguments")
    url = _PLACE.sub(lambda found: quote(written(known[found.group(1)]), safe=""), endpoint.url)
    elsewhere = in_path | {*operation.query, *operation.header}
    headers = {name: _header(known[name]) for name in operation.header if name in known}
    return Question(
        operation.method,
        url,
        {**headers, **endpoint.headers, operation.key_header: order.idempotency_key},
        {name: written(known[name]) for name in operation.query if name in known},
        {name: value for name, value in known.items() if name not in elsewhere} if operation.body else None,
    )


def _header(value: Any) -> str:
    text = written(value)
    if not text.isascii() or not text.isprintable():
        raise OutsideFailure("bad_arguments")
    return text


def open_executor(opening: Opening) -> Opened:
    """The executor a table with `executor = "http"` describes. Raises SettingsError."""
    if "operation" in opening.options:
        return _open_operation(opening)
    options = read_options(opening.place, opening.options, PLAIN_KEYS)
    endpoint = _endpoint(opening, options, f"{opening.place}.url", options["url"], options["method"])
    return _opened(
        opening, Http(endpoint, None, options["result"], options["repeatable"], options["status"]), Contract()
    )


def _open_operation(opening: Opening) -> Opened:
    options = read_options(opening.place, opening.options, OPERATION_KEYS)
    operation = _read_operation(opening, options["operation"])
    url = operation.url
    if options["server"]:
        url = options["server"].rstrip("/") + "/" + url.split("/", 3)[-1]
    place = f"{opening.place}.operation"
    why = refusal(opening.reach, _PLACE.sub("x", url))
    if why is not None:
        raise SettingsError([f"{place} {why}."])
    endpoint = _endpoint(opening, options, place, _PLACE.sub("x", url), operation.method)
    endpoint = Endpoint(endpoint.method, url, endpoint.headers, endpoint.client)
    try:
        contract = Contract(
            read_schema(operation.arguments), read_schema(operation.result) if operation.result else None
        )
    except ValueError as wrong:
        raise SettingsError([f"{place} must hold {wrong}."]) from None
    http = Http(endpoint, operation, options["result"], options["repeatable"], options["status"])
    return _opened(opening, http, contract)


def _opened(opening: Opening, http: Http, contract: Contract) -> Opened:
    if not http.status:
        return Opened(http, contract)
    place = f"{opening.place}.status"
    if KEY_PLACE not in http.status:
        raise SettingsError(
            [f"{place} must say where the key goes: write https://crm.example.com/demos/{KEY_PLACE}."]
        )
    why = refusal(opening.reach, http.status.replace(KEY_PLACE, "x"))
    if why is not None:
        raise SettingsError([f"{place} {why}."])
    return Opened(http, contract, http.look)


def _endpoint(opening: Opening, options: Mapping[str, Any], place: str, url: str, method: str) -> Endpoint:
    headers = read_secrets(opening.place, options["headers"], opening.environment)
    return open_endpoint(place, url, method, headers, opening.reach)


def _read_operation(opening: Opening, file: str) -> Operation:
    path = opening.folder / file
    try:
        return msgspec.json.decode(path.read_bytes(), type=Operation)
    except (OSError, msgspec.MsgspecError, RecursionError):
        raise SettingsError(
            [f"{opening.place}.operation: {path} is no file of `vfc action import`: import it again."]
        ) from None
