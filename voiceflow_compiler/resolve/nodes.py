"""The nodes, each with the fields of its kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from voiceflow_compiler.artifact import NodeKind, Overlap
from voiceflow_compiler.diagnostics import Path
from voiceflow_compiler.flow import Case, Node
from voiceflow_compiler.resolve.binder import Binder, Binders, entries, flag, items, one_of, text
from voiceflow_compiler.resolve.speech import answers, fallback, line
from voiceflow_compiler.subflow import SCOPED, Use

KINDS: Final[Mapping[str, NodeKind]] = {name: name for name in get_args(NodeKind)}
CONTROL: Final[Mapping[str, Literal["guided", "strict"]]] = {"guided": "guided", "strict": "strict"}
OVERLAP: Final[Mapping[str, Overlap]] = {name: name for name in get_args(Overlap)}


@dataclass(slots=True)
class Kept:
    """Nodes resolved without a finding, each with what was written: while that is the same object and the
    names around are the same, so is the node.
    """

    names: Any = None
    nodes: dict[str, tuple[Any, Node]] = field(default_factory=dict)


def nodes(binders: Binders, data: Any, kept: Kept) -> Mapping[str, Node]:
    """The nodes whose kind is known, in the order of the source."""
    found = {}
    names = binders.names
    known = kept.nodes if kept.names == names else {}
    kept.names, kept.nodes = names, {}
    for name, written in entries(data, "nodes"):
        before = known.get(name)
        if before is not None and before[0] is written:
            found[name] = before[1]
            kept.nodes[name] = before
            continue
        if name in binders.scoped:
            found[name] = _entry(binders.scoped[name], name, binders.whole.uses[name])
            continue
        kind = one_of(written, "kind", KINDS)
        binder = binders.of("nodes", name)
        count = len(binder.findings)
        if kind is not None:
            found[name] = _READERS[kind](binder, name, written, ("nodes", name))
            if len(binder.findings) == count and not binder.full:
                kept.nodes[name] = (written, found[name])
    return found


def _go(binder: Binder, written: Any, key: str, path: Path) -> str | None:
    return binder.bind("node", text(written, key), (*path, key))


def _entry(binder: Binder, name: str, use: Use) -> Node:
    """The node that stands for a use of a subflow: the way to where that starts, without a word."""
    start = binder.bind("node", text(use.source.data, "start"), (SCOPED, name, "start"))
    return Node(name, use.path, "decide", otherwise=start)


def _disclosure(binder: Binder, name: str, written: Any, path: Path) -> Node:
    spoken = line(binder, {"say": written.get("say")}, path)
    return Node(
        name, path, "disclosure", spoken, next=_go(binder, written, "next", path), interruptible=False
    )


def _tell(binder: Binder, name: str, written: Any, path: Path) -> Node:
    return Node(name, path, "tell", line(binder, written, path), next=_go(binder, written, "next", path))


def _ask(binder: Binder, name: str, written: Any, path: Path) -> Node:
    collect = (
        binder.bind("slot", slot, (*path, "collect", index))
        for index, slot in enumerate(items(written, "collect"))
        if isinstance(slot, str)
    )
    return Node(
        name,
        path,
        "ask",
        line(binder, written, path),
        control=one_of(written, "control", CONTROL),
        collect=tuple(dict.fromkeys(slot for slot in collect if slot is not None)),
        filled=_go(binder, written, "filled", path),
        on=answers(binder, written, "on", path),
        keys=answers(binder, written, "keys", path),
        fallback=fallback(binder, written, path),
        on_overlap=one_of(written, "on_overlap", OVERLAP) or "hold",
        sensitive=flag(written, "sensitive") if "sensitive" in written else None,
    )


def _decide(binder: Binder, name: str, written: Any, path: Path) -> Node:
    cases = []
    for index, case in enumerate(items(written, "cases")):
        at = (*path, "cases", index)
        when = binder.condition(text(case, "if"), (*at, "if"))
        go = _go(binder, case, "go", at)
        if when is not None and go is not None:
            cases.append(Case(at, when, go))
    return Node(name, path, "decide", cases=tuple(cases), otherwise=_go(binder, written, "otherwise", path))


def _act(binder: Binder, name: str, written: Any, path: Path) -> Node:
    waiting, checking = written.get("while_waiting"), written.get("while_checking")
    return Node(
        name,
        path,
        "act",
        action=binder.bind("action", text(written, "action"), (*path, "action")),
        while_waiting=line(binder, waiting, (*path, "while_waiting")) if waiting else None,
        on_success=_go(binder, written, "on_success", path),
        on_failure=_go(binder, written, "on_failure", path),
        on_unknown=_go(binder, written, "on_unknown", path),
        while_checking=line(binder, checking, (*path, "while_checking")) if checking else None,
        undo=binder.bind("action", text(written, "undo"), (*path, "undo")),
    )


def _handoff(binder: Binder, name: str, written: Any, path: Path) -> Node:
    return Node(name, path, "handoff", to=binder.bind("handoff", text(written, "to"), (*path, "to")))


def _end(binder: Binder, name: str, written: Any, path: Path) -> Node:
    return Node(name, path, "end", line(binder, written, path), outcome=text(written, "outcome"))


_READERS: Final[Mapping[NodeKind, Callable[[Binder, str, Any, Path], Node]]] = {
    "disclosure": _disclosure,
    "tell": _tell,
    "ask": _ask,
    "decide": _decide,
    "act": _act,
    "handoff": _handoff,
    "end": _end,
}
