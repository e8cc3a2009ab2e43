"""One question to another system and its answer: JSON there, JSON back, bounded in time and size.

1. Where it goes is the operator's decision alone: address, method and headers stand in the settings; values
   of a call go into path segments, the query and the body, and are encoded there.
2. At most 256 KiB come back, and no question outlasts its time.
3. A failure says whether the question may have been acted upon: `unreachable`, `unavailable`, `refused`,
   `denied` and `forbidden` were not; after `timeout`, `lost`, `broken` and `bad_answer` nobody knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
import msgspec

from runtime.outbound.guard import Reach, open_client, refusal
from runtime.ports import OutsideFailure
from runtime.settings.keys import Key, SettingsError, read_url

MAX_BYTES: Final = 256 * 1024
KEY_HEADER: Final = "Idempotency-Key"
_ENVIRONMENT: Final = "env:"
_PASSING: Final = frozenset({408, 425, 429})  # refusals that say "later", not "never"


def _read_method(value: Any) -> str:
    if value not in ("POST", "PUT", "PATCH", "GET", "DELETE"):
        raise ValueError("one of POST, PUT, PATCH, GET, DELETE")
    return str(value)


def read_headers(value: Any) -> dict[str, str]:
    """A reader of a table of headers."""
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError('a table like { Authorization = "env:CRM_TOKEN" }')
    return value


KEYS: Final = (
    Key("url", None, read_url("https", "http"), "the address that does the action"),
    Key("method", None, _read_method, "how it is asked", "POST"),
    Key("headers", None, read_headers, "headers, with secrets by variable: env:NAME", {}, secret=True),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address with the headers it is asked with.

    The client is its own, so a slow one holds up no other.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    client: httpx2.AsyncClient = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `content` is a JSON value, or `form` fields, or neither; `query` is encoded."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole."""

    status: int
    content: bytes = field(repr=False)

    def value(self) -> Any:
        """The JSON value; None for an empty answer. Raises OutsideFailure("bad_answer")."""
        if not self.content.strip():
            return None
        try:
            return msgspec.json.decode(self.content)
        except (msgspec.DecodeError, RecursionError):
            raise OutsideFailure("bad_answer") from None

    def require_success(self) -> None:
        """Raises OutsideFailure (denied, refused, unavailable, broken) unless the status says it was done."""
        if self.status // 100 == 2:
            return
        if self.status in (401, 403):
            raise OutsideFailure("denied")
        if self.status in _PASSING:
            raise OutsideFailure("unavailable")
        raise OutsideFailure("refused" if self.status // 100 == 4 else "broken")


def open_endpoint(place: str, url: str, method: str, headers: Mapping[str, str], reach: Reach) -> Endpoint:
    """An endpoint with a client of its own; `place` is the setting its address stands in.

    Raises SettingsError for an address that may not be reached.
    """
    why = refusal(reach, url)
    if why is not None:
        raise SettingsError([f"{place} {why}."])
    return Endpoint(method, url, headers, open_client(reach))


def secret(place: str, text: str, environment: Mapping[str, str]) -> str:
    """A text of the settings, or the variable it names (`env:NAME`). Raises SettingsError if unset."""
    if not text.startswith(_ENVIRONMENT):
        return text
    name = text.removeprefix(_ENVIRONMENT)
    if not environment.get(name):
        raise SettingsError([f"{place} is missing: set the environment variable {name}."])
    return environment[name]


def read_secrets(place: str, headers: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Headers with each `env:NAME` replaced by that variable. Raises SettingsError for variables not set."""
    problems: list[str] = []
    found = {}
    for name, text in headers.items():
        try:
            found[name] = secret(f"{place}.headers.{name}", text, environment)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return found


async def ask(endpoint: Endpoint, body: Mapping[str, Any], key: str, seconds: float) -> dict[str, Any]:
    """One request with a JSON object there and one back (`{}` for an empty answer). Raises OutsideFailure."""
    headers = {**endpoint.headers, KEY_HEADER: key}
    if endpoint.method == "GET":
        query = {name: written(value) for name, value in body.items() if value is not None}
        question = Question("GET", endpoint.url, headers, query)
    else:
        question = Question(endpoint.method, endpoint.url, headers, content=body)
    return object_of(await exchange(endpoint.client, question, seconds))


def object_of(reply: Reply) -> dict[str, Any]:
    """The JSON object of a success. Raises OutsideFailure for any other answer."""
    reply.require_success()
    value = reply.value()
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise OutsideFailure("bad_answer")
    return value


async def exchange(client: httpx2.AsyncClient, question: Question, seconds: float) -> Reply:
    """Ask, and read the answer whole. Raises OutsideFailure: timeout, unreachable, lost, forbidden,
    bad_answer (too large).
    """
    try:
        async with asyncio.timeout(max(seconds, 0)):
            return await _exchange(client, question)
    except TimeoutError:
        raise OutsideFailure("timeout") from None
    except (httpx2.ConnectError, httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.LocalProtocolError):
        raise OutsideFailure("unreachable") from None
    except (httpx2.HTTPError, httpx2.StreamError, OSError):
        raise OutsideFailure("lost") from None


async def _exchange(client: httpx2.AsyncClient, question: Question) -> Reply:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", **question.headers}
    given: dict[str, Any] = {"params": dict(question.query)} if question.query else {}
    if question.form is not None:
        given["data"] = dict(question.form)
    elif question.content is not None:
        given["content"] = msgspec.json.encode(question.content)
        headers["Content-Type"] = "application/json"
    async with client.stream(question.method, question.url, headers=headers, **given) as answer:
        content = bytearray()
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > MAX_BYTES:
                raise OutsideFailure("bad_answer")
    return Reply(answer.status_code, bytes(content))


def written(value: Any) -> str:
    """A value as text in a query or a path."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
