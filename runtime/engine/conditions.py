"""Conditions evaluated: lowered expressions against a call's state. The compiler type-checked them; a missing
value is None and compares false.
"""

import operator
from collections.abc import Callable
from typing import Any

from runtime.engine.state import State
from voiceflow_compiler.artifact import Expr


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """An order that holds between two numbers or two texts, and between nothing else."""

    def holds_between(left: Any, right: Any) -> bool:
        numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
        return (
            compare(left, right) if numbers or (isinstance(left, str) and isinstance(right, str)) else False
        )

    return holds_between


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "in": lambda left, right: left in right,
    "not in": lambda left, right: left not in right,
}


def holds(expr: Expr, state: State) -> bool:
    """Whether a condition is true here."""
    return bool(value(expr, state))


def value(expr: Expr, state: State) -> Any:
    """The value of an expression: a name's value (None when not known), a literal, or a truth."""
    head = expr[0]
    compare = _COMPARISONS.get(head)
    if compare is not None:
        known, other = expr[1], expr[2]
        left = value(known, state)
        right = other[1] if other[0] == "value" else value(other, state)  # mostly a literal: one call less
        return False if left is None or right is None else compare(left, right)
    match head:
        case "name":
            return _name(expr, state)
        case "value":
            return expr[1]
        case "list":
            return [value(item, state) for item in expr[1:]]
        case "and":
            for part in expr[1:]:  # noqa: SIM110 - a generator costs more than what it asks
                if not value(part, state):
                    return False
            return True
        case "or":
            for part in expr[1:]:  # noqa: SIM110 - a generator costs more than what it asks
                if value(part, state):
                    return True
            return False
    return not holds(expr[1], state)


def _name(path: list[str], state: State) -> Any:
    space, field = path[1], path[2]
    match space:
        case "slots":
            known = state.slots.get(field)
            return None if known is None else known.value
        case "facts":
            return state.facts.get(field)
        case "results":
            return state.results.get(field, {}).get(path[3])
    read = _NEWEST.get((space, field))
    return None if read is None else read(state)


_NEWEST: dict[tuple[str, str], Callable[[State], Any]] = {
    ("intent", "name"): lambda state: state.heard.intent,
    ("intent", "family"): lambda state: state.heard.family,
    ("intent", "confidence"): lambda state: state.heard.confidence,
    ("turn", "number"): lambda state: state.counts.turns,
    ("turn", "sentiment"): lambda state: state.heard.sentiment,
    ("turn", "negative_in_a_row"): lambda state: state.counts.negative,
    ("turn", "unclear_in_a_row"): lambda state: state.counts.unclear,
    ("turn", "silent_in_a_row"): lambda state: state.counts.silent,
    ("turn", "no_progress_in_a_row"): lambda state: state.counts.no_progress,
}
