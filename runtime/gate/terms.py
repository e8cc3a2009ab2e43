"""What a gate was agreed to be before the first call, what it was shown, and what it said.

Rates are between 0 and 1. A verdict counts calls, never callers' words.
"""

from typing import Final, Literal

from msgspec import Struct

Spending = Literal["obrien_fleming", "pocock"]
Standing = Literal["passed", "not_yet", "failed"]

# The joint distribution of several looks is a normal approximation, and hits are whole numbers: a part of
# alpha is kept back for what that may be wrong by. It costs a plan some 6 % more calls.
KEPT_BACK: Final = 0.15


class Human(Struct, frozen=True):
    """What people reach on the primary metric. `calls`: how many calls say so; None: it is taken as known."""

    rate: float
    calls: int | None = None

    @property
    def hits(self) -> int:
        """How many of the calls reached it."""
        return round(self.rate * (self.calls or 0))


class Terms(Struct, frozen=True):
    """The agreement. `margin`: the share of the human rate to show; `alpha`: how often an assistant at just
    that share may pass, all looks together; `calls`: how many the whole plan takes; `looks`: how often it may
    be looked at on the way, the last look included.
    """

    human: Human
    calls: int
    margin: float = 0.8
    alpha: float = 0.05
    looks: int = 5
    spending: Spending = "obrien_fleming"

    @property
    def spendable(self) -> float:
        """How much of alpha the looks may spend."""
        return self.alpha * (1 - KEPT_BACK)

    def due(self, look: int) -> int:
        """With how many calls the look of this number (from 1) may be taken."""
        return -(-self.calls * min(look, self.looks) // self.looks)


class Counts(Struct, frozen=True):
    """The assistant's calls, and how many of them ended with the primary metric."""

    calls: int
    hits: int


class Look(Struct, frozen=True):
    """One look: what was seen; `level`: the p-value that was needed; `spent`: how much of alpha is used."""

    calls: int
    hits: int
    level: float
    spent: float
    p_value: float

    @property
    def passed(self) -> bool:
        """Whether the assistant's share was shown at this look."""
        return self.p_value <= self.level


class GuardResult(Struct, frozen=True):
    """One guard metric: `value` against `limit`, over `counted` calls or turns. `act`: what a break does."""

    name: str
    state: Literal["holds", "breaks", "too_few"]
    value: float | None
    limit: float
    counted: int
    act: Literal["hold", "rollback"]
    reason: str


class Verdict(Struct, frozen=True):
    """What the gate says. `reasons` name what is missing or broken, none when passed. `low`, `high`: bounds
    of the assistant's share of the human rate that hold at this look, looks before it allowed for.
    """

    standing: Standing
    reasons: tuple[str, ...]
    counts: Counts
    terms: Terms
    looks: tuple[Look, ...]
    next_look: int | None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    guards: tuple[GuardResult, ...] = ()
