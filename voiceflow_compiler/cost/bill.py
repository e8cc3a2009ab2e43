"""What a call is billed: six sorts of tokens, and their price.

1. Every response reads the instructions and the whole conversation before it; what the model read before is
   billed as cached, what is new is not.
2. *Stable*: one prefix for the whole call, and a brief with each turn. *Focused*: instructions and tools of
   the node alone, changed at each node, and with each change the whole conversation is read anew, uncached.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal

from voiceflow_compiler.cost.assumed import Prices
from voiceflow_compiler.cost.chain import Chain, State, Step, ahead, visits

Mode = Literal["stable", "focused"]
MODES: Final[tuple[Mode, ...]] = ("stable", "focused")


@dataclass(frozen=True, slots=True)
class Bill:
    """Tokens by sort; means, so not whole numbers."""

    text_in: float = 0.0
    text_cached: float = 0.0
    text_out: float = 0.0
    audio_in: float = 0.0
    audio_cached: float = 0.0
    audio_out: float = 0.0

    def plus(self, other: "Bill", times: float = 1.0) -> "Bill":
        """This bill and another, so many times."""
        return Bill(*(getattr(self, each.name) + times * getattr(other, each.name) for each in fields(self)))

    def price(self, prices: Prices) -> float:
        """What it costs, in the currency of the price list."""
        amounts = (float(getattr(self, each.name) * getattr(prices, each.name)) for each in fields(self))
        return sum(amounts) / 1_000_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """Text tokens: the instructions and tools of each node (one and the same in stable mode), the briefs."""

    mode: Mode
    instructions: Mapping[str, float]
    briefs: Mapping[str, float]
    acknowledgement: float


@dataclass(frozen=True, slots=True)
class _Charge:
    """What one step is billed by itself, and what it leaves in the conversation for every later response."""

    bill: Bill
    audio: float
    text: float


def of_call(steps: Sequence[tuple[str, Step]], sizes: Sizes) -> Bill:
    """The bill of one call: its steps, each with the node it was taken at, the opening first."""
    total, audio, text = Bill(), 0.0, 0.0
    for at, (node, step) in enumerate(steps):
        charge = _charge(node, step, sizes, first=at == 0)
        total = total.plus(charge.bill).plus(_reread(audio, text, step.responses, _changes(step, sizes)))
        audio, text = audio + charge.audio, text + charge.text
    return total


def expected(calls: Chain, sizes: Sizes) -> Bill:
    """The mean bill of all calls.

    The conversation grows with every step and is read by all later responses, so what a step leaves behind is
    billed by the responses (and changes of instructions) that a call has before it from there, in the mean.
    """
    often = visits(calls)
    responses = ahead(calls, mean(calls, lambda step: float(step.responses)))
    changes = ahead(calls, mean(calls, lambda step: float(_changes(step, sizes))))
    total = Bill()
    opened = [("", calls.opening, 1.0, True)]
    taken = (
        (state[0], step, often[state] * step.chance, False)
        for state, found in calls.steps.items()
        for step in found
    )
    for node, step, times, first in (*opened, *taken):
        charge = _charge(node, step, sizes, first=first)
        total = total.plus(charge.bill, times)
        if step.target is not None:
            later = _reread(charge.audio, charge.text, responses[step.target], changes[step.target])
            total = total.plus(later, times)
    return total


def mean(calls: Chain, amount: Callable[[Step], float]) -> dict[State, float]:
    """An amount of the steps, in the mean for each state."""
    return {state: sum(step.chance * amount(step) for step in found) for state, found in calls.steps.items()}


def _charge(node: str, step: Step, sizes: Sizes, *, first: bool) -> _Charge:
    """A step by itself: the instructions, the caller's turn, the report and the brief, and what is said."""
    brief = sizes.briefs.get(step.brief, 0.0) if sizes.mode == "stable" else sizes.acknowledgement
    spoken = step.responses > (step.report > 0)  # the model speaks, not only reports
    text = step.report + (brief if spoken else 0.0) + step.script
    fresh, cached = _instructions(node, step, sizes, first=first)
    changed = _changes(step, sizes) and step.responses > 1  # the second response reads the turn anew
    again = max(step.responses - 1, 0)
    bill = Bill(
        text_in=fresh + text,
        text_cached=cached,
        text_out=step.report + step.transcript,
        audio_in=step.heard * (1 + changed),
        audio_cached=step.heard * max(again - changed, 0),
        audio_out=step.said,
    )
    return _Charge(bill, step.heard + step.said, text)


def _instructions(node: str, step: Step, sizes: Sizes, *, first: bool) -> tuple[float, float]:
    """The tokens of instructions that a step's responses read, new and cached."""
    here = sizes.instructions.get(node, 0.0)
    if first:
        opened = sizes.instructions.get(step.target[0] if step.target else node, 0.0)
        return opened, opened * max(step.responses - 1, 0)
    if _changes(step, sizes):
        return sizes.instructions.get(step.entered, 0.0), here * max(step.responses - 1, 0)
    return 0.0, here * step.responses


def _changes(step: Step, sizes: Sizes) -> bool:
    """Whether new instructions come into force with a step."""
    return sizes.mode == "focused" and bool(step.entered)


def _reread(audio: float, text: float, responses: float, changes: float) -> Bill:
    """A stretch of conversation read by later responses, `changes` of them uncached."""
    cached = max(responses - changes, 0.0)
    return Bill(text * changes, text * cached, 0.0, audio * changes, audio * cached, 0.0)
