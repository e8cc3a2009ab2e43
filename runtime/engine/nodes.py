"""Entering nodes: what each kind does on arrival, the bounds that end every call, and how it ends."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from runtime.engine import fill
from runtime.engine.conditions import holds, value
from runtime.engine.effects import (
    DeliverPackage,
    Effect,
    EndCall,
    EnterNode,
    Flag,
    RunAction,
    SetOutcome,
    StartTimer,
    Withhold,
)
from runtime.engine.package import build
from runtime.engine.speaking import await_caller, cancel, hush, read_back, say, serial, tell
from runtime.engine.state import After, State, Visit
from voiceflow_compiler.artifact import Action, Artifact, Node

FILLER_AFTER_MS = 1_000
PACKAGE_WITHIN_MS = 5_000
LAST_MINUTE_MS = 60_000

# Where to go on at once, and why; None: the node has the call now.
Onward = tuple[str, str] | None


def enter(artifact: Artifact, state: State, out: list[Effect], name: str, why: str) -> State:
    """Go to a node, and on through every node that needs no one's answer, until one has the call."""
    onward: Onward = (name, why)
    while onward is not None:
        state, allowed = _arrive(artifact, state, out, *onward)
        if not allowed:
            return state
        node = artifact.nodes[state.node]
        state, onward = _ARRIVALS[node.kind](artifact, state, out, node)
    return state


def _arrive(artifact: Artifact, state: State, out: list[Effect], name: str, why: str) -> tuple[State, bool]:
    count = state.visits.get(name, 0) + 1
    if count > artifact.limits.visits:
        if state.limited:
            return end_call(state, out, "limit_reached"), False
        out.append(Flag(kind="limit_reached", detail="visits"))
        state = replace(state, limited=True)
        name, why = artifact.limits.go, "limit"
        count = state.visits.get(name, 0) + 1
    if not state.disclosed and artifact.nodes[name].kind not in ("disclosure", "decide"):
        # The checker proves this cannot be reached; an artifact that was not checked must not speak
        # undisclosed either.
        out.append(Flag(kind="undisclosed_path", detail=name))
        return end_call(state, out, "undisclosed_path"), False
    out.append(EnterNode(node=name, why=why))
    state = _withhold(artifact, state, out, name)
    return replace(
        state,
        node=name,
        came_from=_came_from(artifact, state, why),
        visits={**state.visits, name: count},
        visit=Visit(),
        confirming="",
        recheck="",
        digits="",
        waiting_node="",
    ), True


def _withhold(artifact: Artifact, state: State, out: list[Effect], name: str) -> State:
    """At a sensitive node nobody hears the caller; past it they are heard again."""
    sensitive = artifact.nodes[name].sensitive
    if sensitive != state.withheld:
        out.append(Withhold(on=sensitive))
    return replace(state, withheld=sensitive)


def _came_from(artifact: Artifact, state: State, why: str) -> str:
    """The ask node a change may be taken back to: nothing was said or done since but a decision."""
    left = artifact.nodes.get(state.node)
    if left is None or why in ("overlap", "resumed"):
        return ""
    return state.node if left.kind == "ask" else state.came_from if left.kind == "decide" else ""


def _at_disclosure(artifact: Artifact, state: State, out: list[Effect], node: Node) -> tuple[State, Onward]:
    if node.line is None:
        return state, (node.next or "", "next")
    return say(
        artifact, state, out, node.line, After("enter", node.next or ""), protected=True, opening=True
    ), None


def _at_tell(artifact: Artifact, state: State, out: list[Effect], node: Node) -> tuple[State, Onward]:
    if node.line is None or (state.model == "lost" and node.line.say is None):
        return state, (node.next or "", "next")
    return say(artifact, state, out, node.line, After("enter", node.next or ""), opening=True), None


