"""The subflows of a flow: what each use gives and where it leads, and what the subflow's names mean there."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from voiceflow_compiler import conditions
from voiceflow_compiler.artifact import Expr, ValueType
from voiceflow_compiler.conditions import Named, Names, closest
from voiceflow_compiler.diagnostics import Finding, Path
from voiceflow_compiler.resolve.binder import (
    Binder,
    Scope,
    entries,
    mapping,
    one_of,
    text,
    texts,
    words_of_conditions,
)
from voiceflow_compiler.resolve.parts import TYPES, results
from voiceflow_compiler.subflow import SCOPED, Use, Whole

# Under which keys of a node the name of another, or of an exit, may stand.
LEADING: Final = frozenset(
    {"go", "then", "next", "filled", "otherwise", "on_success", "on_failure", "on_unknown"}
)


def scopes(binder: Binder, whole: Whole, intents: Mapping[str, Any]) -> dict[str, Binder]:
    """A binder for each use, by its node; their findings go where the flow's go."""
    found: dict[str, Binder] = {}
    slots = {name: _named(each) for name, each in entries(whole.data, "slots")}
    for name, use in whole.uses.items():
        outer = binder if use.within is None else found[use.within]
        found[name] = _bound(outer, use, slots, intents)
    for source in whole.files.values():
        use = next(use for use in whole.uses.values() if use.source is source)
        _check_exits(binder, use)
    return found


def _bound(outer: Binder, use: Use, slots: Mapping[str, Named | None], intents: Mapping[str, Any]) -> Binder:
    data = use.source.data
    given = _Given(outer, use)
    meant = {name: use.own(name) for name in mapping(data, "slots")} | given.slots(slots)
    inputs, expressions = given.inputs()
    nodes = {name: use.node_named(name) for name in mapping(data, "nodes")}
    scope = Scope(
        nodes={**given.exits(), **nodes},
        slots=meant,
        actions={name: use.own(name) for name in mapping(data, "actions")},
        inputs=expressions,
    )
    known = {name: _named(each) for name, each in entries(data, "slots")}
    slots_here = {name: each for name, each in known.items() if each is not None}
    returned = results(data)
    names: Names = words_of_conditions(
        slots_here, {}, {name: Named(type_) for name, type_ in returned.items()}, intents
    )
    _check_room(outer, use)
    return Binder(
        outer.places,
        known={
            **outer.known,
            "node": {**mapping(data, "exits"), **mapping(data, "nodes")},
            "slot": mapping(data, "slots"),
            "handoff": {},
            "action": mapping(data, "actions"),
        },
        fillings={**dict.fromkeys(("company", "purpose")), **inputs, **mapping(data, "slots"), **returned},
        names={**names, "inputs": inputs},
        findings=outer.findings,
        scope=scope,
    )


