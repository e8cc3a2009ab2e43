"""How conditions are written: text to terms, each knowing its columns."""

import re
from typing import Any, Final, NamedTuple

MAX_LENGTH: Final = 1000
MAX_DEPTH: Final = 25
MAX_DIGITS: Final = 18


class Problem(NamedTuple):
    """What is wrong with the characters `start` to `end` of a condition.

    `instead` is the name that was most likely meant, and the characters it would stand for.
    """

    code: str
    name: str
    message: str
    tip: str
    start: int
    end: int
    instead: tuple[int, int, str] | None = None


class Stop(Exception):
    """Parsing cannot go on."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Token(NamedTuple):
    kind: str  # number text name op end
    text: str
    start: int
    end: int


class Term(NamedTuple):
    """A part of a condition. `op` is an operator, or `name`, `value`, `list`; `parts` are terms, or the name
    or value itself.
    """

    op: str
    parts: tuple[Any, ...]
    start: int
    end: int


_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?(?![\w.]))|(?P<text>'[^']*'|\"[^\"]*\")|(?P<name>[^\W\d]\w*(?:\.\w+)*)"
    r"|(?P<op>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)|(?P<end>$)|(?P<other>&&|\|\||\S))"
)
COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
ORDERS: Final = ("<", "<=", ">", ">=")
_WORD_OPS: Final = ("and", "or", "not", "in")
_INSTEAD: Final = {"=": "==", "&&": "and", "||": "or", "!": "not", "&": "and", "|": "or", "<>": "!="}
_INSTEAD_OF_WORDS: Final = {"is": "==", "equals": "==", "AND": "and", "OR": "or", "NOT": "not", "IN": "in"}
_TRUTHS: Final = {"true": True, "false": False, "True": True, "False": False}


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        assert match is not None  # `$` and `\S` leave nothing unmatched
        assert match.lastgroup is not None
        kind, word, start = match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)
        if kind == "other":
            raise Stop(_unexpected(word, start))
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

    def whole(self) -> Term:
        term = self.junction("or")
        token = self.tokens[self.at]
        if token.kind != "end":
            self.fail(token)
        return term

    def junction(self, word: str) -> Term:
        """`a or b or c`, of `a and b and c`, of what binds tighter."""
        self.enter()
        parts = [self.junction("and") if word == "or" else self.negation()]
        while self.take(word):
            parts.append(self.junction("and") if word == "or" else self.negation())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Term(word, tuple(parts), parts[0].start, parts[-1].end)

    def negation(self) -> Term:
        self.enter()
        start = self.tokens[self.at].start
        if self.take("not"):
            part = self.negation()
            term = Term("not", (part,), start, part.end)
        else:
            term = self.comparison()
        self.depth -= 1
        return term

    def comparison(self) -> Term:
        left = self.atom()
        op = self.comparator()
        if op is None:
            return left
        right = self.atom()
        after = self.tokens[self.at]
        if self.comparator() is not None:
            tip = "Compare two things at a time, joined by `and`."
            raise Stop(_syntax("a second comparison follows the first", tip, after.start, after.end))
        return Term(op, (left, right), left.start, right.end)

    def comparator(self) -> str | None:
        token = self.tokens[self.at]
        if token.kind != "op":
            return None
        if token.text == "not" and self.tokens[self.at + 1].text == "in":
            self.at += 2
            return "not in"
        if token.text not in COMPARISONS:
            return None
        self.at += 1
        return token.text

    def atom(self) -> Term:
        self.enter()
        token = self.tokens[self.at]
        self.at += 1
        match token.kind, token.text:
            case "number", text if len(text) > MAX_DIGITS:
                raise Stop(too_long(f"a number of more than {MAX_DIGITS} characters", token.start, token.end))
            case "number", text:
                number: float = float(text) if "." in text else int(text)
                term = Term("value", (number,), token.start, token.end)
            case "text", text:
                term = Term("value", (text[1:-1],), token.start, token.end)
            case "name", text if text in _TRUTHS:
                term = Term("value", (_TRUTHS[text],), token.start, token.end)
            case "name", text:
                term = Term("name", (text,), token.start, token.end)
            case "op", "(":
                inner = self.junction("or")
                term = inner._replace(start=token.start, end=self.close(")", token))
            case "op", "[":
                term = self.items(token)
            case _:
                self.fail(token)
        self.depth -= 1
        return term

    def items(self, opened: _Token) -> Term:
        parts: list[Term] = []
        while self.tokens[self.at].text != "]" or self.tokens[self.at].kind != "op":
            parts.append(self.atom())
            if not self.take(","):
                break
        return Term("list", tuple(parts), opened.start, self.close("]", opened))

    def close(self, bracket: str, opened: _Token) -> int:
        if not self.take(bracket):
            token = self.tokens[self.at]
            if token.kind != "end":
                self.fail(token)
            raise Stop(
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
            raise Stop(too_long(f"brackets more than {MAX_DEPTH} deep", token.start, token.end))

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
        raise Stop(problem)


def too_long(what: str, start: int, end: int) -> Problem:
    return Problem("VF134", "condition-too-long", what, "Split it into several cases.", start, end)


def parse(text: str) -> Term:
    """The term of a whole condition. Raises Stop with the problem where it is not one."""
    if len(text) > MAX_LENGTH:
        raise Stop(too_long(f"a condition of more than {MAX_LENGTH} characters", MAX_LENGTH, len(text)))
    return _Parser(text).whole()
