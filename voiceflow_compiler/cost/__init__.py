"""What a flow's calls cost: expected, shortest, longest and by ending, under both ways of prompting."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.cost import bill, calls
from voiceflow_compiler.cost.assumed import Assumptions, Prices
from voiceflow_compiler.cost.bill import MODES, Bill, Mode, Sizes
from voiceflow_compiler.cost.chain import Chain, ahead, chain, visits
from voiceflow_compiler.targets import base, openai_realtime_focused

COST_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of call: the share that ends so (None where that is not asked), its size and its bills."""

    name: str
    share: float | None
    turns: float
    seconds: float
    bills: Mapping[Mode, Bill]
    route: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """`rows` are expected, shortest and longest; `endings` the shortest call to each ending, likely first."""

    artifact: Artifact
    prices: Prices
    assumed: Assumptions
    instructions: Mapping[Mode, float]
    rows: tuple[Row, ...]
    endings: tuple[Row, ...]


def estimate(artifact: Artifact, prices: Prices, assumed: Assumptions) -> Estimate:
    """What calls of a flow cost at a price list, under assumptions."""
    chained = chain(artifact, assumed)
    sized = {mode: sizes(artifact, assumed, mode) for mode in MODES}
    often = visits(chained)
    ways = calls.shortest(chained)
    endings = sorted(
        (
            _row(_ending(artifact, name), call, sized, share=often[name, 0] * call[-1][1].chance)
            for name, call in ways.items()
        ),
        key=lambda row: (-(row.share or 0.0), row.name),
    )
    quickest = min(ways.values(), key=lambda call: (calls.turns(call), len(call)))
    rows = (
        _expected(chained, sized),
        _row("shortest", quickest, sized),
        _row("longest", calls.longest(artifact, chained), sized),
    )
    means = {mode: _mean_size(sized[mode]) for mode in MODES}
    return Estimate(artifact, prices, assumed, means, rows, tuple(endings))


def sizes(artifact: Artifact, assumed: Assumptions, mode: Mode) -> Sizes:
    """The text tokens of instructions with their tools, and of briefs, in one way of prompting."""
    per_token = assumed["text.characters_per_token"]
    briefs = {name: len(text) / per_token for name, text in artifact.briefs.items()}
    if mode == "stable":
        tools = [[tool.name, tool.description, tool.parameters] for tool in artifact.tools]
        prefix = (len(base.instructions(artifact)) + len(json.dumps(tools))) / per_token
        whole = dict.fromkeys(artifact.nodes, prefix)
    else:
        whole = {
            name: len(_focused(artifact, name)) / per_token
            for name in artifact.nodes
            if name in artifact.briefs
        }
    return Sizes(mode, whole, briefs, assumed["text.acknowledgement_tokens"])


def _focused(artifact: Artifact, name: str) -> str:
    tools = openai_realtime_focused.tools(artifact, name)
    return openai_realtime_focused.instructions(artifact, name) + (json.dumps(tools) if tools else "")


def _row(name: str, call: calls.Call, sized: Mapping[Mode, Sizes], share: float | None = None) -> Row:
    bills = {mode: bill.of_call(call, each) for mode, each in sized.items()}
    return Row(name, share, calls.turns(call), calls.seconds(call), bills, tuple(_route(call)))


def _expected(chained: Chain, sized: Mapping[Mode, Sizes]) -> Row:
    start = chained.opening.target or ("", 0)
    turns = ahead(chained, bill.mean(chained, lambda step: float(step.turns)))[start]
    seconds = ahead(chained, bill.mean(chained, lambda step: step.seconds))[start] + chained.opening.seconds
    return Row(
        "expected", None, turns, seconds, {mode: bill.expected(chained, each) for mode, each in sized.items()}
    )


def _route(call: calls.Call) -> Iterator[str]:
    """The nodes of a call, each once for every time the call comes there anew."""
    last = ""
    for name, _ in call:
        if name and name != last:
            yield name
        last = name


def _ending(artifact: Artifact, name: str) -> str:
    node = artifact.nodes[name]
    return f"{name} ({node.outcome or f'handoff to {node.handoff}'})"


def _mean_size(sized: Sizes) -> float:
    values: list[Any] = list(sized.instructions.values())
    return sum(values) / len(values) if values else 0.0
