"""The steps of a rollout: pure functions from one state to the next, or a refusal in words.

1. The share grows by `advance` alone, one stage at a time, on a verdict that passed over its own calls.
2. A broken guard holds or rolls back; what it held stays held until a person says `resume`.
3. A step that was made leaves nothing for the same evidence to do again: the new stage begins without calls.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec import to_builtins
from msgspec.structs import replace

from runtime.gate.terms import GuardResult, Terms, Verdict
from runtime.rollout.stages import (
    PILOT_PERCENT,
    STAGES,
    Act,
    Decision,
    Rollout,
    Stage,
    next_stage,
    stage_before,
)


class Refused(Exception):
    """A step that may not be made now. The text says why, for whoever asked."""


@dataclass(frozen=True, slots=True)
class Why:
    """When, by whom and for what reason something is decided."""

    at_ms: int
    by: str
    reason: str


def begin(
    before: Rollout | None, flow: str, artifact: str, key: str, terms: Terms, pilot_percent: int, why: Why
) -> Rollout:
    """Begin a rollout at the pilot, also again after one that failed or with a new version of the flow."""
    least, most = PILOT_PERCENT
    if not least <= pilot_percent <= most:
        raise Refused(f"a pilot takes {least} to {most} percent of the callers")
    if before and before.stage != "off" and before.artifact == artifact and not _used_up(before):
        raise Refused(f"{flow} is at stage {before.stage} already")
    fresh = Rollout(
        flow=flow,
        artifact=artifact,
        key=before.key if before else key,
        stage="pilot",
        pilot_percent=pilot_percent,
        since_ms=why.at_ms,
        guarded_ms=why.at_ms,
        begun_ms=why.at_ms,
        terms=terms,
        decisions=before.decisions if before else (),
    )
    return _decided(fresh, "start", before.stage if before else "off", why, {"artifact": artifact})


def _used_up(state: Rollout) -> bool:
    return bool(state.looks) and not state.looks[-1].passed and state.looks[-1].calls >= state.terms.calls


def advance(state: Rollout, verdict: Verdict, why: Why) -> Rollout:
    """Go on by one stage when the gate passed; otherwise keep the looks it took. Raises Refused."""
    if state.held is not None:
        raise Refused(f"held: {state.held}")
    if state.stage == "100":
        raise Refused("the assistant takes every call already")
    if state.stage == "off":
        raise Refused("off: nobody has called the assistant since; begin again with `vfc rollout start`")
    if verdict.looks[: len(state.looks)] != state.looks:
        raise Refused("the verdict is about another stage")
    seen = replace(state, looks=verdict.looks)
    if verdict.standing == "passed":
        return _moved(seen, "advance", next_stage(state.stage) or "100", why, _evidence(verdict))
    if seen.looks == state.looks:
        return state  # nothing was looked at: nothing is spent, and there is nothing to write
    return _decided(seen, "look", state.stage, why, _evidence(verdict))


def hold(state: Rollout, why: Why) -> Rollout:
    """Let nothing advance. Holding what is held changes nothing."""
    if state.held is not None:
        return state
    return _decided(replace(state, held=why.reason), "hold", state.stage, why, {})


def resume(state: Rollout, why: Why) -> Rollout:
    """Let the stage go on; the guards count anew, since what broke them has been dealt with.

    The gate goes on counting: a hold must not be a way to new looks.
    """
    if state.held is None:
        return state
    free = replace(state, held=None, guarded_ms=why.at_ms)
    return _decided(free, "resume", state.stage, why, {})


def rollback(state: Rollout, why: Why) -> Rollout:
    """Go back by one stage and hold there. Raises Refused when there is nothing to go back from."""
    if state.stage == "off":
        raise Refused("off: every caller goes to people already")
    return _moved(replace(state, held=why.reason), "rollback", stage_before(state.stage), why, {})


def guarded(state: Rollout, guards: Iterable[GuardResult], at_ms: int) -> Rollout:
    """What broken guards lead to: the worst of them acts. None broken, or held for it already: no change."""
    broken = [guard for guard in guards if guard.state == "breaks"]
    if not broken or state.stage == "off":
        return state
    worst = max(broken, key=lambda guard: _WORSE[guard.act])
    if worst.act == "hold" and state.held is not None:
        return state
    why = Why(at_ms, "guard", "; ".join(f"{guard.name}: {guard.reason}" for guard in broken))
    return _with_evidence(_ACTS[worst.act](state, why), {"guards": to_builtins(broken)})


_WORSE: Final = {"hold": 0, "rollback": 1}
_ACTS: Final[Mapping[str, Callable[[Rollout, Why], Rollout]]] = {"hold": hold, "rollback": rollback}


def _moved(state: Rollout, act: Act, stage: Stage, why: Why, evidence: dict[str, Any]) -> Rollout:
    assert abs(STAGES.index(stage) - STAGES.index(state.stage)) == 1
    fresh = replace(state, stage=stage, since_ms=why.at_ms, guarded_ms=why.at_ms, looks=())
    return _decided(fresh, act, state.stage, why, evidence)


def _decided(state: Rollout, act: Act, before: Stage, why: Why, evidence: dict[str, Any]) -> Rollout:
    made = Decision(state.version + 1, why.at_ms, act, before, state.stage, why.by, why.reason, evidence)
    return replace(state, decisions=(*state.decisions, made))


def _with_evidence(state: Rollout, evidence: dict[str, Any]) -> Rollout:
    last = replace(state.decisions[-1], evidence=evidence)
    return replace(state, decisions=(*state.decisions[:-1], last))


def _evidence(verdict: Verdict) -> dict[str, Any]:
    told: dict[str, Any] = to_builtins(verdict)
    return {name: told[name] for name in ("standing", "reasons", "counts", "ratio", "low", "high", "looks")}
