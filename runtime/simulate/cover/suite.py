"""Few calls that together reach every goal of a flow, made by planning on the map and proving by the engine.

Laws
1. A goal counts as reached only when the engine, run over the call's moves, reached it.
2. Every call ends.
3. `at_least` is a true lower bound for calls over the ways that were found: each call has one last turn after
   which nobody listens again, so goals that lie on different such turns need calls of their own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from runtime.engine.state import State
from runtime.simulate.cover.goals import PAIR, Goal, excused, pair
from runtime.simulate.cover.search import ENDED, Key, Map, Reader, Root, Way, explore, moves
from runtime.simulate.cover.seen import Track
from runtime.simulate.drive.moves import Move, Silence
from runtime.simulate.drive.steps import Moment, advance, begin
from voiceflow_compiler.artifact import Artifact

MOST_TURNS: Final = 24
MOST_AFTER: Final = 40  # moves to bring a call to its end
Place = tuple[Key, Goal | None]


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
    (`whole`: then no call reaches them either).
    """

    calls: tuple[Planned, ...]
    reached: frozenset[Goal]
    impossible: dict[Goal, str]
    missed: tuple[Goal, ...]
    at_least: int
    whole: bool


def generate(artifact: Artifact, *, pairs: bool = True, most: int = 5_000) -> Suite:
    """The suite of a flow."""
    found = explore(artifact, most=most)
    chart = _Chart(found, pairs=pairs)
    wanted = {goal for goal in found.reached if goal[0] != PAIR} | chart.pairs
    calls = _calls(artifact, chart, set(wanted))
    reached = frozenset().union(*(call.first for call in calls))
    left = [goal for goal in (*found.wanted, *sorted(chart.pairs)) if goal not in reached]
    why = {goal: excused(artifact, goal) for goal in left}
    if found.whole:
        why |= {
            goal: "no caller can get there" for goal in left if not why[goal] and goal not in found.reached
        }
    return Suite(
        tuple(calls),
        reached,
        {goal: reason for goal, reason in why.items() if reason},
        tuple(goal for goal, reason in why.items() if not reason),
        at_least=_lower_bound(chart, wanted),
        whole=found.whole,
    )


class _Chart:
    """The map as it is planned on: which ways nobody speaks after, and which edges may follow each other."""

    def __init__(self, found: Map, *, pairs: bool) -> None:
        self.map = found
        self.ways = found.ways
        self.with_pairs = pairs
        self.open = _open(found)
        self.lasts = _lasts(found) if pairs else {}
        self.pairs: set[Goal] = set()
        if pairs:
            self.pairs = {
                pair(last, way.first)
                for key, lasts in self.lasts.items()
                for way in self.ways.get(key, ())
                if way.first is not None
                for last in lasts
                if last[3] == way.first[1]
            }
            self.pairs |= {goal for goal in found.reached if goal[0] == PAIR}

    def final(self, key: Key, way: Way) -> bool:
        """Whether this is the last turn of a call: after it nobody listens to the caller again."""
        return key in self.open and way.to not in self.open

    def goals(self, last: Goal | None, way: Way) -> frozenset[Goal]:
        """What this way reaches when `last` was the edge before."""
        if self.with_pairs and last is not None and way.first is not None and last[3] == way.first[1]:
            return way.goals | {pair(last, way.first)}
        return way.goals if self.with_pairs else frozenset(goal for goal in way.goals if goal[0] != PAIR)


def _open(found: Map) -> set[Key]:
    """The states from which a call may still listen to its caller; those not walked are taken to be open."""
    before: dict[Key, list[Key]] = {}
    todo = deque(key for key in found.ways if key[0] in ("listening", "starting"))
    for key, ways in found.ways.items():
        for way in ways:
            before.setdefault(way.to, []).append(key)
            if way.to not in found.ways and way.to != ENDED:
                todo.append(way.to)
    opened = set(todo)
    while todo:
        for key in before.get(todo.popleft(), ()):
            if key not in opened:
                opened.add(key)
                todo.append(key)
    return opened


