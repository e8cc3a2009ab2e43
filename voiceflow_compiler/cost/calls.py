"""Single calls worth pricing: the shortest to each ending, and the longest that the limits bear."""

from heapq import heappop, heappush

from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.cost.chain import Chain, State, Step, finished

Call = tuple[tuple[str, Step], ...]


def shortest(calls: Chain) -> dict[str, Call]:
    """The call of fewest turns to each node where calls end, hanging up apart; by node name."""
    start = _start(calls)
    best: dict[State, tuple[int, int]] = {start: (0, 0)}
    before: dict[State, tuple[State, Step]] = {}
    ahead = [(0, 0, start)]
    found: dict[str, Call] = {}
    while ahead:
        turns, length, state = heappop(ahead)
        if (turns, length) > best[state]:
            continue
        for step in calls.steps[state]:
            if step.target is None:
                if step.label != "hang up":
                    found.setdefault(state[0], (*_back(calls, before, state), (state[0], step)))
                continue
            far = (turns + step.turns, length + 1)
            if step.target not in best or far < best[step.target]:
                best[step.target] = far
                before[step.target] = (state, step)
                heappush(ahead, (*far, step.target))
    return found


def longest(artifact: Artifact, calls: Chain) -> Call:
    """A call of most turns that comes to no place twice, and stays at each as long as the limits bear."""
    state, best = _start(calls), _longest_ways(calls)
    call: list[tuple[str, Step]] = [("", calls.opening)]
    spare = artifact.limits.turns - best[state][0]
    while True:
        step = best[state][1]
        stays = [each for each in calls.steps[state] if each.target == state and each.turns]
        if stays and step.label != "answer":
            spare -= (extra := min(max(spare, 0), max(artifact.limits.no_progress - 1, 0)))
            call += [(state[0], max(stays, key=lambda each: (each.said, each.label)))] * extra
        if turns(tuple(call)) + step.turns > artifact.limits.turns:
            return tuple(call)  # here the limit ends it
        call.append((state[0], step))
        if step.target is None:
            return tuple(call)
        state = step.target


def turns(call: Call) -> int:
    """How many turns the caller takes."""
    return sum(step.turns for _, step in call)


def seconds(call: Call) -> float:
    """How long a call takes."""
    return sum(step.seconds for _, step in call)


def _start(calls: Chain) -> State:
    return calls.opening.target or ("", 0)


def _back(calls: Chain, before: dict[State, tuple[State, Step]], state: State) -> Call:
    taken = []
    while state in before:
        state, step = before[state]
        taken.append((state[0], step))
    return (("", calls.opening), *reversed(taken))


def _longest_ways(calls: Chain) -> dict[State, tuple[int, Step]]:
    """For every state the most turns to an ending without coming round again, and the first step of that."""
    best: dict[State, tuple[int, Step]] = {}
    for state in finished(_start(calls), calls.steps):
        for step in calls.steps[state]:
            if step.target is not None and (step.target == state or step.target not in best):
                continue  # round again
            after = best[step.target][0] if step.target is not None else 0
            ends = step.target is None and step.label == "hang up"
            length = step.turns + after if not ends else -1
            if state not in best or length > best[state][0]:
                best[state] = (length, step)
    return best
