"""The language of conditions: parsed, checked against the names of a flow, and lowered to plain arrays.

Laws
1. Every text ends in an expression or in problems with their columns; length and depth are bounded.
2. What passes here cannot fail when the engine evaluates it: every name exists, and both sides of a comparison have one type.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from voiceflow_compiler.artifact import Expr, ValueType

MAX_LENGTH: Final = 1000
MAX_DEPTH: Final = 25


class Named(NamedTuple):
    """What a name stands for: its type, and the values it can have when they are known."""

    type: ValueType
    choices: tuple[str, ...] = ()


# space ("slots", "facts", "results", "intent", "turn") -> name ("email"; "book_demo.time" under results) -> what it stands for
Names = Mapping[str, Mapping[str, Named]]


class Problem(NamedTuple):
    """What is wrong with the characters `start` to `end` of a condition."""

    code: str
    name: str
    message: str
    tip: str
    start: int
    end: int


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


def condition(text: str, names: Names) -> tuple[Expr | None, list[Problem]]:
    """Lower a condition. The expression is None when there are problems."""
    return _lowered(text, names, truth=True)


def value(text: str, names: Names) -> tuple[Expr | None, list[Problem]]:
    """Lower a value: one name or one literal."""
    return _lowered(text, names, truth=False)


def closest(word: str, known: Mapping[str, Any] | tuple[str, ...]) -> str | None:
    """The known name a writer most likely meant: the same letters without case and separators, or the nearest spelling."""
    bare = {_skeleton(name): name for name in known}
    if _skeleton(word) in bare:
        return bare[_skeleton(word)]
    near = get_close_matches(word[:100], list(known)[:2000], n=1, cutoff=0.7)
    return near[0] if near else None


def _skeleton(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


class _Stop(Exception):  # noqa: N818 - never leaves this module
    """Parsing cannot go on."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Token(NamedTuple):
    kind: str  # number text name op end
    text: str
    start: int
    end: int


class _Term(NamedTuple):
    """A part of a condition. `op` is an operator, or `name`, `value`, `list`; `parts` are terms, or the name or value itself."""

    op: str
    parts: tuple[Any, ...]
    start: int
    end: int


_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?(?![\w.]))|(?P<text>'[^']*'|\"[^\"]*\")|(?P<name>[^\W\d]\w*(?:\.\w+)*)"
    r"|(?P<op>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)|(?P<end>$)|(?P<other>&&|\|\||\S))"
)
_COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
_ORDERS: Final = ("<", "<=", ">", ">=")
_WORD_OPS: Final = ("and", "or", "not", "in")
_INSTEAD: Final = {"=": "==", "&&": "and", "||": "or", "!": "not", "&": "and", "|": "or", "<>": "!="}
_INSTEAD_OF_WORDS: Final = {"is": "==", "equals": "==", "AND": "and", "OR": "or", "NOT": "not", "IN": "in"}
_TRUTHS: Final = {"true": True, "false": False, "True": True, "False": False}


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        assert match is not None and match.lastgroup is not None
        kind, word, start = match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)
        if kind == "other":
            raise _Stop(_unexpected(word, start))
        if kind == "name" and word in _WORD_OPS:
            kind = "op"
        found.append(_Token(kind, word, start, match.end()))
        if kind == "end":
            return found
        at = match.end()


def _syntax(message: str, tip: str, start: int, end: int) -> Problem:
    return Problem("VF130", "condition-syntax", message, tip, start, max(end, start + 1))


def _unexpected(word: str, start: int) -> Problem:
    if word in _INSTEAD:
        return _syntax(
            f"`{word}` is not part of a condition", f"Write `{_INSTEAD[word]}`.", start, start + len(word)
        )
    if word in "'\"":
        return _syntax("this quote is never closed", "Close it with the same quote.", start, start + 1)
    tip = "A condition compares names with numbers, 'text', true or false, and joins them with and, or, not."
    return _syntax(f"`{word}` is not part of a condition", tip, start, start + len(word))


