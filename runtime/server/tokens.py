"""Call tokens: what a media stream must bring to be let in, made when its call was answered.

A provider's signature carries neither time nor nonce. A token binds one call of one account for a short time
and says what is needed to carry it, so that any worker that knows the key can, also while the store is away.
The provider, who gives us all of this, is the only other one that sees it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import msgspec

from runtime.telephony.base import LineCall

LIFETIME_MS: Final = 60_000
LONGEST: Final = 512
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class Opens(msgspec.Struct, frozen=True, array_like=True):
    """What a token is for: the call as the provider told it, the flow that answers it, and when it expires.

    `owner`: the worker the stream must come to, since the call goes on there; empty where any may take it.
    """

    until_ms: int
    until_wall_ms: int
    boot: str
    nonce: str
    flow: str
    artifact: str
    caller: str | None
    called: str | None
    direction: Literal["inbound", "outbound"]
    leg_id: str
    owner: str = ""


_read = msgspec.json.Decoder(Opens)


def _boot() -> str:
    """This start of this machine: only within it do two processes share a clock that nobody sets."""
    try:
        return hashlib.sha256(_BOOT.read_bytes()).hexdigest()[:8]
    except OSError:
        return secrets.token_hex(4)


def shared_key(secret: str) -> bytes:
    """The same key in every process that has this secret."""
    return hmac.new(secret.encode(), b"call tokens", hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class Tokens:
    """Makes and reads tokens. Times are milliseconds of this machine's monotonic clock."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    boot: str = field(default_factory=_boot)

    def make(
        self, call: LineCall, now_ms: int, *, flow: str = "", artifact: str = "", owner: str = ""
    ) -> str:
        """A token for this call, good until `now_ms` + LIFETIME_MS."""
        opens = Opens(
            until_ms=now_ms + LIFETIME_MS,
            until_wall_ms=_wall_ms() + LIFETIME_MS,
            boot=self.boot,
            nonce=secrets.token_urlsafe(12),
            flow=flow,
            artifact=artifact,
            caller=call.caller_number,
            called=call.called_number,
            direction=call.direction,
            leg_id="" if call.leg_id == call.call_id else call.leg_id,
            owner=owner,
        )
        head = urlsafe_b64encode(msgspec.json.encode(opens)).decode().rstrip("=")
        return f"{head}.{self._seal(head, call.call_id, call.account_id)}"

    def read(self, token: str, call_id: str, account_id: str, now_ms: int) -> Opens | None:
        """What this token is for; None unless it was made for this call, with our key, not too long ago."""
        if len(token) > LONGEST:
            return None
        head, _, seal = token.rpartition(".")
        expected = self._seal(head, call_id, account_id)
        if not hmac.compare_digest(expected.encode(), seal.encode(errors="surrogatepass")):
            return None
        opens = _read.decode(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        # A clock that is set would end tokens early or late; another machine has no better one.
        ours = opens.boot == self.boot
        until, now = (opens.until_ms, now_ms) if ours else (opens.until_wall_ms, _wall_ms())
        return opens if until - LIFETIME_MS - 1000 <= now <= until else None

    def _seal(self, head: str, call_id: str, account_id: str) -> str:
        sealed = "\0".join((head, call_id, account_id)).encode(errors="surrogatepass")
        return urlsafe_b64encode(hmac.new(self.key, sealed, hashlib.sha256).digest()).decode().rstrip("=")


def call_of(opens: Opens, call_id: str, account_id: str) -> LineCall:
    """The call a token speaks of."""
    return LineCall(
        call_id=call_id,
        account_id=account_id,
        caller_number=opens.caller,
        called_number=opens.called,
        direction=opens.direction,
        leg_id=opens.leg_id or call_id,
    )


def now_ms() -> int:
    """Milliseconds of this machine's monotonic clock, which its processes share."""
    return time.monotonic_ns() // 1_000_000


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
