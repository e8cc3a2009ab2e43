"""The forms Twilio and SignalWire ask webhooks with."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, urlencode

from runtime.simulate.carriers.base import Asking, LegOrder, OrderError, PlaceOrder

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
        "Direction": "outbound-api" if asking.outbound else "inbound",
        "CallStatus": _status(asking),
    }
    if asking.occasion == "room":
        fields["StatusCallbackEvent"] = asking.status
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


def _status(asking: Asking) -> str:
    if asking.occasion == "ringing":
        return "ringing"
    if asking.occasion == "status":
        return asking.status
    return "completed" if asking.over else "in-progress"


# What the interface documents: https://www.twilio.com/docs/voice/api/call-resource,
# https://developer.signalwire.com/compatibility-api/rest/calls
_PLACING = frozenset(
    {
        *("To", "From", "Url", "Method", "Timeout", "MachineDetection", "AsyncAmd"),
        *("StatusCallback", "StatusCallbackMethod", "StatusCallbackEvent"),
        *("AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod"),
    }
)
_CHANGING = frozenset({"Url", "Method", "Status"})


def read_order(calls: str, method: str, path: str, body: bytes) -> PlaceOrder | LegOrder:
    """A request below the path `calls`. Raises OrderError."""
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
    place = re.fullmatch(re.escape(calls) + r"(?:/([\w-]+))?\.json", path)
    if method != "POST" or place is None:
        raise OrderError("no such resource")
    if unknown := set(fields) - (_CHANGING if place[1] else _PLACING):
        raise OrderError(f"parameters that are not documented: {', '.join(sorted(unknown))}")
    if place[1]:
        if fields.get("Status") == "completed":
            return LegOrder(place[1])
        return LegOrder(place[1], url=fields["Url"])
    return PlaceOrder(
        fields["To"], fields["Url"], fields.get("StatusCallback", ""), float(fields.get("Timeout", "60"))
    )


def placed(account: str, call_id: str) -> bytes:
    """The call just placed, as far as anybody reads it."""
    return json.dumps({"sid": call_id, "account_sid": account, "status": "queued"}).encode()
