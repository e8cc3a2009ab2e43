"""Fact sources: where a deployment reads what it knows about a caller, one file and one line each."""

import asyncio
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runtime.context import csv_file
from runtime.context.base import Opening, OpenSource
from runtime.ports import FactSource, OutsideFailure
from runtime.settings import Settings
from runtime.settings.keys import SettingsError

SOURCES: Final[dict[str, OpenSource]] = {
    "csv_file": csv_file.open_source,
}
LONGEST_MS: Final = 10_000  # past this nobody waits any more, whatever the flow says


def open_source(name: str, settings: Settings) -> FactSource:
    """The fact source a flow calls `name`. Raises SettingsError when the settings do not describe it."""
    place = f"facts.{name}"
    if name not in settings.facts:
        raise SettingsError([f'{place} is missing: write [{place}] in vfc.toml, with source = "csv_file".'])
    options = dict(settings.facts[name])
    kind = options.pop("source", None)
    if kind not in SOURCES:
        near = difflib.get_close_matches(str(kind), SOURCES, n=1)
        tip = f"did you mean {near[0]}?" if near else f"write one of {', '.join(SOURCES)}."
        raise SettingsError([f"{place}.source is no source of facts: {tip}"])
    return SOURCES[kind](Opening(place, options, settings.folder))


@dataclass(frozen=True, slots=True)
class StartedLookUp:
    """A look-up that began before the call's media: whoever asks for its number gets that answer."""

    source: FactSource
    number: str
    task: "asyncio.Task[Mapping[str, Any] | None]"

    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        """As FactSource; another number than the one begun with is looked up anew."""
        if caller_number != self.number:
            return await look_up(self.source, caller_number)
        return await asyncio.shield(self.task)


def begin(source: FactSource, number: str) -> StartedLookUp:
    """Begin to look a number up. Cancel its `task` when nobody will ask."""
    return StartedLookUp(source, number, asyncio.create_task(look_up(source, number)))


async def look_up(source: FactSource, number: str) -> Mapping[str, Any] | None:
    """One look-up, bounded. Raises OutsideFailure."""
    try:
        async with asyncio.timeout(LONGEST_MS / 1000):
            return await source.look_up(number)
    except TimeoutError:
        raise OutsideFailure("timeout") from None