def _lasts(found: Map) -> dict[Key, set[Goal | Any]]:
    """The edges a call may have taken last when it rests at a state."""
    lasts: dict[Key, set[Any]] = {key: set() for key in found.ways}
    todo: deque[Key] = deque()
    for root in found.roots:
        if root.last is not None and root.to in lasts:
            lasts[root.to].add(root.last)
            todo.append(root.to)
    while todo:
        key = todo.popleft()
        for way in found.ways.get(key, ()):
            new = {way.last} if way.last is not None else lasts[key]
            if way.to in lasts and not new <= lasts[way.to]:
                lasts[way.to] |= new
                todo.append(way.to)
    return lasts


# ---- calls


class _Live:
    """A call being made: where it stands on the map and by the engine."""

    def __init__(self, artifact: Artifact, root: Root) -> None:
        steps = begin(artifact, root.facts)
        steps.settle()
        self.artifact = artifact
        self.reader = Reader(artifact)
        self.track = Track(artifact)
        self.met = set(self.track.follow(steps.moments))
        self.root = root
        self.state: State = steps.state
        self.moves: list[Move] = []
        self.steps = [tuple(steps.moments)]
        self.blocked: set[tuple[Key, Any]] = set()

    @property
    def key(self) -> Key:
        return self.reader.key(self.state)

    def attempt(self, way: Way, *, bounded: bool) -> bool:
        """Go this way; False, and nothing done, where the whole-call bounds would take over."""
        done = advance(self.artifact, self.state, way.move)
        after = done[-1].after
        if bounded and after.limited and not self.state.limited:
            self.blocked.add((self.key, way.to))
            return False
        self.met |= set(self.track.follow(done))
        self.state = after
        self.moves.append(way.move)
        self.steps.append(done)
        return True


def _calls(artifact: Artifact, chart: _Chart, left: set[Goal]) -> list[Planned]:
    calls: list[Planned] = []
    barren: set[Goal] = set()
    while left:
        root = _best_root(chart, left)
        if root is None:
            break
        live = _Live(artifact, root)
        _collect(chart, live, left)
        _finish(chart, live, left)
        first = frozenset(live.met & left)
        if not first:
            aimed = _aim(chart, root, left)
            barren |= aimed
            left -= aimed
            continue
        left -= first
        calls.append(Planned(root.facts, tuple(live.moves), tuple(live.steps), first))
    return calls


def _best_root(chart: _Chart, left: set[Goal]) -> Root | None:
    """The beginning from which the nearest goal not yet reached is fewest moves away."""
    best: tuple[int, Root] | None = None
    for root in chart.map.roots:
        if root.goals & left:
            return root
    for root in chart.map.roots:
        plan = _plan(
            chart, (root.to, root.last), lambda _, way, last: bool(chart.goals(last, way) & left), set()
        )
        if plan is not None and (best is None or len(plan) < best[0]):
            best = (len(plan), root)
            if len(plan) == 1:
                break
    return None if best is None else best[1]


def _aim(chart: _Chart, root: Root, left: set[Goal]) -> set[Goal]:
    """What a call from here was meant to reach first and did not: given up."""
    plan = _plan(chart, (root.to, root.last), lambda _, way, last: bool(chart.goals(last, way) & left), set())
    if not plan:
        return set(left)
    last = root.last
    for way in plan[:-1]:
        last = way.last or last
    return set(chart.goals(last, plan[-1]) & left)


Wanted = Callable[[Key, Way, Goal | None], bool]


def _plan(chart: _Chart, start: Place, wanted: Wanted, blocked: set[tuple[Key, Any]]) -> list[Way] | None:
    """The fewest ways from here whose last is wanted; None where none is found."""
    queue: deque[Place] = deque([start])
    came: dict[Place, tuple[Place, Way] | None] = {start: None}
    while queue:
        place = queue.popleft()
        key, last = place
        for way in chart.ways.get(key, ()):
            if (key, way.to) in blocked:
                continue
            if wanted(key, way, last):
                return _back(came, place, way)
            after = (way.to, (way.last or last) if chart.with_pairs else None)
            if after not in came and not chart.final(key, way):
                came[after] = (place, way)
                queue.append(after)
    return None


