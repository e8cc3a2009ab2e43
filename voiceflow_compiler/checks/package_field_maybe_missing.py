"""A warm handoff whose package lacks what the person needs.

Why: the person who takes the call reads the package instead of asking the caller again. Without the reason,
and without a summary or the transcript, they must ask. A value that may not be known yet arrives empty.

**Flagged**

    handoffs:
      sales:
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, slots]  # flagged
        if_unanswered: goodbye

**Clean**

    handoffs:
      sales:
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots]
        if_unanswered: goodbye

Tip: write `package: [reason, summary, slots]`.

Fix: the fields that are missing, where the package is written on one line.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, before, quoted
from voiceflow_compiler.diagnostics import Places, Span
from voiceflow_compiler.flow import Flow, Handoff
from voiceflow_compiler.graph import Graph, stops

CODE: Final = "VF602"
NAME: Final = "package-field-maybe-missing"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """For every warm handoff, the fields its package should have, and the named slots that may be empty."""
    for handoff in flow.handoffs.values():
        if handoff.mode == "warm":
            yield from _too_little(handoff, places)
        yield from _maybe_empty(handoff, graph, places)


def _too_little(handoff: Handoff, places: Places) -> Iterator[Found]:
    missing = [] if "reason" in handoff.package else ["reason"]
    if not {"summary", "transcript"} & set(handoff.package):
        missing.append("summary")
    first = places.value((*handoff.path, "package", 0))
    one_line = bool(handoff.package) and _is_inline(places, first)
    if missing:
        yield Found(
            places.value((*handoff.path, "package")),
            f'the person who takes the call from "{handoff.name}" gets no {" and no ".join(missing)}',
            f"Add {quoted(missing)} to the `package`.",
            fix=before(places, (*handoff.path, "package", 0), ", ".join(missing)) if one_line else (),
        )


def _is_inline(places: Places, first: Span) -> bool:
    """Whether a list is written in brackets, so that items can be written before its first."""
    line = (
        places.texts.get(first.file, "").replace("\r\n", "\n").replace("\r", "\n").split("\n")[first.line - 1]
    )
    return "[" in line[: first.column - 1]


def _maybe_empty(handoff: Handoff, graph: Graph, places: Places) -> Iterator[Found]:
    there = [name for name in graph.reached if graph.nodes[name].to == handoff.name]
    for at, entry in enumerate(handoff.package):
        name = next((name for name in there if entry in graph.bits and not graph.is_known(entry, name)), None)
        if name is not None:
            yield Found(
                places.value((*handoff.path, "package", at)),
                f'{entry} may not be known yet when a caller comes to "{name}"',
                "Collect it on every way to the handoff, or give the whole of `slots`, which holds what "
                "is known.",
                route=stops(graph.way_without(entry, name)),
            )
