"""The guard metrics: what must not get worse while a rollout grows, whatever the primary metric says.

A guard breaks when its limit is passed beyond chance (1 in 100 at each look, by Wilson's bound); until there
are enough calls it says so. Guards are looked at again and again, so now and then one breaks without a cause:
that costs a hold and a look by a person, never a call. Standard library only: they run inside the server.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal, Protocol

from runtime.gate.evidence import Call
from runtime.gate.terms import GuardResult

WINDOW: Final = 200  # the newest calls are looked at, so that an old good week hides nothing
RECENT: Final = 50  # the newest of them, against those before, for a trend
LEAST: Final = 20
SURE: Final = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits. Rates are between 0 and 1, times in milliseconds."""

    session_success: float = 0.97
    handoff_rise: float = 0.1
    latency_p95_ms: int = 2000
    negative: float = 0.15
    complaints: float = 0.05


class InPercent(Protocol):
    """The limits as settings write them."""

    @property
    def session_success_percent(self) -> int: ...
    @property
    def handoff_rise_percent(self) -> int: ...
    @property
    def latency_p95_ms(self) -> int: ...
    @property
    def negative_percent(self) -> int: ...
    @property
    def complaints_percent(self) -> int: ...


def limits_of(settings: InPercent) -> Limits:
    """The limits as rates."""
    return Limits(
        session_success=settings.session_success_percent / 100,
        handoff_rise=settings.handoff_rise_percent / 100,
        latency_p95_ms=settings.latency_p95_ms,
        negative=settings.negative_percent / 100,
        complaints=settings.complaints_percent / 100,
    )


def wilson(hits: int, trials: int, z: float = SURE) -> tuple[float, float]:
    """The bounds of a rate, each wrong about once in a hundred times."""
    rate, square = hits / trials, z * z
    middle = rate + square / (2 * trials)
    reach = z * math.sqrt(rate * (1 - rate) / trials + square / (4 * trials * trials))
    return (middle - reach) / (1 + square / trials), (middle + reach) / (1 + square / trials)


def look(calls: Sequence[Call], limits: Limits, before: Sequence[Call] = ()) -> tuple[GuardResult, ...]:
    """Every guard over the newest calls. `before`: calls of earlier stages, for the trend of handoffs."""
    newest = calls[-WINDOW:]
    return (*(guard(newest, limits) for guard in GUARDS), _handoffs([*before, *calls], limits))


@dataclass(frozen=True, slots=True)
class _Share:
    """A guard on the share of calls that have something: at least the limit, or at most."""

    name: str
    has: Callable[[Call], bool]
    limit: Callable[[Limits], float]
    wanted: Literal["at least", "at most"]
    words: str

    def __call__(self, calls: Sequence[Call], limits: Limits) -> GuardResult:
        limit = self.limit(limits)
        if len(calls) < LEAST:
            return _few(self.name, limit, len(calls), "rollback")
        hits = sum(map(self.has, calls))
        low, high = wilson(hits, len(calls))
        broken = high < limit if self.wanted == "at least" else low > limit
        words = self.words.format(hits=hits, calls=len(calls), limit=limit)
        return _told(self.name, broken, hits / len(calls), limit, len(calls), "rollback", words)


def _latency(calls: Sequence[Call], limits: Limits) -> GuardResult:
    waits = sorted(wait for call in calls for wait in call.waits_ms)
    limit = limits.latency_p95_ms
    if len(waits) < LEAST:
        return _few("latency_p95_ms", limit, len(waits), "hold")
    slow = sum(wait > limit for wait in waits)
    p95 = waits[math.ceil(0.95 * len(waits)) - 1]
    words = (
        f"{slow} of {len(waits)} answers took model and bridge over {limit} ms (95 in 100 within {p95} ms)"
    )
    return _told("latency_p95_ms", wilson(slow, len(waits))[0] > 0.05, p95, limit, len(waits), "hold", words)


def _handoffs(calls: Sequence[Call], limits: Limits) -> GuardResult:
    """Whether the newest calls ask for more people than those before them did."""
    newest, earlier = calls[-RECENT:], calls[:-RECENT]
    limit = limits.handoff_rise
    if len(earlier) < RECENT:
        return _few("handoff_rate", limit, len(calls), "hold")
    now = sum(call.handed_off for call in newest) / len(newest)
    then = sum(call.handed_off for call in earlier) / len(earlier)
    unsure = math.sqrt(now * (1 - now) / len(newest) + then * (1 - then) / len(earlier))
    words = f"{now:.0%} of the newest {len(newest)} calls went to a person, and {then:.0%} before them"
    broken = now - then - SURE * unsure > 0 and now - then > limit
    return _told("handoff_rate", broken, now - then, limit, len(calls), "hold", words)


GUARDS: Final[tuple[Callable[[Sequence[Call], Limits], GuardResult], ...]] = (
    _Share(
        "session_success",
        lambda call: call.good,
        lambda limits: limits.session_success,
        "at least",
        "{hits} of {calls} calls ended as meant, and at least {limit:.0%} must",
    ),
    _latency,
    _Share(
        "negative_sentiment",
        lambda call: call.negative,
        lambda limits: limits.negative,
        "at most",
        "{hits} of {calls} callers were displeased at the end, and at most {limit:.0%} may be",
    ),
    _Share(
        "complaints",
        lambda call: call.complained,
        lambda limits: limits.complaints,
        "at most",
        "{hits} of {calls} calls were complained about, and at most {limit:.0%} may be",
    ),
)


def _few(name: str, limit: float, counted: int, act: Literal["hold", "rollback"]) -> GuardResult:
    return GuardResult(name, "too_few", None, limit, counted, act, f"{counted} so far, too few to say")


def _told(
    name: str,
    broken: bool,  # noqa: FBT001 - private, and read at every place it is called
    value: float,
    limit: float,
    counted: int,
    act: Literal["hold", "rollback"],
    words: str,
) -> GuardResult:
    return GuardResult(name, "breaks" if broken else "holds", value, limit, counted, act, words)
