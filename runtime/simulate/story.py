"""What happened on a call, told from its record: the lines, the way through the flow, what was learnt, how
it ended.

The engine is run again over the recorded events, so that the story is the engine's own and not a second
reading of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from runtime.engine.effects import DeliverPackage, EnterNode, RunAction, SetOutcome
from runtime.engine.events import (
    ActionFailed,
    ActionSucceeded,
    ActionUnknown,
    CallEnded,
    CallStarted,
    Event,
    TransferAccepted,
)
from runtime.engine.slots import clean
from runtime.engine.state import State
from runtime.engine.step import start, step
from runtime.record import Record
from voiceflow_compiler.artifact import Artifact


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the story. `who`: assistant, caller, or "" for what the call itself did."""

    at_ms: int
    who: str
    text: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """One call, told. `slots` holds no secret ones; `packages` are the context packages that were
    delivered.
    """

    call_id: str
    flow: str
    flow_version: str
    happenings: tuple[Happening, ...]
    nodes: tuple[tuple[int, str], ...]
    slots: Mapping[str, Any]
    outcome: str | None
    ends_at: str | None
    ended: str
    lasted_ms: int
    packages: tuple[Mapping[str, Any], ...]


def tell(artifact: Artifact, record: Record) -> Story:
    """The story of a record made with this artifact."""
    state: State | None = None
    extra: list[Happening] = []
    nodes: list[tuple[int, str]] = []
    packages: list[Mapping[str, Any]] = []
    runs: dict[str, str] = {}
    ended = ""
    for line in record.lines:
        if "event" not in line:
            continue
        event = msgspec.convert(line["event"], Event)
        if state is None:
            if not isinstance(event, CallStarted):
                continue
            state, effects = start(artifact, event)
        else:
            state, effects = step(artifact, state, event)
        extra += _of_event(event, runs)
        for effect in effects:
            match effect:
                case RunAction(run_id=run_id, action=action):
                    runs[run_id] = action
                case EnterNode(node=node):
                    nodes.append((event.at_ms, node))
                case DeliverPackage(package=package):
                    packages.append(package)
                case SetOutcome(outcome=outcome):
                    extra.append(Happening(event.at_ms, "", f"outcome: {outcome}"))
        if isinstance(event, CallEnded):
            ended = event.reason
    return _story(artifact, record, state, extra, nodes, packages, ended)


def _story(
    artifact: Artifact,
    record: Record,
    state: State | None,
    extra: list[Happening],
    nodes: list[tuple[int, str]],
    packages: list[Mapping[str, Any]],
    ended: str,
) -> Story:
    said = state.transcript if state else ()
    lines = [Happening(one.at_ms, one.who, one.text + (" —" if one.cut else ""), one.node) for one in said]
    slots = state.slots if state else {}
    return Story(
        call_id=str(record.header["call_id"]),
        flow=artifact.flow,
        flow_version=artifact.flow_version,
        happenings=tuple(sorted(lines + extra, key=lambda one: one.at_ms)),
        nodes=tuple(nodes),
        slots={name: held.value for name, held in slots.items() if not artifact.slots[name].secret},
        outcome=(state.outcome or None) if state else None,
        ends_at=nodes[-1][1] if nodes else None,
        ended=ended,
        lasted_ms=int(record.lines[-1].get("at_ms", 0)) if record.lines else 0,
        packages=tuple(packages),
    )


def _of_event(event: Event, runs: Mapping[str, str]) -> list[Happening]:
    match event:
        case ActionSucceeded(run_id=run_id, result=result):
            told = ", ".join(f"{name} = {value}" for name, value in result.items())
            return [Happening(event.at_ms, "", f"{runs.get(run_id, 'an action')} is done {told}".rstrip())]
        case ActionFailed(run_id=run_id, reason=reason):
            return [Happening(event.at_ms, "", f"{runs.get(run_id, 'an action')} failed: {reason}")]
        case ActionUnknown(run_id=run_id, final=final):
            told = "is not known to be done" if final else "may be done; it is being found out"
            return [Happening(event.at_ms, "", f"{runs.get(run_id, 'an action')} {told}")]
        case TransferAccepted():
            return [Happening(event.at_ms, "", "a person took the call")]
    return []


def clock(at_ms: int) -> str:
    """A time on a call, for people: minutes, seconds and tenths."""
    seconds, ms = divmod(at_ms, 1000)
    return f"{seconds // 60:02}:{seconds % 60:02}.{ms // 100}"


def markdown(story: Story, *, caller: str, expected: tuple[str, ...]) -> str:
    """The transcript as a page: how it went, what was learnt, every line with its time and node."""
    lasted = f"{clock(story.lasted_ms)} ({story.ended.replace('_', ' ') or 'not ended'})"
    head = [
        f"# {caller} calls {story.flow} {story.flow_version}",
        "",
        f"Outcome: **{story.outcome or 'none'}**, at `{story.ends_at or '-'}`, after {lasted}.",
        *(f"\nNot as expected: {line}." for line in expected),
        "",
        "| learnt | |",
        "|---|---|",
        *(f"| {name} | {_cell(value)} |" for name, value in story.slots.items()),
        "",
        "Way: " + " → ".join(node for _, node in story.nodes),
        "",
        "| time | node | who | |",
        "|---|---|---|---|",
    ]
    rows = [
        f"| {clock(one.at_ms)} | {one.node} | {one.who} | {_cell(one.text)} |" for one in story.happenings
    ]
    return "\n".join([*head, *rows, ""])


def _cell(value: object) -> str:
    """A text from a call as one cell of a table: on one line, and no markup of its own."""
    text = clean(str(value), limit=2000)
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), ("|", "/"), ("`", "'"), ("[", "\\["), ("=", "\\=")):
        text = text.replace(sign, written)
    return text
