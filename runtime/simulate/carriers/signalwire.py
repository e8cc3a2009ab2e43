"""SignalWire's network: signed forms, cXML, and the JSON stream, leaner than Twilio's: no stream id
on most messages, no sequence on marks, no object on stop.
"""

from __future__ import annotations

import uuid
from typing import Final

from runtime import audio
from runtime.simulate.carriers import forms
from runtime.simulate.carriers.base import Asking, JsonWire, LegOrder, PlaceOrder, Wire
from runtime.simulate.twiml import Stream, TwimlError, read
from runtime.telephony.signalwire import SIGNATURE_HEADER, sign

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

ACCOUNT: Final = "b08dacad-2f6c-4de1-93d6-cc732e0c69c5"
CODECS: Final = {"": audio.PCMU, "PCMU": audio.PCMU, "PCMU@8000h": audio.PCMU, "L16@24000h": audio.PCM24}


def new_call_id() -> str:
    return str(uuid.uuid4())


def person_call_id(call_id: str) -> str:
    """A dialled person's leg is a call of its own."""
    return new_call_id()


def new_leg_id(call_id: str) -> str:
    """A leg is a call."""
    return call_id


def read_order(method: str, path: str, body: bytes) -> PlaceOrder | LegOrder:
    return forms.read_order(f"/api/laml/2010-04-01/Accounts/{ACCOUNT}/Calls", method, path, body)


def placed(call_id: str, leg_id: str) -> bytes:
    return forms.placed(ACCOUNT, call_id)


def ask(secret: str, url: str, asking: Asking) -> tuple[dict[str, str], bytes]:
    return forms.ask(ACCOUNT, SIGNATURE_HEADER, sign, secret, url, asking)


def upgrade(secret: str, stream: Stream) -> dict[str, str]:
    return {"Authorization": f"Bearer {stream.authorization}"} if stream.authorization else {}


def open_wire(call_id: str, stream: Stream) -> Wire:
    if stream.codec not in CODECS:
        raise TwimlError("<Stream> names a codec that is not known (codec_error)")
    ids = {"account": ACCOUNT, "call": call_id, "stream": str(uuid.uuid4())}
    return JsonWire(ids, stream.parameters, CODECS[stream.codec], version="0.2.0", lean=True)
