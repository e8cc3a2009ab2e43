"""How much of a flow was reached: by kind, what is missing, line by line, and as a picture's data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from runtime.simulate.cover.goals import KINDS, Goal, excused, goals, in_words
from voiceflow_compiler.artifact import Artifact

NAMES: Mapping[str, str] = {
    "node": "nodes",
    "edge": "edges",
    "intent": "intents",
    "rung": "fallback steps",
    "trigger": "triggers",
    "slot": "slot classes",
    "lost": "lost model",
}


class Cover(Struct, frozen=True):
    """What of a flow can be reached, how often each was, and what no call can reach (with the reason)."""

    artifact: Artifact
    wanted: tuple[Goal, ...]
    times: dict[Goal, int]
    impossible: dict[Goal, str]

    @property
    def missing(self) -> tuple[Goal, ...]:
        return tuple(goal for goal in self.wanted if goal not in self.times)

    def percent(self, kind: str | None = None) -> float:
        """The share reached, of one kind or of all, 0 to 100."""
        of = [goal for goal in self.wanted if kind in (None, goal[0])]
        return 100.0 * sum(goal in self.times for goal in of) / len(of) if of else 100.0


def cover(
    artifact: Artifact, reached: Mapping[Goal, int], impossible: Mapping[Goal, str] | None = None
) -> Cover:
    """What was reached, counted against all that can be."""
    every = goals(artifact)
    why = {goal: excused(artifact, goal) for goal in every if goal not in reached}
    cannot = {goal: reason for goal, reason in why.items() if reason} | {
        goal: reason for goal, reason in (impossible or {}).items() if goal not in reached
    }
    wanted = tuple(goal for goal in every if goal not in cannot)
    return Cover(
        artifact, wanted, {goal: count for goal, count in reached.items() if goal in set(wanted)}, cannot
    )


def as_text(covered: Cover, *, most: int = 20) -> str:
    """A line for each kind, then what is missing."""
    lines = [f"{covered.artifact.flow} {covered.artifact.flow_version}: {covered.percent():.1f} % covered"]
    for kind in KINDS:
        of = [goal for goal in covered.wanted if goal[0] == kind]
        if of:
            got = sum(goal in covered.times for goal in of)
            lines.append(f"  {NAMES[kind]:<15}{got:>5} of {len(of):<5}{covered.percent(kind):6.1f} %")
    missing = covered.missing
    lines += [f"  never: {in_words(goal)}" for goal in missing[:most]]
    if len(missing) > most:
        lines.append(f"  and {len(missing) - most} more")
    return "\n".join(lines) + "\n"


def as_json(covered: Cover) -> dict[str, Any]:
    """The same as plain data, version 1, with what the annotated picture needs: counts of nodes and edges."""
    return {
        "version": 1,
        "flow": covered.artifact.flow,
        "flow_version": covered.artifact.flow_version,
        "percent": round(covered.percent(), 2),
        "kinds": {NAMES[kind]: round(covered.percent(kind), 2) for kind in KINDS},
        "missing": [in_words(goal) for goal in covered.missing],
        "impossible": {in_words(goal): reason for goal, reason in covered.impossible.items()},
        "picture": picture(covered),
    }


def picture(covered: Cover) -> dict[str, Any]:
    """What the annotated picture needs: of every node and of the ways between any two, how many calls came
    by, how much of what there is was reached, and what never was.
    """
    nodes: dict[str, list[Goal]] = {}
    ways: dict[tuple[str, str], list[Goal]] = {}
    for goal in covered.wanted:
        if goal[0] in ("node", "edge", "intent", "rung"):
            nodes.setdefault(goal[1], []).append(goal)
        if goal[0] == "edge":
            ways.setdefault((goal[1], goal[3]), []).append(goal)
    return {
        "nodes": {name: _trod(covered, found, ("node", name)) for name, found in nodes.items()},
        "ways": [{"from": start, "to": end, **_trod(covered, found)} for (start, end), found in ways.items()],
    }


def _trod(covered: Cover, found: list[Goal], at: Goal | None = None) -> dict[str, Any]:
    times = covered.times
    calls = times.get(at, 0) if at is not None else sum(times.get(goal, 0) for goal in found)
    never = [goal for goal in found if goal not in times]
    told = {goal[2] for goal in never if goal[0] == "edge"}
    return {
        "calls": calls,
        "reached": len(found) - len(never),
        "of": len(found),
        # an answer or a step that leads on is told once, by its edge
        "never": [
            _short(goal) for goal in never if goal[0] in ("node", "edge") or _label_of(goal) not in told
        ],
    }


def _label_of(goal: Goal) -> str:
    """The label of the edge that this answer or step would be."""
    return f"on {goal[2]}" if goal[0] == "intent" else " ".join(goal[2:])


def _short(goal: Goal) -> str:
    """A goal as it stands on the card of its node."""
    match goal:
        case ("edge", _, label, end):
            return f"{label} → {end}"
        case ("intent", _, intent):
            return f"on {intent}"
        case ("rung", _, cause, number):
            return f"{cause} {number}"
    return "reached"


def written_at(covered: Cover, goal: Goal) -> tuple[str | int, ...] | None:
    """The path in the flow's YAML that a goal is written at, as near as can be told."""
    match goal:
        case ("node", name):
            return ("nodes", name)
        case ("edge", node, label, _):
            return ("nodes", node, *_label(label))
        case ("intent", node, intent):
            return ("nodes", node, "on", intent)
        case ("rung", node, cause, number):
            below = (cause, int(number) - 1) if cause == "no_match" else (cause, "steps", int(number) - 1)
            return ("nodes", node, "fallback", *below)
        case ("trigger", number):
            return ("handoff_triggers", int(number) - 1)
        case ("slot", name, _):
            return ("slots", name)
    return ("fallback", "lost_model")


def _label(label: str) -> tuple[str | int, ...]:
    word, _, rest = label.partition(" ")
    match word:
        case "on":
            intent, _, then = rest.partition(" ")
            return ("on", intent, "then") if then else ("on", intent)
        case "key":
            return ("keys", rest.split(" ")[0])
        case "case":
            return ("cases", int(rest) - 1)
        case "success" | "failure" | "unknown":
            return (f"on_{word}",)
        case "no_match":
            return ("fallback", word, int(rest) - 1)
        case "no_input":
            return ("fallback", word, "steps", int(rest) - 1)
        case "next" | "filled" | "otherwise":
            return (word,)
    return ()


def per_line(covered: Cover, text: str, line_of: Callable[[tuple[str | int, ...]], int]) -> str:
    """The flow's YAML with, before each line something is written at, how many calls reached it; `#####`
    marks a line of which something was never reached.
    """
    least: dict[int, int] = {}
    never: Counter[int] = Counter()
    for goal in covered.wanted:
        path = written_at(covered, goal)
        if path is None:
            continue
        line = line_of(path)
        times = covered.times.get(goal, 0)
        least[line] = max(least.get(line, 0), times)
        never[line] += not times
    rows = []
    for number, words in enumerate(text.splitlines(), 1):
        told = "" if number not in least else "#####" if never[number] else str(least[number])
        rows.append(f"{told:>7} | {words}")
    return "\n".join(rows) + "\n"
