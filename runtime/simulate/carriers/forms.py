"""A network that asks webhooks with signed forms and obeys TwiML: Twilio, and SignalWire after it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from runtime.simulate.carriers.base import Asking, LegOrder, OrderError, PlaceOrder, Wire
from runtime.simulate.twiml import Stream, Verb, read

WITHHELD = "+266696687"  # spells ANONYMOUS: the number of a caller who withholds theirs
Sign = Callable[[str, str, Iterable[tuple[str, str]]], str]


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


@dataclass(frozen=True, slots=True)
class FormCarrier:
    """A network that asks with signed forms and obeys TwiML, as a table of what its kin do otherwise.

    `calls`: the REST interface's path of calls. `upgrade`: the headers of a media socket's upgrade.
    """

    account: str
    calls: str
    signature_header: str
    sign: Sign
    new_call_id: Callable[[], str]
    upgrade: Callable[[str, Stream], dict[str, str]]
    open_wire: Callable[[str, Stream], Wire]
    room_returns: bool = True

    def person_call_id(self, call_id: str) -> str:
        """A dialled person's leg is a call of its own."""
        return self.new_call_id()

    def new_leg_id(self, call_id: str) -> str:
        """A leg is a call."""
        return call_id

    def read(self, document: str) -> tuple[Verb, ...]:
        """Raises TwimlError."""
        return read(document)

    def ask(self, secret: str, url: str, asking: Asking) -> tuple[dict[str, str], bytes]:
        """Headers and body of a signed form."""
        fields = _fields(self.account, asking)
        signed = self.sign(secret, url, fields.items())
        headers = {self.signature_header: signed, "Content-Type": "application/x-www-form-urlencoded"}
        return headers, urlencode(fields).encode()

    def read_order(self, method: str, path: str, body: bytes) -> PlaceOrder | LegOrder:
        """A request below the path of calls. Raises OrderError."""
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        place = re.fullmatch(re.escape(self.calls) + r"(?:/([\w-]+))?\.json", path)
        if method != "POST" or place is None:
            raise OrderError("no such resource")
        if unknown := set(fields) - (_CHANGING if place[1] else _PLACING):
            raise OrderError(f"parameters that are not documented: {', '.join(sorted(unknown))}")
        if place[1]:
            if fields.get("Status") == "completed":
                return LegOrder(place[1])
            return LegOrder(place[1], url=fields["Url"])
        timeout = float(fields.get("Timeout", "60"))
        return PlaceOrder(fields["To"], fields["Url"], fields.get("StatusCallback", ""), timeout)

    def placed(self, call_id: str, leg_id: str) -> bytes:
        """The call just placed, as far as anybody reads it."""
        return json.dumps({"sid": call_id, "account_sid": self.account, "status": "queued"}).encode()


def _fields(account: str, asking: Asking) -> dict[str, str]:
    fields = {
        "CallSid": asking.call_id,
        "AccountSid": account,
        "From": asking.caller or WITHHELD,
        "To": asking.number,
        "Direction": "outbound-api" if asking.outbound else "inbound",
        "CallStatus": _status(asking),
    }
    match asking.occasion:
        case "room":
            fields["StatusCallbackEvent"] = asking.status
        case "dialled":
            fields["DialCallStatus"] = asking.status
            fields["DialBridged"] = str(asking.status == "completed").lower()
        case "pressed":
            fields["Digits"] = asking.digit
    return fields


def _status(asking: Asking) -> str:
    if asking.occasion == "ringing":
        return "ringing"
    if asking.occasion == "status":
        return asking.status
    return "completed" if asking.over else "in-progress"
