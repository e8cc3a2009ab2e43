"""What the caller and the model send: speech, turns, keys, reports, requests for actions, silence."""

from msgspec.structs import replace

from runtime.engine import fill
from runtime.engine.cards import is_card
from runtime.engine.conditions import value
from runtime.engine.effects import Effect, Flag, StartTimer
from runtime.engine.events import (
    ActionRequested,
    CallerSpeechStarted,
    CallerTurn,
    DtmfPressed,
    TurnReported,
    TurnTranscribed,
    TurnUnreported,
)
from runtime.engine.nodes import end_call, run
from runtime.engine.people import hold
from runtime.engine.playback import cut_short, hear_pending
from runtime.engine.slots import clean, slot_value
from runtime.engine.speaking import CALLER_SPEAKS_MS, cancel, hush, tell
from runtime.engine.state import Said, SlotValue, State
from runtime.engine.turns import (
    MAX_REFUSALS,
    UNCLEAR,
    Report,
    apply,
    ask_again,
    ask_report,
    climb,
    complete,
    given_slots,
    honour_person,
    judge,
    refuse,
    silence,
    take_slots,
    unreported,
    validate,
)
from voiceflow_compiler.artifact import Artifact

MAX_REQUESTS = 3
MAX_PENDING = 5
MURMUR_WITHIN_MS = 1_500


def interruptible(state: State) -> bool:
    """Whether the caller's voice stops what is being said: never the disclosure, a handoff's promise or a
    goodbye.
    """
    return (
        state.phase == "speaking"
        and state.speech is not None
        and not state.speech.protected
        and not state.leaving
    )


def at_caller_speech(
    artifact: Artifact, state: State, out: list[Effect], event: CallerSpeechStarted
) -> State:
    """The caller began to speak: the assistant stops, unless these words may not be cut."""
    if state.visit.overheard:  # what overlapped the change is over: these are new words
        state = replace(state, visit=replace(state.visit, overheard=False))
    state = replace(state, overlap=True)
    if interruptible(state):
        turns = artifact.turns
        if not turns.least_speech_ms:
            return _barge_in(artifact, state, out)
        # That speech was long enough is known once its end could have been told and was not.
        out.append(StartTimer(timer="barge_in", ms=turns.least_speech_ms + turns.silence_ms))
        return state
    if state.phase == "listening":
        out.append(StartTimer(timer="no_input", ms=CALLER_SPEAKS_MS))
    return state


def _barge_in(artifact: Artifact, state: State, out: list[Effect]) -> State:
    speech = state.speech
    hush(state, out, "the caller speaks")
    return cut_short(artifact, replace(state, speech=speech), out)


