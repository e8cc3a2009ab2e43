"""What comes from outside the conversation: the caller's facts, actions, and the connection to the model."""

from typing import Final

from msgspec.structs import replace

from runtime.engine import fill
from runtime.engine.conditions import value
from runtime.engine.effects import AnswerTool, Brief, Effect, Flag, OpenSession, Respond, StartTimer
from runtime.engine.events import (
    ActionFailed,
    ActionSucceeded,
    ActionUnknown,
    AnswererDetected,
    ContextLoaded,
    ContextMissing,
    Event,
    SessionLost,
    SessionRestored,
)
from runtime.engine.nodes import end_call, enter, lose_model, open_node, run, set_outcome
from runtime.engine.playback import go_on, hear_pending
from runtime.engine.slots import fact_value, result_values
from runtime.engine.speaking import aside, await_caller, cancel, hush, say, serial
from runtime.engine.state import After, State
from runtime.engine.turns import ask_again
from voiceflow_compiler.artifact import Artifact

# Detection takes two to four seconds; a person who is kept in silence longer hangs up.
ANSWERER_WITHIN_MS: Final = 6_000
RECONNECT_WITHIN_MS: Final = 6_000
FILLER_EVERY_MS: Final = 7_000
MAX_FILLERS: Final = 10  # more than any wait is long
# The shell looks for a lost answer for ten seconds or so; this is the net behind it.
CHECKING_WITHIN_MS: Final = 20_000


