"""What stands around every executor: its values judged, its attempts, its rest, and doing it once."""

from runtime.actions.doing.attempts import Attempts, allowed_ms
from runtime.actions.doing.breaker import Breaker
from runtime.actions.doing.once import LOOKED, Once

__all__ = ["LOOKED", "Attempts", "Breaker", "Once", "allowed_ms"]
