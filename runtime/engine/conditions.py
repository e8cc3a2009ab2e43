"""Conditions evaluated: lowered expressions against a call's state. The compiler type-checked them; a missing
value is None and compares false.
"""

import operator
from collections.abc import Callable
from typing import Any

from runtime.engine.state import State
from voiceflow_compiler.artifact import Expr

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holds(expr: Expr, state: State) -> bool:
    """Whether a condition is true here."""
    return bool(value(expr, state))


def value(expr: Expr, state: State) -> Any:
    """The value of an expression: a name's value (None when not known), a literal, or a truth."""
    head = expr[0]
    match head:
        case "value":
            return expr[1]
        case "list":
            return [value(item, state) for item in expr[1:]]
        case "name":
            return _name(expr[1:], state)
        case "and":
            return all(holds(part, state) for part in expr[1:])
        case "or":
            return any(holds(part, state) for part in expr[1:])
        case "not":
            return not holds(expr[1], state)
    return _compare(head, value(expr[1], state), value(expr[2], state))


def _compare(op: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    if op == "==":
        return bool(left == right)
    if op == "!=":
        return bool(left != right)
    if op == "in":
        return left in right
    if op == "not in":
        return left not in right
    numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    texts = isinstance(left, str) and isinstance(right, str)
    return _ORDER[op](left, right) if numbers or texts else False


def _name(path: list[str], state: State) -> Any:
    space, field = path[0], path[1]
    match space:
        case "slots":
            known = state.slots.get(field)
            return None if known is None else known.value
        case "facts":
            return state.facts.get(field)
        case "results":
            return state.results.get(field, {}).get(path[2])
        case "intent":
            return {
                "name": state.heard.intent,
                "family": state.heard.family,
                "confidence": state.heard.confidence,
            }.get(field)
    return _TURN[field](state) if field in _TURN else None


_TURN: dict[str, Callable[[State], Any]] = {
    "number": lambda state: state.counts.turns,
    "sentiment": lambda state: state.heard.sentiment,
    "negative_in_a_row": lambda state: state.counts.negative,
    "unclear_in_a_row": lambda state: state.counts.unclear,
    "silent_in_a_row": lambda state: state.counts.silent,
    "no_progress_in_a_row": lambda state: state.counts.no_progress,
}