class _Parser:
    """Precedence climbing: or, and, not, comparison, in that order of binding."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    def whole(self) -> _Term:
        term = self.junction("or")
        token = self.tokens[self.at]
        if token.kind != "end":
            self.fail(token)
        return term

    def junction(self, word: str) -> _Term:
        """`a or b or c`, of `a and b and c`, of what binds tighter."""
        self.enter()
        part = (lambda: self.junction("and")) if word == "or" else self.negation
        parts = [part()]
        while self.take(word):
            parts.append(part())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else _Term(word, tuple(parts), parts[0].start, parts[-1].end)

    def negation(self) -> _Term:
        self.enter()
        start = self.tokens[self.at].start
        if self.take("not"):
            part = self.negation()
            term = _Term("not", (part,), start, part.end)
        else:
            term = self.comparison()
        self.depth -= 1
        return term

    def comparison(self) -> _Term:
        left = self.atom()
        op = self.comparator()
        if op is None:
            return left
        right = self.atom()
        after = self.tokens[self.at]
        if self.comparator() is not None:
            tip = "Compare two things at a time, joined by `and`."
            raise _Stop(_syntax("a second comparison follows the first", tip, after.start, after.end))
        return _Term(op, (left, right), left.start, right.end)

    def comparator(self) -> str | None:
        token = self.tokens[self.at]
        if token.kind != "op":
            return None
        if token.text == "not" and self.tokens[self.at + 1].text == "in":
            self.at += 2
            return "not in"
        if token.text not in _COMPARISONS:
            return None
        self.at += 1
        return token.text

    def atom(self) -> _Term:
        self.enter()
        token = self.tokens[self.at]
        self.at += 1
        match token.kind, token.text:
            case "number", text:
                number: float = float(text) if "." in text else int(text[:MAX_LENGTH])
                term = _Term("value", (number,), token.start, token.end)
            case "text", text:
                term = _Term("value", (text[1:-1],), token.start, token.end)
            case "name", text if text in _TRUTHS:
                term = _Term("value", (_TRUTHS[text],), token.start, token.end)
            case "name", text:
                term = _Term("name", (text,), token.start, token.end)
            case "op", "(":
                inner = self.junction("or")
                term = inner._replace(start=token.start, end=self.close(")", token))
            case "op", "[":
                term = self.items(token)
            case _:
                self.fail(token)
        self.depth -= 1
        return term

    def items(self, opened: _Token) -> _Term:
        parts: list[_Term] = []
        while self.tokens[self.at].text != "]" or self.tokens[self.at].kind != "op":
            parts.append(self.atom())
            if not self.take(","):
                break
        return _Term("list", tuple(parts), opened.start, self.close("]", opened))

    def close(self, bracket: str, opened: _Token) -> int:
        if not self.take(bracket):
            token = self.tokens[self.at]
            if token.kind != "end":
                self.fail(token)
            raise _Stop(
                _syntax(
                    "this bracket is never closed", f"Close it with `{bracket}`.", opened.start, opened.end
                )
            )
        return self.tokens[self.at - 1].end

    def take(self, word: str) -> bool:
        token = self.tokens[self.at]
        if token.kind != "op" or token.text != word:
            return False
        self.at += 1
        return True

    def enter(self) -> None:
        self.depth += 1
        if self.depth > 4 * MAX_DEPTH:  # one written level passes four rules
            token = self.tokens[self.at]
            raise _Stop(_too_long(f"brackets more than {MAX_DEPTH} deep", token.start, token.end))

    def fail(self, token: _Token) -> Any:
        if token.kind == "end":
            problem = _syntax(
                "the condition stops here unfinished",
                "Complete it, or drop what leads up to here.",
                token.start,
                token.end,
            )
        elif token.text in _INSTEAD_OF_WORDS:
            problem = _syntax(
                f"`{token.text}` cannot stand here",
                f"Write `{_INSTEAD_OF_WORDS[token.text]}`.",
                token.start,
                token.end,
            )
        else:
            tip = "Between two comparisons stands `and` or `or`; text stands in 'quotes'."
            problem = _syntax(f"`{token.text}` cannot stand here", tip, token.start, token.end)
        raise _Stop(problem)


def _too_long(what: str, start: int, end: int) -> Problem:
    return Problem("VF134", "condition-too-long", what, "Split it into several cases.", start, end)


def _lowered(text: str, names: Names, *, truth: bool) -> tuple[Expr | None, list[Problem]]:
    if len(text) > MAX_LENGTH:
        return None, [_too_long(f"a condition of more than {MAX_LENGTH} characters", MAX_LENGTH, len(text))]
    try:
        term = _Parser(text).whole()
    except _Stop as stop:
        return None, [stop.problem]
    problems: list[Problem] = []
    if truth:
        _check_truth(term, names, problems)
    elif term.op in ("name", "value"):
        _type_of(term, names, problems)
    else:
        tip = "Write one name such as `slots.email`, or one literal."
        problems.append(
            Problem("VF135", "not-a-value", "this is not a single value", tip, term.start, term.end)
        )
    return (None, problems) if problems else (_lower(term), [])


def _lower(term: _Term) -> Expr:
    match term.op:
        case "name":
            return ["name", *term.parts[0].split(".")]
        case "value":
            return ["value", term.parts[0]]
    return [term.op, *(_lower(part) for part in term.parts)]


def _check_truth(term: _Term, names: Names, problems: list[Problem]) -> None:
    """A part that must be true or false."""
    if term.op in ("and", "or", "not"):
        for part in term.parts:
            _check_truth(part, names, problems)
    elif term.op in _COMPARISONS:
        _check_comparison(term, names, problems)
    else:
        named = _type_of(term, names, problems)
        if named is not None and named.type != "boolean":
            tip = "Compare it with something: `==`, `>=`, `in`."
            problems.append(
                _mismatch(f"this is {_KIND_WORDS[_kind(named)]}, and a condition is true or false", tip, term)
            )


def _check_comparison(term: _Term, names: Names, problems: list[Problem]) -> None:
    left, right = term.parts
    if term.op in ("in", "not in"):
        if right.op != "list":
            problems.append(_mismatch(f"`{term.op}` needs a list", "Write `in ['one', 'other']`.", right))
            return
        known = _type_of(left, names, problems)
        for part in right.parts:
            _check_pair(left, known, part, _type_of(part, names, problems), problems)
        if not right.parts:
            problems.append(_mismatch("this list is empty", "Write what it may hold.", right))
        return
    ours, theirs = _type_of(left, names, problems), _type_of(right, names, problems)
    _check_pair(left, ours, right, theirs, problems)
    if (
        term.op in _ORDERS
        and ours is not None
        and theirs is not None
        and not {_kind(ours), _kind(theirs)} <= {"number", "date", "time", "text"}
    ):
        tip = "Use `==`, `!=` or `in`."
        problems.append(_mismatch(f"`{term.op}` cannot order {_KIND_WORDS[_kind(ours)]}", tip, term))
    elif (
        term.op in _ORDERS
        and ours is not None
        and theirs is not None
        and {_kind(ours), _kind(theirs)} == {"text"}
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


def _kind(named: Named) -> str:
    return _KINDS[named.type]


def _check_pair(
    left: _Term, ours: Named | None, right: _Term, theirs: Named | None, problems: list[Problem]
) -> None:
    """Both sides of a comparison must be able to be equal."""
    if ours is None or theirs is None:
        return
    if left.op == "value" and right.op == "name":
        left, ours, right, theirs = right, theirs, left, ours
    a, b = _kind(ours), _kind(theirs)
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


def _check_choice(literal: _Term, name: _Term, named: Named, problems: list[Problem]) -> None:
    word = literal.parts[0]
    if word in named.choices or not named.choices:
        return
    near = closest(word, named.choices)
    listed = ", ".join(named.choices[:12]) + (", ..." if len(named.choices) > 12 else "")
    tip = f"Did you mean '{near}'?" if near else f"It can be: {listed}."
    message = f"`{name.parts[0]}` is never '{word[:60]}'"
    problems.append(Problem("VF133", "not-a-choice", message, tip, literal.start, literal.end))


def _mismatch(message: str, tip: str, term: _Term) -> Problem:
    return Problem("VF132", "type-mismatch", message, tip, term.start, term.end)


def _type_of(term: _Term, names: Names, problems: list[Problem]) -> Named | None:
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


def _look_up(term: _Term, names: Names, problems: list[Problem]) -> Named | None:
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
    problems.append(Problem("VF131", "unknown-name", message, tip, start, end))
    return None
