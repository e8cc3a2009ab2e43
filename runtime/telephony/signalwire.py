"""SignalWire: its signature header, its ids (UUIDs), its REST address. A stream may carry L16 at 24 kHz; the
upgrade is not signed but brings the bearer token our document gave it.
"""

import re
from typing import Final

from runtime.audio import PCM24, PCMU
from runtime.telephony.base.cxml import sign
from runtime.telephony.base.network import CxmlProvider

__all__ = ["PROVIDER", "SIGNATURE_HEADER", "sign"]

SIGNATURE_HEADER: Final = "X-SignalWire-Signature"

_ID: Final = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z_\-]{7,63}")

PROVIDER: Final = CxmlProvider(
    signature_header=SIGNATURE_HEADER,
    call_ids=_ID,
    account_ids=_ID,
    calls_path="/api/laml/2010-04-01/Accounts/{account}/Calls",
    API_URL="https://{space}.signalwire.com",
    FORMATS=(PCMU, PCM24),
    codecs={PCMU: "PCMU@8000h", PCM24: "L16@24000h"},
)
