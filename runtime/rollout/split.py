"""Who is in the assistant's share: a keyed hash of the caller, so that the same caller gets the same answer.

1. A caller stays in while the share grows: the share of 25 % contains the one of 10 %.
2. Without the key nobody can tell, from a number, on which side it falls.
"""

import hmac
from hashlib import sha256
from typing import Final

PARTS: Final = 1 << 32


def place(key: str, caller: str) -> float:
    """Where a caller stands between 0 (included) and 100 (not included)."""
    digest = hmac.new(key.encode(), caller.encode(), sha256).digest()
    return int.from_bytes(digest[:4], "big") / PARTS * 100


def chosen(key: str, percent: int, caller_number: str | None, call_id: str) -> bool:
    """Whether the assistant takes this call. A caller who withholds their number is placed by the call."""
    return place(key, caller_number or f"call:{call_id}") < percent
