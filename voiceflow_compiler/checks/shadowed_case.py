"""A case that is never reached because an earlier one always holds first.

Why: cases are tried in order. Callers meant for the later node are sent to the earlier one.

**Flagged**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: size
      size:
        kind: decide
        cases:
          - {if: slots.team_size >= 10, go: offer}
          - {if: slots.team_size >= 50, go: to_sales}  # flagged
        otherwise: goodbye

**Clean**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: size
      size:
        kind: decide
        cases:
          - {if: slots.team_size >= 50, go: to_sales}
          - {if: slots.team_size >= 10, go: offer}
        otherwise: goodbye

What several cases take together counts too:

**Flagged**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: size
      size:
        kind: decide
        cases:
          - {if: slots.team_size < 10, go: offer}
          - {if: slots.team_size >= 10, go: to_sales}
          - {if: "facts.account == 'customer'", go: to_sales}  # flagged
        otherwise: goodbye

Tip: put the narrower case first.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from voiceflow_compiler.checks.base import Found, conditions
from voiceflow_compiler.diagnostics import Places, Related
from voiceflow_compiler.flow import Case, Flow, Node
from voiceflow_compiler.graph import Graph

CODE: Final = "VF208"
NAME: Final = "shadowed-case"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every case that earlier cases of the same node leave no caller for."""
    known = conditions.domains(flow)
    for node, whole in conditions.decided(flow, graph):
        pairs = _near(node, flow, graph, known) if whole is None else _among(node.cases, whole)
        for case, earlier in pairs:
            takes = "an earlier case takes" if len(earlier) == 1 else "earlier cases take"
            yield Found(
                places.value(case.when.path),
                f'no caller can take the case to "{case.go}" at "{node.name}": {takes} them all',
                "Put the narrower case first, or delete this one.",
                tuple(Related(places.value(each.when.path), "this case holds first") for each in earlier[:3]),
            )


Pair = tuple[Case, list[Case]]


def _near(node: Node, flow: Flow, graph: Graph, known: conditions.Domains) -> Iterator[Pair]:
    """Where all names together are too many to look at: each case beside those about the same names."""
    for at, case in enumerate(node.cases):
        about = set(conditions.names_in(case.when.expr))
        near = [each for each in node.cases[:at] if about.issuperset(conditions.names_in(each.when.expr))]
        found = conditions.of_cases(node, [*near, case], flow, graph, known)
        if found is not None:
            yield from (pair for pair in _among([*near, case], found) if pair[0] is case)


def _among(cases: Sequence[Case], found: conditions.Worlds) -> Iterator[Pair]:
    """Pairs of a shadowed case and those that leave nobody for it; one that never holds is no such case."""
    taken = 0
    for at, (case, held) in enumerate(zip(cases, found.holding, strict=True)):
        if case.when.expr is not None and held and not held & ~taken:
            before = list(zip(cases[:at], found.holding[:at], strict=True))
            alone = [each for each, theirs in before if not held & ~theirs]
            yield case, alone[:1] or [each for each, theirs in before if held & theirs]
        taken |= held if case.when.expr is not None else 0