class _Given:
    """What a use writes, against what the subflow wants."""

    def __init__(self, outer: Binder, use: Use) -> None:
        self.outer, self.use = outer, use
        self.data = use.source.data
        self.title = use.source.data["subflow"][:64]

    def slots(self, known: Mapping[str, Named | None]) -> dict[str, str]:
        """Which slots of the flow the subflow's are, where the use says so."""
        found: dict[str, str] = {}
        own = dict(entries(self.data, "slots"))
        for name, written in mapping(self.use.written, "slots").items():
            path: Path = (*self.use.path, "slots", name)
            if name not in own:
                self._unknown("VF121", "unknown-slot", "slot", name, own, path)
                continue
            slot = self.outer.bind("slot", written if isinstance(written, str) else None, path)
            if slot is None:
                continue
            found[name] = slot
            ours, theirs = known.get(slot), _named(own[name])
            if ours and theirs and (ours.type != theirs.type or set(ours.choices) != set(theirs.choices)):
                what = "the same choices" if ours.type == theirs.type else f"a slot of type {theirs.type}"
                message = f"`{self.title}` wants {what} here, and `{slot}` is of type {ours.type}"
                if ours.type == theirs.type:
                    message = f"`{slot}` and `{name}` of `{self.title}` do not have the same choices"
                tip = "Name a slot of that type, or leave it out: the subflow then keeps a slot of its own."
                self.outer.find("VF144", "value-of-another-type", message, path, tip)
        return found

    def inputs(self) -> tuple[dict[str, Named], dict[str, Expr]]:
        """The subflow's inputs by name: their types, and what they are given, in the flow's names."""
        wanted = dict(entries(self.data, "takes"))
        given = mapping(self.use.written, "takes")
        for name in sorted(given.keys() - wanted.keys()):
            path = (*self.use.path, "takes", name)
            self._unknown("VF143", "unknown-input", "input", name, wanted, path)
        types: dict[str, Named] = {}
        found: dict[str, Expr] = {}
        for name, each in wanted.items():
            type_ = _named(each)
            if type_ is None:
                continue
            types[name] = type_
            value = self._value(name, type_, given, each)
            found[name] = ["value", ""] if value is None else value
        return types, found

    def _value(
        self, name: str, wanted: Named, given: Mapping[str, Any], declared: Mapping[str, Any]
    ) -> Expr | None:
        path: Path = (*self.use.path, "takes", name)
        if name not in given:
            if "otherwise" not in declared:
                message = f"`{self.title}` wants `{name}`, and is not given it"
                tip = f"Write `{name}:` under `takes`, such as slots.NAME or facts.NAME."
                self.outer.find(
                    "VF142", "missing-input", message, (*self.use.path, "takes"), tip, at_key=True
                )
            return ["value", declared.get("otherwise", "")]
        written = given[name]
        if not isinstance(written, str | int | float):
            return None
        value = self.outer.value(written, path)
        if value.expr is not None and value.expr[0] == "name":
            type_ = conditions.named(str(written), self.outer.names)
        else:
            type_ = _literal(value.expr, wanted)
        if value.expr is not None and type_ is not None and not conditions.fits(type_, wanted):
            message = f"`{self.title}` wants `{name}` to be of type {wanted.type}, and this is {type_.type}"
            tip = "Give it a value of that type" + (
                f": {', '.join(wanted.choices)}." if wanted.choices else "."
            )
            self.outer.find("VF144", "value-of-another-type", message, path, tip)
        return value.expr

    def exits(self) -> dict[str, str | None]:
        """Where each exit leads."""
        wanted = mapping(self.data, "exits")
        written = mapping(self.use.written, "exits")
        at: Path = (*self.use.path, "exits")
        for name in sorted(written.keys() - wanted.keys()):
            self._unknown("VF141", "unknown-exit", "exit", name, wanted, (*at, name))
        missing = [name for name in wanted if name not in written]
        if missing and isinstance(self.use.written.get("exits"), dict):
            listed = ", ".join(f"`{name[:64]}`" for name in missing)
            message = f"`{self.title}` can end by {listed}, and nothing says where the call goes then"
            tip = f"Write `{missing[0][:64]}: NODE` under `exits`."
            self.outer.find("VF140", "unmapped-exit", message, at, tip, at_key=True)
        return {
            name: self.outer.bind("node", text(written, name), (*at, name)) if name in written else None
            for name in wanted
        }

    def _unknown(
        self, code: str, name: str, word: str, written: str, known: Mapping[str, Any], path: Path
    ) -> None:
        near = closest(written, known)
        listed = ", ".join(list(known)[:8])
        tip = f"Did you mean `{near}`?" if near else f"It has: {listed}." if known else "Delete it."
        message = f"`{self.title}` has no {word} `{written[:64]}`"
        self.outer.find(code, name, message, path, tip, at_key=True, instead=near)


def _named(written: Any) -> Named | None:
    """The type of a slot or an input, with its choices."""
    type_: ValueType | None = one_of(written, "type", TYPES)
    choices = written.get("choices") if isinstance(written, dict) else None
    listed = tuple(choices) if isinstance(choices, dict) else texts(written, "choices")
    return None if type_ is None else Named(type_, listed if type_ == "choice" else ())


def _literal(expr: Expr | None, wanted: Named) -> Named | None:
    """The type of a literal: a text may be whatever is written as one."""
    match expr:
        case ["value", bool()]:
            return Named("boolean")
        case ["value", int() | float()]:
            return Named("number")
        case ["value", str(value)]:
            as_it_is = wanted.type in ("date", "time", "choice")
            return (
                Named(wanted.type, (value,) if wanted.type == "choice" else ()) if as_it_is else Named("text")
            )
    return None


def _check_room(binder: Binder, use: Use) -> None:
    """Each name of a subflow means one thing: nodes and exits share a room, and so do slots and inputs."""
    for first, second, word in (("nodes", "exits", "a node"), ("takes", "slots", "an input")):
        for name in mapping(use.source.data, second):
            if name in mapping(use.source.data, first):
                path = (SCOPED, use.node, second, name)
                tip = "Give one of them another name."
                binder.find("VF127", "name-taken", f"`{name}` is {word} already", path, tip, at_key=True)


def _check_exits(binder: Binder, use: Use) -> None:
    """An exit that nothing leads to is promised to every flow that uses this, and never kept."""
    led_to = {text(use.source.data, "start"), *_led_to(mapping(use.source.data, "nodes"))}
    led_to |= {
        *_led_to(mapping(use.source.data, "everywhere")),
        *_led_to(mapping(use.source.data, "fallback")),
    }
    for name in mapping(use.source.data, "exits"):
        if name not in led_to:
            span = binder.places.key((SCOPED, use.node, "exits", name))
            message = f"nothing in this subflow leads to its exit `{name[:64]}`"
            tip = f"Lead there with `go: {name[:64]}` or the like, or delete the exit."
            binder.add(Finding("VF145", "unused-exit", "warning", message, span, tip))


def _led_to(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            for key, inner in here.items():
                if isinstance(inner, str) and key in LEADING:
                    yield inner
                elif key == "exits" and isinstance(inner, dict):
                    yield from (each for each in inner.values() if isinstance(each, str))
                else:
                    stack.append(inner)
        elif isinstance(here, list):
            stack.extend(here)
