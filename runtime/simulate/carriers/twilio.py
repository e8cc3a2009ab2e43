"""Twilio's network: signed forms, TwiML, and the JSON stream
(https://www.twilio.com/docs/voice/media-streams/websocket-messages).
"""

from __future__ import annotations

import secrets
from typing import Final

from runtime.simulate.carriers.base import JsonWire, Wire
from runtime.simulate.carriers.forms import FormCarrier
from runtime.simulate.twiml import Stream
from runtime.telephony.twilio import SIGNATURE_HEADER, sign

_ACCOUNT: Final = "AC" + "0" * 32


def _upgrade(secret: str, stream: Stream) -> dict[str, str]:
    return {SIGNATURE_HEADER: sign(secret, stream.url)}


def _open_wire(call_id: str, stream: Stream) -> Wire:
    ids = {"account": _ACCOUNT, "call": call_id, "stream": "MZ" + secrets.token_hex(16)}
    return JsonWire(ids, stream.parameters)


TWILIO: Final = FormCarrier(
    account=_ACCOUNT,
    calls=f"/2010-04-01/Accounts/{_ACCOUNT}/Calls",
    signature_header=SIGNATURE_HEADER,
    sign=sign,
    new_call_id=lambda: "CA" + secrets.token_hex(16),
    upgrade=_upgrade,
    open_wire=_open_wire,
)
