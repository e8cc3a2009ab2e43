"""The chart as it is planned on: goals as bits of whole numbers, places by number, what lies ahead.

A place is planned with the edge that was taken last, since pairs of edges are goals. A call's last turn is
the step after which nobody listens to the caller again: goals that lie behind such steps alone decide how
many calls there must be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple

from runtime.simulate.cover.ahead import ENDED, Key
from runtime.simulate.cover.chart import Chart, Way
from runtime.simulate.cover.goals import PAIR, Goal, pair
from runtime.simulate.cover.live import LiveCall
from runtime.simulate.drive.moves import Turn

MOST_TAILS: Final = 48
TURN: Final = 1_000
Place = tuple[Key, Goal | None]
Mask = int  # of goals, one bit each


class Step(NamedTuple):
    """A way between two places of the board. `cost`: the moves it takes at most, `TURN` for one that counts
    among the turns of a call.
    """

    to: int
    mask: Mask
    way: Way
    cost: int


class Board:
    """`inner` and `last` are the steps of each place, by whether somebody listens to the caller afterwards;
    `behind` those of places where nobody does. `tails` are the masks of all there is from a last step on.
    """

    def __init__(self, chart: Chart, wanted: Iterable[Goal], edges: frozenset[Goal], *, pairs: bool) -> None:
        self.pairs = pairs
        self.goals = list(wanted)
        self.bit: dict[Goal, Mask] = {goal: 1 << number for number, goal in enumerate(self.goals)}
        self._edges = edges
        self.index: dict[Place, int] = {}
        self.places: list[Place] = []
        self.steps: list[list[Step]] = []
        self.roots = [
            (self._place((root.to, root.last)), self.mask(root.goals), root) for root in chart.roots
        ]
        self._spread(chart)
        opened = self._opened(chart)
        self.inner = [self._sorted(at, lambda to: to in opened, opened) for at in range(len(self.steps))]
        self.last = [self._sorted(at, lambda to: to not in opened, opened) for at in range(len(self.steps))]
        self.behind = [[] if at in opened else steps for at, steps in enumerate(self.steps)]
        self.plain = [_plain(steps) for steps in self.inner]
        self.within = self.ahead([union(step.mask for step in steps) for steps in self.inner])
        self.after = self._after()

    # ---- building

    def _place(self, place: Place) -> int:
        number = self.index.get(place)
        if number is None:
            number = self.index[place] = len(self.places)
            self.places.append(place)
            self.steps.append([])
        return number

    def _spread(self, chart: Chart) -> None:
        masks: dict[int, Mask] = {}
        at = 0
        while at < len(self.places):
            key, last = self.places[at]
            best: dict[tuple[int, Mask], Step] = {}
            for way in chart.ways.get(key, ()):
                if way.bound:
                    continue
                mask = masks.get(id(way))
                if mask is None:
                    mask = masks[id(way)] = self.mask(self._goals(way))
                mask |= self._paired(last, way)
                to = self._place((way.to, (way.last or last) if self.pairs else None))
                cost = _cost(way)
                known = best.get((to, mask))
                if known is None or cost < known.cost:
                    best[to, mask] = Step(to, mask, way, cost)
            self.steps[at] = list(best.values())
            at += 1

    def _goals(self, way: Way) -> Iterable[Goal]:
        for goal in way.goals:
            if goal[0] != PAIR:
                yield goal
            elif self.pairs:
                yield self._known_pair(goal)

    def _paired(self, last: Goal | None, way: Way) -> Mask:
        if not self.pairs or last is None or way.first is None or last[3] != way.first[1]:
            return 0
        return self.mask([self._known_pair(pair(last, way.first))])

    def _known_pair(self, goal: Goal) -> Goal:
        """Both edges of a pair are written in the flow: then it is a goal from the moment it is seen."""
        _, start, first, via, second, end = goal
        written = ("edge", start, first, via) in self._edges and ("edge", via, second, end) in self._edges
        if written and goal not in self.bit:
            self.bit[goal] = 1 << len(self.goals)
            self.goals.append(goal)
        return goal

    def _opened(self, chart: Chart) -> set[int]:
        """The places from which a call may still listen to its caller; those never walked count as open."""
        before: dict[int, list[int]] = {}
        todo: deque[int] = deque()
        for at, (key, _) in enumerate(self.places):
            if key[0] in ("listening", "starting") or (key not in chart.ways and key != ENDED):
                todo.append(at)
            for step in self.steps[at]:
                before.setdefault(step.to, []).append(at)
        opened = set(todo)
        while todo:
            for at in before.get(todo.popleft(), ()):
                if at not in opened:
                    opened.add(at)
                    todo.append(at)
        return opened

    def _sorted(self, at: int, fits: Callable[[int], bool], opened: set[int]) -> list[Step]:
        if at not in opened:
            return []
        return sorted((step for step in self.steps[at] if fits(step.to)), key=lambda step: step.cost)

    # ---- what lies ahead

    def ahead(self, own: Sequence[Mask]) -> list[Mask]:
        """What can be reached from each place by inner steps, when `own` is what each place gives itself."""
        before: list[set[int]] = [set() for _ in self.places]
        for at, steps in enumerate(self.inner):
            for step in steps:
                before[step.to].add(at)
        return spread(own, before)

    def _after(self) -> list[tuple[Mask, ...]]:
        """All that can be reached together from a place where nobody listens any more, to the call's end."""
        known: dict[int, tuple[Mask, ...]] = {}

        def follow(at: int, passed: frozenset[int]) -> tuple[Mask, ...]:
            if at in known:
                return known[at]
            if at in passed or not self.behind[at]:
                return (0,)
            found = {step.mask | rest for step in self.behind[at] for rest in follow(step.to, passed | {at})}
            kept = maximal(found)
            if not passed & {at}:
                known[at] = kept
            return kept

        return [follow(at, frozenset()) if self.behind[at] else (0,) for at in range(len(self.places))]

    def tails(self, step: Step) -> tuple[Mask, ...]:
        """What a last step and all after it can reach together."""
        return tuple({step.mask | rest for rest in self.after[step.to]})

    # ---- a call on it

    @property
    def every(self) -> Mask:
        return (1 << len(self.goals)) - 1

    def key(self, at: int) -> Key:
        return self.places[at][0]

    def mask(self, goals: Iterable[Goal]) -> Mask:
        """These goals as bits; those that are none here are left out."""
        bit = self.bit
        found = 0
        for goal in goals:
            found |= bit.get(goal, 0)
        return found

    def place(self, live: LiveCall) -> int:
        """Where a call stands, -1 where it is off the board."""
        return self.index.get((live.key, live.track.last if self.pairs else None), -1)


