"""Ordering speech, and what the model is told with it. Every function takes the state and a list of effects,
and returns the state.
"""

from typing import Final

from msgspec.structs import replace

from runtime.engine import fill
from runtime.engine.effects import (
    AnswerTool,
    Brief,
    CancelTimer,
    Effect,
    Flag,
    PlayScript,
    Respond,
    StartTimer,
    StopSpeaking,
)
from runtime.engine.state import After, Said, Speech, State
from voiceflow_compiler.artifact import Artifact, Line

# Lines the engine itself needs. They reach the model as meanings; a flow's own lines always come first.
READ_BACK: Final = Line(convey="Read this value back clearly and ask whether it is right.")
ASK_REST: Final = Line(convey="Thank them in a word or two and ask only for what is still to find out.")
ASK_AGAIN: Final = Line(convey="Apologise for having it wrong and ask for it once more.")
STILL_RINGING: Final = Line(
    convey="Say in a few words that you are still trying to reach a person and thank them for waiting.",
    sample="I'm still trying to reach someone for you. Thank you for waiting.",
)
CORRECT_CLAIM: Final = Line(
    convey="Say plainly that what you just claimed is not done yet, then go on with this moment.",
    sample="Sorry, I spoke too soon: that is not done yet.",
)
CALLER_SPEAKS_MS: Final = 60_000
MAX_REPAIRS: Final = 1


def serial(state: State, prefix: str) -> tuple[State, str]:
    """A new name that is unique in this call."""
    return replace(state, serial=state.serial + 1), f"{prefix}{state.serial + 1}"


def tell(state: State, out: list[Effect], text: str) -> State:
    """Give the model a brief: as the answer to its open tool call if there is one, else as a system item."""
    if state.open_call:
        out.append(AnswerTool(call_id=state.open_call, output=fill.accepted(text)))
        return replace(state, open_call="")
    out.append(Brief(text=text))
    return state


def say(
    artifact: Artifact,
    state: State,
    out: list[Effect],
    line: Line,
    after: After,
    *,
    protected: bool = False,
    opening: bool = False,
) -> State:
    """Order `line`; `after` follows its end. Exact words are played, a meaning is asked of the model.

    `opening`: the line opens a node, so the model is told where the call stands even when the words are
    played.
    """
    state, speech_id = serial(state, "s")
    if line.say is not None:
        return _play(
            artifact,
            state,
            out,
            line,
            Speech(speech_id, after, scripted=True, protected=protected),
            opening=opening,
        )
    stops = after.kind in ("end", "transfer", "hold")
    text = fill.brief(artifact, state, line, then="stop" if stops else "wait")
    state = tell(state, out, text)
    out.append(Respond(purpose="speak", speech_id=speech_id))
    return replace(state, phase="speaking", speech=Speech(speech_id, after, brief=text))


def _play(
    artifact: Artifact, state: State, out: list[Effect], line: Line, speech: Speech, *, opening: bool
) -> State:
    text = fill.fill(artifact, state, line.say or "")
    if state.disclosed and (opening or state.open_call):
        state = tell(state, out, fill.brief(artifact, state, None))
    out.append(PlayScript(speech_id=speech.id, text=text, script=line.script, protected=speech.protected))
    return replace(state, phase="speaking", speech=replace(speech, text=text))


def aside(artifact: Artifact, state: State, out: list[Effect], line: Line) -> State:
    """Play a line that nothing waits for (a filler, a hold line). A meaning cannot be an aside and is left
    out.
    """
    if line.say is None:
        return state
    state, speech_id = serial(state, "s")
    out.append(PlayScript(speech_id=speech_id, text=fill.fill(artifact, state, line.say), script=line.script))
    return state


def read_back(artifact: Artifact, state: State, out: list[Effect], slot: str) -> State:
    """Read a value back and wait for the caller's word on it."""
    state = replace(state, confirming=slot)
    sample = f"I have {fill.quoted(fill.spoken(state.slots[slot].value))}. Is that right?"
    line = replace(
        READ_BACK, sample=None if artifact.slots[slot].secret else sample.replace("{", "").replace("}", "")
    )
    return say(artifact, state, out, line, After("listen"))


def ask_for(artifact: Artifact, state: State, out: list[Effect], line: Line, slot: str) -> State:
    """Ask for one slot, with the designer's sample question where there is one."""
    return say(artifact, state, out, replace(line, sample=artifact.slots[slot].sample), After("listen"))


def hush(state: State, out: list[Effect], why: str) -> State:
    """Stop an ordinary speech, whose end nothing waits for any more. A protected one goes on."""
    if state.speech is None or state.speech.protected:
        return state
    out.append(StopSpeaking(why=why))
    return replace(state, speech=None)


def await_caller(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """Open the caller's turn at the present node and start the silence timer."""
    silence_ms = CALLER_SPEAKS_MS if state.overlap else artifact.nodes[state.node].no_input_after_ms
    out.append(StartTimer(timer="no_input", ms=silence_ms))
    return replace(state, phase="listening", speech=None)


def note_assistant(state: State, text: str, at_ms: int, *, cut: bool) -> State:
    """Add what the assistant was heard to say to the transcript."""
    if not text:
        return state
    return replace(state, transcript=(*state.transcript, Said("assistant", text, at_ms, state.node, cut=cut)))


def unbacked_claim(artifact: Artifact, state: State, text: str) -> str:
    """The action or handoff that `text` claims was done though it was not; empty when nothing is false."""
    said = " ".join(text.lower().replace("\u2019", "'").split())
    claims = [(name, action.promises) for name, action in artifact.actions.items() if name not in state.done]
    claims += [(name, way.promises) for name, way in artifact.handoffs.items() if name != state.handoff]
    for name, promises in claims:
        for phrase in promises:
            if phrase in said:
                return name
    return ""


def repair_claim(artifact: Artifact, state: State, out: list[Effect], after: After, claim: str) -> State:
    """Flag a false claim and have it set right at once, once a visit."""
    out.append(Flag(kind="claim_unbacked", detail=claim))
    state = replace(state, visit=replace(state.visit, repairs=state.visit.repairs + 1))
    return say(artifact, state, out, CORRECT_CLAIM, after)


def cancel(out: list[Effect], *timers: str) -> None:
    out.extend(CancelTimer(timer=timer) for timer in timers)
