"""The state of a rollout and its decisions, in words and as plain values. The key is never told."""

import datetime
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import to_builtins

from runtime.gate.terms import GuardResult, Verdict
from runtime.rollout.stages import Decision, Rollout, Stage

FORMAT_VERSION: Final = 1
_STATES: Final = {"holds": "holds", "breaks": "BREAKS", "too_few": "too few"}


def status_value(state: Rollout, calls: int, guards: Sequence[GuardResult]) -> dict[str, Any]:
    """Where a rollout stands. `calls`: those of its stage."""
    return {**_value(state), "calls": calls, "looks": to_builtins(state.looks), "guards": to_builtins(guards)}


def status_text(state: Rollout, calls: int, guards: Sequence[GuardResult]) -> str:
    """Where a rollout stands, for a person."""
    lines = [_standing(state), f"  since      {_at(state.since_ms)}"]
    lines.append(
        f"  calls      {calls} at this stage, of {state.terms.calls} at most; {len(state.looks)} looks"
    )
    lines += [f"  {_STATES[guard.state]:<10} {guard.name}: {guard.reason}" for guard in guards]
    return "\n".join(lines)


def history_value(state: Rollout) -> dict[str, Any]:
    """Every decision, oldest first."""
    return {**_value(state), "decisions": to_builtins(state.decisions)}


def history_text(state: Rollout) -> str:
    """Every decision, oldest first, for a person."""
    return "\n".join(line for decision in state.decisions for line in _decision(decision))


def step_value(state: Rollout, verdicts: Sequence[Verdict] = (), *, decided: bool) -> dict[str, Any]:
    """What came of a step. `decided` is null when there was nothing to decide."""
    made = to_builtins(state.decisions[-1]) if decided else None
    return {**_value(state), "decided": made, "verdicts": to_builtins(verdicts)}


def refusal_value(flow: str, words: str) -> dict[str, Any]:
    """A step that was not made, and why."""
    return {"version": FORMAT_VERSION, "flow": flow, "decided": None, "refused": words}


def step_text(state: Rollout, *, decided: bool) -> str:
    """What came of a step, for a person."""
    return _standing(state) if decided else f"{_standing(state)}; nothing was decided"


def _value(state: Rollout) -> dict[str, Any]:
    return {
        "version": FORMAT_VERSION,
        "flow": state.flow,
        "rollout": state.version,
        "stage": state.stage,
        "percent": state.percent,
        "held": state.held,
        "artifact": state.artifact,
        "since": _at(state.since_ms),
    }


def _standing(state: Rollout) -> str:
    held = f", held: {state.held}" if state.held is not None else ""
    return f"{state.flow}: {_stage(state.stage, state.percent)}{held} (version {state.version})"


def _stage(stage: Stage, percent: int) -> str:
    match stage:
        case "off":
            return "off, every caller goes to people"
        case "pilot":
            return f"pilot, {percent} % of the callers"
        case _:
            return f"{percent} % of the callers"


def _decision(made: Decision) -> Iterator[str]:
    stages = made.after if made.before == made.after else f"{made.before} -> {made.after}"
    yield f"{made.version:>3}  {_at(made.at_ms)}  {made.act:<8} {stages:<14} by {made.by}: {made.reason}"


def _at(at_ms: int) -> str:
    return datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
