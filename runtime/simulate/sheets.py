"""Role-play call sheets: one page for each call of a suite that covers every edge, for people to play."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from runtime.simulate.cover.suite import Planned, Suite
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


def sheets(artifact: Artifact, suite: Suite) -> str:
    """All sheets as one HTML page that prints one call to a page."""
    pages = "".join(
        _sheet(artifact, call, number, len(suite.calls)) for number, call in enumerate(suite.calls, 1)
    )
    title = escape(f"Call sheets: {artifact.title or artifact.flow} {artifact.flow_version}")
    head = f"<!doctype html>\n<html lang='en'><meta charset='utf-8'><title>{title}</title>{STYLE}"
    return f"{head}<body>{pages}</body></html>\n"


def _sheet(artifact: Artifact, call: Planned, number: int, of: int) -> str:
    whole = see([moment for steps in call.steps for moment in steps])
    who = (
        ", ".join(f"{name}: {value}" for name, value in (call.facts or {}).items()) or "nobody the firm knows"
    )
    rows = "".join(_rows(artifact, call))
    score = "<tr><td>{}</td><td class='box'>1 2 3 4 5</td></tr>"
    scores = "".join(score.format(escape(line)) for line in SCORES)
    return (
        f"<section><h1>Call {number} of {of}: {escape(artifact.flow)} {escape(artifact.flow_version)}</h1>"
        f"<p><b>Who you are:</b> {escape(who)}.</p>"
        f"<p><b>The call must end with:</b> {escape(whole.outcome or 'no outcome')}.</p>"
        "<table><tr><th>#</th><th>When it asks at</th><th>You do</th>"
        "<th>Then it must</th><th>Did it?</th></tr>"
        f"{rows}</table><h2>Score</h2><table>{scores}</table>"
        "<p>Name: ______________________ Date: ____________ Findings:</p><div class='lines'></div></section>"
    )


def _rows(artifact: Artifact, call: Planned) -> Iterator[str]:
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
        if isinstance(move, OUTSIDE):
            yield f"<tr class='out'><td></td><td>{escape(before.node)}</td><td>{escape(_outside(move))}</td>"
        else:
            turn += 1
            deed = escape(in_words(artifact, move))
            yield f"<tr><td>{turn}</td><td>{escape(before.node)}</td><td>{deed}</td>"
        yield f"<td>{escape('; '.join(must))}</td><td class='box'>☐</td></tr>"


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
            told = ", ".join(f"“{value}” ({artifact.slots[name].meaning})" for name, value in slots.items())
            return f"Say {told}"
        case Turn(intent=intent):
            known = artifact.intents[intent]
            if known.examples:
                return f"Say “{known.examples[0]}” ({known.means})"
            return "Mumble something" if intent == "unclear" else f"Say something that means: {known.means}"
    return "The line to the model breaks (skip this call if you cannot do that)"


STYLE: Final = """<style>
body{font:11pt sans-serif;margin:1.5cm}section{page-break-after:always}h1{font-size:14pt}h2{font-size:12pt}
table{border-collapse:collapse;width:100%}td,th{border:1px solid #888;padding:3px 6px;text-align:left;
vertical-align:top}.out td{color:#666}.box{white-space:nowrap}.lines{height:3cm;border:1px solid #888}
</style>"""


def covered(calls: Sequence[Planned]) -> int:
    """How many things the sheets try."""
    return len(frozenset().union(*(call.first for call in calls)))
