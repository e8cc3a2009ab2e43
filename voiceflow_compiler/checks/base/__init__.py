"""What the checks share: the shape of a check, the places it points to, and the lines a flow speaks.

A check is a module with CODE, NAME, SEVERITY and `find(flow, graph, places)`, which yields `Found` values.
Its docstring is its page: what it finds, why it matters, **Flagged** and **Clean** examples, and a tip."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from types import ModuleType
from typing import Final, NamedTuple

from voiceflow_compiler.checks.base import conditions as conditions
from voiceflow_compiler.checks.base.edits import before as before
from voiceflow_compiler.checks.base.texts import Instruction, at, given
from voiceflow_compiler.checks.base.texts import plain as plain
from voiceflow_compiler.checks.base.texts import seeking as seeking
from voiceflow_compiler.checks.base.texts import sentences as sentences
from voiceflow_compiler.diagnostics import Edit, Finding, Path, Places, Related, Severity, Span
from voiceflow_compiler.flow import Flow, Ladder, Line, Node, placeholders
from voiceflow_compiler.graph import Edge, Graph, family_of, reach

# The assistant goes on by itself along these.
_SILENT: Final = frozenset({"next", "case", "otherwise", "success", "failure"})


class Found(NamedTuple):
    """What a check found, before it is stamped with the check's code."""

    span: Span
    message: str
    tip: str
    related: tuple[Related, ...] = ()
    route: tuple[str, ...] = ()
    fix: tuple[Edit, ...] = ()


