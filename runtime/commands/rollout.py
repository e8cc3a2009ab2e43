"""`vfc rollout`: how far a flow has gone live, and the steps a person may make."""

from __future__ import annotations

import asyncio
import csv
import getpass
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runtime.commands.base import Report, compiled, stop, with_store
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
    from runtime.gate.evidence import Call
    from runtime.gate.terms import GuardResult, Verdict
    from runtime.rollout.stages import Rollout
    from runtime.settings import Settings
    from runtime.store import Store
    from voiceflow_compiler.artifact import Artifact

rollout = typer.Typer(
    name="rollout", help="Let a flow go live by stages, each through the gate.", no_args_is_help=True
)

FlowArgument = Annotated[str, typer.Argument(help="A flow, its artifact, or its name.", metavar="FLOW")]
ByOption = Annotated[str, typer.Option("--by", help="Who decides; else who is logged in.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why: it is kept with the decision.")]
AtOption = Annotated[
    int | None,
    typer.Option("--at", help="Only from this version of the rollout: a command said twice acts once."),
]

Step = Callable[["Store", "Rollout | None"], Awaitable["Rollout"]]


@rollout.command()
def start(
    flow: Annotated[Path, typer.Argument(help="A flow or its artifact.", metavar="FLOW")],
    percent: Annotated[int, typer.Option("--percent", min=5, max=10, help="The share of the pilot.")] = 5,
    human: HumanRate = None,
    human_calls: HumanCalls = None,
    human_hits: HumanHits = None,
    margin: Margin = 0.8,
    alpha: Alpha = 0.05,
    power: Power = 0.8,
    expected: Expected = 1.0,
    looks: Looks = 5,
    spending: Spread = Spend.OBRIEN_FLEMING,
    by: ByOption = "",
    reason: ReasonOption = "",
    at: AtOption = None,
    settings: SettingsOption = None,
    form: FormatOption = Report.TEXT,
) -> None:
    """Begin a pilot: the terms of its gate are fixed here, before the first call."""
    need_statistics()
    from runtime.rollout.steps import begin

    artifact, chosen = compiled(flow), settings_of(settings)
    if not chosen.rollout.human_number:
        stop("rollout.human_number is missing: set VFC_HUMAN_NUMBER to the human line")
    if not artifact.suitability or not artifact.suitability.metric:
        stop("the gate needs suitability.conversion.metric in the flow")
    stated = artifact.suitability.human_baseline if human is None else human
    people = human_side(stated, human_calls, human_hits)
    plan = planned(
        people,
        margin=margin,
        alpha=alpha,
        power=power,
        expected=expected,
        looks=looks,
        spending=spending.value,
    )
    why = reason or f"a pilot of {plan.terms.calls} calls at most"

    async def step(store: Store, before: Rollout | None) -> Rollout:
        key = secrets.token_hex(16)
        made = _why(store, by, why)
        return begin(before, artifact.flow, artifact.content_hash, key, plan.terms, percent, made)

    _step(artifact.flow, chosen, step, at, form)


@rollout.command()
def advance(
    flow: Annotated[Path, typer.Argument(help="The flow or its artifact, as it is served.", metavar="FLOW")],
    by: ByOption = "gate",
    at: AtOption = None,
    settings: SettingsOption = None,
    form: FormatOption = Report.TEXT,
) -> None:
    """Ask the gate about this stage's own calls, and go on by one stage if it passes.

    Exit code 1: it did not.
    """
    need_statistics()
    from runtime.rollout.steps import Refused
    from runtime.rollout.steps import advance as advanced

    artifact, chosen = compiled(flow), settings_of(settings)
    told: list[Verdict] = []

    async def step(store: Store, before: Rollout | None) -> Rollout:
        state = _begun(before, artifact.flow)
        if state.artifact != artifact.content_hash:
            raise Refused(
                "the flow has changed since its rollout began: begin again with `vfc rollout start`"
            )
        verdict = _judged(state, artifact, chosen)
        told.append(verdict)
        words = "; ".join(verdict.reasons) or f"{verdict.ratio:.0%} of people, at least {verdict.low:.0%}"
        return advanced(state, verdict, _why(store, by, words))

    moved = _step(artifact.flow, chosen, step, at, form, told)
    if not moved or moved.decisions[-1].act != "advance":
        raise typer.Exit(1)


