"""A flow's calls as an absorbing Markov chain: what may happen at each place, how often, and how big it is.

1. A state is a node and how many of its answers were given. Weights of a node's ways are made to add up to 1.
2. A bounded stay or ladder is taken without memory, with the chance to leave that keeps both the share of
   visits that reach the bound and the mean number of turns (exact for every bound by itself).
3. Conditions are not evaluated: the cases of a decide are equally likely unless told otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from voiceflow_compiler.artifact import Answer, Artifact, Line, Node, Rung
from voiceflow_compiler.cost.assumed import Assumptions
from voiceflow_compiler.passage import families_of

State = tuple[str, int]
_PRECISION = 1e-11
_ROUNDS = 20_000


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that may happen at a state. `target` is None where the call is over.

    Audio and text are tokens: `heard` and `report` of the caller's turn, `said` and `transcript` what the
    model speaks, `script` exact words played without it. `responses` are asked of the model in this step;
    `entered` is the node whose instructions come into force, `brief` the one whose brief is sent.
    """

    target: State | None
    label: str
    chance: float
    turns: int = 0
    heard: float = 0.0
    report: float = 0.0
    said: float = 0.0
    transcript: float = 0.0
    script: float = 0.0
    responses: int = 0
    entered: str = ""
    brief: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Chain:
    """`opening` is said before anything happens; `steps` by state, chances adding up to 1.

    States that lead to others come first, cycles apart: the equations are solved in few rounds.
    """

    opening: Step
    steps: Mapping[State, tuple[Step, ...]]


@dataclass(frozen=True, slots=True)
class _Way:
    """A way out of an ask, by weight: to `go`, or a stay with a bound and what comes after it."""

    label: str
    weight: float
    line: Line | None = None
    go: str | None = None
    at_most: int | None = None
    then: str | None = None
    by: str = "speech"  # speech, key or silence


def chain(artifact: Artifact, assumed: Assumptions) -> Chain:
    """The chain of a flow's calls; only states that a call can come to."""
    opening = _entering(artifact, assumed, Step((artifact.start, 0), "start", 1.0), artifact.start)
    steps: dict[State, tuple[Step, ...]] = {}
    ahead: list[State] = [(artifact.start, 0)]
    while ahead:
        state = ahead.pop()
        if state in steps:
            continue
        steps[state] = tuple(_normal(list(_steps(artifact, assumed, state))))
        ahead += [step.target for step in steps[state] if step.target is not None]
    order = list(finished((artifact.start, 0), steps))[::-1]
    return Chain(opening, {state: steps[state] for state in order})


def finished(start: State, steps: Mapping[State, tuple[Step, ...]]) -> Iterator[State]:
    """The states as a walk in depth leaves them: what a state leads to first, cycles apart."""
    seen = {start}
    walk = [(start, iter(steps[start]))]
    while walk:
        state, found = walk[-1]
        target = next((each.target for each in found if each.target and each.target not in seen), None)
        if target is None:
            yield state
            walk.pop()
        else:
            seen.add(target)
            walk.append((target, iter(steps[target])))


def visits(calls: Chain) -> dict[State, float]:
    """How often a call comes to each state, in the mean."""
    into: dict[State, list[tuple[State, float]]] = {state: [] for state in calls.steps}
    for state, found in calls.steps.items():
        for target, chance in _onward(found).items():
            into[target].append((state, chance))
    begun = dict.fromkeys(calls.steps, 0.0)
    if calls.opening.target is not None:
        begun[calls.opening.target] = 1.0
    return _solved(begun, into, list(calls.steps))


def ahead(calls: Chain, amount: Mapping[State, float]) -> dict[State, float]:
    """How much of an amount (given for each state) a call at a state has still before it, in the mean."""
    links = {state: list(_onward(found).items()) for state, found in calls.steps.items()}
    return _solved(amount, links, list(calls.steps)[::-1])


def _onward(found: tuple[Step, ...]) -> dict[State, float]:
    """The chances of the states that come next."""
    chances: dict[State, float] = {}
    for step in found:
        if step.target is not None:
            chances[step.target] = chances.get(step.target, 0.0) + step.chance
    return chances


def _solved(
    given: Mapping[State, float], links: Mapping[State, list[tuple[State, float]]], order: list[State]
) -> dict[State, float]:
    """x where x[s] = given[s] + the sum of chance * x[t] over the links of s, by Gauss and Seidel."""
    stays = {state: sum(chance for other, chance in links[state] if other == state) for state in order}
    if any(chance >= 1.0 for chance in stays.values()):
        raise ValueError("the weights leave calls that never end")
    others = {state: [each for each in links[state] if each[0] != state] for state in order}
    found = dict.fromkeys(order, 0.0)
    for _ in range(_ROUNDS):
        moved = 0.0
        for state in order:
            value = given[state]
            for other, chance in others[state]:
                value += chance * found[other]
            value /= 1.0 - stays[state]
            moved = max(moved, abs(value - found[state]))
            found[state] = value
        if moved < _PRECISION:
            return found
    raise ValueError("the weights leave calls that never end")


