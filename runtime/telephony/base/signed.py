"""Signed tokens (JWT) that a provider puts on its webhooks: HS256 and nothing else."""

import binascii
import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Any, Final

MAX_TOKEN: Final = 8192


def claims_of(secrets: Iterable[str], token: str) -> dict[str, Any] | None:
    """The claims of an HS256 token, None for any other and for one that is not signed by us."""
    head, dot, seal = token.rpartition(".")
    if not dot or len(token) > MAX_TOKEN or not token.isascii():
        return None
    signed = [
        hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest() for secret in secrets if secret
    ]
    try:
        sent = _unpadded(seal)
        algorithm = json.loads(_unpadded(head.partition(".")[0]))
        claims = json.loads(_unpadded(head.partition(".")[2]))
    except (ValueError, RecursionError):
        return None
    matches = [hmac.compare_digest(one, sent) for one in signed]  # all of them: no early way out
    sound = isinstance(algorithm, dict) and algorithm.get("alg") == "HS256" and isinstance(claims, dict)
    return claims if any(matches) and sound else None


def _unpadded(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("not base64") from None


def sign_claims(secret: str, claims: dict[str, Any]) -> str:
    """A token of these claims, signed as a provider signs it."""
    head = ".".join(_padless(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{head}.{_padless(hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest())}"


def _padless(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
