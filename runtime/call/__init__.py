"""One call, from its answer to its end: the asyncio shell around the dialogue engine."""

from runtime.call.outside import Caller, Outside, Resumed
from runtime.call.shell import carry

__all__ = ["Caller", "Outside", "Resumed", "carry"]
