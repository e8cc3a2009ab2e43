"""`vfc gate`: whether the assistant does well enough beside people, and how many calls it takes to know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.base import Report, compiled, stop, write
from runtime.commands.gating import (
    Alpha,
    Expected,
    FormatOption,
    HumanCalls,
    HumanHits,
    HumanRate,
    Looks,
    Margin,
    Power,
    SettingsOption,
    Spend,
    Spread,
    human_side,
    need_statistics,
    planned,
    settings_of,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.gate.plan import Plan
    from runtime.gate.terms import Counts, GuardResult, Look, Terms, Verdict
    from voiceflow_compiler.artifact import Artifact

PLAN = "plan"


def gate(
    flow: Annotated[
        str | None, typer.Argument(help="A flow or its artifact; `plan` only plans.", metavar="[FLOW|plan]")
    ] = None,
    whose: Annotated[Path | None, typer.Argument(help="After `plan`: a flow.", metavar="[FLOW]")] = None,
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
    spending: Spread = Spend.OBRIEN_FLEMING,
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", help="Keeps terms and looks; with --records in its gate/.", metavar="FILE"),
    ] = None,
    settings: SettingsOption = None,
    form: FormatOption = Report.TEXT,
) -> None:
    """Compare the assistant with people on the flow's primary metric, or plan how many calls that takes.

    Passes when the margin is shown with the stated confidence, all looks together, and no guard breaks. Exit
    codes: 0 passed, 1 not yet or failed, 2 could not run.
    """
    need_statistics()
    path = whose if flow == PLAN else Path(flow) if flow else None
    artifact = compiled(path) if path else None
    about = artifact.suitability if artifact else None

    def plan() -> Plan:
        stated = about.human_baseline if about and human is None else human
        return planned(
            human_side(stated, human_calls, human_hits),
            margin=margin,
            alpha=alpha,
            power=power,
            expected=expected,
            looks=looks,
            spending=spending.value,
        )

    if flow == PLAN:
        _tell_plan(plan(), form)
        return
    metric = about.metric or "" if about else ""
    counts, guards = _counted(artifact, metric, records, calls, hits, settings)
    kept = ledger or (_place(records, artifact) if records else None)
    verdict = _judged(kept, plan, counts, guards)
    _tell(metric, verdict, form)
    raise typer.Exit(0 if verdict.standing == "passed" else 1)


def _tell_plan(plan: Plan, form: Report) -> None:
    from runtime.gate import report

    show(form, report.plan_value(plan), report.plan_text(plan))


def _tell(metric: str, verdict: Verdict, form: Report) -> None:
    from runtime.gate import report

    show(form, report.verdict_value(metric, verdict), report.verdict_text(metric, verdict))


def _judged(
    kept: Path | None, plan: Callable[[], Plan], counts: Counts, guards: tuple[GuardResult, ...]
) -> Verdict:
    """The verdict by the terms and after the looks of the ledger; the first look makes the ledger."""
    from runtime.gate.verdict import judge

    terms, taken = _read(kept) or (plan().terms, ())
    verdict = judge(terms, taken, counts, guards)
    if kept and verdict.looks != taken:
        _keep(kept, terms, verdict.looks)
    return verdict


def _counted(
    artifact: Artifact | None,
    metric: str,
    records: Path | None,
    calls: int | None,
    hits: int | None,
    settings: Path | None,
) -> tuple[Counts, tuple[GuardResult, ...]]:
    """The assistant's side: counts as given, or from records with the guards."""
    from runtime.gate.evidence import Records, count
    from runtime.gate.guards import limits_of, look
    from runtime.gate.terms import Counts

    if records is None:
        if calls is None or hits is None or hits > calls:
            stop("give the assistant's calls: --records DIR, or --calls and --hits (no more hits than calls)")
        return Counts(calls, hits), ()
    if artifact is None or not metric:
        stop("records are counted by a flow's metric: give the flow, with suitability.conversion.metric")
    if not records.is_dir():
        stop(f"{records}: there is no such folder")
    chosen = settings_of(settings).rollout
    kept = Records(records, artifact.flow, complaints=chosen.complaint_intents)
    found = kept.calls(artifact=artifact.content_hash)
    return count(found, metric), look(found, limits_of(chosen))


def _place(records: Path, artifact: Artifact | None) -> Path | None:
    """Where looks at these records are kept: one file for each version of a flow."""
    return records / "gate" / f"{artifact.flow}-{artifact.content_hash[:12]}.json" if artifact else None


def _read(path: Path | None) -> tuple[Terms, tuple[Look, ...]] | None:
    import msgspec

    from runtime.gate.terms import Look, Terms

    if path is None or not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Terms, tuple[Look, ...]])
    except (OSError, msgspec.MsgspecError, RecursionError):
        stop(f"{path}: this is no ledger of a gate")


def _keep(path: Path, terms: Terms, looks: tuple[Look, ...]) -> None:
    import msgspec

    write(path, msgspec.json.format(msgspec.json.encode((terms, looks))).decode() + "\n")
