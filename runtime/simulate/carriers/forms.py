"""The forms Twilio and SignalWire ask webhooks with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlencode

from runtime.simulate.carriers.base import Asking

WITHHELD = "+266696687"  # spells ANONYMOUS: the number of a caller who withholds theirs
Sign = Callable[[str, str, Iterable[tuple[str, str]]], str]


def ask(
    account: str, header: str, sign: Sign, secret: str, url: str, asking: Asking
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a signed form."""
    fields = {
        "CallSid": asking.call_id,
        "AccountSid": account,
        "From": asking.caller or WITHHELD,
        "To": asking.number,
        "Direction": "inbound",
        "CallStatus": "ringing" if asking.occasion == "ringing" else "in-progress",
    }
    if asking.occasion == "dialled":
        fields |= {
            "DialCallStatus": asking.status,
            "DialBridged": str(asking.status == "completed").lower(),
        }
    if asking.occasion == "pressed":
        fields["Digits"] = asking.digit
    headers = {
        header: sign(secret, url, fields.items()),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return headers, urlencode(fields).encode()
