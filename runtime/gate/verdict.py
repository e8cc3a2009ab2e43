"""The gate's verdict: passed, not yet, or failed, with the names of what is missing.

1. A look is taken only when its calls are there; between looks the last answer stands.
2. What a look has spent of alpha stays spent: the looks so far are part of the next verdict's input.
3. A pass stays a pass; only a broken guard stands in its way.
"""

from collections.abc import Sequence

from runtime.gate.bounds import levels
from runtime.gate.ratio import p_value, show
from runtime.gate.terms import Counts, GuardResult, Look, Standing, Terms, Verdict


def judge(terms: Terms, looks: Sequence[Look], counts: Counts, guards: Sequence[GuardResult] = ()) -> Verdict:
    """Judge these calls after those looks; the verdict's `looks` are what the next one is to be given."""
    taken = take(terms, looks, counts)
    standing, reasons = _standing(terms, taken, counts)
    broken = tuple(f"{guard.name}: {guard.reason}" for guard in guards if guard.state == "breaks")
    if broken:
        standing = "failed"
    next_look = None if standing != "not_yet" else _due(terms, taken)
    shown = show(terms.human, terms.margin, counts, _width(terms, taken)) if counts.calls else None
    return Verdict(
        standing=standing,
        reasons=reasons + broken,
        counts=counts,
        terms=terms,
        looks=taken,
        next_look=next_look,
        ratio=shown.ratio if shown else None,
        low=shown.low if shown else None,
        high=shown.high if shown else None,
        guards=tuple(guards),
    )


def take(terms: Terms, looks: Sequence[Look], counts: Counts) -> tuple[Look, ...]:
    """The looks, and one more where one is due."""
    taken = tuple(looks)
    ended = bool(taken) and (taken[-1].passed or taken[-1].calls >= terms.calls)
    if ended or not counts.calls or counts.calls < _due(terms, taken):
        return taken
    return (*taken, _look(terms, taken, counts))


def _due(terms: Terms, taken: Sequence[Look]) -> int:
    """With how many calls the next look may be taken: the first planned one beyond the last taken."""
    last = taken[-1].calls if taken else 0
    planned = (terms.due(look) for look in range(1, terms.looks + 1))
    return next((calls for calls in planned if calls > last), terms.calls)


def _look(terms: Terms, taken: Sequence[Look], counts: Counts) -> Look:
    level, spent = levels(terms, [*(look.calls for look in taken), counts.calls])[-1]
    return Look(counts.calls, counts.hits, level, spent, p_value(terms.human, terms.margin, counts))


def _width(terms: Terms, taken: Sequence[Look]) -> float:
    """How unsure each bound may be: the level of the last look, so that bound and verdict agree."""
    return taken[-1].level if taken and taken[-1].level else terms.alpha


def _standing(terms: Terms, taken: Sequence[Look], counts: Counts) -> tuple[Standing, tuple[str, ...]]:
    if taken and taken[-1].passed:
        return "passed", ()
    if not taken or taken[-1].calls < terms.calls:
        last = f", and look {len(taken)} did not show the margin" if taken else ""
        needed = _due(terms, taken)
        return "not_yet", (f"conversion: {counts.calls} of the {needed} calls of the next look{last}",)
    look = taken[-1]
    reason = (
        f"conversion: the plan of {terms.calls} calls is used up and {terms.margin:.0%} of the human rate "
        f"was not shown (p {look.p_value:.3f}, needed {look.level:.3f})"
    )
    return "failed", (reason,)
