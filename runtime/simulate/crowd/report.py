"""What came of simulated calls, as plain values and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from runtime.simulate.crowd.run import Had
from voiceflow_compiler.artifact import Artifact

FORMAT_VERSION: Final = 1
VERDICTS: Final = ("holds", "fails", "unclear", "unsupported")


def as_value(artifact: Artifact, had: Sequence[Had], seconds: float) -> dict[str, Any]:
    """Calls counted: by outcome, by kind, and by the laws they broke."""
    by_kind: dict[str, list[Had]] = {}
    for one in had:
        by_kind.setdefault(one.kind, []).append(one)
    return {
        "version": FORMAT_VERSION,
        "flow": artifact.flow,
        "calls": len(had),
        "seconds": round(seconds, 2),
        "calls_per_second": round(len(had) / seconds, 1),
        "outcomes": dict(Counter(one.outcome for one in had).most_common()),
        "kinds": {kind: _kind(calls) for kind, calls in by_kind.items()},
        "findings": dict(Counter(finding for one in had for finding in one.findings).most_common()),
    }


def _kind(calls: Sequence[Had]) -> dict[str, Any]:
    return {
        "calls": len(calls),
        "outcomes": dict(Counter(one.outcome for one in calls).most_common(4)),
        "turns": round(sum(one.turns for one in calls) / len(calls), 1),
        "transferred": sum(one.transferred for one in calls),
        "failed": sum(bool(one.findings) for one in calls),
    }


def as_text(told: Mapping[str, Any]) -> Iterator[str]:
    """The same for a person, line by line."""
    yield f"{told['calls']} calls of {told['flow']} in {told['seconds']} s ({told['calls_per_second']}/s)"
    for outcome, count in told["outcomes"].items():
        yield f"  {outcome or 'no outcome':<24}{count:>7}  {100 * count / told['calls']:5.1f} %"
    for kind, one in told["kinds"].items():
        most = ", ".join(f"{name or 'none'} {count}" for name, count in one["outcomes"].items())
        yield f"  {kind:<20} {one['turns']:>5} turns  {one['failed']:>4} failed  {most}"
    if "sound" in told:
        yield from _sound(told["sound"])
    if "model" in told:
        yield from _model(told["model"], told["judged"])
    for finding, count in told["findings"].items():
        yield f"failed {count}: {finding}"
    yield from (f"saved: {path}" for path in told.get("saved", ()))


def _model(told: Mapping[str, Any], judged: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the language model cost, and its opinion."""
    usd = "" if told["usd"] is None else f", {told['usd']:.2f} dollars"
    tokens = f"{told['tokens_in']} tokens in and {told['tokens_out']} out"
    yield f"  {told['name']}: {told['requests']} questions, {tokens}{usd}"
    for what in ("not_made", "not_judged"):
        for reason, count in told[what].items():
            yield f"  {what.replace('_', ' ')} {count}: {reason.replace('_', ' ')}"
    for one in judged:
        counts = ", ".join(f"{name} {one[name]}" for name in VERDICTS if one.get(name))
        yield f"  judged: {one['property']} {counts}"
        yield from (f"    {each['call']}: “{each['quote']}” {each['why']}" for each in one["examples"])


def _sound(told: Mapping[str, Any]) -> Iterator[str]:
    """How the calls sounded."""
    dead = told["dead_air_ms"]
    long = next(name for name in dead if name.startswith("over_"))
    yield (
        f"  sound: {told['minutes']} minutes, {told['answers']} answers after a dead air of"
        f" {dead['median']} ms (95 in 100 within {dead['p95']}, longest {dead['longest']},"
        f" {dead[long]} over {long.removeprefix('over_')})"
    )
    yield (
        f"  frames: {told['frames_sent']} sent, {told['frames_lost_by_the_line']} lost and"
        f" {told['frames_late_by_the_line']} late by the line;"
        f" by the bridge {told['messages_dropped_by_the_bridge']} messages dropped,"
        f" {told['holes_in_the_assistant_ms']} ms of holes"
    )
    yield (
        f"  machine: {told['cpu_s']} s of CPU, {told['cores_busy']} cores busy on average with"
        f" {told['at_once']} calls at once"
    )
    yield (
        f"  heard: {told['understood_as_meant']} of {told['turns_with_words']} turns understood as meant,"
        f" {told['overlap_ms'] / 1000:.1f} s of talking at once"
    )
