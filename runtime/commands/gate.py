"""`vfc gate`: whether the assistant does well enough beside people, and how many calls it takes to know."""

from __future__ import annotations

import importlib.util
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from runtime.commands.base import compiled, stop, write
from runtime.commands.settings import settings_of

if TYPE_CHECKING:
    from runtime.gate.plan import Plan
    from runtime.gate.terms import Counts, GuardResult, Human, Look, Terms, Verdict

FORMAT_VERSION: Final = 1


class Report(StrEnum):
    """How it is told."""

    TEXT = "text"
    JSON = "json"


class Spend(StrEnum):
    """How the chance of a wrong pass is spread over the looks."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"


Margin = Annotated[float, typer.Option("--margin", min=0.01, max=2, help="The share of the human rate to show.")]
Alpha = Annotated[float, typer.Option("--alpha", min=0.001, max=0.2, help="How often it may pass wrongly.")]
Power = Annotated[float, typer.Option("--power", min=0.5, max=0.99, help="How often it passes when it should.")]
Expected = Annotated[
    float, typer.Option("--expected", min=0.1, max=3, help="The share it is expected to reach, for the plan.")
]
Looks = Annotated[int, typer.Option("--looks", min=1, max=10, help="How often the plan looks.")]
Spending = Annotated[Spend, typer.Option("--spending", help="How wrong passes are spread over the looks.")]
HumanRate = Annotated[float | None, typer.Option("--human", min=0, max=1, help="What people reach, 0 to 1.")]
HumanCalls = Annotated[int | None, typer.Option("--human-calls", min=1, help="How many calls say so.")]
HumanHits = Annotated[int | None, typer.Option("--human-hits", min=0, help="How many of them reached it.")]
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", help="The settings file (vfc.toml).", metavar="FILE")
]
FormatOption = Annotated[Report, typer.Option("--format", help="How it is told.")]


def gate(
    flow: Annotated[str, typer.Argument(help="A flow or its artifact; `plan` only plans.", metavar="FLOW|plan")],
    planned: Annotated[Path | None, typer.Argument(help="With `plan`: whose.", metavar="[FLOW]")] = None,
    records: Annotated[
        Path | None, typer.Option("--records", help="Count the call records here.", metavar="DIR")
    ] = None,
    calls: Annotated[int | None, typer.Option("--calls", min=0, help="The assistant's calls.")] = None,
    hits: Annotated[int | None, typer.Option("--hits", min=0, help="How many reached the metric.")] = None,
    human: HumanRate = None,
    human_calls: HumanCalls = None,
    human_hits: HumanHits = None,
    margin: Margin = 0.8,
    alpha: Alpha = 0.05,
    power: Power = 0.8,
    expected: Expected = 1.0,
    looks: Looks = 5,
    spending: Spending = Spend.OBRIEN_FLEMING,
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", help="Keeps the terms and the looks; DIR/gate/ with --records.", metavar="FILE"),
    ] = None,
    settings: SettingsOption = None,
    form: FormatOption = Report.TEXT,
) -> None:
    """Compare the assistant with people on the flow's primary metric.

    Passes when the assistant reaches the margin with the stated confidence, all looks together, and no guard
    breaks. Exit codes: 0 passed, 1 not yet or failed, 2 could not run.
    """
    need_statistics()
    only_plan = flow == "plan"
    path = planned if only_plan else Path(flow)
    metric, baseline = _metric(path) if path else ("", None)
    people = human_side(human if human is not None else baseline, human_calls, human_hits)
    terms_of = lambda: planned_terms(people, margin, alpha, power, expected, looks, spending.value)  # noqa: E731
    if only_plan:
        show(form, _plan_told(terms_of()), plan_text(terms_of()))
        return
    kept = ledger or (records / "gate" / f"{path.parent.name if path else ''}.json" if records else None)
    terms, taken = _kept(kept) or (terms_of().terms, ())
    counts, guards = _counted(path, metric, records, calls, hits, settings)
    from runtime.gate.verdict import judge

    if counts.hits > counts.calls:
        stop("--hits is more than --calls")
    verdict = judge(terms, taken, counts, guards)
    if kept and verdict.looks != taken:
        _keep(kept, terms, verdict.looks)
    show(form, told(metric, verdict), text(metric, verdict))
    raise typer.Exit(0 if verdict.standing == "passed" else 1)