def _cost(way: Way) -> int:
    times = way.done.at if way.done.counter is not None else 0
    last, builds = way.done.move, way.done.builds or way.done.move
    return (TURN if isinstance(last, Turn) else 1) + times * (TURN if isinstance(builds, Turn) else 1)


def _plain(steps: Sequence[Step]) -> list[Step]:
    """The cheapest step to each place."""
    best: dict[int, Step] = {}
    for step in steps:
        known = best.get(step.to)
        if known is None or step.cost < known.cost:
            best[step.to] = step
    return list(best.values())


def spread(own: Sequence[Mask], before: Sequence[Collection[int]]) -> list[Mask]:
    """What lies at each place or further on; `before` are the places from which it is come to."""
    found = list(own)
    todo = deque(range(len(found) - 1, -1, -1))
    queued = [True] * len(found)
    while todo:
        at = todo.popleft()
        queued[at] = False
        for one in before[at]:
            more = found[one] | found[at]
            if more != found[one]:
                found[one] = more
                if not queued[one]:
                    queued[one] = True
                    todo.append(one)
    return found


def union(masks: Iterable[Mask]) -> Mask:
    found = 0
    for mask in masks:
        found |= mask
    return found


def maximal(masks: Iterable[Mask]) -> tuple[Mask, ...]:
    """The masks that no other contains, at most `MOST_TAILS`."""
    kept: list[Mask] = []
    for mask in sorted(set(masks), key=lambda each: (-each.bit_count(), each)):
        if not any(mask & other == mask for other in kept):
            kept.append(mask)
    return tuple(kept[:MOST_TAILS])
