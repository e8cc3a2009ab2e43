"""Facts from several sources in order: all are asked at once, and a slow one costs only its own facts."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runtime.context.base import Opening, Part, Source, merged
from runtime.ports import OutsideFailure
from runtime.settings.keys import Key, SettingsError, read_options, read_whole

RULES: Final = ("fill", "first")


def _read_names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        raise ValueError('a list such as ["crm", "billing"]')
    if len(set(value)) < len(value):
        raise ValueError("a list with each source once")
    return tuple(value)


def _read_rule(value: Any) -> str:
    if value not in RULES:
        raise ValueError("one of fill, first")
    return str(value)


KEYS: Final = (
    Key("of", None, _read_names, 'the sources, the most trusted first: ["crm", "billing"]'),
    Key("merge", None, _read_rule, "fill (each fact from the first that has it) or first", "fill"),
    Key("part_ms", None, read_whole(1, 10_000), "how long each of them is waited for", 700),
)


@dataclass(frozen=True, slots=True)
class Several:
    """Sources in order, and the rule their facts are merged by."""

    sources: Mapping[str, Source]
    rule: str
    part_ms: int

    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        """The merged facts; None where nobody knows the number. Raises OutsideFailure when none answered."""
        return merged(await self.parts(caller_number), self.rule)

    async def parts(self, caller_number: str) -> list[Part]:
        """What each source told, in order."""
        asked = (self._ask(name, source, caller_number) for name, source in self.sources.items())
        return list(await asyncio.gather(*asked))

    async def _ask(self, name: str, source: Source, number: str) -> Part:
        try:
            async with asyncio.timeout(self.part_ms / 1000):
                return Part(name, await source.look_up(number))
        except TimeoutError:
            return Part(name, failure="timeout")
        except OutsideFailure as failure:
            return Part(name, failure=failure.reason)

    async def close(self) -> None:
        """Close every source."""
        for source in self.sources.values():
            await source.close()


def open_source(opening: Opening) -> Several:
    """The sources a table with `source = "several"` names. Raises SettingsError with every problem."""
    options = read_options(opening.place, opening.options, KEYS)
    sources: dict[str, Source] = {}
    problems: list[str] = []
    for name in options["of"]:
        try:
            sources[name] = opening.open_other(name)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return Several(sources, options["merge"], options["part_ms"])
