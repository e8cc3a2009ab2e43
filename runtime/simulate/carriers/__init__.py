"""The other end of the line, one file per provider: how its network asks, signs, streams and obeys."""

from typing import Final

from runtime.simulate.carriers import signalwire, twilio, vonage
from runtime.simulate.carriers.base import Carrier

CARRIERS: Final[dict[str, Carrier]] = {
    "twilio": twilio,
    "signalwire": signalwire,
    "vonage": vonage,
}
