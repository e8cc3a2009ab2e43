"""What resolving knows while it runs: the names of the flow, the place of everything, and the findings so
far.

A part that was missing or broken reads as None or as its default: the schema's finding about it exists
already.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeVar

from voiceflow_compiler import conditions
from voiceflow_compiler.artifact import Expr
from voiceflow_compiler.conditions import FAMILIES, Named, Names, Problem
from voiceflow_compiler.diagnostics import Edit, Finding, Path, Places
from voiceflow_compiler.flow import Condition, Scalar, misplaced_braces, placeholders
from voiceflow_compiler.subflow import Whole

T = TypeVar("T", bound=str)

MAX_FINDINGS: Final = 200  # each costs a search for what was meant; nobody corrects more at a time
_PER_TEXT: Final = 10
_DOUBLED: Final = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")

# What a name may refer to -> (code, name of the finding, what to call it)
KINDS: Final = {
    "node": ("VF120", "unknown-node", "node"),
    "slot": ("VF121", "unknown-slot", "slot"),
    "intent": ("VF122", "unknown-intent", "intent or family"),
    "handoff": ("VF124", "unknown-handoff", "handoff"),
    "action": ("VF125", "unknown-action", "action"),
    "fact": ("VF157", "unknown-fact", "caller fact"),
    "jurisdiction": ("VF137", "unknown-jurisdiction", "jurisdiction"),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names of a subflow mean in the flow that uses it: nodes (an exit means where it leads, None
    where it leads nowhere), slots, actions, and the expressions its inputs are given.
    """

    nodes: Mapping[str, str | None] = field(default_factory=dict)
    slots: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Expr] = field(default_factory=dict)

    def meant(self, kind: str, name: str) -> str | None:
        """The flow's name for one of the subflow's names."""
        spaces = {"node": self.nodes, "slot": self.slots, "action": self.actions}
        return spaces.get(kind, {}).get(name, name)

    def expr(self, expr: Expr) -> Expr:
        """An expression in the flow's names."""
        match expr:
            case ["name", "inputs", str(name)]:
                return self.inputs.get(name, ["value", ""])
            case ["name", "slots", str(name)]:
                return ["name", "slots", self.slots.get(name, name)]
            case ["name", "results", str(action), *rest]:
                return ["name", "results", self.actions.get(action, action), *rest]
            case ["name" | "value", *_]:
                return expr
        return [expr[0], *(self.expr(part) for part in expr[1:])]

    def text(self, text: str) -> str:
        """A text with the flow's names in its braces."""
        if "{" not in text:
            return text
        filled, done = "", 0
        for name, start, end in placeholders(text):
            filled += text[done:start] + self._filling(name)
            done = end
        return filled + text[done:]

    def _filling(self, name: str) -> str:
        head, dot, rest = name.partition(".")
        if dot:
            return f"{{{self.actions.get(head, head)}.{rest}}}"
        if name not in self.inputs:
            return f"{{{self.slots.get(name, name)}}}"
        match self.inputs[name]:
            case ["name", "slots" | "facts", str(given)]:
                return f"{{{given}}}"
            case ["name", "results", *path]:
                return f"{{{'.'.join(path)}}}"
            case ["value", value]:
                return str(value)
        return ""


