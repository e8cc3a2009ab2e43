"""Calls planned on the board: each collects what lies on its way to a last turn the suite still needs."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any, Final

from runtime.simulate.cover.ahead import Key, Reader
from runtime.simulate.cover.board import TURN, Board, Mask, Step, union
from runtime.simulate.cover.chart import Chart, Root
from runtime.simulate.cover.ends import every_tail, fewest, only_last
from runtime.simulate.cover.live import LiveCall
from runtime.simulate.drive.moves import Move
from voiceflow_compiler.artifact import Artifact

MOST_TURNS: Final = 24
SPARE: Final = 3  # turns that a call keeps for its end
NOWHERE: Final = -1
Path = list[tuple[int, Step]]  # steps, each with the place it leaves


class Planner:
    """`left` are the goals still to be reached; `barren` those that a plan led to and the engine did not."""

    def __init__(self, artifact: Artifact, reader: Reader, chart: Chart, board: Board) -> None:
        self.artifact = artifact
        self.board = board
        self.left: Mask = board.every
        self.barren: Mask = 0
        self.reader = reader
        self.chart = chart
        self._stay: dict[Key, list[Move]] = {}
        self._spent: set[int] = set()
        self._vain: set[Any] = set()
        self._ends = fewest(every_tail(board, only := only_last(board)), only)
        self._own = [union(self._ends_of(step) for step in steps) for steps in board.last]
        self._to_end = board.ahead(self._own)
        self._gives = [union(step.mask for step in steps) for steps in board.inner]
        self._gives_last = [
            union(board.after[at]) | union(union(board.tails(step)) for step in steps)
            for at, steps in enumerate(board.last)
        ]
        self._to_last = board.ahead(self._gives_last)
        self._from = [mask | board.within[at] | self._to_last[at] for at, mask, _ in board.roots]
        self._rare = _by_rarity(self._from)

    def _ends_of(self, step: Step) -> Mask:
        """The chosen ends that this last step makes, one bit each."""
        tails = self.board.tails(step)
        return union(
            1 << number for number, end in enumerate(self._ends) if any(end & tail == end for tail in tails)
        )

    def _ends_left(self) -> Mask:
        return union(1 << number for number, end in enumerate(self._ends) if end & self.left)

    def calls(self) -> list[tuple[LiveCall, Mask]]:
        """Calls, each with the goals it reached first, until no plan leads to anything that is left."""
        made: list[tuple[LiveCall, Mask]] = []
        while (begun := self._root()) is not None:
            at, number, root = begun
            before = self.left
            live = LiveCall(self.artifact, self.reader, root.facts, self._vain)
            aim = self._make(live, at)
            gained = self.board.mask(live.met) & before
            self.left = before & ~gained
            if gained:
                made.append((live, gained))
            elif aim & self.left:
                self.barren |= aim & self.left
                self.left &= ~aim
            else:
                self._spent.add(number)
        return made

    def led(self, facts: dict[str, Any] | None, moves: Sequence[Move]) -> tuple[LiveCall, Mask]:
        """A call that begins with these moves and is brought to a useful end; the goals it reached first."""
        before = self.left
        live = LiveCall(self.artifact, self.reader, facts, self._vain)
        for move in moves:
            live.do(move)
        self.left &= ~self.board.mask(live.met)
        at = self.board.place(live)
        if at != NOWHERE and not live.over:
            self._finish(live, at)
        live.end()
        gained = self.board.mask(live.met) & before
        self.left = before & ~gained
        return live, gained

    def _root(self) -> tuple[int, int, Root] | None:
        """Where the next call begins: where the rarest of what is left can be reached. None: nothing can."""
        open_roots = [number for number in range(len(self.board.roots)) if number not in self._spent]
        for rare in self._rare:
            serving = [number for number in open_roots if self._from[number] & rare & self.left]
            if serving:
                best = max(serving, key=lambda each: ((self._from[each] & self.left).bit_count(), -each))
                return self.board.roots[best][0], best, self.board.roots[best][2]
        return None

    def _make(self, live: LiveCall, at: int) -> Mask:
        """Make a whole call; what it was meant to reach first."""
        aim, at = self._collect(live, at)
        if at != NOWHERE and not live.over:
            last = self._finish(live, at)
            aim = aim or last
        live.end()
        return aim

    # ---- while the caller still has a turn

    def _collect(self, live: LiveCall, at: int) -> tuple[Mask, int]:
        """Reach what can be reached while an end that is needed stays within reach."""
        aim = 0
        bound = self.artifact.limits.turns
        most = bound - SPARE if bound > 4 * SPARE else bound
        while at != NOWHERE and not live.over:
            self.left &= ~self.board.mask(live.met)
            room = TURN * min(MOST_TURNS - len(live.moves), most - live.state.counts.turns)
            path = self._nearest(live, at, room)
            if path is None:
                break
            aim = aim or path[-1][1].mask & self.left
            at = self._walk(live, at, path)
        self.left &= ~self.board.mask(live.met)
        return aim, at

    def _nearest(self, live: LiveCall, start: int, room: int) -> Path | None:
        """The cheapest inner steps whose last reaches something that is left."""
        ends, left = self._ends_left(), self.left
        came: dict[int, tuple[int, Step] | None] = {start: None}
        queue: list[tuple[int, int, int]] = [(0, start, NOWHERE)]
        found: tuple[int, int, Step] | None = None
        cost_to = {start: 0}
        while queue:
            cost, at, _ = heapq.heappop(queue)
            if found is not None and cost >= found[0]:
                break
            if cost > cost_to[at]:
                continue
            gives = bool(self._gives[at] & left)
            for step in self.board.inner[at] if gives else self.board.plain[at]:
                total = cost + step.cost
                if total > room or (ends and not self._to_end[step.to] & ends):
                    continue
                if id(step.way) in live.blocked:
                    continue
                if step.mask & left:
                    if found is None or total < found[0]:
                        found = (total, at, step)
                elif self.board.within[step.to] & left and total < cost_to.get(step.to, room + 1):
                    cost_to[step.to] = total
                    came[step.to] = (at, step)
                    heapq.heappush(queue, (total, step.to, at))
        return None if found is None else [*_back(came, found[1]), (found[1], found[2])]

    def _walk(self, live: LiveCall, at: int, path: Path) -> int:
        """Go these steps as far as the engine agrees; the place come to."""
        for _, step in path:
            if not live.go(step.way, self._staying(at)):
                return self.board.place(live)
            at = step.to
            if live.over:
                break
        return at

    def _staying(self, at: int) -> list[Move]:
        """The moves that may leave a call where it is."""
        key = self.board.key(at)
        if key not in self._stay:
            moves = [way.done.move for way in self.chart.ways[key] if way.to == key]
            self._stay[key] = list({repr(move): move for move in moves}.values())
        return self._stay[key]

    # ---- the last turn

    def _finish(self, live: LiveCall, at: int) -> Mask:
        """Take a last turn that the suite needs, else one that reaches something, and what follows it."""
        if self.board.behind[at]:
            self._follow(live, at)
            return union(self.board.after[at]) & self.left
        aim = 0
        for _ in range(len(self.board.places)):
            found = self._ending(live, at)
            if found is None:
                return aim
            path, mask = found
            aim = aim or mask
            at = self._walk(live, at, path)
            if at == NOWHERE or live.over:
                return aim
            if at == path[-1][1].to:
                self._follow(live, at)
                return aim
        return aim

    def _ending(self, live: LiveCall, start: int) -> tuple[Path, Mask] | None:
        """The cheapest steps to a last turn; what it is taken for."""
        room = TURN * (self.artifact.limits.turns - live.state.counts.turns) + TURN - 1
        ends = self._ends_left()
        for wanted, own, ahead in (
            (ends, self._own, self._to_end),
            (self.left, self._gives_last, self._to_last),
            (None, None, None),
        ):
            path = self._to(live, start, room, wanted, own, ahead) if wanted != 0 else None
            if path is not None:
                return path, union(self.board.tails(path[-1][1])) & self.left
        return None

    def _to(
        self,
        live: LiveCall,
        start: int,
        room: int,
        wanted: Mask | None,
        own: Sequence[Mask] | None,
        ahead: Sequence[Mask] | None,
    ) -> Path | None:
        """The cheapest inner steps to a last step for one of `wanted` (None: any), and that step."""
        came: dict[int, tuple[int, Step] | None] = {start: None}
        cost_to = {start: 0}
        queue: list[tuple[int, int]] = [(0, start)]
        while queue:
            cost, at = heapq.heappop(queue)
            if cost > cost_to[at]:
                continue
            if own is None or wanted is None or own[at] & wanted:
                step = self._last(live, at, wanted, ends=own is self._own)
                if step is not None and cost + step.cost <= room:
                    return [*_back(came, at), (at, step)]
            for step in self.board.plain[at]:
                total = cost + step.cost
                useful = ahead is None or wanted is None or ahead[step.to] & wanted
                if not useful or total > room or total >= cost_to.get(step.to, room + 1):
                    continue
                if id(step.way) not in live.blocked:
                    cost_to[step.to] = total
                    came[step.to] = (at, step)
                    heapq.heappush(queue, (total, step.to))
        return None

    def _last(self, live: LiveCall, at: int, wanted: Mask | None, *, ends: bool) -> Step | None:
        """The last step from here that reaches most of what is left, of those that serve."""
        best: tuple[int, Step] | None = None
        for step in self.board.last[at]:
            if id(step.way) in live.blocked:
                continue
            if ends and wanted is not None and not self._ends_of(step) & wanted:
                continue
            worth = max((tail & self.left).bit_count() for tail in self.board.tails(step))
            if (worth or wanted is None) and (best is None or worth > best[0]):
                best = (worth, step)
        return None if best is None else best[1]

    def _follow(self, live: LiveCall, at: int) -> None:
        """After the last turn: what others do, chosen for what is left."""
        for _ in range(len(self.board.places)):
            left = self.left & ~self.board.mask(live.met)
            steps = self.board.behind[at] if at != NOWHERE else []
            if not steps or live.over:
                return
            step = max(
                steps, key=lambda one: max((tail & left).bit_count() for tail in self.board.tails(one))
            )
            at = self._walk(live, at, [(at, step)])


def _back(came: dict[int, tuple[int, Step] | None], at: int) -> Path:
    path: Path = []
    while (step := came[at]) is not None:
        path.append(step)
        at = step[0]
    return path[::-1]


def _by_rarity(masks: Sequence[Mask]) -> list[Mask]:
    """Goals in groups: first those that the fewest of the masks hold."""
    levels: dict[int, Mask] = {}
    left = union(masks)
    while left:
        bit = left & -left
        left ^= bit
        times = sum(bool(mask & bit) for mask in masks)
        levels[times] = levels.get(times, 0) | bit
    return [levels[times] for times in sorted(levels)]
