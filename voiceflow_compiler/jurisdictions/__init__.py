"""What the law of a place asks of a call, as facts with their sources, dates and certainty. Not legal advice.

`packs.json` is the data; which of its duties a flow is held to is a rule's `asks` (checked as errors) and
`advises` (as warnings). A rule with neither is shown and checked by nobody: it binds outbound calls, or
something else than calls.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import fill
from typing import Any, Final

NOT_ADVICE: Final = "not legal advice"


@dataclass(frozen=True, slots=True)
class Rule:
    """One law, ruling or contract. `certainty` says how sure these notes are of it, and why."""

    id: str
    title: str
    applies_to: tuple[str, ...]
    status: str
    trigger: str
    requires: tuple[str, ...]
    timing: str
    wording: str
    certainty: str
    sources: tuple[str, ...]
    notes: str = ""
    asks: tuple[str, ...] = ()
    advises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of one place."""

    key: str
    name: str
    rules: tuple[Rule, ...]


@cache
def packs() -> Mapping[str, Pack]:
    """Every pack by its key, such as `us-ut` or `eu`."""
    written = _facts()["packs"]
    return {
        key: Pack(key, pack["name"], tuple(_rule(rule) for rule in pack["rules"]))
        for key, pack in written.items()
    }


def held_to(keys: tuple[str, ...], duty: str, *, advised: bool) -> list[tuple[Pack, Rule]]:
    """The rules of these packs that ask for a duty, or advise it, with the pack each is from."""
    return [
        (pack, rule)
        for key in dict.fromkeys(keys)
        if (pack := packs().get(key)) is not None
        for rule in pack.rules
        if duty in (rule.advises if advised else rule.asks)
    ]


def page(pack: Pack) -> str:
    """What a pack says, for a reader: every rule with its status, certainty and sources."""
    parts = [f"{pack.key}: {pack.name}", fill(disclaimer(), 100)]
    for rule in pack.rules:
        lines = [
            rule.title,
            f"  applies to: {', '.join(rule.applies_to)}",
            f"  status: {rule.status}",
            f"  when: {rule.trigger}",
            *(f"  requires: {each}" for each in rule.requires),
            f"  timing: {rule.timing}; wording: {rule.wording}",
            f"  certainty: {rule.certainty}",
            *([f"  note: {rule.notes}"] if rule.notes else []),
            f"  sources: {'; '.join(rule.sources)}",
            f"  checked here: {', '.join((*rule.asks, *rule.advises)) or 'nothing'}".replace("_", " "),
        ]
        parts.append("\n".join(fill(line, 100, subsequent_indent="    ") for line in lines))
    return "\n\n".join(parts)


def disclaimer() -> str:
    """What is said wherever these notes are shown."""
    facts = _facts()
    return f"{facts['disclaimer']} (gathered {facts['gathered']})"


@cache
def _facts() -> Any:
    return json.loads((Path(__file__).parent / "packs.json").read_text(encoding="utf-8"))


def _rule(written: Mapping[str, Any]) -> Rule:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in written.items()
    }
    return Rule(**fields)
