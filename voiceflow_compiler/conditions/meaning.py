"""What the parts of a condition stand for: every name looked up, every comparison of one kind with itself."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from voiceflow_compiler.artifact import ValueType
from voiceflow_compiler.conditions.grammar import COMPARISONS, ORDERS, Problem, Term


class Named(NamedTuple):
    """What a name stands for: its type, and the values it can have when they are known."""

    type: ValueType
    choices: tuple[str, ...] = ()


# space ("slots", "facts", "results", "intent", "turn") -> name ("email"; "book_demo.time" under results) ->
# what it stands for
Names = Mapping[str, Mapping[str, Named]]


FAMILIES: Final = (
    "agreement",
    "objection",
    "confusion",
    "escalation",
    "answer",
    "correction",
    "identity",
    "digression",
    "unclear",
)
_COUNTERS: Final = (
    "number",
    "negative_in_a_row",
    "unclear_in_a_row",
    "silent_in_a_row",
    "no_progress_in_a_row",
)

TURN: Final[Mapping[str, Named]] = {
    **dict.fromkeys(_COUNTERS, Named("integer")),
    "sentiment": Named("choice", ("positive", "neutral", "negative")),
}


def intent_names(intents: tuple[str, ...]) -> Mapping[str, Named]:
    """The names below `intent` in a flow with these intents."""
    return {
        "name": Named("choice", intents),
        "family": Named("choice", FAMILIES),
        "confidence": Named("number"),
    }


def closest(word: str, known: Mapping[str, Any] | tuple[str, ...]) -> str | None:
    """The known name a writer most likely meant: the same letters without case and separators, or the nearest
    spelling.
    """
    bare = {_skeleton(name): name for name in known}
    if _skeleton(word) in bare:
        return bare[_skeleton(word)]
    alike = [name for name in known if abs(len(name) - len(word)) <= 4]
    near = get_close_matches(word, alike[:500], n=1, cutoff=0.7)  # bounded: a flow may have 10,000 names
    return near[0] if near else None


def _skeleton(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def check_truth(term: Term, names: Names, problems: list[Problem]) -> None:
    """A part that must be true or false."""
    if term.op in ("and", "or", "not"):
        for part in term.parts:
            check_truth(part, names, problems)
    elif term.op in COMPARISONS:
        _check_comparison(term, names, problems)
    else:
        named = type_of(term, names, problems)
        if named is not None and named.type != "boolean":
            tip = "Compare it with something: `==`, `>=`, `in`."
            problems.append(
                _mismatch(
                    f"this is {_KIND_WORDS[kind_of(named)]}, and a condition is true or false", tip, term
                )
            )


def _check_comparison(term: Term, names: Names, problems: list[Problem]) -> None:
    left, right = term.parts
    if term.op in ("in", "not in"):
        if right.op != "list":
            problems.append(_mismatch(f"`{term.op}` needs a list", "Write `in ['one', 'other']`.", right))
            return
        known = type_of(left, names, problems)
        for part in right.parts:
            _check_pair(left, known, part, type_of(part, names, problems), problems)
        if not right.parts:
            problems.append(_mismatch("this list is empty", "Write what it may hold.", right))
        return
    ours, theirs = type_of(left, names, problems), type_of(right, names, problems)
    _check_pair(left, ours, right, theirs, problems)
    if (
        term.op in ORDERS
        and ours is not None
        and theirs is not None
        and not {kind_of(ours), kind_of(theirs)} <= {"number", "date", "time", "text"}
    ):
        tip = "Use `==`, `!=` or `in`."
        problems.append(_mismatch(f"`{term.op}` cannot order {_KIND_WORDS[kind_of(ours)]}", tip, term))
    elif (
        term.op in ORDERS
        and ours is not None
        and theirs is not None
        and {kind_of(ours), kind_of(theirs)} == {"text"}
    ):
        problems.append(_mismatch(f"`{term.op}` cannot order text", "Use `==`, `!=` or `in`.", term))


_KINDS: Final[dict[ValueType, str]] = {
    "integer": "number",
    "number": "number",
    "money": "number",
    "boolean": "boolean",
    "choice": "choice",
    "date": "date",
    "time": "time",
    "text": "text",
    "phone": "text",
    "email": "text",
    "digits": "text",
}
_KIND_WORDS: Final = {
    "number": "a number",
    "boolean": "true or false",
    "choice": "one of a few choices",
    "date": "a date",
    "time": "a time",
    "text": "text",
}
_WRITTEN: Final = {
    "date": (re.compile(r"\d{4}-\d\d-\d\d"), "'2026-12-31'"),
    "time": (re.compile(r"\d\d:\d\d"), "'17:30'"),
}


def kind_of(named: Named) -> str:
    """The kind of value, of which all types can be compared."""
    return _KINDS[named.type]


def _check_pair(
    left: Term, ours: Named | None, right: Term, theirs: Named | None, problems: list[Problem]
) -> None:
    """Both sides of a comparison must be able to be equal."""
    if ours is None or theirs is None:
        return
    if left.op == "value" and right.op == "name":
        left, ours, right, theirs = right, theirs, left, ours
    a, b = kind_of(ours), kind_of(theirs)
    if right.op == "value" and b == "text" and a in _WRITTEN:
        pattern, example = _WRITTEN[a]
        if not pattern.fullmatch(right.parts[0]):
            problems.append(
                _mismatch(f"this is not written as {_KIND_WORDS[a]}", f"Write it as {example}.", right)
            )
    elif right.op == "value" and b == "text" and a == "choice":
        _check_choice(right, left, ours, problems)
    elif a != b and {a, b} != {"choice", "text"}:
        shown = f"`{left.parts[0]}`" if left.op == "name" else "the left side"
        tip = (
            "Text stands in 'quotes', numbers do not."
            if {a, b} <= {"number", "text", "choice"}
            else "Compare two things of one kind."
        )
        problems.append(_mismatch(f"{shown} is {_KIND_WORDS[a]}, and this is {_KIND_WORDS[b]}", tip, right))


def _check_choice(literal: Term, name: Term, named: Named, problems: list[Problem]) -> None:
    word = literal.parts[0]
    if word in named.choices or not named.choices:
        return
    near = closest(word, named.choices)
    listed = ", ".join(named.choices[:12]) + (", ..." if len(named.choices) > 12 else "")
    tip = f"Did you mean '{near}'?" if near else f"It can be: {listed}."
    message = f"`{name.parts[0]}` is never '{word[:60]}'"
    inside = (literal.start + 1, literal.end - 1, near) if near else None
    problems.append(Problem("VF133", "not-a-choice", message, tip, literal.start, literal.end, inside))


def _mismatch(message: str, tip: str, term: Term) -> Problem:
    return Problem("VF132", "type-mismatch", message, tip, term.start, term.end)


def type_of(term: Term, names: Names, problems: list[Problem]) -> Named | None:
    """What a name or literal stands for; None, with a problem, when that cannot be said."""
    if term.op == "value":
        literal = term.parts[0]
        return Named(
            "boolean" if isinstance(literal, bool) else "text" if isinstance(literal, str) else "number"
        )
    if term.op == "name":
        return _look_up(term, names, problems)
    tip = "Compare names with numbers, 'text', true, false or names."
    problems.append(
        _mismatch(
            "this cannot be compared" if term.op != "list" else "a list stands only after `in`", tip, term
        )
    )
    return None


def _look_up(term: Term, names: Names, problems: list[Problem]) -> Named | None:
    written: str = term.parts[0]
    space, _, name = written.partition(".")
    known = names.get(space)
    if known is not None and name in known:
        return known[name]
    if known is None:
        start, end = term.start, term.start + len(space)
        everywhere = tuple(f"{other}.{each}" for other, inner in names.items() for each in inner)
        near = closest(written, everywhere) or next(
            (full for full in everywhere if full.split(".", 1)[1] == written), None
        )
        if near is None and name:
            better = closest(space, tuple(names))
            near = f"{better}.{name}" if better else None
        tip = (
            f"Did you mean `{near}`?"
            if near
            else f"Names start with {', '.join(names)}; text stands in 'quotes'."
        )
        message = f"there is no name `{written[:60]}`"
        if not name:
            end = term.end
    else:
        start, end = term.start + len(space) + 1 if name else term.start, term.end
        near = closest(name, known)
        listed = ", ".join(list(known)[:12]) + (", ..." if len(known) > 12 else "")
        tip = (
            f"Did you mean `{space}.{near}`?"
            if near
            else f"There are: {listed}."
            if known
            else f"This flow has no {space}."
        )
        message = f"there is no `{name[:60]}` under `{space}`" if name else f"`{space}` alone is not a value"
    at = term.start if known is None else start
    instead = (at, term.end, near) if near and (name or known is None) else None
    problems.append(Problem("VF131", "unknown-name", message, tip, start, end, instead))
    return None