def at_long_speech(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """The caller has spoken for longer than a murmur: the assistant stops."""
    return _barge_in(artifact, state, out) if state.overlap and interruptible(state) else state


def at_caller_turn(artifact: Artifact, state: State, out: list[Effect], event: CallerTurn) -> State:
    """The caller finished a turn: have it reported, or hold it until it can be judged."""
    node = state.node if state.disclosed else ""
    said = Said("caller", clean(event.text), event.at_ms, node, turn_id=event.turn_id)
    state = replace(state, transcript=(*state.transcript, said))
    if state.overlap and artifact.turns.least_speech_ms and interruptible(state) and not state.murmur:
        cancel(out, "barge_in")
        out.append(StartTimer(timer="murmur", ms=MURMUR_WITHIN_MS))
        return replace(state, overlap=False, murmur=event.turn_id)
    return _hear(artifact, state, out, event.turn_id)


def at_unwritten(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """The words of a short turn did not come in time: it counts as any other."""
    turn_id = state.murmur
    return _hear(artifact, replace(state, murmur=""), out, turn_id) if turn_id else state


def _weigh(artifact: Artifact, state: State, out: list[Effect], words: str) -> State:
    """The words of a short turn are known. While the assistant still speaks, a murmur is none."""
    turn_id = state.murmur
    cancel(out, "murmur")
    state = replace(state, murmur="")
    if interruptible(state) and _only_murmurs(artifact, words):
        out.append(Flag(kind="backchannel"))
        return state
    return _hear(artifact, state, out, turn_id)


def _only_murmurs(artifact: Artifact, words: str) -> bool:
    """Whether nothing but sounds of agreement was said, or nothing at all."""
    plain = "".join(one if one.isalnum() or one in "-' " else " " for one in words.lower())
    known = artifact.turns.backchannel
    return " ".join(plain.split()) in known or all(word in known for word in plain.split())


def _hear(artifact: Artifact, state: State, out: list[Effect], turn_id: str) -> State:
    """A turn that counts: the assistant stops, and it is judged now or held."""
    if interruptible(state) and not state.visit.overheard:
        state = _barge_in(artifact, replace(state, overlap=True), out)
    state = replace(state, overlap=False, visit=replace(state.visit, overheard=False))
    if state.phase == "transferring":
        return hold(artifact, state, out)  # whoever speaks into the ringing hears how it stands
    if state.phase == "delivering" or (state.speech is not None and state.speech.after.kind == "transfer"):
        return state
    if (
        state.disclosed
        and not state.judging
        and state.phase in ("listening", "acting", "speaking")
        and state.model != "lost"
    ):
        return ask_report(artifact, state, out, turn_id)
    return replace(state, pending=(*state.pending, turn_id)[-MAX_PENDING:])


def at_transcript(artifact: Artifact, state: State, out: list[Effect], event: TurnTranscribed) -> State:
    """A transcript arrived, in whatever order: it replaces what the model said it heard."""
    text = clean(event.text)
    state = _with_words(state, event.turn_id, text, replace_all=True) if text else state
    return _weigh(artifact, state, out, text) if event.turn_id == state.murmur and state.murmur else state


def _with_words(state: State, turn_id: str, text: str, *, replace_all: bool) -> State:
    lines = tuple(
        replace(said, text=text)
        if said.turn_id == turn_id and turn_id and (replace_all or not said.text)
        else said
        for said in state.transcript
    )
    return replace(state, transcript=lines)


def at_report(artifact: Artifact, state: State, out: list[Effect], event: TurnReported) -> State:
    """The model reported a turn: asked for or not, right or wrong."""
    state = replace(state, open_call=event.call_id or "")
    report = validate(artifact, state, event.arguments)
    if not state.disclosed:
        wants = isinstance(report, Report) and report.heard.family == "escalation"
        return refuse(
            artifact,
            replace(state, wants_person=state.wants_person or wants),
            out,
            "the call has not begun yet",
        )
    if event.turn_id != state.judging or not state.judging:
        return _unasked(artifact, state, out, report)
    if isinstance(report, str):
        return _refused(artifact, state, out, report)
    state = _with_words(state, event.turn_id, report.words, replace_all=False)
    return _settled(artifact, judge(artifact, state, out, report), out)


def _refused(artifact: Artifact, state: State, out: list[Effect], why: str) -> State:
    state = refuse(artifact, state, out, why)
    refusals = state.visit.refusals + 1
    state = replace(state, visit=replace(state.visit, refusals=refusals))
    if refusals > MAX_REFUSALS:
        return _settled(artifact, judge(artifact, state, out, UNCLEAR), out)
    return ask_again(state, out, "classify" if state.asked == "classify" else "report")


def _unasked(artifact: Artifact, state: State, out: list[Effect], report: Report | str) -> State:
    """A report nobody asked for changes nothing, except that a person asked for is always brought."""
    if isinstance(report, Report) and report.heard.family == "escalation":
        person = honour_person(artifact, replace(state, heard=report.heard, judging="", asked=""), out)
        if person is not None:
            return _settled(artifact, person, out)
    return refuse(artifact, state, out, "no turn of the caller is waiting to be reported")


def _settled(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """Leave nothing open after a report: the tool call answered, a held goodbye ended, held turns heard."""
    if state.open_call:
        state = (
            tell(state, out, fill.brief(artifact, state, None))
            if state.node
            else replace(state, open_call="")
        )
    if state.ends_after_report and state.leaving and state.phase != "ended" and not state.judging:
        return end_call(state, out, "completed")
    return hear_pending(artifact, state, out)


def at_unreported(artifact: Artifact, state: State, out: list[Effect], event: TurnUnreported) -> State:
    """A response ended without the report it was asked for."""
    if not state.judging or event.turn_id != state.judging:
        return state
    return _settled(artifact, unreported(artifact, state, out, event.reason), out)


def at_silence(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """The caller said nothing for as long as the node waits."""
    if state.phase != "listening":
        return state
    return hear_pending(artifact, silence(artifact, state, out), out)


def keyed_slot(artifact: Artifact, state: State) -> str:
    """The slot that a digit would go into now; empty where there is none."""
    node = artifact.nodes.get(state.node)
    wanted = node.collect if node is not None else ()
    return next((name for name in wanted if artifact.slots[name].by_keypad and name not in state.slots), "")


def at_key(artifact: Artifact, state: State, out: list[Effect], event: DtmfPressed) -> State:
    """A key was pressed: a digit of a keypad slot, a key the node answers, or nothing."""
    node = artifact.nodes.get(state.node)
    if (
        node is None
        or node.kind != "ask"
        or not state.disclosed
        or state.phase not in ("speaking", "listening", "judging")
        or state.leaving
    ):
        out.append(Flag(kind="key_ignored"))
        return state
    slot = keyed_slot(artifact, state)
    if slot:
        return _digit(artifact, _at_listening(artifact, state, out), out, slot, event.digit)
    answer = node.keys.get(event.digit)
    if answer is None:
        out.append(Flag(kind="key_ignored"))
        return state
    return apply(artifact, _at_listening(artifact, state, out), out, f"key {event.digit}", answer)


def _at_listening(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """The call as if it listened now: speech stopped, an outstanding report no longer waited for."""
    cancel(out, "report")
    return replace(hush(state, out, "a key was pressed"), phase="listening", judging="", asked="")


def _digit(artifact: Artifact, state: State, out: list[Effect], name: str, digit: str) -> State:
    slot = artifact.slots[name]
    digits = state.digits + digit if digit != "#" else state.digits
    whole = digit == "#" or (slot.max_length is not None and len(digits) >= slot.max_length)
    state = replace(state, digits=digits[:64])
    if not whole:
        out.append(StartTimer(timer="no_input", ms=artifact.nodes[state.node].no_input_after_ms))
        return state
    # A card's number belongs into a secret slot; anywhere else it would be written down.
    fitted = None if is_card(digits) and not slot.secret else slot_value(slot, digits)
    state = replace(state, digits="")
    if fitted is None:
        return climb(artifact, state, out, "no_match")
    cancel(out, "no_input")
    state = replace(
        state,
        slots={**state.slots, name: SlotValue(fitted, sure=True, serial=state.serial if slot.secret else 0)},
        counts=replace(state.counts, no_progress=0),
    )
    node = artifact.nodes[state.node]
    return complete(artifact, state, out, node) or climb(artifact, state, out, "no_match")


def at_action_request(artifact: Artifact, state: State, out: list[Effect], event: ActionRequested) -> State:
    """The model asks for an action itself: only one the flow offers on request, that changes nothing, whose
    values are all known.
    """
    state = replace(state, open_call=event.call_id)
    action = artifact.actions.get(event.action)
    listening = (
        bool(state.node)
        and artifact.nodes[state.node].kind == "ask"
        and state.phase in ("listening", "judging")
    )
    if action is None or not action.on_request or action.changes_something:
        return refuse(artifact, state, out, "there is no such tool here")
    if not state.disclosed or not listening or state.visit.requests >= MAX_REQUESTS:
        return refuse(artifact, state, out, "this cannot be done now")
    state = take_slots(artifact, state, Report(state.heard, "", *given_slots(artifact, event.arguments)))
    if any(value(expr, state) is None for expr in action.takes.values()):
        return refuse(artifact, state, out, "what this needs is not known yet")
    state = run(artifact, state, out, event.action)
    visit = replace(state.visit, requests=state.visit.requests + 1)
    run_id = f"r{state.serial}"
    return replace(state, visit=visit, open_call="", requested={**state.requested, run_id: event.call_id})
