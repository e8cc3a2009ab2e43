"""Twilio's network: signed forms, TwiML, and the JSON stream
(https://www.twilio.com/docs/voice/media-streams/websocket-messages).
"""

from __future__ import annotations

import secrets
from typing import Final

from runtime.simulate.carriers import forms
from runtime.simulate.carriers.base import Asking, JsonWire, LegOrder, PlaceOrder, Wire
from runtime.simulate.twiml import Stream, read
from runtime.telephony.twilio import SIGNATURE_HEADER, sign

__all__ = [
    "ACCOUNT",
    "ROOM_RETURNS",
    "ask",
    "new_call_id",
    "new_leg_id",
    "open_wire",
    "person_call_id",
    "placed",
    "read",
    "read_order",
    "upgrade",
]

ROOM_RETURNS: Final = True

ACCOUNT: Final = "AC" + "0" * 32


def new_call_id() -> str:
    return "CA" + secrets.token_hex(16)


def person_call_id(call_id: str) -> str:
    """A dialled person's leg is a call of its own."""
    return new_call_id()


def new_leg_id(call_id: str) -> str:
    """A leg is a call."""
    return call_id


def read_order(method: str, path: str, body: bytes) -> PlaceOrder | LegOrder:
    return forms.read_order(f"/2010-04-01/Accounts/{ACCOUNT}/Calls", method, path, body)


def placed(call_id: str, leg_id: str) -> bytes:
    return forms.placed(ACCOUNT, call_id)


def ask(secret: str, url: str, asking: Asking) -> tuple[dict[str, str], bytes]:
    return forms.ask(ACCOUNT, SIGNATURE_HEADER, sign, secret, url, asking)


def upgrade(secret: str, stream: Stream) -> dict[str, str]:
    return {SIGNATURE_HEADER: sign(secret, stream.url)}


def open_wire(call_id: str, stream: Stream) -> Wire:
    ids = {"account": ACCOUNT, "call": call_id, "stream": "MZ" + secrets.token_hex(16)}
    return JsonWire(ids, stream.parameters)