def _steps(artifact: Artifact, assumed: Assumptions, state: State) -> Iterator[Step]:
    name, given = state
    node = artifact.nodes[name]
    match node.kind:
        case "disclosure" | "tell":
            yield _passing(artifact, assumed, node.next, "next", 1.0)
        case "decide":
            ways = [*((f"case {at}", case.go) for at, case in enumerate(node.cases, start=1))]
            ways += [("otherwise", node.otherwise)] if node.otherwise else []
            for label, target in ways:
                yield _passing(artifact, assumed, target, label, assumed.at(name, label, 1.0))
        case "act":
            wait = assumed["speech.action_seconds"]
            for result, go in (("done", node.on_success), ("failed", node.on_failure)):
                weight = assumed.at(name, result, assumed[f"weights.action_{result}"])
                step = _passing(artifact, assumed, go, result, weight)
                yield replace(step, seconds=step.seconds + wait)
        case "handoff":
            yield Step(None, "answered", assumed.at(name, "answered", assumed["weights.handoff_answered"]))
            weight = assumed.at(name, "unanswered", assumed["weights.handoff_unanswered"])
            target = artifact.handoffs[node.handoff or ""].if_unanswered
            yield _passing(artifact, assumed, target, "unanswered", weight)
        case "end":
            yield Step(None, "over", 1.0)
        case "ask":
            yield from _turns(artifact, assumed, name, node, given)


def _turns(artifact: Artifact, assumed: Assumptions, name: str, node: Node, given: int) -> Iterator[Step]:
    """What a caller may do at a question, bounded stays resolved."""
    ways = [way for way in _ways(artifact, assumed, name, node) if way.weight > 0]
    collecting = (
        assumed.at(name, "answer", assumed["weights.answer"]) if node.collect and node.filled else 0.0
    )
    over = assumed.at(name, "hang up", assumed["weights.hang_up"])
    leaving = collecting + over + sum(way.weight for way in ways if way.go is not None)
    if collecting:
        needed = sum(_answers_needed(artifact, slot) for slot in node.collect)
        at_end = given + 1 >= needed
        target = (node.filled or name, 0) if at_end else (name, given + 1)
        yield _spoken(artifact, assumed, _Way("answer", collecting), target, entered=at_end)
    yield Step(None, "hang up", over)
    for way in ways:
        if way.go is not None:
            yield _spoken(artifact, assumed, way, (way.go, 0), entered=True)
            continue
        leaves = way.weight * _reaches_bound(way, leaving)
        if leaves and way.then is not None:
            last = replace(way, label=f"{way.label} again", weight=leaves, line=None)
            yield _spoken(artifact, assumed, last, (way.then, 0), entered=True)
        yield _spoken(
            artifact, assumed, replace(way, weight=way.weight - leaves), (name, given), entered=False
        )


def _reaches_bound(way: _Way, leaving: float) -> float:
    """The chance that a stay is the one too many (law 2 of this module)."""
    if way.at_most is None or way.then is None:
        return 0.0
    again = way.weight / (way.weight + leaving) if leaving else 1.0
    reached = again ** (way.at_most + 1)
    if reached >= 1.0:
        return 1.0
    return min(1.0, reached * leaving / (way.weight * (1.0 - reached)))


def _ways(artifact: Artifact, assumed: Assumptions, name: str, node: Node) -> Iterator[_Way]:
    families: dict[str, list[str]] = {}
    for intent in node.answers:
        family: str = artifact.intents[intent].family if intent in artifact.intents else "unclear"
        if family != "answer" or not node.collect:
            families.setdefault(family, []).append(intent)
    for family, intents in families.items():
        collecting = family == "agreement" and bool(node.collect)
        key = "weights.agreement_when_collecting" if collecting else f"weights.{family}"
        for intent in intents:
            weight = assumed.at(name, intent, assumed[key] / len(intents))
            yield _answered(intent, weight, node.answers[intent], node)
    yield from _by_triggers(artifact, assumed, name, families)
    for key, answer in node.keys.items():
        weight = assumed.at(name, f"key {key}", assumed["weights.keypad"] / len(node.keys))
        yield replace(_answered(f"key {key}", weight, answer, node), by="key")
    if "unclear" not in families:
        yield from _ladder(
            node.no_match, "not understood", assumed.at(name, "unclear", assumed["weights.unclear"])
        )
    silence = assumed.at(name, "silence", assumed["weights.silence"])
    yield from (replace(way, by="silence") for way in _ladder(node.no_input, "silence", silence))


