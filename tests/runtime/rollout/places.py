"""Rollouts, verdicts and guards for tests to put together."""

from msgspec.structs import replace

from runtime.gate.terms import Counts, GuardResult, Human, Look, Standing, Terms, Verdict
from runtime.rollout.stages import Rollout
from runtime.rollout.steps import Why, begin

TERMS = Terms(Human(0.34), 284)
FLOW, ARTIFACT, KEY = "lead-qualification", "c" * 64, "k" * 32


def why(at_ms: int = 1000, reason: str = "because", by: str = "ada") -> Why:
    return Why(at_ms, by, reason)


def begun() -> Rollout:
    """A rollout at its pilot."""
    return begin(None, FLOW, ARTIFACT, KEY, TERMS, 5, why())


def verdict(state: Rollout, standing: Standing = "passed") -> Verdict:
    """A verdict after one more look at this stage."""
    calls = state.looks[-1].calls + 57 if state.looks else 57
    look = Look(calls, calls // 2, 0.01, 0.01, 0.001 if standing == "passed" else 0.5)
    looks = (*state.looks, look)
    counts = Counts(look.calls, look.hits)
    reasons = () if standing == "passed" else ("conversion: not shown",)
    return Verdict(standing, reasons, counts, state.terms, looks, None, 1.0, 0.9, 1.1)


def guard(name: str = "latency_p95_ms", act: str = "hold", *, state: str = "breaks") -> GuardResult:
    made = GuardResult(name, "breaks", 3000, 2000, 40, "hold", "too slow")
    return replace(made, state=state, act=act)
