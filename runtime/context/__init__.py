"""Fact sources: where a deployment reads what it knows about a caller, one file and one line each."""

import asyncio
import difflib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from runtime.context import csv_file, http, hubspot, salesforce, several, sql
from runtime.context.base import Opening, OpenSource, Source
from runtime.context.cache import Cached
from runtime.outbound import reach_of
from runtime.ports import FactSource, OutsideFailure
from runtime.settings import Settings
from runtime.settings.keys import Key, SettingsError, read_options, read_whole

__all__ = ["SOURCES", "Source", "StartedLookUp", "begin", "look_up", "open_source"]

SOURCES: Final[dict[str, OpenSource]] = {
    "csv_file": csv_file.open_source,
    "sql": sql.open_source,
    "http": http.open_source,
    "salesforce": salesforce.open_source,
    "hubspot": hubspot.open_source,
    "several": several.open_source,
}
CACHE: Final = Key("cache_s", None, read_whole(0, 86_400), "for how many seconds an answer may be kept", 0)
LONGEST_MS: Final = 10_000  # past this nobody waits any more, whatever the flow says


def open_source(name: str, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> Source:
    """The fact source a flow calls `name`. Raises SettingsError when the settings do not describe it."""
    return _open(name, settings, clock, ())


def _open(name: str, settings: Settings, clock: Callable[[], float], within: tuple[str, ...]) -> Source:
    place = f"facts.{name}"
    if name not in settings.facts:
        raise SettingsError([f'{place} is missing: write [{place}] in vfc.toml, with source = "csv_file".'])
    if name in within:
        raise SettingsError([f"{place} is one of its own sources: take it out of `of`."])
    options = dict(settings.facts[name])
    kind = options.pop("source", None)
    if kind not in SOURCES:
        near = difflib.get_close_matches(str(kind), SOURCES, n=1)
        tip = f"did you mean {near[0]}?" if near else f"write one of {', '.join(SOURCES)}."
        raise SettingsError([f"{place}.source is no source of facts: {tip}"])
    kept = {CACHE.path: options.pop(CACHE.path)} if CACHE.path in options else {}
    for_s = read_options(place, kept, (CACHE,))[CACHE.path]
    opening = Opening(
        place,
        options,
        settings.folder,
        settings.environment,
        reach_of(settings),
        lambda other: _open(other, settings, clock, (*within, name)),
    )
    source = SOURCES[kind](opening)
    return Cached(source, for_s, clock) if for_s else source


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


@dataclass(frozen=True, slots=True)
class Asked:
    """One source as it answered: its kind, how long it took, its facts or why there are none."""

    name: str
    kind: str
    ms: float
    facts: Mapping[str, Any] | None
    failure: str = ""
    cache_s: int = 0


async def ask_each(name: str, settings: Settings, number: str) -> list[Asked]:
    """Every source behind `name` asked once, by itself, so that each one's own time is seen; the source
    itself comes last where it is made of several. Raises SettingsError.
    """
    table = settings.facts.get(name, {})
    names = [*(str(one) for one in table.get("of", ()) if table.get("source") == "several"), name]
    return [await _ask_one(one, settings, number) for one in names]


async def _ask_one(name: str, settings: Settings, number: str) -> Asked:
    source = open_source(name, settings)
    table = settings.facts[name]
    asked = Asked(name, str(table["source"]), 0.0, None, cache_s=int(table.get("cache_s", 0)))
    began = time.perf_counter()
    try:
        asked = replace(asked, facts=await look_up(source, number))
    except OutsideFailure as failure:
        asked = replace(asked, failure=failure.reason)
    finally:
        ms = 1000 * (time.perf_counter() - began)
        await source.close()
    return replace(asked, ms=ms)
