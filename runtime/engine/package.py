"""The context package: what a person is told before they speak to the caller. Fields are those the handoff
names, typed by schemas/handoff.schema.json.
"""

from collections.abc import Callable
from typing import Any

from runtime.engine.state import State
from voiceflow_compiler.artifact import Artifact

WITHHELD = "(withheld)"


def build(artifact: Artifact, state: State) -> dict[str, Any]:
    """The package of the handoff under way, as plain JSON values. Secret slots and facts never enter it."""
    handoff = artifact.handoffs[state.handoff]
    wanted = dict.fromkeys(field.partition(".")[0] for field in handoff.package)
    package: dict[str, Any] = {
        "handoff": state.handoff,
        "call_id": state.call_id,
        "flow": artifact.flow,
        "flow_version": artifact.flow_version,
    }
    return package | {field: _FIELDS[field](artifact, state) for field in wanted if field in _FIELDS}


def _reason(_: Artifact, state: State) -> str:
    return state.reason or "the caller asked for a person"


def _slots(artifact: Artifact, state: State) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "meaning": artifact.slots[name].meaning,
            "value": held.value,
            "sure": held.sure,
            "confidence": held.confidence,
        }
        for name, held in sorted(state.slots.items())
        if not artifact.slots[name].secret
    ]


def _facts(artifact: Artifact, state: State) -> dict[str, Any]:
    return {name: state.facts[name] for name in sorted(state.known_facts) if not artifact.facts[name].secret}


def transcript(artifact: Artifact, state: State) -> list[dict[str, Any]]:
    """What was said, oldest first; what callers said where a secret was asked for is withheld."""
    secret_nodes = {
        name
        for name, node in artifact.nodes.items()
        if any(artifact.slots[slot].secret for slot in node.collect)
    }
    return [
        {
            "who": said.who,
            "text": WITHHELD if said.who == "caller" and said.node in secret_nodes else said.text,
            "at_ms": said.at_ms,
        }
        for said in state.transcript
        if said.text
    ]


def _sentiment(_: Artifact, state: State) -> str:
    return state.heard.sentiment


def _callback_number(_: Artifact, state: State) -> str | None:
    return state.caller_number


def _summary(artifact: Artifact, state: State) -> str:
    """Three plain sentences from what is certain; no model writes it, so nothing in it is invented."""
    known = ", ".join(
        f"{name.replace('_', ' ')}: {held.value}"
        for name, held in sorted(state.slots.items())
        if not artifact.slots[name].secret
    )
    done = ", ".join(name.replace("_", " ") for name in state.done)
    parts = [
        f"The caller reached {state.node.replace('_', ' ')} after {state.counts.turns} turns.",
        f"Reason for the handoff: {_reason(artifact, state)}.",
    ]
    parts += [f"Known: {known}."] if known else []
    parts += [f"Done: {done}."] if done else []
    return " ".join(parts)


_FIELDS: dict[str, Callable[[Artifact, State], Any]] = {
    "reason": _reason,
    "summary": _summary,
    "slots": _slots,
    "facts": _facts,
    "transcript": transcript,
    "sentiment": _sentiment,
    "callback_number": _callback_number,
}
