"""Role-play call sheets: one page for each call of a suite that covers every edge, for people to play."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

from msgspec import Struct

from runtime.simulate.cover.suite import Planned, Suite, generate
from runtime.simulate.drive.moves import (
    OUTSIDE,
    Answered,
    HangUp,
    Keys,
    Move,
    Office,
    Silence,
    Turn,
)
from runtime.simulate.scenario.judge import see
from voiceflow_compiler.artifact import Artifact

SCORES: Final = (
    "The assistant said it is an AI, and how to reach a person",
    "It understood what was said",
    "It asked one thing at a time",
    "It did what this sheet says it must",
    "It ended as this sheet says",
)
FORMAT_VERSION: Final = 1
SHORT_HASH: Final = 12


def planned(artifact: Artifact) -> Suite:
    """The calls that people play: every edge and every trigger once. What one machine tries in a second (each
    value, each pair) is not worth an hour of theirs.
    """
    return generate(artifact, pairs=False, kinds=("edge", "trigger"))


class Row(Struct, frozen=True):
    """One line of a sheet. `turn`: the caller's turn it is, or follows, from 1; `mine`: the caller does it.
    `intent`: what is meant, "" for keys, silence and what others do; `heard`: what the
    assistant said last, in the design's wording.
    """

    turn: int
    mine: bool
    node: str
    deed: str
    must: str
    intent: str = ""
    heard: str = ""


def rows_of(artifact: Artifact, call: Planned) -> tuple[Row, ...]:
    """What happens on a planned call, line by line."""
    return tuple(_rows(artifact, call))


def _rows(artifact: Artifact, call: Planned) -> Iterator[Row]:
    turn = 0
    for at, move in enumerate(call.moves, 1):
        steps = call.steps[at]
        before = steps[0].before if steps else None
        if not steps or before is None:
            continue
        seen = see(steps)
        must = [f"go to {' → '.join(seen.nodes)}" if seen.nodes else f"stay at {seen.at}"]
        must += [f"do {name}" for name, _ in seen.actions]
        must += [f"bring in {name}" for name in seen.handoffs]
        mine = not isinstance(move, OUTSIDE)
        turn += mine
        deed = in_words(artifact, move) if mine else _outside(move)
        intent = move.intent if isinstance(move, Turn) else ""
        heard = see(call.steps[at - 1]).said if mine and call.steps[at - 1] else ()
        yield Row(turn, mine, before.node, deed, "; ".join(must), intent, heard[-1] if heard else "")


def sheets(artifact: Artifact, calls: Sequence[Planned], *, of: int) -> str:
    """All sheets as one HTML page that prints one call to a page, and saves what was filled in as JSON."""
    pages = "".join(_sheet(artifact, call, number, of) for number, call in enumerate(calls, 1))
    title = escape(f"Call sheets: {artifact.title or artifact.flow} {artifact.flow_version}")
    head = f"<!doctype html>\n<html lang='en'><meta charset='utf-8'><title>{title}</title>"
    head += f"<style>{_part('css')}</style>"
    about = json.dumps(
        {"results": FORMAT_VERSION, "flow": artifact.flow, "artifact": artifact.content_hash[:SHORT_HASH]}
    )
    return (
        f"{head}<body data-about='{escape(about, quote=True)}'><header><b>{title}</b>"
        "<label>Your name <input id='by'></label><label>Date <input id='date' type='date'></label>"
        "<button id='save'>Save results</button>"
        f"<span>Then: <code>vfc sheets FLOW --results FOLDER</code></span></header>{pages}"
        f"<script>{_part('js')}</script></body></html>\n"
    )


def _part(kind: str) -> str:
    """The page's own style or script, which stand beside this module."""
    return Path(__file__).with_suffix(f".{kind}").read_text(encoding="utf-8")


def _sheet(artifact: Artifact, call: Planned, number: int, of: int) -> str:
    whole = see([moment for steps in call.steps for moment in steps])
    facts = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in (call.facts or {}).items())
    rows = "".join(_row(number, place, row) for place, row in enumerate(rows_of(artifact, call), 1))
    scores = "".join(
        f"<tr><td>{escape(line)}</td><td class='box'>{_choice(f'c{number}s{place}', '12345')}</td></tr>"
        for place, line in enumerate(SCORES)
    )
    return (
        f"<section data-call='{number}'><h1>Call {number} of {of}"
        f"<small>{escape(artifact.flow)} {escape(artifact.flow_version)}</small></h1>"
        f"<p><b>Who you are:</b> {escape(facts or 'nobody the firm knows')}.</p>"
        f"<p><b>The call must end with:</b> {escape(whole.outcome or 'no outcome')}.</p>"
        "<table class='turns'><tr><th>#</th><th>When it asks at, about like this</th><th>You do</th>"
        "<th>Then it must</th>"
        f"<th>Did it?</th><th>What you said, or what it did instead</th></tr>{rows}</table>"
        f"<table class='score'><tr><th>Score</th><th class='box'>worst to best</th></tr>{scores}</table>"
        "<p><b>Findings</b></p><textarea rows='3'></textarea></section>"
    )


def _row(call: int, place: int, row: Row) -> str:
    number, kind = (str(row.turn), "") if row.mine else ("", " class='out'")
    said = "<input class='said'>" if row.mine else "<input class='said' hidden>"
    place_of = escape(row.node) + (f"<q>{escape(row.heard)}</q>" if row.heard else "")
    told = f"<td>{number}</td><td>{place_of}</td><td>{escape(row.deed)}</td><td>{escape(row.must)}</td>"
    return (
        f"<tr data-row='{place}'{kind}>{told}<td class='box'>"
        f"{_choice(f'c{call}r{place}', ('yes', 'no'))}</td>"
        f"<td>{said}</td></tr>"
    )


def _choice(name: str, values: Iterable[str]) -> str:
    return "".join(
        f"<label><input type='radio' name='{name}' value='{value}'>{value}</label>" for value in values
    )


def _outside(move: Move) -> str:
    match move:
        case Office(fails=fails) if fails:
            return "(the system in the back does not answer)"
        case Answered(person="accepts"):
            return "(a colleague takes the call)"
        case Answered():
            return "(no colleague takes the call)"
    return "(the system in the back answers)"


def in_words(artifact: Artifact, move: Move) -> str:
    """What a person does who plays this move."""
    match move:
        case Keys(digits=digits):
            return f"Press {digits}"
        case Silence():
            return "Say nothing"
        case HangUp():
            return "Hang up"
        case Turn(slots=slots) if slots:
            told = ", ".join(
                f"“{str(value).replace('_', ' ')}” ({artifact.slots[name].meaning})"
                for name, value in slots.items()
            )
            return f"Say {told}"
        case Turn(intent=intent):
            known = artifact.intents[intent]
            if known.examples:
                return f"Say “{known.examples[0]}” ({known.means})"
            return "Mumble something" if intent == "unclear" else f"Say something that means: {known.means}"
    return "The line to the model breaks (skip this call if you cannot do that)"


def covered(calls: Sequence[Planned]) -> int:
    """How many things the sheets try."""
    return len(frozenset().union(*(call.first for call in calls)))
