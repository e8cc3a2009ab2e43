"""A suite as scenarios, each named for what only it reaches."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.simulate.cover.goals import PAIR, WITH, in_words
from runtime.simulate.cover.suite import Planned, Suite
from runtime.simulate.scenario.form import Scenario
from runtime.simulate.scenario.write import scenario_of
from voiceflow_compiler.artifact import Artifact

_ORDER = ("edge", "trigger", "lost", "node", "slot", "rung", "intent", WITH, PAIR)


def scenarios(artifact: Artifact, suite: Suite) -> Iterator[Scenario]:
    """Every call of the suite as a scenario."""
    for number, call in enumerate(suite.calls, 1):
        yield scenario_of(
            artifact, f"{number}. {_name(call)}", call.facts, call.moves, call.steps, about=_about(call)
        )


def _ranked(call: Planned) -> list[tuple[str, ...]]:
    return sorted(call.first, key=lambda goal: (_ORDER.index(goal[0]), goal))


def _name(call: Planned) -> str:
    return in_words(_ranked(call)[0])


def _about(call: Planned) -> str:
    rest = len(call.first) - 1
    return f"Generated: reaches this and {rest} more" if rest else "Generated"
