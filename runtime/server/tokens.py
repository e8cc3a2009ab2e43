"""Call tokens: what a media stream must bring to be let in, made when its call was answered.

A provider's signature carries neither time nor nonce. A token binds one call of one account for a short time,
and its call lets it in once.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

LIFETIME_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """Makes and checks tokens with a key of this process. Times are milliseconds of one clock."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def make(self, call_id: str, account_id: str, now_ms: int) -> str:
        """A token for this call, good until `now_ms` + LIFETIME_MS."""
        head = f"{now_ms + LIFETIME_MS}.{secrets.token_urlsafe(12)}"
        return f"{head}.{self._seal(head, call_id, account_id)}"

    def check(self, token: str, call_id: str, account_id: str, now_ms: int) -> bool:
        """Whether we made this token for this call, not too long ago."""
        head, _, seal = token.rpartition(".")
        expected = self._seal(head, call_id, account_id)
        if not hmac.compare_digest(expected.encode(), seal.encode(errors="surrogatepass")):
            return False
        return now_ms <= int(head.partition(".")[0])

    def _seal(self, head: str, call_id: str, account_id: str) -> str:
        sealed = "\0".join((head, call_id, account_id)).encode(errors="surrogatepass")
        return hmac.new(self.key, sealed, hashlib.sha256).hexdigest()