def _at_ask(artifact: Artifact, state: State, out: list[Effect], node: Node) -> tuple[State, Onward]:
    if node.collect and node.filled is not None and all(known(state, slot) for slot in node.collect):
        unsure = to_confirm(artifact, state)
        if not unsure:
            return state, (node.filled, "already known")
        if state.model != "lost":
            return read_back(artifact, state, out, unsure), None
    if state.model == "lost":
        return lose_model(artifact, state, out)
    if state.pending or state.overlap:
        return _overlapped(artifact, state, out, node), None
    return open_node(artifact, state, out), None


def _overlapped(artifact: Artifact, state: State, out: list[Effect], node: Node) -> State:
    """The caller spoke into the change: their turn is heard here, left out, or heard where it was begun."""
    back = state.came_from
    if node.on_overlap == "revert" and back and state.visits.get(back, 0) < artifact.limits.visits:
        out.append(Flag(kind="change_reverted", detail=state.node))
        state, _ = _arrive(artifact, state, out, back, "overlap")
    if node.on_overlap == "commit":
        out.append(Flag(kind="overlap_left_out", detail=state.node))
        return open_node(artifact, replace(state, visit=replace(state.visit, overheard=True)), out)
    # That turn first, and the node's own line after it if it is still needed.
    state = tell(state, out, fill.brief(artifact, state, None))
    return await_caller(artifact, replace(state, visit=replace(state.visit, opening_due=True)), out)


