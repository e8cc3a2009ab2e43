"""Row 47: anything raises anywhere inside one call."""

import asyncio

import pytest
from msgspec.structs import replace

from runtime import record
from runtime.simulate.profile import Profile
from tests.faults.bed import DISCLOSURE, FULL, Bed, Interrupter, Placed, length_ms, live, profile
from tests.faults.conftest import Open
from tests.faults.hooks import POINTS, Carrier, Point

pytestmark = pytest.mark.faults


class Unforeseen(BaseException):
    """Something that is not even an Exception."""


RAISED: tuple[type[BaseException], ...] = (
    *(ValueError, KeyError, IndexError, TypeError, AttributeError, ZeroDivisionError, RuntimeError),
    *(RecursionError, MemoryError, OSError, ConnectionResetError, TimeoutError, UnicodeError, EOFError),
    *(StopAsyncIteration, AssertionError, NotImplementedError, ArithmeticError),
    *(asyncio.CancelledError, Unforeseen),
)
TABLE = ("four people",) * 3
PERSON = ("a person please",) * 3
# What these say by it is part of their port: an answer in time is what was asked of them.
MEANT = {("actions", TimeoutError), ("desk", TimeoutError)}
AT_ONCE = 16
AT_THE_END = frozenset({("session", "close"), ("line", "close")})


def combinations() -> list[list[tuple[Point, type[BaseException]]]]:
    """All points by all kinds in the whole suite; in a check each point, and each kind, at least once. In
    groups of so many calls at once.
    """
    if FULL:
        made = [(point, kind) for point in POINTS for kind in RAISED]
    else:
        made = [(point, RAISED[place % len(RAISED)]) for place, point in enumerate(POINTS)]
    made = [(point, kind) for point, kind in made if (point.port, kind) not in MEANT]
    return [made[start : start + AT_ONCE] for start in range(0, len(made), AT_ONCE)]


def test_row_47_there_are_thirty_points_and_twenty_kinds() -> None:
    """The table is as large as it says."""
    assert len(set(POINTS)) >= 30
    assert len(set(RAISED)) == 20


def wanting(point: Point, number: str) -> Profile:
    """A caller who brings the call to this point."""
    return replace(profile(*(PERSON if point.wants == "person" else TABLE)), number=number)


def mouth(point: Point) -> Interrupter | None:
    """Who speaks, where it is not the caller of the profile."""
    return Interrupter(length_ms(DISCLOSURE) + 300) if point.wants == "interrupts" else None


@pytest.mark.parametrize("group", range(len(combinations())))
def test_row_47_what_raises_anywhere_ends_that_call_alone(bed: Open, group: int) -> None:
    """Whatever a port raises, whenever: that call ends with `internal_error`, kind and place in its record,
    and its caller is never left in silence for three seconds and goes on by the net. Calls beside it notice
    nothing; no task, socket or session is left."""
    hooked = {f"+1202556{place:04}": one for place, one in enumerate(combinations()[group])}
    carrier = Carrier(hooked, {})

    async def work() -> tuple[Bed, dict[str, Placed]]:
        async with bed(carry=carrier) as one:
            made = await asyncio.gather(
                *(
                    one.call(wanting(point, number), mouth=mouth(point))
                    for number, (point, _) in hooked.items()
                )
            )
        return one, {number: later() for number, later in zip(hooked, made, strict=True)}

    one, calls = live(work())
    wrong = [
        f"{point} {kind.__name__}: {why}"
        for number, (point, kind) in hooked.items()
        for why in judged(calls[number], point, fired=carrier.hooks[number].fired)
    ]
    assert not wrong, "\n".join(wrong)
    assert one.alerts("call.broken") == len(hooked)


def judged(call: Placed, point: Point, *, fired: bool) -> list[str]:
    """What is wrong with this call."""
    told = call.of("note", "internal_error")
    ended_well = (point.port, point.method) in AT_THE_END
    checks = {
        "the hook was never reached": fired,
        f"it ended with {call.reason}": (call.reason == "internal_error") != ended_well,
        "its record does not say what raised": bool(told) or point.method == "note",
        f"dead air of {call.dead_air_ms} ms": call.dead_air_ms <= 3000,
        f"the caller was left: {call.ended.how}": call.ended.how in ("assistant_hung_up", "transferred"),
        "it was not gone on with": ended_well or len(parts(call)) > 1,
    }
    return [why for why, well in checks.items() if not well]


def parts(call: Placed) -> list[record.Record]:
    folder = call.path.parent
    return [record.read(path) for path in folder.glob(f"{call.ended.call_id}*.jsonl")]
