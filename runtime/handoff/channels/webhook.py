"""A webhook: the package posted as JSON, signed where a secret is set, acknowledged by a success.

The signature is `t=SECONDS,v1=HEX` in `Handoff-Signature`: HMAC-SHA256 of "SECONDS." and the body as it was
sent. A receiver refuses a time that is minutes away, and so a request that was taped and played again.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from runtime.handoff.channels.base import WITHIN_S, Delivery
from runtime.outbound import (
    KEY_HEADER,
    Endpoint,
    Question,
    exchange,
    object_of,
    open_endpoint,
    reach_of,
    read_secrets,
    secret,
)
from runtime.outbound import KEYS as HTTP_KEYS
from runtime.settings import Settings
from runtime.settings.keys import Key, Table, read_optional, read_options, read_url

SIGNATURE_HEADER: Final = "Handoff-Signature"
LINK_HEADER: Final = "Handoff-Link"
KEYS: Final = (
    Key("url", None, read_url("https", "http"), "an address the package is posted to"),
    Key("secret", None, read_optional, "what the package is signed with: env:NAME", "", secret=True),
    *(key for key in HTTP_KEYS if key.path == "headers"),
)


def sign(key: str, seconds: int, body: bytes) -> str:
    """The signature header's value."""
    made = hmac.new(key.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={made}"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Implements Channel."""

    endpoint: Endpoint
    key: str | None = field(default=None, repr=False)
    clock: Callable[[], float] = time.time
    lasting: bool = True

    async def deliver(self, delivery: Delivery) -> str:
        """Post it; the receipt is the answer's `receipt`, if it has one."""
        headers: dict[str, str] = {**self.endpoint.headers, KEY_HEADER: delivery.key}
        if delivery.link:
            headers[LINK_HEADER] = delivery.link
        if self.key:
            body = msgspec.json.encode(delivery.package)
            headers[SIGNATURE_HEADER] = sign(self.key, int(self.clock()), body)
        question = Question("POST", self.endpoint.url, headers, content=delivery.package)
        answer: Mapping[str, Any] = object_of(await exchange(self.endpoint.client, question, WITHIN_S))
        return str(answer.get("receipt") or "")[:200]

    async def close(self) -> None:
        """Let go of the connection."""
        await self.endpoint.client.aclose()


def open_channel(place: str, table: Table, settings: Settings) -> Webhook:
    """A webhook by its settings. Raises SettingsError."""
    options = read_options(place, table, KEYS)
    headers = read_secrets(place, options["headers"], settings.environment)
    key = options["secret"] and secret(f"{place}.secret", options["secret"], settings.environment)
    endpoint = open_endpoint(f"{place}.url", options["url"], "POST", headers, reach_of(settings))
    return replace(Webhook(endpoint), key=key or None)
