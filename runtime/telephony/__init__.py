"""Telephony providers: one pure codec, one answer document, one signature each."""

from typing import Final

from runtime.telephony import twilio
from runtime.telephony.base import Provider

PROVIDERS: Final[dict[str, Provider]] = {
    "twilio": twilio,
}
