"""A case that can never hold.

Why: the node behind it was designed for callers who cannot exist. Usually one number or one `and` is wrong.

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
          - {if: slots.team_size > 50 and slots.team_size < 20, go: to_sales}  # flagged
        otherwise: offer

**Flagged**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: large
      large:
        kind: decide
        cases:
          - {if: slots.team_size >= 50, go: to_sales}
        otherwise: size
      size:
        kind: decide
        cases:
          - {if: slots.team_size > 60, go: sorry}  # flagged
        otherwise: offer

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
          - {if: slots.team_size > 20 and slots.team_size < 50, go: to_sales}
        otherwise: offer

**Clean**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: large
      large:
        kind: decide
        cases:
          - {if: slots.team_size >= 50, go: to_sales}
        otherwise: size
      size:
        kind: decide
        cases:
          - {if: slots.team_size > 40, go: sorry}
        otherwise: offer

Tip: compare the condition with the minimum, maximum and choices of what it names.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, conditions
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Case, Flow, Node
from voiceflow_compiler.graph import Graph

CODE: Final = "VF207"
NAME: Final = "never-true-case"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every case whose condition contradicts itself, what its names can be, or the decisions before it."""
    known = conditions.domains(flow)
    for node, whole in conditions.decided(flow, graph):
        through = conditions.let_through(node, flow, graph, known)
        for at, case in enumerate(node.cases):
            if whole is not None and whole.holding[at]:  # what holds with all that is known there can hold
                if not through[at]:
                    yield _behind(node, case, graph, places)
                continue
            if conditions.never_true(case.when.expr, flow, known):
                yield Found(
                    places.value(case.when.path),
                    f'no caller can ever take the case to "{case.go}" at "{node.name}": '
                    f"`{case.when.text}` never holds",
                    "Compare the condition with the minimum, maximum and choices of what it names, or "
                    "delete the case.",
                )


def _behind(node: Node, case: Case, graph: Graph, places: Places) -> Found:
    return Found(
        places.value(case.when.path),
        f'no caller can ever take the case to "{case.go}" at "{node.name}": the decisions before it let '
        f"nobody through for whom `{case.when.text}` holds",
        "Compare the condition with the cases of the decisions before it, or delete the case.",
        route=graph.route(node.name),
    )