@dataclass(slots=True)
class Binder:
    """`known` holds the names of each kind, `fillings` what may stand in braces, `names` what conditions may
    speak of; `scope` what they mean in the flow, None for the flow's own.
    """

    places: Places
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fillings: Mapping[str, Any] = field(default_factory=dict)
    names: Names = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    holes: bool = False
    scope: Scope | None = None

    def find(
        self,
        code: str,
        name: str,
        message: str,
        path: Path,
        tip: str,
        *,
        at_key: bool = False,
        instead: str | None = None,
    ) -> None:
        span = self.places.key(path) if at_key else self.places.value(path)
        fix = () if instead is None else (Edit(span, instead),)
        self.add(Finding(code, name, "error", message, span, tip, fix=fix))

    def add(self, finding: Finding) -> None:
        """One more finding, as long as there is room."""
        if not self.full:
            self.findings.append(finding)

    @property
    def full(self) -> bool:
        """Whether enough has been found."""
        return len(self.findings) >= MAX_FINDINGS

    def bind(self, kind: str, name: str | None, path: Path, *, at_key: bool = False) -> str | None:
        """The name, when it exists. One misspelt is told, and stands for the name it resembles, so that it is
        told once.
        """
        known = self.known[kind]
        if name is None or name in known:
            return name if name is None or self.scope is None else self._meant(kind, name)
        if self.full:
            self.holes = True
            return None
        code, title, word = KINDS[kind]
        near = conditions.closest(name, known)
        listed = ", ".join(list(known)[:8]) + (", ..." if len(known) > 8 else "")
        tip = (
            f"Did you mean `{near}`?"
            if near
            else f"There are: {listed}."
            if known
            else f"Define a {word} of this name."
        )
        message = f"there is no {word} `{name[:64]}`"
        self.find(code, title, message, path, tip, at_key=at_key, instead=near)
        self.holes = self.holes or near is None
        return near if near is None or self.scope is None else self._meant(kind, near)

    def _meant(self, kind: str, name: str) -> str | None:
        meant = self.scope.meant(kind, name) if self.scope else name
        self.holes = self.holes or meant is None
        return meant

    def text(self, text: str, path: Path) -> str:
        """A text that was checked, in the flow's names."""
        self.check_text(text, path)
        return text if self.scope is None else self.scope.text(text)

    def _expr(self, expr: Expr | None) -> Expr | None:
        return expr if expr is None or self.scope is None else self.scope.expr(expr)

    def check_text(self, text: str, path: Path, fillings: Mapping[str, Any] | None = None) -> None:
        """Find braces that name nothing this flow knows."""
        if ("{" not in text and "}" not in text) or self.full:
            return
        known = self.fillings if fillings is None else fillings
        unknown = (each for each in placeholders(text) if each[0] not in known)
        for name, start, end in islice(unknown, _PER_TEXT):
            near = conditions.closest(name, known)
            tip = (
                f"Did you mean `{{{near}}}`?"
                if near
                else "Name a slot, a fact, {company}, {purpose} or {action.field}."
            )
            span = self.places.inside(path, start, end)
            message = f"there is nothing called `{name[:64]}` to say here"
            fix = (Edit(span, f"{{{near}}}"),) if near else ()
            self.add(Finding("VF126", "unknown-placeholder", "error", message, span, tip, fix=fix))
        doubled = [found for found in _DOUBLED.finditer(text) if found[1] in known]
        for found in islice(doubled, _PER_TEXT):
            self._find_doubled(found, path)
        inside = {at for found in doubled for at in range(*found.span())}
        for at in islice((at for at in misplaced_braces(text) if at not in inside), _PER_TEXT):
            span = self.places.inside(path, at, at + 1)
            tip = "Write one name in braces, without spaces: `{name}`; or drop the brace."
            self.findings.append(
                Finding("VF128", "misplaced-brace", "error", "this brace holds no name", span, tip)
            )

    def _find_doubled(self, found: re.Match[str], path: Path) -> None:
        """Two braces on each side, as other tools write a name."""
        span = self.places.inside(path, *found.span())
        near = f"{{{found[1]}}}"
        fix = (Edit(span, near),)
        message, tip = "a name stands in one brace on each side here", f"Write `{near}`."
        self.add(Finding("VF128", "misplaced-brace", "error", message, span, tip, fix=fix))

    def condition(self, text: str | None, path: Path) -> Condition | None:
        """A condition, lowered when nothing is wrong with it."""
        if text is None:
            return None
        if self.full:
            self.holes = True
            return Condition(path, text, None)
        expr, problems = conditions.condition(text, self.names)
        self._report(problems, path)
        return Condition(path, text, self._expr(expr))

    def value(self, written: Scalar, path: Path) -> Condition:
        """What an action takes: a name such as `slots.email`, a quoted text, or a literal."""
        text = written if isinstance(written, str) else ""
        if not isinstance(written, str) or not _is_expression(text):
            self._check_bare(text, path)
            return Condition(path, str(written), ["value", written])
        expr, problems = conditions.value(text, self.names)
        self._report(problems, path)
        return Condition(path, text, self._expr(expr))

    def _check_bare(self, text: str, path: Path) -> None:
        for space in ("slots", "facts"):
            if text in self.names.get(space, {}):
                tip = f"Write `{space}.{text}` for its value, or \"'{text}'\" for the word itself."
                self.find(
                    "VF135",
                    "not-a-value",
                    f"`{text}` is the name of one of the {space}, not its value",
                    path,
                    tip,
                )

    def _report(self, problems: Iterable[Problem], path: Path) -> None:
        for problem in problems:
            self.holes = True
            if self.full:
                return
            span = self.places.inside(path, problem.start, problem.end)
            fix: tuple[Edit, ...] = ()
            if problem.instead is not None:
                start, end, name = problem.instead
                fix = (Edit(self.places.inside(path, start, end), name),)
            self.findings.append(
                Finding(problem.code, problem.name, "error", problem.message, span, problem.tip, fix=fix)
            )