@rollout.command()
def hold(
    flow: FlowArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why: it is kept with the decision.")],
    by: ByOption = "",
    at: AtOption = None,
    settings: SettingsOption = None,
    form: FormatOption = Report.TEXT,
) -> None:
    """Let nothing advance until `resume`."""
    from runtime.rollout import steps

    _by_hand(flow, steps.hold, by, reason, at, settings, form)


@rollout.command()
def resume(
    flow: FlowArgument,
    reason: Annotated[str, typer.Option("--reason", help="What was done about it.")],
    by: ByOption = "",
    at: AtOption = None,
    settings: SettingsOption = None,
    form: FormatOption = Report.TEXT,
) -> None:
    """Let a held rollout go on; the guards count anew, the gate does not."""
    from runtime.rollout import steps

    _by_hand(flow, steps.resume, by, reason, at, settings, form)


@rollout.command()
def rollback(
    flow: FlowArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why: it is kept with the decision.")],
    by: ByOption = "",
    at: AtOption = None,
    settings: SettingsOption = None,
    form: FormatOption = Report.TEXT,
) -> None:
    """Go back by one stage and hold there; from the pilot, every caller goes to people."""
    from runtime.rollout import steps

    _by_hand(flow, steps.rollback, by, reason, at, settings, form)


@rollout.command()
def status(flow: FlowArgument, settings: SettingsOption = None, form: FormatOption = Report.TEXT) -> None:
    """Tell the stage, what holds it, its calls and its guards."""
    from runtime.rollout import report

    name, chosen = _name(flow), settings_of(settings)
    state = _known(name, chosen)
    found, guards = _seen(state, chosen)
    calls = len(found)
    show(form, report.status_value(state, calls, guards), report.status_text(state, calls, guards))


@rollout.command()
def history(flow: FlowArgument, settings: SettingsOption = None, form: FormatOption = Report.TEXT) -> None:
    """Tell every decision with its reason, oldest first."""
    from runtime.rollout import report

    name = _name(flow)
    state = _known(name, settings_of(settings))
    show(form, report.history_value(state), report.history_text(state))


@rollout.command()
def complaint(
    calls: Annotated[
        list[str] | None, typer.Argument(help="The calls that were complained about.", metavar="CALL...")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--csv", help="Take them from the column call_id of this file.", metavar="FILE"),
    ] = None,
    by: ByOption = "",
    settings: SettingsOption = None,
    form: FormatOption = Report.TEXT,
) -> None:
    """Note complaints about calls; the guard `complaints` counts them at its next look.

    A complaint noted twice counts once. Exit code 1: a call has no record here.
    """
    from runtime.gate.complaints import NoSuchCall, mark

    folder = settings_of(settings).records / "calls"
    told: dict[str, list[str]] = {"noted": [], "known": [], "unknown": []}
    for call_id in [*(calls or ()), *_column(file)]:
        try:
            fresh = mark(folder, call_id, by=by or getpass.getuser(), at_ms=int(time.time() * 1000))
            told["noted" if fresh else "known"].append(call_id)
        except NoSuchCall:
            told["unknown"].append(call_id)
        except OSError as error:
            stop(f"{folder}: {(error.strerror or 'cannot be written').lower()}")
    words = f"{len(told['noted'])} complaints noted, {len(told['known'])} known already"
    lines = [words, *(f"{call_id}: no record of such a call is here" for call_id in told["unknown"])]
    show(form, {"version": 1, **told}, "\n".join(lines))
    raise typer.Exit(int(bool(told["unknown"])))