def _back(came: dict[Place, tuple[Place, Way] | None], place: Place, way: Way) -> list[Way]:
    plan = [way]
    while (step := came[place]) is not None:
        place, before = step
        plan.append(before)
    return plan[::-1]


def _collect(chart: _Chart, live: _Live, left: set[Goal]) -> None:
    """Reach what can be reached while the caller still has a turn."""
    while len(live.moves) < min(MOST_TURNS, live.artifact.limits.turns - 3):
        seen = live.met

        def wanted(key: Key, way: Way, last: Goal | None, seen: set[Goal] = seen) -> bool:
            return not chart.final(key, way) and bool((chart.goals(last, way) & left) - seen)

        plan = _plan(chart, (live.key, live.track.last), wanted, live.blocked)
        if plan is None or not _go(live, plan):
            return


def _go(live: _Live, plan: list[Way]) -> bool:
    """Follow a plan as far as the engine agrees with it; False when not even one move was made."""
    for number, way in enumerate(plan):
        if live.state.phase == "ended":
            return False
        if not live.attempt(way, bounded=True):
            return number > 0 or len(live.blocked) < MOST_AFTER
        if live.key != way.to:
            return True
    return True


def _finish(chart: _Chart, live: _Live, left: set[Goal]) -> None:
    """Take the last turn that reaches most of what is left nearby, then let the call end."""

    def last_turn(key: Key, way: Way, last: Goal | None) -> bool:
        return chart.final(key, way) and bool((chart.goals(last, way) & left) - live.met)

    def any_end(key: Key, way: Way, last: Goal | None) -> bool:
        return chart.final(key, way)

    for wanted in (last_turn, any_end):
        while live.key in chart.open and live.state.phase != "ended":
            plan = _plan(chart, (live.key, live.track.last), wanted, live.blocked)
            if plan is None or not _go(live, plan):
                break
    for _ in range(MOST_AFTER):
        if live.state.phase == "ended":
            return
        live.attempt(_most(live, left), bounded=False)


def _most(live: _Live, left: set[Goal]) -> Way:
    """The move from here that reaches most of what is left, tried out: after the last turn few are left."""
    best: tuple[int, Way] | None = None
    for move in moves(live.artifact, live.reader, live.state, lost=False):
        track = Track(live.artifact, live.track.last)
        track.due = live.track.due
        met = frozenset(track.follow(advance(live.artifact, live.state, move)))
        fresh = len((met & left) - live.met)
        if best is None or fresh > best[0]:
            best = (fresh, Way(move, ENDED, met))
    return best[1] if best is not None else Way(Silence(), ENDED, frozenset())


# ---- the bound


def _lower_bound(chart: _Chart, wanted: set[Goal]) -> int:
    """How many calls are needed at least: goals of last turns only, no two of which one last turn reaches."""
    together: list[frozenset[Goal]] = []
    elsewhere: set[Goal] = set()
    for root in chart.map.roots:
        elsewhere |= root.goals
    for key, ways in chart.ways.items():
        lasts = chart.lasts.get(key) or {None}
        for way in ways:
            if chart.final(key, way):
                together += (chart.goals(last, way) & wanted for last in lasts)
            else:
                for last in lasts:
                    elsewhere |= chart.goals(last, way)
    only = [group - elsewhere for group in set(together)]
    partners: dict[Goal, set[Goal]] = {}
    for group in only:
        for goal in group:
            partners.setdefault(goal, set()).update(group)
    chosen: set[Goal] = set()
    for goal in sorted(partners, key=lambda goal: (len(partners[goal]), goal)):
        if not partners[goal] & chosen:
            chosen.add(goal)
    return max(len(chosen), 1)
