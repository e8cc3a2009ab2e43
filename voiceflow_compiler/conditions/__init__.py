"""The language of conditions: parsed, checked against the names of a flow, and lowered to plain arrays.

Laws
1. Every text ends in an expression or in problems with their columns; length and depth are bounded.
2. What passes here cannot fail when the engine evaluates it: every name exists, and both sides of a
   comparison have one type.
"""

from voiceflow_compiler.artifact import Expr
from voiceflow_compiler.conditions.grammar import MAX_DEPTH, MAX_LENGTH, Problem, Stop, Term, parse
from voiceflow_compiler.conditions.meaning import (
    FAMILIES,
    TURN,
    Named,
    Names,
    check_truth,
    closest,
    intent_names,
    kind_of,
    type_of,
)

__all__ = [
    "FAMILIES",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "TURN",
    "Named",
    "Names",
    "Problem",
    "closest",
    "condition",
    "fits",
    "intent_names",
    "named",
    "value",
]


def condition(text: str, names: Names) -> tuple[Expr | None, list[Problem]]:
    """Lower a condition. The expression is None when there are problems."""
    try:
        term = parse(text)
    except Stop as stop:
        return None, [stop.problem]
    problems: list[Problem] = []
    check_truth(term, names, problems)
    return (None, problems) if problems else (_lower(term), [])


def value(text: str, names: Names) -> tuple[Expr | None, list[Problem]]:
    """Lower a value: one name or one literal."""
    try:
        term = parse(text)
    except Stop as stop:
        return None, [stop.problem]
    problems: list[Problem] = []
    if term.op in ("name", "value"):
        type_of(term, names, problems)
    else:
        tip = "Write one name such as `slots.email`, or one literal."
        problems.append(
            Problem("VF135", "not-a-value", "this is not a single value", tip, term.start, term.end)
        )
    return (None, problems) if problems else (_lower(term), [])


def named(text: str, names: Names) -> Named | None:
    """What a value stands for: its type; None when it is no value."""
    try:
        return type_of(parse(text), names, [])
    except Stop:
        return None


def fits(given: Named, wanted: Named) -> bool:
    """Whether a value can stand where another is wanted: of one kind, and no choice that is not known."""
    if {kind_of(given), kind_of(wanted)} <= {"text", "choice"}:
        return not wanted.choices or (bool(given.choices) and set(given.choices) <= set(wanted.choices))
    return kind_of(given) == kind_of(wanted)


def _lower(term: Term) -> Expr:
    match term.op:
        case "name":
            return ["name", *term.parts[0].split(".")]
        case "value":
            return ["value", term.parts[0]]
    return [term.op, *(_lower(part) for part in term.parts)]