def _column(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
    except OSError as error:
        stop(f"{file}: {(error.strerror or 'cannot be read').lower()}")
    except (UnicodeError, csv.Error):
        stop(f"{file}: this cannot be read as CSV")
    if not rows or "call_id" not in rows[0]:
        stop(f"{file}: there is no column call_id, or nothing below it")
    return [str(row["call_id"]).strip() for row in rows]


def _by_hand(
    flow: str,
    made: Callable[..., Rollout],
    by: str,
    reason: str,
    at: int | None,
    settings: Path | None,
    form: Report,
) -> None:
    name = _name(flow)

    async def step(store: Store, before: Rollout | None) -> Rollout:
        return made(_begun(before, name), _why(store, by, reason))

    _step(name, settings_of(settings), step, at, form)


def _step(
    flow: str, settings: Settings, step: Step, at: int | None, form: Report, told: Sequence[Verdict] = ()
) -> Rollout | None:
    """Make a step and tell it, with the verdict it rests on. None when nothing was decided.

    A refusal ends the command with 1.
    """
    from runtime.gate.report import verdict_text
    from runtime.rollout import report
    from runtime.rollout.keep import Overtaken
    from runtime.rollout.steps import Refused

    try:
        state, decided = asyncio.run(with_store(settings, lambda store: _made(store, flow, step, at)))
    except (Refused, Overtaken) as refused:
        words = str(refused) or "somebody else decided meanwhile: look at `vfc rollout status`"
        show(form, report.refusal_value(flow, words), f"{flow}: {words}")
        raise typer.Exit(1) from None
    verdicts = [verdict_text("", verdict) for verdict in told]
    text = "\n".join([*verdicts, report.step_text(state, decided=decided)])
    show(form, report.step_value(state, told, decided=decided), text)
    return state if decided else None


async def _made(store: Store, flow: str, step: Step, at: int | None) -> tuple[Rollout, bool]:
    from runtime.rollout.keep import Overtaken, read, write

    before = await read(store, flow)
    if at is not None and at != (before.version if before else 0):
        raise Overtaken
    after = await step(store, before)
    return after, await write(store, before, after)


def _known(flow: str, settings: Settings) -> Rollout:
    """How far a flow is; without a rollout the command ends."""
    from runtime.rollout.keep import read

    state = asyncio.run(with_store(settings, lambda store: read(store, flow)))
    return state or stop(f"no rollout of {flow} was begun: `vfc rollout start`")


def _judged(state: Rollout, artifact: Artifact, settings: Settings) -> Verdict:
    from runtime.gate.evidence import count
    from runtime.gate.verdict import judge

    calls, guards = _seen(state, settings)
    return judge(state.terms, state.looks, count(calls, _metric(artifact)), guards)


def _seen(state: Rollout, settings: Settings) -> tuple[list[Call], tuple[GuardResult, ...]]:
    """The calls of a rollout's stage, and what the guards make of them."""
    from runtime.gate.guards import limits_of
    from runtime.rollout.watch import guard_results, records_of, stage_calls

    records = records_of(settings.records, state.flow, settings.rollout)
    return stage_calls(records, state), guard_results(records, state, limits_of(settings.rollout))


def _metric(artifact: Artifact) -> str:
    return artifact.suitability.metric or "" if artifact.suitability else ""


def _name(flow: str) -> str:
    """The name of a flow that is given by its file or by its name."""
    return compiled(Path(flow)).flow if Path(flow).exists() else flow


def _begun(state: Rollout | None, flow: str) -> Rollout:
    from runtime.rollout.steps import Refused

    if state is None:
        raise Refused(f"no rollout was begun: `vfc rollout start {flow}`")
    return state


def _why(store: Store, by: str, reason: str) -> Any:
    from runtime.rollout.steps import Why

    return Why(store.clock(), by or getpass.getuser(), reason)
