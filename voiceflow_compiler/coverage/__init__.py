"""The coverage matrix: what each listening node has for everything a caller may do there.

A cell is `own` (the node answers it itself), `inherited` (everywhere, a ladder, a trigger or a built-in
answer does) or `missing`. Where only some intents of a family are answered, the cell is missing and names
the rest.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from voiceflow_compiler.flow import Flow, Node
from voiceflow_compiler.graph import Graph, answer_at, ladder_at
from voiceflow_compiler.likeness import Alike, too_alike
from voiceflow_compiler.passage import families_of

COVERAGE_VERSION: Final = 1

State = Literal["own", "inherited", "missing"]
COLUMNS: Final = (
    "agreement",
    "objection",
    "confusion",
    "escalation",
    "silence",
    "unclear",
    "off-topic",
    "are you human?",
    "correction",
    "keypad",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a node has for one column: `by` says what answers, `missing` which intents nothing answers."""

    state: State
    by: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A listening node; `file` names where its line stands when that is not the flow's own file."""

    node: str
    file: str
    line: int
    reachable: bool
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The matrix of a flow. `percent` is the share of counted cells that are not missing, 0 to 100."""

    flow: str
    rows: tuple[Row, ...]
    counted: tuple[str, ...]
    alike: tuple[Alike, ...]

    @property
    def cells(self) -> Iterator[tuple[Row, str, Cell]]:
        """Every counted cell."""
        return ((row, name, row.cells[name]) for row in self.rows for name in self.counted)

    @property
    def percent(self) -> float:
        states = [cell.state != "missing" for _, _, cell in self.cells]
        return 100.0 * sum(states) / len(states) if states else 100.0


def cover(flow: Flow, graph: Graph, place_of: Callable[[Node], tuple[str, int]], *, keypad: bool) -> Coverage:
    """The matrix of a flow, errors or not. A caller is promised no keys, so `keypad` says if they count."""
    triggered = {name for trigger in flow.triggers for name in families_of(trigger.when.expr or [])}
    rows = tuple(
        Row(node.name, *place_of(node), node.name in graph.reached, _cells(flow, node, triggered))
        for node in flow.nodes.values()
        if node.listens
    )
    counted = COLUMNS if keypad else tuple(name for name in COLUMNS if name != "keypad")
    examples = {name: intent.examples for name, intent in flow.intents.items()}
    return Coverage(flow.name, rows, counted, tuple(too_alike(examples)))


def _cells(flow: Flow, node: Node, triggered: set[str]) -> dict[str, Cell]:
    return {
        "agreement": _agreement(flow, node, triggered),
        "objection": _family(flow, node, "objection", triggered),
        "confusion": _family(flow, node, "confusion", triggered),
        "escalation": _family(flow, node, "escalation", triggered),
        "silence": _ladder(flow, node, "no_input"),
        "unclear": _ladder(flow, node, "no_match"),
        "off-topic": _built_in(flow, node, "digression"),
        "are you human?": _built_in(flow, node, "are_you_human"),
        "correction": _built_in(flow, node, "correction"),
        "keypad": _keypad(flow, node),
    }


def _agreement(flow: Flow, node: Node, triggered: set[str]) -> Cell:
    """A node that collects something needs no answer for a bare yes: what was asked for leads on."""
    cell = _family(flow, node, "agreement", triggered)
    if cell.state != "missing":
        return cell
    if answer_at(flow, node, "answer") is not None:
        return Cell("own", ("answer",))
    if node.collect or node.keys:
        return Cell("own", node.collect or tuple(f"key {key}" for key in node.keys))
    return cell


def _family(flow: Flow, node: Node, family: str, triggered: set[str]) -> Cell:
    members = [
        intent.name for intent in flow.intents.values() if intent.family == family and not intent.built_in
    ]
    if family == "objection" and not members:
        members = [name for name in ("denial",) if answer_at(flow, node, name) is not None]
    asked = members or [family]
    found = {name: _how(flow, node, name, triggered) for name in asked}
    missing = tuple(name for name, how in found.items() if how is None)
    by = tuple(dict.fromkeys(how[1] for how in found.values() if how is not None))
    if missing:
        return Cell("missing", by, missing)
    own = any(how is not None and how[0] == "own" for how in found.values())
    return Cell("own" if own else "inherited", by)


def _how(flow: Flow, node: Node, name: str, triggered: set[str]) -> tuple[State, str] | None:
    """Who answers an intent or a family at a node: the node before everywhere, and that before triggers."""
    family = flow.intents[name].family if name in flow.intents else name
    if name in node.on or family in node.on:
        return "own", name
    if name in flow.everywhere or family in flow.everywhere:
        return "inherited", f"everywhere: {name if name in flow.everywhere else family}"
    if name in triggered or family in triggered:
        return "inherited", "a trigger"
    return None


def _ladder(flow: Flow, node: Node, cause: Literal["no_match", "no_input"]) -> Cell:
    ladder = ladder_at(flow, node, cause)
    if ladder is None or not ladder.rungs:
        return Cell("missing", missing=(cause,))
    own = node.fallback is not None and getattr(node.fallback, cause) is not None
    return Cell("own" if own else "inherited", (f"{cause}, {len(ladder.rungs)} steps",))


def _built_in(flow: Flow, node: Node, intent: str) -> Cell:
    state, by = _how(flow, node, intent, set()) or ("inherited", "built in")
    return Cell(state, (by,))


def _keypad(flow: Flow, node: Node) -> Cell:
    typed = tuple(name for name in node.collect if name in flow.slots and flow.slots[name].by_keypad)
    keys = tuple(f"key {key}" for key in node.keys)
    return Cell("own", (*keys, *typed)) if keys or typed else Cell("missing", missing=("keys",))
