"""A condition on a value that nothing before it asks for.

Why: what is not known makes every comparison false. The case was written for callers who are never asked,
so all of them go another way.

**Flagged**

    nodes:
      greeting:
        kind: disclosure
        say: I'm an AI assistant from {company}. This call is recorded. You can ask for a person at any time.
        next: size
      size:
        kind: decide
        cases:
          - {if: slots.team_size >= 50, go: to_sales}  # flagged
        otherwise: team

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
        otherwise: offer

Tip: put the node that collects the value, or the action that returns it, before the decision.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, conditions
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF708"
NAME: Final = "value-never-set"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every case about a slot or a result that no way to its node collects or returns.

    A caller may volunteer a value, so this is no proof that the case never holds.
    """
    on_request = {f"results.{action.name}" for action in flow.actions.values() if action.on_request}
    for name in graph.reached:
        for case in graph.nodes[name].cases:
            parts = dict.fromkeys(".".join(each[:2]) for each in conditions.names_in(case.when.expr))
            asked = graph.asked[name]
            never = [each for each in parts if graph.bits.get(each, 0) & ~asked and each not in on_request]
            if never:
                what = never[0].partition(".")[2]
                does = "asked for" if never[0].startswith("slots.") else "run"
                yield Found(
                    places.value(case.when.path),
                    f'the case to "{case.go}" at "{name}" waits for "{what}", which is {does} on no way '
                    "there",
                    f'Put what gives "{what}" before this node, or decide by something else.',
                    route=graph.route(name),
                )
