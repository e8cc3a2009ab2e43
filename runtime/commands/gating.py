"""What `vfc gate` and `vfc rollout` share: options, people's side of a comparison, its terms, telling."""

from __future__ import annotations

import importlib.util
import json
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from runtime.commands.base import Report, stop
from voiceflow_compiler.extras import missing

if TYPE_CHECKING:
    from runtime.gate.plan import Plan
    from runtime.gate.terms import Human, Spending
    from runtime.settings import Settings


class Spend(StrEnum):
    """How the chance of a wrong pass is spread over the looks."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"


Margin = Annotated[float, typer.Option("--margin", min=0.01, max=2, help="The share of people to show.")]
Alpha = Annotated[float, typer.Option("--alpha", min=0.001, max=0.2, help="How often it may pass wrongly.")]
Power = Annotated[float, typer.Option("--power", min=0.5, max=0.99, help="How often it is to pass rightly.")]
Expected = Annotated[
    float, typer.Option("--expected", min=0.1, max=3, help="The share of people it is expected to reach.")
]
Looks = Annotated[int, typer.Option("--looks", min=1, max=10, help="How often the plan looks.")]
Spread = Annotated[Spend, typer.Option("--spending", help="How wrong passes are spread over the looks.")]
HumanRate = Annotated[float | None, typer.Option("--human", min=0, max=1, help="What people reach, 0 to 1.")]
HumanCalls = Annotated[int | None, typer.Option("--human-calls", min=1, help="How many calls say so.")]
HumanHits = Annotated[int | None, typer.Option("--human-hits", min=0, help="How many of them reached it.")]
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", help="The settings file (vfc.toml).", metavar="FILE")
]
FormatOption = Annotated[Report, typer.Option("--format", help="How it is told.")]

# A key, an address and a token are for serving; a command that only looks may go without.
_UNNEEDED: Final = {
    "telephony.insecure": True,
    "listen.host": "127.0.0.1",
    "public_url": "http://127.0.0.1",
    "model.base_url": "http://127.0.0.1/v1",
}


def settings_of(file: Path | None) -> Settings:
    """The settings of a file (None: `vfc.toml` here) and the environment; what is wrong ends the command."""
    from runtime.settings import load
    from runtime.settings.keys import SettingsError

    try:
        return load(file, os.environ, _UNNEEDED)
    except SettingsError as error:
        stop(*error.problems)


def need_statistics() -> None:
    """End the command where the statistics are not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("scipy", "statsmodels")):
        stop(missing("the gate's statistics are not installed", "stats"))


def human_side(rate: float | None, calls: int | None, hits: int | None) -> Human:
    """People's side: a rate, with or without its number of calls, or the counts themselves."""
    from runtime.gate.terms import Human

    if hits is not None:
        if calls is None or hits > calls:
            stop("--human-hits needs --human-calls, and no more hits than calls")
        rate = hits / calls
    if rate is None:
        stop("what people reach is not known: write suitability.conversion.human_baseline, or give --human")
    return Human(rate, calls)


def planned(
    human: Human,
    *,
    margin: float,
    alpha: float,
    power: float,
    expected: float,
    looks: int,
    spending: Spending,
) -> Plan:
    """The plan of these terms; what cannot be planned ends the command."""
    from runtime.gate.plan import TooFewHumanCalls, plan

    try:
        return plan(
            human,
            expected=expected,
            power=power,
            margin=margin,
            alpha=alpha,
            looks=looks,
            spending=spending,
        )
    except TooFewHumanCalls as few:
        needed = f": about {few.needed} would do" if few.needed else ""
        stop(f"people's rate rests on too few calls to show this{needed}; give more, or plan with less power")
    except ValueError as wrong:
        stop(f"this cannot be planned: {wrong}")


def show(form: Report, value: dict[str, Any], text: str) -> None:
    """Tell it to a person or a program."""
    print(json.dumps(value, indent=2, ensure_ascii=False) if form is Report.JSON else text)