def open_node(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """Say the present node's own line, then listen."""
    line = artifact.nodes[state.node].line
    state = replace(state, visit=replace(state.visit, opening_due=False))
    return (
        await_caller(artifact, state, out)
        if line is None
        else say(artifact, state, out, line, After("listen"), opening=True)
    )


def _at_decide(artifact: Artifact, state: State, out: list[Effect], node: Node) -> tuple[State, Onward]:
    for number, case in enumerate(node.cases, 1):
        if holds(case.when, state):
            return state, (case.go, f"case {number}")
    return state, (node.otherwise or artifact.limits.go, "otherwise")


def _at_act(artifact: Artifact, state: State, out: list[Effect], node: Node) -> tuple[State, Onward]:
    name = node.action or ""
    action = artifact.actions[name]
    arguments = {argument: value(expr, state) for argument, expr in action.takes.items()}
    if None in arguments.values():
        out.append(Flag(kind="argument_missing", detail=name))
        # A secret is missing only where the call went on after a break: it may have been done before that.
        doubt = any(arguments[secret] is None for secret in action.secrets)
        go = (node.on_unknown if doubt else None) or node.on_failure or artifact.limits.go
        return state, (go, "argument missing")
    state = run(artifact, state, out, name)
    if node.while_waiting is not None:
        out.append(StartTimer(timer="waiting", ms=FILLER_AFTER_MS))
    if state.open_call:
        state = tell(state, out, fill.brief(artifact, state, None))
    return replace(state, phase="acting", speech=None, run=f"r{state.serial}"), None


def run(artifact: Artifact, state: State, out: list[Effect], name: str) -> State:
    """Order an action. Its key names call, action and arguments: the same thing asked twice in a call is one
    thing.
    """
    action = artifact.actions[name]
    arguments = {argument: value(expr, state) for argument, expr in action.takes.items()}
    state, run_id = serial(state, "r")
    content = json.dumps(
        [state.call_id, name, _known(action, arguments, state)], sort_keys=True, ensure_ascii=False
    )
    key = hashlib.sha256(content.encode()).hexdigest()[:32]
    out.append(RunAction(run_id, name, arguments, key, action.within_ms, action.retries))
    out.append(StartTimer(timer="action", ms=action.within_ms * (action.retries + 1) + FILLER_AFTER_MS))
    return replace(state, runs={**state.runs, run_id: name})


def _known(action: Action, arguments: dict[str, Any], state: State) -> dict[str, Any]:
    """What of the arguments may stand in a key: not a secret's value, which could be guessed, but which of
    its values it is.
    """
    names = {argument: action.takes[argument] for argument in action.secrets}
    return arguments | {
        argument: state.slots[path[2]].serial if path[1] == "slots" else path[2]
        for argument, path in names.items()
    }


def _at_handoff(artifact: Artifact, state: State, out: list[Effect], node: Node) -> tuple[State, Onward]:
    name = node.handoff or ""
    handoff = artifact.handoffs[name]
    state, handoff_id = serial(state, "h")
    state = replace(
        state, handoff=name, handoff_id=handoff_id, pending=(), confirming="", judging="", asked=""
    )
    cancel(out, "no_input", "report")
    if handoff.mode == "cold":
        return say(artifact, state, out, handoff.line, After("transfer"), protected=True, opening=True), None
    if state.open_call:
        state = tell(state, out, fill.brief(artifact, state, None, then="stop"))
    out.append(DeliverPackage(handoff_id=handoff_id, handoff=name, package=build(artifact, state)))
    out.append(StartTimer(timer="package", ms=PACKAGE_WITHIN_MS))
    return replace(state, phase="delivering", speech=None), None


def _at_end(artifact: Artifact, state: State, out: list[Effect], node: Node) -> tuple[State, Onward]:
    state = replace(set_outcome(state, out, node.outcome or "ended"), leaving=True)
    cancel(out, "no_input")
    if node.line is None or (state.model == "lost" and node.line.say is None):
        return end_call(state, out, "completed"), None
    return say(artifact, state, out, node.line, After("end"), opening=True), None


_ARRIVALS: dict[str, Callable[[Artifact, State, list[Effect], Node], tuple[State, Onward]]] = {
    "disclosure": _at_disclosure,
    "tell": _at_tell,
    "ask": _at_ask,
    "decide": _at_decide,
    "act": _at_act,
    "handoff": _at_handoff,
    "end": _at_end,
}


def lose_model(artifact: Artifact, state: State, out: list[Effect]) -> tuple[State, Onward]:
    """Take the way the flow designed for a lost model, once; a second time the call ends."""
    if state.lost_taken:
        return end_call(state, out, "model_lost"), None
    rung = artifact.lost_model
    state = replace(
        hush(state, out, "model lost"),
        model="lost",
        lost_taken=True,
        judging="",
        asked="",
        pending=(),
        confirming="",
    )
    cancel(out, "no_input", "report", "reconnect")
    go = rung.go or artifact.limits.go
    if rung.line is None or rung.line.say is None:
        return state, (go, "model lost")
    return say(artifact, state, out, rung.line, After("enter", go)), None


def reach_limit(artifact: Artifact, state: State, out: list[Effect], which: str) -> State:
    """Lead a call past one of its bounds to `limits.go`, once; past a second bound it ends."""
    if state.limited or not state.disclosed:
        return end_call(state, out, "limit_reached")
    out.append(Flag(kind="limit_reached", detail=which))
    state = replace(hush(state, out, "limit reached"), limited=True, judging="", asked="", pending=())
    cancel(out, "no_input", "report")
    return enter(artifact, state, out, artifact.limits.go, "limit")


def set_outcome(state: State, out: list[Effect], outcome: str) -> State:
    out.append(SetOutcome(outcome=outcome))
    return replace(state, outcome=outcome)


def end_call(state: State, out: list[Effect], reason: str) -> State:
    """Hang up. Nothing is ordered after this."""
    if not state.outcome:
        state = set_outcome(state, out, reason)
    out.append(EndCall(reason=reason))
    return replace(state, phase="ended", speech=None, judging="", pending=())


def known(state: State, slot: str) -> bool:
    return slot in state.slots


def to_confirm(artifact: Artifact, state: State) -> str:
    """The next value to read back before the present node may be left; empty when there is none."""
    wanted = (*artifact.nodes[state.node].collect, state.recheck)
    for slot in wanted:
        held = state.slots.get(slot)
        if held is not None and not held.sure:
            return slot
    return ""
