"""What a fact source is opened with, what it promises, and how one caller's record is told from another's."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from runtime.numbers import normalise
from runtime.outbound import Path as JsonPath
from runtime.outbound import Reach
from runtime.ports import FactSource, OutsideFailure
from runtime.settings.keys import Key, read_optional

COUNTRY_CODE: Final = Key(
    "country_code", None, read_optional, "the country of numbers written without one, such as 1", ""
)


class Source(FactSource, Protocol):
    """A fact source that is open."""

    async def close(self) -> None:
        """Let go of every connection."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """One source's table of the settings: its place in them (`facts.crm`), its options, what paths are
    relative to, where secrets are, where requests may go, and how to open another source by its name.
    """

    place: str
    options: Mapping[str, Any] = field(repr=False)
    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    reach: Reach
    open_other: Callable[[str], Source]


OpenSource = Callable[[Opening], Source]


def one_record(
    found: Any, number: str, number_paths: Sequence[JsonPath], country_code: str
) -> Mapping[str, Any] | None:
    """The one record of this caller among those a system answered with; None where it answered with none.

    A record whose own number is another's is not the caller's, and two records are nobody's: both raise
    OutsideFailure("ambiguous"), since whose facts to read aloud cannot be known.
    """
    records = [] if found is None else list(found) if isinstance(found, list) else [found]
    if not all(isinstance(record, dict) for record in records):
        raise OutsideFailure("bad_answer")
    if not records:
        return None
    mine = [record for record in records if _is_of(record, number, number_paths, country_code)]
    if len(mine) != 1:
        raise OutsideFailure("ambiguous")
    one: Mapping[str, Any] = mine[0]
    return one


def _is_of(record: Any, number: str, number_paths: Sequence[JsonPath], country_code: str) -> bool:
    written = [path.find(record) for path in number_paths]
    return not number_paths or any(
        isinstance(text, str) and normalise(text, country_code) == number for text in written
    )


def facts_in(record: Mapping[str, Any], paths: Mapping[str, JsonPath]) -> dict[str, Any]:
    """The facts of a record by their paths; without paths, its own plain fields."""
    found = {name: path.find(record) for name, path in paths.items()} if paths else dict(record)
    return {name: value for name, value in found.items() if isinstance(value, str | int | float | bool)}


@dataclass(frozen=True, slots=True)
class Part:
    """What one of several sources told: its facts, None for an unknown caller, or why it told nothing."""

    name: str
    facts: Mapping[str, Any] | None = field(default=None, repr=False)
    failure: str = ""


def merge(parts: Iterable[Part], rule: str) -> dict[str, str]:
    """Which part each fact is taken from. first: all from the first that knows the caller; fill: each from
    the first that has it.
    """
    origin: dict[str, str] = {}
    for part in parts:
        for name in part.facts or ():
            origin.setdefault(name, part.name)
        if part.facts is not None and rule == "first":
            break
    return origin


def merged(parts: Sequence[Part], rule: str) -> Mapping[str, Any] | None:
    """The facts of all parts under a rule; None where nobody knows the caller.

    Raises OutsideFailure when no part answered, and when the first that matters cannot say whose facts they
    are.
    """
    if all(part.failure for part in parts):
        raise OutsideFailure(next((part.failure for part in parts), "no_source"))
    if all(part.facts is None for part in parts):
        return None
    by_name = {part.name: part.facts or {} for part in parts}
    return {name: by_name[source][name] for name, source in merge(parts, rule).items()}
