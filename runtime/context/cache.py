"""Facts that were looked up a moment ago: told again for as long as the settings say, and no longer."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.context.base import Source

MOST: Final = 10_000


@dataclass(slots=True)
class Cached:
    """A source whose answers are kept for `for_s` seconds. A failure is never kept."""

    source: Source
    for_s: int
    clock: Callable[[], float]
    _kept: OrderedDict[str, tuple[float, Mapping[str, Any] | None]] = field(
        default_factory=OrderedDict, repr=False
    )

    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        """As the source's, or what it told at most `for_s` seconds ago."""
        kept = self._kept.get(caller_number)
        if kept is not None and self.clock() - kept[0] < self.for_s:
            return kept[1]
        asked_at = self.clock()  # the age of a fact is counted from when it was asked for
        found = await self.source.look_up(caller_number)
        self._kept[caller_number] = (asked_at, found)
        self._kept.move_to_end(caller_number)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return found

    async def close(self) -> None:
        """Forget everything and close the source."""
        self._kept.clear()
        await self.source.close()
