"""Few calls that together reach every goal of a flow, and how few there can be at least.

Laws
1. A call is made of moves the engine has taken; what a suite says it reaches was reached.
2. Goals that no call reaches are named with a reason, and goals that were not found as missed.
3. `at_least` is a true lower bound wherever the chart is whole: each call has one last turn after which
   nobody listens again, and no two of the goals counted lie on the same one or anywhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from runtime.simulate.cover.ahead import Reader
from runtime.simulate.cover.beyond import Search
from runtime.simulate.cover.board import Board, Mask
from runtime.simulate.cover.chart import Chart, draw
from runtime.simulate.cover.ends import apart, every_tail, only_last
from runtime.simulate.cover.goals import WITH, Goal, excused, goals
from runtime.simulate.cover.live import LiveCall
from runtime.simulate.cover.never import out_of_reach
from runtime.simulate.cover.plan import Planner
from runtime.simulate.drive.moves import Move
from runtime.simulate.drive.steps import Moment
from voiceflow_compiler.artifact import Artifact

NO_WAY = "nothing a caller says or the record holds leads there"
BOUNDED = "the bounds of a call end it before"


class Planned(Struct, frozen=True):
    """One call of a suite: what the CRM holds, the moves, the steps of the engine by move (the opening
    first), and the goals it reached before any other call of the suite.
    """

    facts: dict[str, Any] | None
    moves: tuple[Move, ...]
    steps: tuple[tuple[Moment, ...], ...]
    first: frozenset[Goal]


class Suite(Struct, frozen=True):
    """Calls that reach every goal in `reached`. `impossible` says why some cannot be; `missed` were not found
    (`whole`: every place of the flow was looked at).
    """

    calls: tuple[Planned, ...]
    reached: frozenset[Goal]
    impossible: dict[Goal, str]
    missed: tuple[Goal, ...]
    at_least: int
    whole: bool


def generate(artifact: Artifact, *, pairs: bool = True, kinds: Collection[str] = ()) -> Suite:
    """The suite of a flow. `kinds`: for goals of these kinds alone, where any are named."""
    reader = Reader(artifact)
    wanted = tuple(goal for goal in goals(artifact) if not kinds or goal[0] in kinds)
    chart = _chart(artifact, reader, wanted)
    edges = frozenset(goal for goal in wanted if goal[0] == "edge")
    sides = sorted(goal for goal in chart.reached if goal[0] == WITH and (not kinds or WITH in kinds))
    known = [*(goal for goal in wanted if goal in chart.reached), *sides]
    board = Board(chart, known, edges, pairs=pairs)
    planner = Planner(artifact, reader, chart, board)
    calls = planner.calls()
    never = _beyond(planner, calls)
    left = planner.left | planner.barren
    impossible, missed = _explained(artifact, board, chart, wanted, never & left, left)
    only = only_last(board) & ~left
    return Suite(
        tuple(_planned(board, live, first) for live, first in calls),
        frozenset(goal for goal in board.goals if not board.bit[goal] & left),
        impossible,
        missed,
        at_least=max(apart(every_tail(board, only), only), 1),
        whole=chart.whole,
    )


def _chart(artifact: Artifact, reader: Reader, wanted: Sequence[Goal]) -> Chart:
    """The chart of a flow: a wide one where callers who only answer what is asked do not reach everything."""
    chart = draw(artifact, reader)
    if all(goal in chart.reached or excused(artifact, goal) for goal in wanted):
        return chart
    wide = draw(artifact, reader, wide=True)
    return wide if wide.reached > chart.reached else _as_whole(chart, wide)


def _as_whole(chart: Chart, wide: Chart) -> Chart:
    """The narrow chart does, and only when the wide one was whole it is known to."""
    return replace(chart, whole=chart.whole and wide.whole)


def _beyond(planner: Planner, calls: list[tuple[LiveCall, Mask]]) -> Mask:
    """Search for what the plans did not reach; the goals of which it is known that no call reaches them."""
    left = planner.left | planner.barren
    if not left:
        return 0
    artifact, reader, chart, board = planner.artifact, planner.reader, planner.chart, planner.board
    never = out_of_reach(artifact, reader, chart, board, left)
    planner.left, planner.barren = left, 0
    search = Search(artifact, reader, chart, board, left & ~never, never)
    for found in search.run():
        if not found.goals & search.wanted:
            continue
        live, gained = planner.led(found.facts, found.moves)
        search.wanted &= ~gained
        calls.append((live, gained))
    return never | search.wanted if search.whole else never


def _explained(
    artifact: Artifact, board: Board, chart: Chart, wanted: Sequence[Goal], proved: Mask, left: Mask
) -> tuple[dict[Goal, str], tuple[Goal, ...]]:
    """Why goals were not reached, and those of which nobody knows."""
    impossible: dict[Goal, str] = {}
    missed: list[Goal] = []
    unmet = [goal for goal in wanted if goal not in chart.reached]
    unmet += [goal for goal in board.goals if board.bit[goal] & left]
    for goal in unmet:
        bit = board.bit.get(goal, 0)
        why = excused(artifact, goal)
        if not why and not bit and chart.whole:
            why = NO_WAY
        if not why and bit & proved and chart.whole:
            why = BOUNDED
        if why:
            impossible[goal] = why
        else:
            missed.append(goal)
    return impossible, tuple(missed)


def _planned(board: Board, live: LiveCall, first: Mask) -> Planned:
    goals = frozenset(goal for goal in live.met if board.bit.get(goal, 0) & first)
    return Planned(live.facts, tuple(live.moves), tuple(live.steps), goals)
