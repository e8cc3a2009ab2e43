"""Whether what must be true of a turn is true, told as expected against found. Properties, not wording."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from runtime.engine import effects, events
from runtime.simulate.drive.steps import Moment, spoken
from runtime.simulate.scenario.form import Must, Path, texts
from voiceflow_compiler.artifact import Artifact


class Failure(Struct, frozen=True):
    """One expectation that was not met. `path` is where it stands in the scenario."""

    path: Path
    what: str
    expected: str
    found: str


class Seen(Struct, frozen=True):
    """What happened in a turn, or in a whole call."""

    nodes: tuple[str, ...]
    at: str
    said: tuple[str, ...]
    slots: dict[str, Any]
    actions: tuple[tuple[str, dict[str, Any]], ...]
    handoffs: tuple[str, ...]
    packages: tuple[dict[str, Any], ...]
    transferred: bool
    outcome: str
    ended: bool
    steps: dict[str, int]
    answered_ms: int | None


def see(moments: Sequence[Moment], heard_ms: int | None = None) -> Seen:
    """What happened in these steps. `heard_ms`: when the caller was done, for how long an answer took."""
    entered: list[str] = []
    actions: list[tuple[str, dict[str, Any]]] = []
    handoffs: list[str] = []
    packages: list[dict[str, Any]] = []
    said: list[str] = []
    transferred, answered = False, None
    for moment in moments:
        words = spoken(moment)
        said += [words] if words else []
        transferred = transferred or isinstance(moment.event, events.TransferAccepted)
        for effect in moment.effects:
            match effect:
                case effects.EnterNode(node=node):
                    entered.append(node)
                case effects.RunAction(action=action, arguments=arguments):
                    actions.append((action, dict(arguments)))
                case effects.DeliverPackage(handoff=handoff, package=package):
                    handoffs.append(handoff)
                    packages.append(package)
                case effects.Transfer(handoff=handoff) if handoff not in handoffs[-1:]:
                    handoffs.append(handoff)
                case effects.PlayScript() | effects.Respond(purpose="speak") if answered is None:
                    answered = moment.event.at_ms
    last = moments[-1].after
    return Seen(
        tuple(entered),
        last.node,
        tuple(said),
        {name: held.value for name, held in last.slots.items()},
        tuple(actions),
        tuple(handoffs),
        tuple(packages),
        transferred,
        last.outcome,
        last.phase == "ended",
        {"no_match": last.visit.no_match, "no_input": last.visit.no_input},
        None if heard_ms is None or answered is None else max(0, answered - heard_ms),
    )


Told = tuple[Path, str, str, str]


def judge(artifact: Artifact, must: Must, seen: Seen, path: Path) -> tuple[Failure, ...]:
    """The expectations that were not met, in the order of the fields; also those that name what the flow does
    not have, which no call could meet or break.
    """
    found: list[Failure] = []
    for field, check in _CHECKS.items():
        wanted = getattr(must, field)
        if (
            wanted is None
            or (wanted is False and field != "transferred" and field != "ended")
            or wanted in ((), {})
        ):
            continue
        unknown = list(_unknown(artifact, field, wanted))
        known = {below for below, _, _, _ in unknown}
        unmet = [told for told in check(wanted, seen) if told[0] not in known]
        found += (
            Failure((*path, field, *below), what, expected, have)
            for below, what, expected, have in (*unknown, *unmet)
        )
    return tuple(found)


def _unknown(artifact: Artifact, field: str, wanted: Any) -> Iterator[Told]:
    """The names in an expectation that the flow does not have."""
    if field not in _NAMES:
        return
    what, label, known_to = _NAMES[field]
    match wanted:
        case str():
            names: Iterable[tuple[Path, str]] = [((), wanted)]
        case tuple() | list():
            names = [((at,), name) for at, name in enumerate(wanted)]
        case dict():
            names = [((name,), name) for name in wanted]
        case _:
            return
    known = known_to(artifact)
    for below, name in names:
        if name not in known:
            yield below, label.format(name), name, f"the flow has no {what} of that name"


_NAMES: Final[Mapping[str, tuple[str, str, Callable[[Artifact], Container[str]]]]] = {
    "node": ("node", "node", lambda artifact: artifact.nodes),
    "passes": ("node", "passes", lambda artifact: artifact.nodes),
    "slots": ("slot", "slot {}", lambda artifact: artifact.slots),
    "action": ("action", "action", lambda artifact: artifact.actions),
    "no_action": ("action", "no action", lambda artifact: artifact.actions),
    "handoff": ("handoff", "handoff", lambda artifact: artifact.handoffs),
}


def _node(wanted: Any, seen: Seen) -> Iterator[Told]:
    if seen.at not in texts(wanted):
        yield (), "node", " or ".join(texts(wanted)), seen.at or "none yet"


def _passes(wanted: Any, seen: Seen) -> Iterator[Told]:
    rest = iter(seen.nodes)
    for number, node in enumerate(wanted):
        if node not in rest:
            yield (number,), "passes", node, " → ".join(seen.nodes) or "no node"
            return


def _said(wanted: Any, seen: Seen) -> Iterator[Told]:
    heard = _plain(" ".join(seen.said))
    for number, text in enumerate(texts(wanted)):
        if _plain(text) not in heard:
            below: Path = () if isinstance(wanted, str) else (number,)
            yield below, "said", text, " / ".join(seen.said) or "nothing"


def _not_said(wanted: Any, seen: Seen) -> Iterator[Told]:
    heard = _plain(" ".join(seen.said))
    for number, text in enumerate(texts(wanted)):
        if _plain(text) in heard:
            below: Path = () if isinstance(wanted, str) else (number,)
            yield below, "not said", f"never {text!r}", " / ".join(seen.said)


def _slots(wanted: Any, seen: Seen) -> Iterator[Told]:
    for name, value in wanted.items():
        have = seen.slots.get(name)
        if have != value or isinstance(have, bool) != isinstance(value, bool):
            yield (name,), f"slot {name}", _shown(value), _shown(have)


def _action(wanted: Any, seen: Seen) -> Iterator[Told]:
    asked = {wanted: {}} if isinstance(wanted, str) else wanted
    run = dict(seen.actions)
    for name, arguments in asked.items():
        below: Path = () if isinstance(wanted, str) else (name,)
        if name not in run:
            yield below, "action", name, ", ".join(run) or "no action"
            continue
        for argument, value in arguments.items():
            have = run[name].get(argument)
            if have != value:
                yield (*below, argument), f"{name}: {argument}", _shown(value), _shown(have)


def _no_action(wanted: Any, seen: Seen) -> Iterator[Told]:
    run = [name for name, _ in seen.actions if wanted is True or name in texts(wanted)]
    if run:
        yield (
            (),
            "no action",
            "no action" if wanted is True else f"no {', '.join(texts(wanted))}",
            ", ".join(run),
        )


def _handoff(wanted: Any, seen: Seen) -> Iterator[Told]:
    if wanted not in seen.handoffs:
        yield (), "handoff", wanted, ", ".join(seen.handoffs) or "no handoff"


def _transferred(wanted: Any, seen: Seen) -> Iterator[Told]:
    if wanted != seen.transferred:
        yield (), "transferred", _shown(wanted), _shown(seen.transferred)


def _package(wanted: Any, seen: Seen) -> Iterator[Told]:
    if not seen.packages:
        yield (), "package", ", ".join(wanted), "no package"
        return
    package = seen.packages[-1]
    for field, value in wanted.items():
        have = package.get(field)
        if field == "slots" and isinstance(value, Mapping) and isinstance(have, list):
            known = {one["name"]: one["value"] for one in have}
            for name, each in value.items():
                if known.get(name) != each:
                    yield (field, name), f"package: {name}", _shown(each), _shown(known.get(name))
        elif value is True:
            if field not in package:
                yield (field,), f"package: {field}", "in the package", f"only {', '.join(package)}"
        elif isinstance(value, str) and isinstance(have, str):
            if _plain(value) not in _plain(have):
                yield (field,), f"package: {field}", value, have
        elif have != value:
            yield (field,), f"package: {field}", _shown(value), _shown(have)


def _outcome(wanted: Any, seen: Seen) -> Iterator[Told]:
    if wanted != seen.outcome:
        yield (), "outcome", wanted, seen.outcome or "none yet"


def _ended(wanted: Any, seen: Seen) -> Iterator[Told]:
    if wanted != seen.ended:
        yield (), "ended", _shown(wanted), _shown(seen.ended)


def _step(wanted: Any, seen: Seen) -> Iterator[Told]:
    for cause, number in wanted.items():
        if seen.steps.get(cause) != number:
            yield (cause,), f"step of {cause}", str(number), str(seen.steps.get(cause, 0))


def _within(wanted: Any, seen: Seen) -> Iterator[Told]:
    if seen.answered_ms is None:
        yield (), "within", f"an answer within {wanted} ms", "no answer"
    elif seen.answered_ms > wanted:
        yield (), "within", f"an answer within {wanted} ms", f"after {seen.answered_ms} ms"


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _shown(value: Any) -> str:
    return (
        "not known"
        if value is None
        else {True: "yes", False: "no"}.get(value, str(value))
        if isinstance(value, bool)
        else str(value)
    )


_CHECKS: Final[Mapping[str, Callable[[Any, Seen], Iterator[Told]]]] = {
    "node": _node,
    "passes": _passes,
    "said": _said,
    "not_said": _not_said,
    "slots": _slots,
    "action": _action,
    "no_action": _no_action,
    "handoff": _handoff,
    "transferred": _transferred,
    "package": _package,
    "outcome": _outcome,
    "ended": _ended,
    "step": _step,
    "within_ms": _within,
}