def _by_triggers(
    artifact: Artifact, assumed: Assumptions, name: str, answered: Mapping[str, Sequence[str]]
) -> Iterator[_Way]:
    """A family that only a trigger answers."""
    for trigger in artifact.triggers:
        for meant in families_of(trigger.when):
            weight = assumed.numbers.get(f"weights.{meant}", 0.0)
            if meant not in answered and weight:
                yield _Way(meant, assumed.at(name, meant, weight), go=trigger.go)


def _answered(label: str, weight: float, answer: Answer, node: Node) -> _Way:
    """An answer as a way; past a bound without `then` the ladder's last rung is where it leads."""
    then = answer.then
    if answer.go is None and answer.at_most is not None and then is None:
        then = next((rung.go for rung in reversed(node.no_match) if rung.go is not None), None)
    return _Way(label, weight, answer.line, answer.go, answer.at_most, then)


def _ladder(rungs: tuple[Rung, ...], label: str, weight: float) -> Iterator[_Way]:
    """A ladder as a stay, bounded by its rungs, in the words of its first."""
    first = next((at for at, rung in enumerate(rungs) if rung.go is not None), None)
    if first == 0:
        yield _Way(label, weight, rungs[0].line, go=rungs[0].go)
    elif rungs:
        then = rungs[first].go if first is not None else None
        yield _Way(label, weight, rungs[0].line, at_most=first, then=then)


def _answers_needed(artifact: Artifact, slot: str) -> int:
    """Turns a value takes: one, and another where it is always read back."""
    return 2 if slot in artifact.slots and artifact.slots[slot].confirm == "always" else 1


def _spoken(artifact: Artifact, assumed: Assumptions, way: _Way, target: State, *, entered: bool) -> Step:
    """A caller's turn, key or silence, and what is said to it."""
    by_voice = way.by == "speech"
    seconds = assumed["speech.caller_seconds"] if by_voice else 0.0
    step = Step(
        target=target,
        label=way.label,
        chance=way.weight,
        turns=int(way.by != "silence"),
        heard=seconds * assumed["speech.caller_tokens_per_second"],
        report=assumed["text.report_tokens"] if by_voice else 0.0,
        responses=int(by_voice),
        seconds=seconds + assumed["speech.pause_seconds"],
        brief=target[0],
    )
    step = _saying(assumed, step, way.line)
    if entered:
        return _entering(artifact, assumed, step, target[0])
    again = artifact.nodes[target[0]].line if way.line is None else None
    return _saying(assumed, step, again)


def _passing(artifact: Artifact, assumed: Assumptions, target: str | None, label: str, weight: float) -> Step:
    """A way that no caller's turn takes."""
    if target is None:
        return Step(None, label, weight)
    return _entering(artifact, assumed, Step((target, 0), label, weight, brief=target), target)


def _entering(artifact: Artifact, assumed: Assumptions, step: Step, name: str) -> Step:
    """A step with what a node says when a call comes there."""
    node = artifact.nodes[name]
    line = artifact.handoffs[node.handoff].line if node.handoff else node.line or node.while_waiting
    said = _saying(assumed, step, line)
    speaks = said.responses > step.responses
    return replace(
        said, entered=name if speaks or node.kind == "ask" else "", brief=name if speaks else step.brief
    )


def _saying(assumed: Assumptions, step: Step, line: Line | None) -> Step:
    """A step with a line said: by the model, or played without it where its words are exact."""
    if line is None:
        return step
    words = line.say or line.sample
    count = len(words.split()) if words else assumed["speech.convey_words"]
    seconds = count / assumed["speech.words_per_second"]
    tokens = len(words) / assumed["text.characters_per_token"] if words else count * 1.3
    if line.say is not None:
        return replace(step, script=step.script + tokens, seconds=step.seconds + seconds)
    return replace(
        step,
        said=step.said + seconds * assumed["speech.assistant_tokens_per_second"],
        transcript=step.transcript + tokens,
        responses=step.responses + 1,
        seconds=step.seconds + seconds,
    )


def _normal(found: list[Step]) -> Iterator[Step]:
    """Steps with their weights made chances; without any weight, all are equally likely."""
    total = sum(step.chance for step in found)
    for step in found:
        chance = step.chance / total if total else 1 / len(found)
        if chance:
            yield replace(step, chance=chance)
