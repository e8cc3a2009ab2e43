"""Who may look at the desk: a shared token, entered once, becomes a signed cookie that knows a name.

1. The cookie holds its end and a name, signed with the token: another token in the settings ends every visit.
2. Wrong tokens are answered slowly and one after the other, whoever sends them.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

COOKIE: Final = "vfc_desk"
LASTS_S: Final = 12 * 3600
WRONG_S: Final = 0.5
MOST_NAME: Final = 40


@dataclass(slots=True)
class Entry:
    """The door of one desk."""

    token: str = field(repr=False)
    clock: Callable[[], float] = time.time
    _one: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def enter(self, token: str, name: str) -> str | None:
        """A cookie's value for whoever knows the token; None for anybody else, after a while."""
        if hmac.compare_digest(token.strip().encode(), self.token.encode()):
            shown = "".join(one for one in name if one.isprintable()).strip()[:MOST_NAME]
            named = base64.urlsafe_b64encode((shown or "A colleague").encode()).decode()
            told = f"{int(self.clock()) + LASTS_S}.{named}"
            return f"{told}.{self._sign(told)}"
        async with self._one:
            await asyncio.sleep(WRONG_S)
        return None

    def name(self, cookie: str) -> str | None:
        """Who brings this cookie; None when it is forged or old."""
        told, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(self._sign(told).encode(), signature.encode(errors="surrogatepass")):
            return None
        until, _, named = told.partition(".")
        return base64.urlsafe_b64decode(named).decode() if self.clock() < int(until) else None

    def _sign(self, told: str) -> str:
        key = hashlib.sha256(b"desk cookie\0" + self.token.encode()).digest()
        return hmac.new(key, told.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
