"""The other end of the line, one file per provider: how its network asks, signs, streams and obeys."""

from typing import Final

from runtime.simulate.carriers import vonage
from runtime.simulate.carriers.base import Carrier
from runtime.simulate.carriers.signalwire import SIGNALWIRE
from runtime.simulate.carriers.twilio import TWILIO

CARRIERS: Final[dict[str, Carrier]] = {
    "twilio": TWILIO,
    "signalwire": SIGNALWIRE,
    "vonage": vonage,
}