Find = Callable[[Flow, Graph, Places], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `page` is its documentation, with the examples its tests run."""

    code: str
    name: str
    severity: Severity
    page: str
    find: Find

    def __call__(self, flow: Flow, graph: Graph, places: Places) -> Iterator[Finding]:
        """Everything this check finds in a flow."""
        for span, message, tip, related, route, fix in self.find(flow, graph, places):
            yield Finding(self.code, self.name, self.severity, message, span, tip, related, route, fix)


def check_of(module: ModuleType) -> Check:
    """The check that a module of this folder is."""
    return Check(module.CODE, module.NAME, module.SEVERITY, inspect.getdoc(module) or "", module.find)


class Spoken(NamedTuple):
    """A line and the nodes at which a caller may hear it. `what` names it for a message."""

    line: Line
    nodes: tuple[str, ...]
    what: str


def spoken(flow: Flow, graph: Graph) -> list[Spoken]:
    """Every line of a flow, with the reachable nodes where it may be spoken."""
    if "spoken" not in graph.memo:
        graph.memo["spoken"] = list(_spoken(flow, graph))
    lines: list[Spoken] = graph.memo["spoken"]
    return lines


def _spoken(flow: Flow, graph: Graph) -> Iterator[Spoken]:
    reached = [graph.nodes[name] for name in graph.reached]
    for node in flow.nodes.values():
        for line in (node.line, node.while_waiting, node.while_checking):
            yield from _heard(line, (node.name,), f'what "{node.name}" says')
        for answer in (*node.on.values(), *node.keys.values()):
            yield from _heard(answer.line, (node.name,), f'the answer to {answer.key} at "{node.name}"')
        if node.fallback is not None:
            for ladder in (node.fallback.no_match, node.fallback.no_input):
                for rung in ladder.rungs if ladder else ():
                    yield from _heard(rung.line, (node.name,), f'a reprompt of "{node.name}"')
    listening = tuple(node.name for node in reached if node.listens)
    for answer in flow.everywhere.values():
        there = tuple(name for name in listening if not _is_hidden(flow, graph.nodes[name], answer.key))
        yield from _heard(answer.line, there, f"the answer to {answer.key} everywhere")
    for cause in ("no_match", "no_input"):
        ladder = getattr(flow.fallback, cause)
        there = tuple(name for name in listening if not _has_own(graph, name, cause))
        for rung in ladder.rungs if ladder else ():
            yield from _heard(rung.line, there, f"a rung of the {cause} ladder")
    everywhere = tuple(node.name for node in reached)
    if flow.fallback.lost_model is not None:
        yield from _heard(flow.fallback.lost_model.line, everywhere, "the lost_model line")
    yield from _heard(flow.fallback.hold, everywhere, "the hold line")
    for handoff in flow.handoffs.values():
        there = tuple(node.name for node in reached if node.kind == "handoff" and node.to == handoff.name)
        for line in (handoff.line, handoff.unanswered_line, handoff.hold_line):
            yield from _heard(line, there, f'what the handoff "{handoff.name}" says')


def instructions(flow: Flow, graph: Graph) -> list[Instruction]:
    """Everything the model is told in words of its own choosing: meanings, the style, what it knows."""
    if "instructions" not in graph.memo:
        lines = (
            (line.convey or "", what, "convey", partial(line_place, line))
            for line, _, what in spoken(flow, graph)
        )
        known = (
            (text, "what the assistant knows", "knowledge", at("knowledge", index))
            for index, text in enumerate(flow.knowledge)
        )
        style = (flow.style, "the style", "style", at("style"))
        graph.memo["instructions"] = given(chain(lines, [style], known))
    found: list[Instruction] = graph.memo["instructions"]
    return found


def line_place(line: Line, places: Places) -> Span:
    """The place of a line's words, whether written below `say` or `convey` or as plain text."""
    span = places.value((*line.path, "say" if line.say is not None else "convey"))
    return places.value(line.path) if span == places.key(line.path) else span


def named_in(line: Line, places: Places) -> Iterator[tuple[str, Callable[[], Span]]]:
    """Every `{name}` in the texts of a line, with how to find its place: few places are ever needed."""
    for key, text in (("say", line.say), ("convey", line.convey), ("sample", line.sample)):
        if text is not None and "{" in text:
            for name, start, end in placeholders(text):
                yield name, partial(_inside, line.path, key, start, end, places)


def along(edges: tuple[Edge, ...], places: Places) -> tuple[Related, ...]:
    """The places of a caller's way, one for each step."""
    return tuple(
        Related(places.value(edge.path), f"{edge.source} -> {edge.target} ({edge.label})") for edge in edges
    )


def node_place(graph: Graph, name: str, places: Places) -> Span:
    """The place where a node's name is written."""
    return places.key(graph.nodes[name].path)


def quoted(names: tuple[str, ...] | list[str], *, last: str = "and") -> str:
    """Names in quotes, as a sentence lists them."""
    marked = [f'"{name}"' for name in names]
    return f" {last} ".join(filter(None, (", ".join(marked[:-1]), *marked[-1:])))


def _heard(line: Line | None, nodes: tuple[str, ...], what: str) -> Iterator[Spoken]:
    if line is not None:
        yield Spoken(line, nodes, what)


def _is_hidden(flow: Flow, node: Node, key: str) -> bool:
    return key in node.on or family_of(flow, key) in node.on


def _has_own(graph: Graph, name: str, cause: str) -> bool:
    own = graph.nodes[name].fallback
    return own is not None and getattr(own, cause) is not None


def question_after(graph: Graph, name: str) -> str | None:
    """The first question to which the call goes on from a node without a word from the caller."""
    ahead = reach(graph, [name], via=lambda edge: edge.kind in _SILENT)
    return next((each for each in ahead if graph.nodes[each].listens), None)


def ladders(flow: Flow) -> Iterator[tuple[Ladder, str]]:
    """Every ladder as written, with whom it is for: `who says nothing at "team"`."""
    owners = [(flow.fallback, ""), *((node.fallback, f' at "{node.name}"') for node in flow.nodes.values())]
    for fallback, where in owners:
        if fallback is not None and fallback.no_match is not None:
            yield fallback.no_match, f"who is not understood{where}"
        if fallback is not None and fallback.no_input is not None:
            yield fallback.no_input, f"who says nothing{where}"


def _inside(path: Path, key: str, start: int, end: int, places: Places) -> Span:
    span = places.inside((*path, key), start, end)
    return places.inside(path, start, end) if span == places.value((*path, key)) else span