@dataclass(frozen=True, slots=True)
class Binders:
    """The binder of the flow's own parts, and one for each use of a subflow, by its node."""

    own: Binder
    scoped: Mapping[str, Binder]
    whole: Whole

    def of(self, section: str, name: str) -> Binder:
        """The binder of a part of the flow: of the subflow it comes from, or the flow's own."""
        use = self.whole.owners.get((section, name))
        return self.own if use is None else self.scoped[use]

    @property
    def holes(self) -> bool:
        """Whether something could not be taken anywhere."""
        return self.own.holes or any(each.holes for each in self.scoped.values())

    @property
    def names(self) -> list[Any]:
        """Every name that a node may be bound to."""
        scopes = [each.scope for each in self.scoped.values()]
        own = [list(self.own.fillings.items()), *(list(known) for known in self.own.known.values())]
        return [own, scopes]


def _is_expression(text: str) -> bool:
    """Whether a text given to an action is a name or a quoted literal, and not simply words."""
    if text[:1] in ("'", '"'):
        return True
    head, dot, rest = text.partition(".")
    return bool(dot) and head.isidentifier() and all(part.isidentifier() for part in rest.split("."))


def mapping(value: Any, key: str) -> Mapping[str, Any]:
    """The map under a key; empty when there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def entries(value: Any, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The named maps under a key; what is no map is left out."""
    for name, inner in mapping(value, key).items():
        if isinstance(inner, dict):
            yield name, inner


def items(value: Any, key: str) -> list[Any]:
    """The list under a key; empty when there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def text(value: Any, key: str) -> str | None:
    """The text under a key."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) and found else None


def texts(value: Any, key: str) -> tuple[str, ...]:
    """The texts listed under a key."""
    return tuple(item for item in items(value, key) if isinstance(item, str) and item)


def number(value: Any, key: str) -> float | None:
    """The number under a key."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def whole(value: Any, key: str, default: int) -> int:
    """The whole number under a key."""
    found = number(value, key)
    return default if found is None else int(found)


def flag(value: Any, key: str, *, default: bool = False) -> bool:
    """Whether the key says true."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, bool) else default


def one_of(value: Any, key: str, allowed: Mapping[str, T]) -> T | None:
    """The word under a key, when it is one of those allowed."""
    found = value.get(key) if isinstance(value, dict) else None
    return allowed.get(found) if isinstance(found, str) else None


def words_of_conditions(
    slots: Mapping[str, Named],
    facts: Mapping[str, Named],
    results: Mapping[str, Named],
    intents: Iterable[str],
) -> Names:
    """Every name a condition of this flow may speak of."""
    return {
        "slots": slots,
        "facts": facts,
        "results": results,
        "intent": conditions.intent_names(tuple(intents)),
        "turn": conditions.TURN,
    }


def intents_and_families(intents: Mapping[str, Any]) -> Mapping[str, Any]:
    """What may stand under `on` and `everywhere`."""
    return {**dict.fromkeys(FAMILIES), **intents}
