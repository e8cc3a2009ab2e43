"""Few calls that together reach every goal of a flow, made by planning on the map and proving by the engine.

Laws
1. A goal counts as reached only when the engine, run over the call's moves, reached it.
2. Every call ends.
3. `at_least` is a true lower bound for calls over the ways that were found: each call has one last turn after
   which nobody listens again, so goals that lie on different such turns need calls of their own.
"""

from __future__ import annotations

from collections import deque
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


def generate(artifact: Artifact, *, pairs: bool = True, most: int = 7_000) -> Suite:
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

        self.inner = {key: _Exits(ways, final=False, chart=self, key=key) for key, ways in found.ways.items()}
        self.final_turns = {
            key: _Exits(ways, final=True, chart=self, key=key) for key, ways in found.ways.items()
        }

    def final(self, key: Key, way: Way) -> bool:
        """Whether this is the last turn of a call: after it nobody listens to the caller again."""
        return key in self.open and way.to not in self.open

    def goals(self, last: Goal | None, way: Way) -> frozenset[Goal]:
        """What this way reaches when `last` was the edge before."""
        if self.with_pairs and last is not None and way.first is not None and last[3] == way.first[1]:
            return way.goals | {pair(last, way.first)}
        return way.goals if self.with_pairs else frozenset(goal for goal in way.goals if goal[0] != PAIR)


class _Exits:
    """The ways out of a state, inner ones or last turns, with all their goals together for a quick no."""

    __slots__ = ("firsts", "goals", "steps", "ways")

    def __init__(self, ways: list[Way], *, final: bool, chart: _Chart, key: Key) -> None:
        self.ways = [way for way in ways if chart.final(key, way) == final]
        self.goals: frozenset[Goal] = frozenset().union(*(way.goals for way in self.ways))
        self.firsts = {way.first for way in self.ways if way.first is not None}
        # one way for each place it leads to
        self.steps = list({(way.to, way.last): way for way in reversed(self.ways)}.values())[::-1]


class _Want:
    """The goals to be reached, pairs by their first edge."""

    def __init__(self, goals: set[Goal], *, pairs: bool) -> None:
        self.goals = goals
        self.after: dict[tuple[str, ...], set[Goal]] = {}
        for goal in goals if pairs else ():
            if goal[0] == PAIR:
                _, start, first, via, second, end = goal
                self.after.setdefault((start, first, via), set()).add(("edge", via, second, end))

    def at(self, exits: _Exits, last: Goal | None) -> Way | None:
        """A way out that reaches one of them; None where none does."""
        after = self.after.get(last[1:]) if last is not None else None
        if self.goals.isdisjoint(exits.goals) and (after is None or after.isdisjoint(exits.firsts)):
            return None
        for way in exits.ways:
            if not self.goals.isdisjoint(way.goals) or (after is not None and way.first in after):
                return way
        return None


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
    root: Root | None = None
    while left:
        root = _best_root(chart, left, root)
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


def _best_root(chart: _Chart, left: set[Goal], before: Root | None) -> Root | None:
    """A beginning from which something is left to reach: the one of the call before as long as it has any."""
    for root in chart.map.roots:
        if root.goals & left:
            return root
    first = [before] if before is not None else []
    for root in (*first, *chart.map.roots):
        if _plan(chart, (root.to, root.last), left, (INNER, LAST), set()) is not None:
            return root
    return None


def _aim(chart: _Chart, root: Root, left: set[Goal]) -> set[Goal]:
    """What a call from here was meant to reach first and did not: given up."""
    plan = _plan(chart, (root.to, root.last), left, (INNER, LAST), set())
    if not plan:
        return set(left)
    last = root.last
    for way in plan[:-1]:
        last = way.last or last
    return set(chart.goals(last, plan[-1]) & left)


NEAR: Final = 1_500  # places looked at for a goal on the way
FAR: Final = 1_000_000
INNER: Final = "inner"
LAST: Final = "final_turns"


def _plan(
    chart: _Chart,
    start: Place,
    goals: set[Goal] | None,
    kinds: tuple[str, ...],
    blocked: set[tuple[Key, Any]],
    most: int = FAR,
) -> list[Way] | None:
    """The fewest ways from here whose last, of these kinds, reaches one of the goals (None: any will do);
    None where none is found.
    """
    want = None if goals is None else _Want(goals, pairs=chart.with_pairs)
    queue: deque[Place] = deque([start])
    came: dict[Place, tuple[Place, Way] | None] = {start: None}
    while queue and len(came) < most:
        place = queue.popleft()
        key, last = place
        if key not in chart.inner:
            continue
        for kind in kinds:
            exits = getattr(chart, kind)[key]
            way = want.at(exits, last) if want is not None else next(iter(exits.ways), None)
            if way is not None and (key, way.to) not in blocked:
                return _back(came, place, way)
        for way in chart.inner[key].steps:
            after = (way.to, (way.last or last) if chart.with_pairs else None)
            if after not in came and (key, way.to) not in blocked:
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
        far = NEAR if live.met & left else FAR
        plan = _plan(chart, (live.key, live.track.last), left - live.met, (INNER,), live.blocked, far)
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

    for goals in (left, None):
        while live.key in chart.open and live.state.phase != "ended":
            fresh = None if goals is None else goals - live.met
            far = 3 * NEAR if live.met & left else FAR
            plan = _plan(chart, (live.key, live.track.last), fresh, (LAST,), live.blocked, far)
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
