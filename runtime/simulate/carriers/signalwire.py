"""SignalWire's network: signed forms, cXML, and the JSON stream, leaner than Twilio's: no stream id
on most messages, no sequence on marks, no object on stop.
"""

from __future__ import annotations

import uuid
from typing import Final

from runtime import audio
from runtime.simulate.carriers.base import JsonWire, Wire
from runtime.simulate.carriers.forms import FormCarrier
from runtime.simulate.twiml import Stream, TwimlError
from runtime.telephony.signalwire import SIGNATURE_HEADER, sign

_ACCOUNT: Final = "b08dacad-2f6c-4de1-93d6-cc732e0c69c5"
_CODECS: Final = {"": audio.PCMU, "PCMU": audio.PCMU, "PCMU@8000h": audio.PCMU, "L16@24000h": audio.PCM24}


def _upgrade(secret: str, stream: Stream) -> dict[str, str]:
    return {"Authorization": f"Bearer {stream.authorization}"} if stream.authorization else {}


def _open_wire(call_id: str, stream: Stream) -> Wire:
    if stream.codec not in _CODECS:
        raise TwimlError("<Stream> names a codec that is not known (codec_error)")
    ids = {"account": _ACCOUNT, "call": call_id, "stream": str(uuid.uuid4())}
    return JsonWire(ids, stream.parameters, _CODECS[stream.codec], version="0.2.0", lean=True)


SIGNALWIRE: Final = FormCarrier(
    account=_ACCOUNT,
    calls=f"/api/laml/2010-04-01/Accounts/{_ACCOUNT}/Calls",
    signature_header=SIGNATURE_HEADER,
    sign=sign,
    new_call_id=lambda: str(uuid.uuid4()),
    upgrade=_upgrade,
    open_wire=_open_wire,
)
