"""Twilio: its signature header, its ids, its REST address. It carries mu-law only and signs the upgrade of
the media socket.
"""

import re
from typing import Final

from runtime.telephony.base.cxml import sign
from runtime.telephony.base.network import CxmlProvider

__all__ = ["PROVIDER", "SIGNATURE_HEADER", "sign"]

SIGNATURE_HEADER: Final = "X-Twilio-Signature"

PROVIDER: Final = CxmlProvider(
    signature_header=SIGNATURE_HEADER,
    call_ids=re.compile(r"CA[0-9a-zA-Z_\-]{1,62}"),
    account_ids=re.compile(r"AC[0-9a-zA-Z_\-]{1,62}"),
    calls_path="/2010-04-01/Accounts/{account}/Calls",
    API_URL="https://api.twilio.com",
    SIGNS_WITH_ACCOUNT=True,
    signs_upgrades=True,
)
