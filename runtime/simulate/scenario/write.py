"""Scenarios written: out of a call that was made, with all that can be held against a later version."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from runtime.simulate.cover.classes import expressions, names
from runtime.simulate.drive.call import Outside
from runtime.simulate.drive.moves import (
    OUTSIDE,
    Answered,
    HangUp,
    Keys,
    LoseModel,
    Move,
    Office,
    Person,
    Silence,
    Turn,
)
from runtime.simulate.drive.steps import Moment
from runtime.simulate.scenario.form import Line, Must, Scenario
from runtime.simulate.scenario.judge import Seen, see
from voiceflow_compiler.artifact import Artifact

Segment = Sequence[Moment]


def scenario_of(
    artifact: Artifact,
    name: str,
    facts: Mapping[str, Any] | None,
    moves: Sequence[Move],
    steps: Sequence[Segment],
    *,
    about: str = "",
    outside: Outside | None = None,
) -> Scenario:
    """The scenario that repeats this call: `steps` are those of the opening, then of each move. What the
    outside did is among the moves, or in `outside`.
    """
    turns = [Line(must=_must(artifact, steps[0], {}))]
    office: dict[str, list[dict[str, Any]]] = {}
    people: list[Person] = []
    if outside is not None:
        office = {name: [dict(each) for each in told] for name, told in outside.office.items()}
        people = list(outside.people)
    at = 1
    before = see(steps[0]).slots
    while at <= len(moves):
        move, segment = moves[at - 1], list(steps[at])
        while at < len(moves) and isinstance(moves[at], OUTSIDE):
            _outside(segment, moves[at], office, people)
            segment += steps[at + 1]
            at += 1
        if segment:
            turns.append(_line(artifact, move, _must(artifact, segment, before)))
            before = see(segment).slots
        at += 1
    whole = see([moment for segment in steps for moment in segment])
    return Scenario(
        scenario=name,
        about=about,
        facts={} if facts is None else dict(facts),
        office={
            name: each[0] if len(each) == 1 else tuple(each) for name, each in office.items() if any(each)
        },
        person=people[0] if len(set(people)) == 1 else tuple(people) or "accepts",
        turns=tuple(turns),
        ends=Must(outcome=whole.outcome or None, ended=True) if whole.ended else Must(),
    )


def _outside(
    segment: Segment, move: Move, office: dict[str, list[dict[str, Any]]], people: list[Person]
) -> None:
    state = segment[-1].after
    if isinstance(move, Office):
        told: dict[str, Any] = {"fails": move.fails} if move.fails else dict(move.result)
        office.setdefault(state.runs.get(state.run, ""), []).append(told)
    elif isinstance(move, Answered):
        people.append(move.person)


def _line(artifact: Artifact, move: Move, must: Must) -> Line:
    match move:
        case Turn(words=words) if words:
            return Line(say=words, must=must)
        case Turn(intent=intent, slots=slots, confidence=confidence, sentiment=sentiment):
            return Line(
                intent=None if intent == "answer" and slots else intent,
                slots={name: value for name, value in slots.items() if value is not None},
                confidence=None if _as_sure(artifact, intent, confidence) else confidence,
                sentiment=None if sentiment == "neutral" else sentiment,
                must=must,
            )
        case Keys(digits=digits):
            return Line(key=digits, must=must)
        case Silence():
            return Line(silence=True, must=must)
        case HangUp():
            return Line(hang_up=True, must=must)
        case LoseModel():
            return Line(lose_model=True, must=must)
    raise TypeError(f"{type(move).__name__} is no turn of a caller")


def _as_sure(artifact: Artifact, intent: str, confidence: float) -> bool:
    """Whether a turn is understood alike when it is heard as surely as any: then how surely is not told."""
    if intent == "unclear":
        return confidence < artifact.confidence
    told = any(name == ("intent", "confidence") for expr in expressions(artifact) for name in names(expr))
    return confidence >= max(artifact.confidence, artifact.unsure_below) and not told


def _must(artifact: Artifact, segment: Segment, before: Mapping[str, Any]) -> Must:
    """What happened, as far as the design decides it."""
    seen: Seen = see(segment)
    first = segment[0].before
    stayed = first is not None and not seen.nodes and first.node == seen.at
    package = seen.packages[-1] if seen.packages else {}
    slots = {name: each for name, each in seen.slots.items() if before.get(name) != each}
    gone = {name: None for name in before if name not in seen.slots}
    secret = {name for name, slot in artifact.slots.items() if slot.secret}
    return Must(
        node=seen.at or None,
        passes=seen.nodes if len(seen.nodes) > 1 else (),
        said=tuple(_exact(artifact, segment)),
        slots={name: value for name, value in (slots | gone).items() if name not in secret},
        action=dict(seen.actions) or None,
        no_action=False,
        handoff=seen.handoffs[-1] if seen.handoffs else None,
        transferred=seen.transferred or None,
        package=_package(package),
        outcome=seen.outcome or None,
        ended=seen.ended or None,
        step={cause: number for cause, number in seen.steps.items() if number} if stayed else {},
    )


def _exact(artifact: Artifact, segment: Segment) -> Iterable[str]:
    """The exact words that were said whole: they are the design's own, not a model's."""
    scripts = set(artifact.scripts.values())
    told = [getattr(moment.event, "text", "") for moment in segment]
    return dict.fromkeys(text for text in told if text in scripts)


def _package(package: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for field, value in package.items():
        if field == "reason":
            wanted[field] = value
        elif field == "slots" and value:
            wanted[field] = {one["name"]: one["value"] for one in value}
        elif field not in ("handoff", "call_id", "flow", "flow_version"):
            wanted[field] = True
    return wanted


# ---- as YAML

SCHEMA: Final = "# yaml-language-server: $schema={}\n"
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_ →'-]*(?<! )")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def as_yaml(scenario: Scenario, *, schema: str = "../../../schemas/scenario.schema.json") -> str:
    """One scenario as a file."""
    return SCHEMA.format(schema) + "".join(_scenario(scenario, ""))


def many_as_yaml(
    scenarios: Iterable[Scenario], head: str, *, schema: str = "../../../schemas/scenario.schema.json"
) -> str:
    """Many scenarios as one file; `head` is a comment of lines."""
    lines = [SCHEMA.format(schema), *(f"# {line}\n" for line in head.splitlines()), "scenarios:\n"]
    for scenario in scenarios:
        first, *rest = _scenario(scenario, "    ")
        lines += [f"  - {first.lstrip()}", *rest]
    return "".join(lines)


def _scenario(scenario: Scenario, indent: str) -> list[str]:
    plain = msgspec.to_builtins(scenario)
    lines = []
    for name in ("scenario", "about", "number", "facts", "office", "person"):
        if name in plain:
            lines.append(f"{indent}{name}: {_flow(plain[name])}\n")
    lines.append(f"{indent}turns:\n")
    lines += (f"{indent}  - {_flow(turn)}\n" for turn in plain["turns"])
    if plain.get("ends"):
        lines.append(f"{indent}ends: {_flow(plain['ends'])}\n")
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(str(name))}: {_flow(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(each) for each in value) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
