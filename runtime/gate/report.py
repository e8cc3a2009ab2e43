"""Plans and verdicts in words and as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from msgspec import to_builtins

from runtime.gate.terms import Human, Terms, Verdict

if TYPE_CHECKING:
    from runtime.gate.plan import Plan

FORMAT_VERSION: Final = 1
_WORDS: Final = {"passed": "PASSED", "not_yet": "NOT YET", "failed": "FAILED"}
_STATES: Final = {"holds": "holds", "breaks": "BREAKS", "too_few": "too few"}
_SPENDING: Final = {"obrien_fleming": "O'Brien-Fleming", "pocock": "Pocock"}


def plan_value(plan: Plan) -> dict[str, Any]:
    """A plan as plain values."""
    due = [plan.terms.due(look) for look in range(1, plan.terms.looks + 1)]
    return {"version": FORMAT_VERSION, **to_builtins(plan), "looks_at": due}


def verdict_value(metric: str, verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain values."""
    return {"version": FORMAT_VERSION, "metric": metric, **to_builtins(verdict)}


def plan_text(plan: Plan) -> str:
    """A plan for a person."""
    terms = plan.terms
    due = ", ".join(str(terms.due(look)) for look in range(1, terms.looks + 1))
    sure = f"with {1 - terms.alpha:.0%} confidence, all looks together ({_SPENDING[terms.spending]} spending)"
    right = f"passes {plan.power:.0%} of the time, after {plan.usual} calls on average"
    return "\n".join(
        [
            f"{terms.calls} calls at most, looked at after {due}",
            f"  people: {_human(terms.human)}",
            f"  to show: at least {terms.margin:.0%} of that, {sure}",
            f"  an assistant at {plan.expected:.0%} of people {right}",
            f"  with one look at the end alone: {plan.once} calls",
        ]
    )


def verdict_text(metric: str, verdict: Verdict) -> str:
    """A verdict for a person."""
    return "\n".join(_lines(metric, verdict))


def _lines(metric: str, verdict: Verdict) -> Iterator[str]:
    terms, counts = verdict.terms, verdict.counts
    name = f" on {metric}" if metric else ""
    yield f"{_WORDS[verdict.standing]}: {terms.margin:.0%} of people{name}"
    if counts.calls:
        yield f"  assistant  {counts.hits} of {counts.calls} calls ({counts.hits / counts.calls:.1%})"
    yield f"  people     {_human(terms.human)}"
    if verdict.ratio is not None:
        yield f"  share      {verdict.ratio:.1%} of people, between {verdict.low:.1%} and {verdict.high:.1%}"
    yield from _looks(terms, verdict)
    for guard in verdict.guards:
        yield f"  {_STATES[guard.state]:<10} {guard.name}: {guard.reason}"
    for reason in verdict.reasons:
        yield f"  because    {reason}"


def _looks(terms: Terms, verdict: Verdict) -> Iterator[str]:
    for number, look in enumerate(verdict.looks, 1):
        said = "shown" if look.passed else "not shown"
        tested = f"p {look.p_value:.4f}, needed {look.level:.4f}: {said}"
        spent = f"({look.spent:.4f} of {terms.spendable:.4f} spent)"
        yield f"  look {number}     {look.hits} of {look.calls}: {tested} {spent}"
    if verdict.next_look is not None:
        yield f"  next look  with {verdict.next_look} calls, of {terms.calls} at most"


def _human(human: Human) -> str:
    if human.calls is None:
        return f"{human.rate:.1%}, taken as known (no number of calls was given)"
    return f"{human.hits} of {human.calls} calls ({human.rate:.1%})"