def first_node(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """Begin at the first node; one that is not a disclosure waits for the caller's facts, and any of them for
    the verdict on who answered.
    """
    if not state.answerer_due and artifact.nodes[artifact.start].kind == "disclosure":
        return enter(artifact, state, out, artifact.start, "start")
    return replace(state, waiting_node=artifact.start)


def settle(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """The facts are as good as they get in time: missing ones take their `otherwise`; the session gets its
    instructions.
    """
    facts = {name: state.facts.get(name, fact.otherwise) for name, fact in artifact.facts.items()}
    state = replace(state, facts=facts, settled=True)
    out.append(OpenSession(instructions=fill.instructions(artifact, state)))
    return _begin(artifact, state, out) if state.waiting_node and not state.answerer_due else state


def _begin(artifact: Artifact, state: State, out: list[Effect]) -> State:
    return go_on(artifact, replace(state, waiting_node=""), out, state.waiting_node)


def at_answerer(artifact: Artifact, state: State, out: list[Effect], event: AnswererDetected) -> State:
    """A person, or nobody knows: the call begins. A machine: it ends, and nothing is said to it."""
    if not state.answerer_due:
        out.append(Flag(kind="event_ignored", detail="AnswererDetected"))
        return state
    cancel(out, "answerer")
    state = replace(state, answerer_due=False)
    if event.by == "machine":
        return end_call(set_outcome(state, out, "machine_answered"), out, "machine_answered")
    if state.settled or artifact.nodes[artifact.start].kind == "disclosure":
        return _begin(artifact, state, out)
    return state


def answerer_too_slow(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """No verdict came: whoever answered is taken for a person."""
    if not state.answerer_due:
        return state
    out.append(Flag(kind="answerer_unknown"))
    return at_answerer(artifact, state, out, AnswererDetected(at_ms=state.at_ms, by="unknown"))


def at_context(artifact: Artifact, state: State, out: list[Effect], event: ContextLoaded) -> State:
    """Facts arrived: in time they enter the prefix, late they are appended."""
    fitted = {
        name: fact_value(artifact.facts[name], raw)
        for name, raw in event.facts.items()
        if name in artifact.facts and raw is not None
    }
    kept = {name: each for name, each in fitted.items() if each is not None}
    dropped = sorted(fitted.keys() - kept.keys())
    if dropped:
        out.append(Flag(kind="fact_refused", detail=", ".join(dropped)))
    state = replace(
        state, facts={**state.facts, **kept}, known_facts=tuple(sorted({*state.known_facts, *kept}))
    )
    if not state.settled:
        cancel(out, "context")
        return settle(artifact, state, out)
    if kept:
        out.append(Brief(text=fill.late_facts(artifact, state)))
    return state


def at_no_context(artifact: Artifact, state: State, out: list[Effect], event: ContextMissing) -> State:
    """There are no facts about this caller."""
    if state.settled:
        return state
    cancel(out, "context")
    return settle(artifact, state, out)


def context_too_slow(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """The deadline of the look-up passed: the call goes on without."""
    if state.settled:
        return state
    out.append(Flag(kind="context_late"))
    return settle(artifact, state, out)


def at_action_done(artifact: Artifact, state: State, out: list[Effect], event: ActionSucceeded) -> State:
    """An action succeeded: what it returned is kept if it is what was declared."""
    name = state.runs.get(event.run_id)
    if name is None:
        return state
    result = result_values(artifact.actions[name].returns, event.result)
    if result is None:
        out.append(Flag(kind="result_refused", detail=name))
        return at_action_failed(
            artifact, state, out, ActionFailed(at_ms=event.at_ms, run_id=event.run_id, reason="bad_result")
        )
    state = _run_over(
        replace(state, results={**state.results, name: result}, done=(*state.done, name)), event.run_id
    )
    if event.run_id in state.requested:
        out.append(AnswerTool(call_id=state.requested[event.run_id], output=fill.accepted_result(result)))
        return _resume_request(artifact, state, out, event.run_id)
    return _leave_act(artifact, state, out, event.run_id, succeeded=True)


def at_action_failed(artifact: Artifact, state: State, out: list[Effect], event: ActionFailed) -> State:
    """An action failed: a path in the graph, never silence."""
    name = state.runs.get(event.run_id)
    if name is None:
        return state
    out.append(Flag(kind="action_failed", detail=name))
    state = _run_over(state, event.run_id)
    if event.run_id in state.requested:
        output = fill.refused("that could not be looked up", (), fill.brief(artifact, state, None))
        out.append(AnswerTool(call_id=state.requested[event.run_id], output=output))
        return _resume_request(artifact, state, out, event.run_id)
    return _leave_act(artifact, state, out, event.run_id, succeeded=False)


def at_action_unknown(artifact: Artifact, state: State, out: list[Effect], event: ActionUnknown) -> State:
    """The answer of an action was lost: the caller is told no more than is known."""
    name = state.runs.get(event.run_id)
    if name is None:
        return state
    if event.run_id in state.requested:
        failed = ActionFailed(at_ms=event.at_ms, run_id=event.run_id, reason=event.reason)
        return at_action_failed(artifact, state, out, failed)
    out.append(Flag(kind="action_unknown", detail=name))
    if event.final:
        return _leave_unknown(artifact, _run_over(state, event.run_id), out, event.run_id)
    if state.run != event.run_id or state.phase not in ("acting", "speaking"):
        return state
    return _checking(artifact, state, out)


def _checking(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """It is being found out whether it was done: say so, and wait."""
    line = artifact.nodes[state.node].while_checking
    out.append(StartTimer(timer="action", ms=CHECKING_WITHIN_MS))
    state = replace(state, visit=replace(state.visit, checking=True))
    if line is None or state.phase != "acting":
        return state
    out.append(StartTimer(timer="waiting", ms=FILLER_EVERY_MS))
    if line.say is None and state.model == "up":
        return say(artifact, state, out, line, After("act"))
    return aside(artifact, state, out, line)


def _leave_unknown(artifact: Artifact, state: State, out: list[Effect], run_id: str) -> State:
    """Nobody can tell: the flow's own way on, or, where it has none, plain words before its `on_failure`."""
    if state.run != run_id or state.phase not in ("acting", "speaking"):
        return state
    cancel(out, "action", "waiting")
    node = artifact.nodes[state.node]
    go = node.on_unknown or node.on_failure or artifact.limits.go
    line = node.unknown_line if node.on_unknown is None else None
    state = hush(replace(state, run=""), out, "the action's end is not known")
    if line is None or (line.say is None and state.model == "lost"):
        return hear_pending(artifact, enter(artifact, state, out, go, "unknown"), out)
    return say(artifact, state, out, line, After("enter", go))


def after_end(artifact: Artifact, state: State, out: list[Effect], event: Event) -> State:
    """The caller hung up while something was done: its end is kept, and taken back where the flow says so."""
    if not isinstance(event, ActionSucceeded | ActionFailed | ActionUnknown):
        return state
    name = state.runs.get(event.run_id)
    undo = artifact.nodes[state.undo_at].undo if state.undo_at else None
    if name is None or undo is None:
        return state
    if isinstance(event, ActionUnknown):
        out.append(Flag(kind="action_unknown", detail=name))
        return _run_over(state, event.run_id) if event.final else state
    state = _run_over(state, event.run_id)
    if isinstance(event, ActionFailed) or event.run_id != state.run:
        out.append(
            Flag(kind="action_failed" if isinstance(event, ActionFailed) else "action_undone", detail=name)
        )
        return state
    return _take_back(artifact, state, out, name, undo, event)


def _take_back(
    artifact: Artifact, state: State, out: list[Effect], name: str, undo: str, event: ActionSucceeded
) -> State:
    result = result_values(artifact.actions[name].returns, event.result) or {}
    state = replace(state, results={**state.results, name: result}, done=(*state.done, name))
    if any(value(expr, state) is None for expr in artifact.actions[undo].takes.values()):
        out.append(Flag(kind="undo_impossible", detail=undo))
        return state
    return run(artifact, state, out, undo)


def _run_over(state: State, run_id: str) -> State:
    return replace(state, runs={each: name for each, name in state.runs.items() if each != run_id})


def _resume_request(artifact: Artifact, state: State, out: list[Effect], run_id: str) -> State:
    """The model has the answer it asked for: let it report the turn it was judging, or speak."""
    state = replace(state, requested={each: call for each, call in state.requested.items() if each != run_id})
    if state.judging:
        return ask_again(state, out, "report")
    return open_node(artifact, state, out) if state.phase == "listening" else state


def _leave_act(artifact: Artifact, state: State, out: list[Effect], run_id: str, *, succeeded: bool) -> State:
    if state.run != run_id or state.phase not in ("acting", "speaking"):
        return state
    cancel(out, "action", "waiting")
    node = artifact.nodes[state.node]
    go = node.on_success if succeeded else node.on_failure
    return hear_pending(
        artifact,
        enter(
            artifact,
            replace(state, run=""),
            out,
            go or artifact.limits.go,
            "success" if succeeded else "failure",
        ),
        out,
    )


def action_too_slow(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """The safety net behind the shell's own deadline: what changes something may have been done."""
    run_id = state.run if state.phase == "acting" else next(iter(state.requested), "")
    if not run_id:
        return state
    if artifact.actions[state.runs[run_id]].changes_something:
        unknown = ActionUnknown(at_ms=state.at_ms, run_id=run_id, reason="too_slow", final=True)
        return at_action_unknown(artifact, state, out, unknown)
    return at_action_failed(
        artifact, state, out, ActionFailed(at_ms=state.at_ms, run_id=run_id, reason="too_slow")
    )


def still_waiting(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """The answer is slower than a turn: say so, and again every few seconds."""
    node = artifact.nodes[state.node]
    line = node.while_waiting if state.phase == "acting" else None
    if state.visit.checking and state.phase == "acting":
        line = node.while_checking or line
    if line is None or state.visit.fillers >= MAX_FILLERS:
        return state
    state = replace(state, visit=replace(state.visit, fillers=state.visit.fillers + 1))
    out.append(StartTimer(timer="waiting", ms=FILLER_EVERY_MS))
    return aside(artifact, state, out, line)


def at_session_lost(artifact: Artifact, state: State, out: list[Effect], event: SessionLost) -> State:
    """The model is gone: hold the line for one reconnection where the flow allows it, else take the designed
    way.
    """
    if state.model == "lost" or state.lost_taken:
        return replace(state, model="lost")
    scripted = state.speech is not None and state.speech.scripted
    busy = state.phase in ("starting", "delivering", "transferring", "acting") or scripted
    if busy:
        # Nothing of the model's is due now; whatever needs it next finds it gone, or back.
        return replace(state, model="lost" if event.final else "reconnecting")
    if event.final or artifact.hold is None:
        return _give_up(artifact, state, out)
    if state.model == "reconnecting":
        return state
    out.append(StartTimer(timer="reconnect", ms=RECONNECT_WITHIN_MS))
    speech = state.speech
    state = replace(hush(state, out, "model lost"), speech=speech, model="reconnecting")
    return aside(artifact, state, out, artifact.hold)


def _give_up(artifact: Artifact, state: State, out: list[Effect]) -> State:
    state, onward = lose_model(artifact, state, out)
    return state if onward is None else enter(artifact, state, out, *onward)


def reconnect_too_slow(artifact: Artifact, state: State, out: list[Effect]) -> State:
    if state.model != "reconnecting":
        return state
    return at_session_lost(
        artifact, state, out, SessionLost(at_ms=state.at_ms, reason="reconnect_too_slow", final=True)
    )


def at_session_restored(artifact: Artifact, state: State, out: list[Effect], event: SessionRestored) -> State:
    """The model is back (or up for the first time): tell it where the call stands and go on from there."""
    if state.model != "reconnecting":
        return state
    state = replace(state, model="up")
    cancel(out, "reconnect")
    if not state.node or artifact.nodes[state.node].kind != "ask":
        return _speak_again(state, out)
    if state.phase == "judging":
        # What the caller said went with the old session: ask again, without blaming them.
        cancel(out, "report")
        return open_node(artifact, replace(state, judging="", asked=""), out)
    if state.phase == "listening":
        out.append(Brief(text=fill.brief(artifact, state, None)))
        return await_caller(artifact, state, out)
    return _speak_again(state, out)


def _speak_again(state: State, out: list[Effect]) -> State:
    """Order the model's interrupted speech once more."""
    speech = state.speech
    if speech is None or speech.scripted:
        return state
    state, speech_id = serial(state, "s")
    out += [Brief(text=speech.brief), Respond(purpose="speak", speech_id=speech_id)]
    return replace(state, speech=replace(speech, id=speech_id))
