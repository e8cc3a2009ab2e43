"""What follows when the assistant's speech ends, is cut, or cannot be made."""

from typing import Final

from msgspec.structs import replace

from runtime.engine.effects import Brief, Effect, Flag, PlayScript, Respond, StartTimer, Transfer
from runtime.engine.events import PlaybackFinished, PlaybackInterrupted, SpeechFailed
from runtime.engine.nodes import end_call, enter, lose_model, set_outcome
from runtime.engine.people import held
from runtime.engine.speaking import (
    MAX_REPAIRS,
    await_caller,
    note_assistant,
    repair_claim,
    serial,
    unbacked_claim,
)
from runtime.engine.state import After, Speech, State
from runtime.engine.turns import ask_report, person_node
from voiceflow_compiler.artifact import Artifact

MAX_FAILURES: Final = 2
# A person who picks up at the last second still hears a whisper and presses a key; the shell reports how
# it went, this is the net behind it.
WHISPER_WITHIN_MS: Final = 80_000


def at_finished(artifact: Artifact, state: State, out: list[Effect], event: PlaybackFinished) -> State:
    """A speech was heard to its end."""
    speech = state.speech
    current = speech is not None and speech.id == event.speech_id
    text = event.text or (speech.text if speech is not None and current else "")
    state = note_assistant(state, text, event.at_ms, cut=False)
    if not current or speech is None:
        return _answered_early(artifact, state, out, event.speech_id, text)
    if artifact.nodes[state.node].kind == "disclosure" and not state.disclosed:
        state = replace(state, disclosed=True)
    claim = "" if speech.scripted else _claim(artifact, state, text)
    if claim:
        return repair_claim(artifact, state, out, speech.after, claim)
    return follow(artifact, replace(state, speech=None), out, speech.after)


def _answered_early(artifact: Artifact, state: State, out: list[Effect], speech_id: str, text: str) -> State:
    """The end of a speech nothing waits for: a filler, or what the model said in place of a report."""
    if speech_id != state.answer_speech or not text:
        return state
    claim = unbacked_claim(artifact, state, text)
    if claim and state.visit.repairs < MAX_REPAIRS and state.phase == "listening":
        return repair_claim(artifact, state, out, After("listen"), claim)
    if claim:
        out.append(Flag(kind="claim_unbacked", detail=claim))
    return replace(state, answer_heard=state.judging != "")


def _claim(artifact: Artifact, state: State, text: str) -> str:
    return "" if state.visit.repairs >= MAX_REPAIRS else unbacked_claim(artifact, state, text)


def follow(artifact: Artifact, state: State, out: list[Effect], after: After) -> State:
    """Do what was to follow a speech."""
    match after.kind:
        case "listen":
            return hear_pending(artifact, await_caller(artifact, state, out), out)
        case "enter":
            return go_on(artifact, state, out, after.node)
        case "end" if state.judging:
            return replace(state, ends_after_report=True)
        case "end":
            return end_call(state, out, "completed")
        case "transfer":
            return _transfer(artifact, state, out)
        case "hold":
            return held(state, out) if state.phase == "transferring" else state
    return replace(state, phase="acting")


def go_on(artifact: Artifact, state: State, out: list[Effect], name: str) -> State:
    """Enter a node once the caller's facts are settled, then hear what the caller said meanwhile."""
    if not state.settled and artifact.nodes[name].kind != "disclosure":
        return replace(state, phase="starting", waiting_node=name)
    if state.wants_person and state.disclosed:
        from_start = replace(state, wants_person=False, reason="the caller asked for a person")
        return enter(artifact, from_start, out, person_node(artifact) or name, "escalation")
    return hear_pending(artifact, enter(artifact, state, out, name, "next"), out)


def hear_pending(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """Judge the next turn that was held, where the call listens now."""
    overheard = state.visit.overheard and state.phase == "speaking"
    if not state.pending or state.judging or not (state.phase == "listening" or overheard):
        return state
    turn_id, *rest = state.pending
    if overheard and not state.overlap:
        state = replace(state, visit=replace(state.visit, overheard=False))
    return ask_report(artifact, replace(state, pending=tuple(rest)), out, turn_id)


def _transfer(artifact: Artifact, state: State, out: list[Effect]) -> State:
    handoff = artifact.handoffs[state.handoff]
    out.append(
        Transfer(
            handoff_id=state.handoff_id,
            handoff=state.handoff,
            mode=handoff.mode,
            timeout_ms=handoff.timeout_ms,
        )
    )
    out.append(StartTimer(timer="transfer", ms=handoff.timeout_ms + WHISPER_WITHIN_MS))
    return replace(state, phase="transferring", speech=None, rings="")


def at_interrupted(artifact: Artifact, state: State, out: list[Effect], event: PlaybackInterrupted) -> State:
    """A speech stopped before its end."""
    state = note_assistant(state, event.text, event.at_ms, cut=True)
    speech = state.speech
    if speech is None or speech.id != event.speech_id or _waits_for_model(state, speech):
        return state
    if speech.protected:
        return _again(artifact, state, out, speech, "interrupted")
    return cut_short(artifact, state, out)


def _waits_for_model(state: State, speech: Speech) -> bool:
    """The loss of the model cut this speech: it stays due until the model is back or given up."""
    return state.model == "reconnecting" and not speech.scripted and speech.after.kind != "hold"


def cut_short(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """Go on as after the present speech, without waiting for its end."""
    speech = state.speech
    return state if speech is None else follow(artifact, replace(state, speech=None), out, speech.after)


def at_failed(artifact: Artifact, state: State, out: list[Effect], event: SpeechFailed) -> State:
    """A speech could not be made: once more, then the designed way for a lost model."""
    speech = state.speech
    if speech is None or speech.id != event.speech_id or _waits_for_model(state, speech):
        return state
    out.append(Flag(kind="speech_failed", detail="script" if speech.scripted else "model"))
    if speech.after.kind == "hold":  # another word is due in a while
        return cut_short(artifact, state, out)
    return _again(artifact, state, out, speech, "failed")


def _again(artifact: Artifact, state: State, out: list[Effect], speech: Speech, why: str) -> State:
    if speech.failures + 1 >= MAX_FAILURES + (0 if state.disclosed else 1):
        return _give_up(artifact, state, out, speech)
    state, speech_id = serial(state, "s")
    next_try = replace(speech, id=speech_id, failures=speech.failures + 1)
    if not speech.scripted:
        out.append(Respond(purpose="speak", speech_id=speech_id))
    elif why == "interrupted" or not state.disclosed or state.model != "up":
        out.append(PlayScript(speech_id=speech_id, text=speech.text, protected=speech.protected))
    else:
        # Prepared audio is missing: the model is asked for the exact words instead.
        text = f'Say exactly: "{speech.text}"\nThen: wait'
        out += [Brief(text=text), Respond(purpose="speak", speech_id=speech_id)]
        next_try = replace(next_try, scripted=False, brief=text)
    return replace(state, speech=next_try)


def _give_up(artifact: Artifact, state: State, out: list[Effect], speech: Speech) -> State:
    if not state.disclosed:
        return end_call(set_outcome(state, out, "disclosure_not_heard"), out, "disclosure_not_heard")
    if speech.scripted or state.model == "lost" or state.leaving:
        return follow(artifact, replace(state, speech=None), out, speech.after)
    state, onward = lose_model(artifact, replace(state, speech=None), out)
    return state if onward is None else enter(artifact, state, out, *onward)
