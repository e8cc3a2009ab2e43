"""Actions over HTTP: the arguments as JSON, an idempotency key, and the JSON object that comes back.

1. Where it goes is the operator's decision alone: address, method and headers stand in the settings.
2. No redirects, at most 256 KiB back, and no attempt longer than the order allows.
3. A retry carries the same key. What the other side refused (4xx) is not asked again.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
import msgspec

from runtime.actions.base import Executor, Opening
from runtime.engine.effects import RunAction
from runtime.ports import OutsideFailure
from runtime.settings import is_loopback_url
from runtime.settings.keys import Key, SettingsError, read_options, read_url

MAX_BYTES: Final = 256 * 1024
PAUSE_MS: Final = 100
KEY_HEADER: Final = "Idempotency-Key"
_ENVIRONMENT: Final = "env:"
_PASSING: Final = frozenset({408, 425, 429})  # refusals that say "later", not "never"


def _read_method(value: Any) -> str:
    if value not in ("POST", "PUT", "PATCH", "GET"):
        raise ValueError("one of POST, PUT, PATCH, GET")
    return str(value)


def _read_headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError('a table like { Authorization = "env:CRM_TOKEN" }')
    return value


KEYS: Final = (
    Key("url", None, read_url("https", "http"), "the address that does the action"),
    Key("method", None, _read_method, "how it is asked", "POST"),
    Key("headers", None, _read_headers, "headers, with secrets by variable: env:NAME", {}, secret=True),
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
class Http:
    """An action that another system does."""

    endpoint: Endpoint

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Ask until it is done, refused, or out of time. Raises OutsideFailure."""
        failure = OutsideFailure("timeout")
        clock = asyncio.get_running_loop().time
        for attempt in range(order.retries + 1):
            until = clock() + order.within_ms / 1000
            try:
                return await ask(self.endpoint, dict(order.arguments), order.idempotency_key, until - clock())
            except OutsideFailure as one:
                failure = one
            if failure.reason in ("refused", "bad_answer") or attempt == order.retries:
                break
            # The pause comes out of this attempt's own time, so that all attempts together stay within
            # bounds.
            await asyncio.sleep(max(0.0, min(PAUSE_MS * 2**attempt / 1000, until - clock())))
        raise failure

    async def close(self) -> None:
        await self.endpoint.client.aclose()


def open_executor(opening: Opening) -> Executor:
    """The executor a table with `executor = "http"` describes. Raises SettingsError."""
    options = read_options(opening.place, opening.options, KEYS)
    headers = read_secrets(opening.place, options["headers"], opening.environment)
    return Http(open_endpoint(options["url"], options["method"], headers))


def open_endpoint(url: str, method: str, headers: Mapping[str, str]) -> Endpoint:
    """An endpoint with a client of its own.

    A proxy of the environment is used, but not on the way to this machine.
    """
    limits = httpx2.Limits(max_connections=50, max_keepalive_connections=10)
    return Endpoint(
        method, url, headers, httpx2.AsyncClient(limits=limits, trust_env=not is_loopback_url(url))
    )


def read_secrets(place: str, headers: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Headers with each `env:NAME` replaced by that variable. Raises SettingsError for variables not set."""
    missing = [
        f"{place}.headers.{name} is missing: set the environment variable {text.removeprefix(_ENVIRONMENT)}."
        for name, text in headers.items()
        if text.startswith(_ENVIRONMENT) and not environment.get(text.removeprefix(_ENVIRONMENT))
    ]
    if missing:
        raise SettingsError(missing)
    return {
        name: environment[text.removeprefix(_ENVIRONMENT)] if text.startswith(_ENVIRONMENT) else text
        for name, text in headers.items()
    }


async def ask(endpoint: Endpoint, body: Mapping[str, Any], key: str, seconds: float) -> dict[str, Any]:
    """One request with a JSON object there and one back (`{}` for an empty answer).

    Raises OutsideFailure: timeout, unreachable, refused (4xx), broken (any other status), bad_answer.
    """
    try:
        async with asyncio.timeout(max(seconds, 0)):
            return await _exchange(endpoint, body, key)
    except TimeoutError:
        raise OutsideFailure("timeout") from None
    except (httpx2.HTTPError, httpx2.StreamError, OSError):
        raise OutsideFailure("unreachable") from None


async def _exchange(endpoint: Endpoint, body: Mapping[str, Any], key: str) -> dict[str, Any]:
    headers = {"Accept": "application/json", **endpoint.headers, KEY_HEADER: key}
    given: dict[str, Any] = (
        {"params": {name: _written(value) for name, value in body.items() if value is not None}}
        if endpoint.method == "GET"
        else {"content": msgspec.json.encode(body)}
    )
    headers |= {} if endpoint.method == "GET" else {"Content-Type": "application/json"}
    # The deadline is the caller's of `ask`; the library's own would only hide it.
    async with endpoint.client.stream(
        endpoint.method, endpoint.url, headers=headers, timeout=None, **given
    ) as answer:
        if answer.status_code // 100 != 2:
            final = answer.status_code // 100 == 4 and answer.status_code not in _PASSING
            raise OutsideFailure("refused" if final else "broken")
        content = bytearray()
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > MAX_BYTES:
                raise OutsideFailure("bad_answer")
    return _object(bytes(content))


def _object(content: bytes) -> dict[str, Any]:
    if not content.strip():
        return {}
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise OutsideFailure("bad_answer") from None


def _written(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
