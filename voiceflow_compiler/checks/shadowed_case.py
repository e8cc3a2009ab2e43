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

Tip: put the narrower case first.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.artifact import Expr
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
    for node in flow.nodes.values():
        for case, earlier in _shadowed(node, known):
            yield Found(
                places.value(case.when.path),
                f'no caller can take the case to "{case.go}" at "{node.name}": an earlier case takes them '
                "all",
                "Put the narrower case first, or delete this one.",
                (Related(places.value(earlier.when.path), "this case holds first"),),
            )


def _shadowed(node: Node, known: conditions.Domains) -> Iterator[tuple[Case, Case]]:
    """Pairs of a shadowed case and the one that shadows it."""
    whole: dict[frozenset[str], Case] = {}
    single: dict[str, Case] = {}
    taken: dict[str, list[tuple[conditions.Values, Case]]] = {}
    for case in node.cases:
        expr = case.when.expr
        if expr is None or conditions.never_true(expr, known):
            continue
        tests = conditions.tests_of(expr)
        texts = frozenset(map(conditions.written, tests))
        earlier = whole.get(texts) or next((single[text] for text in texts if text in single), None)
        earlier = earlier or single.get(conditions.written(["value", True])) or _covering(tests, taken, known)
        if earlier is not None:
            yield case, earlier
            continue
        whole[texts] = case
        if len(tests) == 1:
            single[conditions.written(expr)] = case
            _take(case, expr, taken, known)


def _covering(
    tests: list[Expr], taken: dict[str, list[tuple[conditions.Values, Case]]], known: conditions.Domains
) -> Case | None:
    for name, values in conditions.merged(tests, known).items():
        for earlier, case in taken.get(name, ()):
            if values.within(earlier):
                return case
    return None


def _take(
    case: Case, expr: Expr, taken: dict[str, list[tuple[conditions.Values, Case]]], known: conditions.Domains
) -> None:
    """Remember what a case about one name takes; what several take of a closed set is taken together."""
    found = conditions.allowed(expr, known)
    if found is None:
        return
    name, values = found
    before = taken.setdefault(name, [])
    if isinstance(values, conditions.Choices) and before and isinstance(before[-1][0], conditions.Choices):
        values = conditions.Choices(values.values | before[-1][0].values)
    before.append((values, case))
