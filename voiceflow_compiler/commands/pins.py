"""Which node each finding of a flow is about, and a graph to pin them to even where the flow has errors."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from voiceflow_compiler.commands.base import Format, flow_file, print_findings, put_error

if TYPE_CHECKING:
    from voiceflow_compiler.artifact import Artifact, Node
    from voiceflow_compiler.diagnostics import Finding
    from voiceflow_compiler.flow import Flow
    from voiceflow_compiler.pipeline import Checked
    from voiceflow_compiler.targets.picture import Pin

NOWHERE: Final = "nowhere"  # the stand-in for a node that should have been named


def pinned(flow: Path) -> tuple["Artifact", dict[str, tuple["Pin", ...]]]:
    """The graph of a flow and its findings by node. Ends the command where too little could be read."""
    from voiceflow_compiler.lower import lower
    from voiceflow_compiler.pipeline import check
    from voiceflow_compiler.targets.picture import Pin

    checked = check(str(flow_file(flow)))
    artifact = None
    if checked.flow is not None:
        try:
            artifact = _patched(lower(_completed(checked.flow)))
        except ValueError:  # a part without which there is no graph is missing, and a finding says so
            artifact = None
    if artifact is None:
        print_findings(checked.findings, checked.source.places.texts, Format.TEXT, to_stderr=True)
        put_error("vfc: too little of this flow could be read to draw it")
        raise typer.Exit(1)
    pins: dict[str, list[Pin]] = {}
    for finding, name in _placed(checked, artifact):
        pins.setdefault(name, []).append(Pin(finding.code, finding.name, finding.severity, finding.message))
    return artifact, {name: tuple(dict.fromkeys(found)) for name, found in pins.items()}


def _placed(checked: "Checked", artifact: "Artifact") -> Iterator[tuple["Finding", str]]:
    """Every finding with its node: where it is written, else where its way ends, else the flow ("")."""
    starts = sorted(_entries(checked, artifact))
    for finding in checked.findings:
        span = finding.span
        at = bisect_right(starts, (span.file, span.line, "\U0010ffff")) - 1
        file, _, name = starts[at] if at >= 0 else ("", 0, "")
        if file != span.file or name not in artifact.nodes:
            name = next((each for each in reversed(finding.route) if each in artifact.nodes), "")
        yield finding, name


def _entries(checked: "Checked", artifact: "Artifact") -> Iterator[tuple[str, int, str]]:
    """Where the parts of the source begin: file, line, and the node each is about ("" for none)."""
    places, flow, data = checked.source.places, checked.flow, checked.source.data
    for section in data if isinstance(data, dict) else ():
        span = places.key((section,))
        yield span.file, span.line, ""
    for node in flow.nodes.values() if flow is not None else ():
        span = places.key(node.path)
        yield span.file, span.line, node.name
    for handoff in flow.handoffs.values() if flow is not None else ():
        span = places.key(handoff.path)
        to = next((name for name, node in artifact.nodes.items() if node.handoff == handoff.name), "")
        yield span.file, span.line, to


def _completed(flow: "Flow") -> "Flow":
    """A flow that can be lowered: where something must lead somewhere and does not, it leads nowhere."""
    from voiceflow_compiler.flow import Rung

    lost = flow.fallback.lost_model or Rung(flow.fallback.path)
    nodes = {
        name: replace(node, cases=tuple(case for case in node.cases if case.when.expr is not None))
        for name, node in flow.nodes.items()
    }
    actions = {
        name: replace(each, takes={key: value for key, value in each.takes.items() if value.expr is not None})
        for name, each in flow.actions.items()
    }
    return replace(
        flow,
        nodes=nodes,
        actions=actions,
        facts={name: replace(each, otherwise=each.otherwise or "") for name, each in flow.facts.items()},
        fallback=replace(flow.fallback, lost_model=replace(lost, go=lost.go or NOWHERE)),
        handoffs={
            name: replace(each, if_unanswered=each.if_unanswered or NOWHERE)
            for name, each in flow.handoffs.items()
        },
        triggers=tuple(each for each in flow.triggers if each.when.expr is not None),
    )


def _patched(artifact: "Artifact") -> "Artifact":
    """A graph with a stand-in for every node, action and handoff that is named and not there."""
    from msgspec.structs import replace as changed

    from voiceflow_compiler.artifact import Line, Node

    nodes = {name: _known(node, artifact) for name, node in artifact.nodes.items()}
    whole = changed(artifact, nodes=nodes)
    missing = sorted(set(_led_to(whole)) - nodes.keys())
    stands_in = {name: Node(kind="end", line=Line(convey="There is no such node.")) for name in missing}
    return changed(whole, nodes={**nodes, **stands_in})


def _known(node: "Node", artifact: "Artifact") -> "Node":
    from msgspec.structs import replace as changed

    handoff = node.handoff if node.handoff in artifact.handoffs else None
    answers = {name: each for name, each in node.answers.items() if name in artifact.intents}
    return changed(
        node,
        action=node.action if node.action in artifact.actions else None,
        handoff=handoff,
        answers=answers,
    )


def _led_to(artifact: "Artifact") -> Iterator[str]:
    from voiceflow_compiler.passage import passages

    yield artifact.start
    yield from (each.target for found in passages(artifact).values() for each in found)
