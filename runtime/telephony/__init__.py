"""Telephony providers: one pure codec, one answer document, one signature each."""

from typing import Final

from runtime.telephony import signalwire, twilio, vonage
from runtime.telephony.base import Provider

PROVIDERS: Final[dict[str, Provider]] = {
    "twilio": twilio.PROVIDER,
    "signalwire": signalwire.PROVIDER,
    "vonage": vonage,
}
