"""A world for the engine: random compiled flows, a call that knows which events are possible, and the laws as
monitors over its trace."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from runtime.audit import (
    Trace,
    hasty_transfers,
    invented_transitions,
    unanswered_calls,
    unanswered_escalations,
    undisclosed_effects,
    unlawful_actions,
    words_before_the_verdict,
)
from runtime.engine import effects as fx
from runtime.engine import events as ev
from runtime.engine.state import State
from runtime.engine.step import start, step
from voiceflow_compiler.artifact import (
    ARTIFACT_VERSION,
    Action,
    Answer,
    Artifact,
    Case,
    Fact,
    Handoff,
    Intent,
    Limits,
    Line,
    Node,
    Rung,
    Slot,
    Trigger,
    Turns,
)

INTENTS = {
    "agreement": Intent("agreement", "accepts", ("yes",)),
    "too_expensive": Intent("objection", "price", ("too much",)),
    "what_is_this": Intent("confusion", "lost", ("what",)),
    "wants_person": Intent("escalation", "person", ("agent",)),
    "answer": Intent("answer", "gives", built_in=True),
    "correction": Intent("correction", "changes", built_in=True),
    "denial": Intent("objection", "no", ("no",), built_in=True),
    "are_you_human": Intent("identity", "machine?", built_in=True),
    "digression": Intent("digression", "other", built_in=True),
    "unclear": Intent("unclear", "nothing", built_in=True),
}
SLOTS = {
    "size": Slot("integer", "people", minimum=1, maximum=1000, confirm="never"),
    "when": Slot("choice", "when", choices=("now", "later")),
    "email": Slot("email", "address", confirm="always", personal=True),
    "pin": Slot("digits", "number", max_length=4, min_length=4, by_keypad=True, secret=True),
}
FACTS = {"name": Fact("text", "there"), "tickets": Fact("integer", 0)}
ACTIONS = {
    "book": Action(
        "Books.",
        {"email": ["name", "slots", "email"]},
        {"at": "text"},
        changes_something=True,
        promises=("you're booked",),
    ),
    "look": Action("Looks.", {"size": ["name", "slots", "size"]}, {"price": "number"}, on_request=True),
}
HANDOFFS = {
    "sales": Handoff(
        "warm", Line(say="Connecting you.", script="h1"), ("reason", "summary", "slots", "transcript"), "bye"
    ),
    "desk": Handoff(
        "cold",
        Line(say="One moment.", script="h2"),
        (),
        "bye",
        unanswered_line=Line(convey="Nobody is free."),
    ),
}
LIMITS = Limits(turns=30, call_ms=600_000, no_progress=6, visits=4, go="to_sales")


def flow(nodes: dict[str, Node], **changes: Any) -> Artifact:
    """An artifact around these nodes, with everything else small and complete."""
    whole = {
        "hello": Node(
            "disclosure", line=Line(say="I am an AI assistant.", script="d1"), next=next(iter(nodes))
        ),
        **nodes,
        "to_sales": Node("handoff", handoff="sales"),
        "to_desk": Node("handoff", handoff="desk"),
        "bye": Node("end", line=Line(say="Goodbye.", script="e1"), outcome="done"),
    }
    artifact = Artifact(
        artifact=ARTIFACT_VERSION,
        content_hash="",
        compiler="test",
        flow="test",
        flow_version="1",
        title="",
        locale="en-US",
        company="Acme",
        purpose="test",
        start="hello",
        prefix="You are an assistant. {caller_record}",
        tools=(),
        briefs={},
        nodes=whole,
        intents=INTENTS,
        slots=SLOTS,
        facts=FACTS,
        fact_source="crm",
        fact_wait_ms=800,
        triggers=(
            Trigger([">=", ["name", "turn", "unclear_in_a_row"], ["value", 4]], "to_sales", "not understood"),
        ),
        actions=ACTIONS,
        handoffs=HANDOFFS,
        scripts={},
        lost_model=Rung(Line(say="Trouble on my side.", script="l1"), "to_sales"),
        limits=LIMITS,
        confidence=0.5,
        unsure_below=0.8,
        voice="marin",
        speed=1.0,
        currency="USD",
    )
    return replace(artifact, **changes)


LADDER = (Rung(Line(convey="Ask again.")), Rung(Line(say="Sorry?", script="r1")), Rung(go="to_sales"))
ANSWERS = {
    "wants_person": Answer(go="to_sales"),
    "are_you_human": Answer(Line(convey="Say that you are an AI."), at_most=3),
    "digression": Answer(Line(convey="Go back."), at_most=2),
    "correction": Answer(Line(convey="Acknowledge."), at_most=5),
}


def ask(line: str = "Ask.", **changes: Any) -> Node:
    """An ask node with ladders and the answers every flow has."""
    answers = {**ANSWERS, **changes.pop("answers", {})}
    return Node("ask", line=Line(convey=line), answers=answers, no_match=LADDER, no_input=LADDER, **changes)


NAMES = [f"n{number}" for number in range(5)]
targets = st.sampled_from([*NAMES, "to_sales", "to_desk", "bye"])
lines = st.sampled_from(
    [
        Line(say="Exact {name}."),
        Line(say="Fixed.", script="f1"),
        Line(convey="Mean {size} {look.price}.", sample='Like "this".'),
    ]
)
answers = st.one_of(
    st.builds(Answer, line=st.none() | lines, go=targets),
    st.builds(Answer, line=st.none() | lines, at_most=st.integers(1, 3), then=st.none() | targets),
    st.builds(Answer, line=lines),
)
conditions = st.sampled_from(
    [
        [">=", ["name", "slots", "size"], ["value", 50]],
        ["==", ["name", "facts", "tickets"], ["value", 0]],
        [
            "and",
            ["==", ["name", "slots", "when"], ["value", "now"]],
            ["not", ["<", ["name", "slots", "size"], ["value", 3]]],
        ],
        ["in", ["name", "intent", "family"], ["list", ["value", "objection"], ["value", "confusion"]]],
    ]
)
asks = st.builds(
    lambda line, collect, filled, given, keys, control: Node(
        "ask",
        line=line,
        collect=tuple(collect),
        filled=filled if collect else None,
        answers={**ANSWERS, **given},
        keys=keys,
        control=control,
        no_match=LADDER,
        no_input=LADDER,
    ),
    lines,
    st.lists(st.sampled_from(list(SLOTS)), max_size=2, unique=True),
    targets,
    st.dictionaries(
        st.sampled_from(["agreement", "too_expensive", "what_is_this", "denial"]), answers, max_size=4
    ),
    st.dictionaries(st.sampled_from(["1", "2"]), answers, max_size=1),
    st.sampled_from(["guided", "strict"]),
)
nodes = st.one_of(
    asks,
    asks,
    st.builds(lambda line, go: Node("tell", line=line, next=go), lines, targets),
    st.builds(
        lambda when, go, other: Node("decide", cases=(Case(when, go),), otherwise=other),
        conditions,
        targets,
        targets,
    ),
    st.builds(
        lambda name, good, bad, wait, lost, check, told: Node(
            "act",
            action=name,
            on_success=good,
            on_failure=bad,
            while_waiting=wait,
            on_unknown=lost,
            while_checking=check,
            unknown_line=told,
        ),
        st.sampled_from(list(ACTIONS)),
        targets,
        targets,
        st.none() | st.just(Line(say="One moment.", script="w1")),
        st.none() | targets,
        st.sampled_from([None, Line(say="I'm checking.", script="w2"), Line(convey="Say you are checking.")]),
        st.sampled_from([None, Line(say="I can't tell.", script="w3"), Line(convey="Say you cannot tell.")]),
    ),
)


@st.composite
def flows(draw: st.DrawFn) -> Artifact:
    """Random flows, also ones the checker would refuse: the engine's laws hold for any artifact."""
    drawn = {name: draw(nodes) for name in NAMES}
    hold = draw(st.none() | st.just(Line(say="One moment, please.", script="hold")))
    source = draw(st.sampled_from(["crm", None]))
    overlap = draw(st.sampled_from(["hold", "commit", "revert"]))
    drawn = {name: replace(one, on_overlap=overlap) for name, one in drawn.items()}
    turns = draw(st.sampled_from([Turns(), Turns(least_speech_ms=400, backchannel=("uh-huh", "mhm"))]))
    return flow(drawn, hold=hold, fact_source=source, turns=turns)


REPORT = {"intent": "unclear", "confidence": 0.9, "slots": {}, "sentiment": "neutral", "heard": "hm"}
junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
reports = st.one_of(
    st.builds(
        lambda intent, confidence, slots, sentiment: {
            **REPORT,
            "intent": intent,
            "confidence": confidence,
            "slots": slots,
            "sentiment": sentiment,
        },
        st.sampled_from(list(INTENTS)),
        st.sampled_from([0.2, 0.6, 0.95]),
        st.dictionaries(
            st.sampled_from([*SLOTS, "nonsense"]),
            st.one_of(st.sampled_from([50, "7", "now", "later", "a@b.example", "1234", -5]), junk),
            max_size=3,
        )
        | junk,
        st.sampled_from(["positive", "neutral", "negative"]),
    ),
    st.dictionaries(
        st.sampled_from(["intent", "confidence", "slots", "sentiment", "heard", "x"]), junk, max_size=5
    ),
)


@dataclass
class Call(Trace):
    """One call under test: the engine's state, what is outstanding in the world, and the whole trace."""

    state: State = field(default_factory=State)
    at_ms: int = 0
    serial: int = 0
    speeches: list[str] = field(default_factory=list)
    timers: dict[str, int] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)
    handoffs: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, artifact: Artifact, *, answerer_due: bool = False) -> "Call":
        call = cls(artifact)
        event = ev.CallStarted(at_ms=0, call_id="CA1", caller_number="+15550100", answerer_due=answerer_due)
        call._take(event, *start(artifact, event))
        return call

    def send(self, kind: type, **fields: Any) -> tuple[fx.Effect, ...]:
        """Step the engine by one event, 100 ms later."""
        self.at_ms += 100
        event = kind(at_ms=self.at_ms, **fields)
        state, effects = step(self.artifact, self.state, event)
        self._take(event, state, effects)
        return effects

    def _take(self, event: ev.Event, state: State, effects: tuple[fx.Effect, ...]) -> None:
        self.state = state
        self.trace.append((event, effects, state))
        for effect in effects:
            match effect:
                case fx.PlayScript(speech_id=speech):
                    self.speeches.append(speech)
                case fx.Respond(speech_id=str(speech)):
                    self.speeches.append(speech)
                case fx.StartTimer(timer=timer, ms=ms):
                    self.timers[timer] = self.at_ms + ms
                case fx.CancelTimer(timer=timer):
                    self.timers.pop(timer, None)
                case fx.RunAction(run_id=run):
                    self.runs.append(run)
                case fx.DeliverPackage(handoff_id=handoff) | fx.Transfer(handoff_id=handoff):
                    self.handoffs.append(handoff)
                case _:
                    pass

    # What a well-behaved world does next, in a sentence each.
    @property
    def speaking(self) -> str:
        """The id of the speech the call waits for."""
        assert self.state.speech is not None, "nothing is being said"
        return self.state.speech.id

    def finish_speech(self) -> tuple[fx.Effect, ...]:
        speech = self.state.speech
        assert speech is not None, "nothing is being said"
        return self.send(ev.PlaybackFinished, speech_id=speech.id, text=speech.text or "something")

    def turn(
        self, intent: str = "unclear", *, confidence: float = 0.95, **fields: Any
    ) -> tuple[fx.Effect, ...]:
        """A whole caller turn: speech, its end, the model's report."""
        self.serial += 1
        turn_id = f"t{self.serial}"
        self.send(ev.CallerSpeechStarted)
        self.send(ev.CallerTurn, turn_id=turn_id)
        report = {**REPORT, "intent": intent, "confidence": confidence, **fields}
        return self.send(ev.TurnReported, turn_id=turn_id, call_id=f"c{self.serial}", arguments=report)

    def fire(self, timer: str) -> tuple[fx.Effect, ...]:
        self.timers.pop(timer, None)
        return self.send(ev.TimerFired, timer=timer)

    def disclose(self) -> None:
        """Let the facts arrive and the disclosure be heard."""
        if not self.state.settled:
            self.send(ev.ContextLoaded, facts={"name": "Dana"}, source="crm")
        self.finish_speech()

    @property
    def ended(self) -> bool:
        return self.state.phase == "ended"


def possible(call: Call, data: st.DataObject) -> None:
    """Send one event, from a world that is allowed everything: right ids, stale ids, invented ids, any
    order."""
    pick = data.draw(st.sampled_from(_CHOICES), label="event")
    known = lambda names: data.draw(st.sampled_from([*names[-3:], "bogus"]))  # noqa: E731
    match pick:
        case "finished":
            call.send(
                ev.PlaybackFinished,
                speech_id=known(call.speeches),
                text=data.draw(st.sampled_from(["ok", "you're booked", ""])),
            )
        case "interrupted":
            call.send(ev.PlaybackInterrupted, speech_id=known(call.speeches), heard_ms=10, text="o")
        case "failed":
            call.send(ev.SpeechFailed, speech_id=known(call.speeches), reason="failed")
        case "turn":
            call.serial += 1
            call.turns.append(f"t{call.serial}")
            call.send(ev.CallerTurn, turn_id=call.turns[-1], text=data.draw(st.sampled_from(["", "hello"])))
        case "reported":
            call_id = data.draw(st.sampled_from(["c1", "c2", None]))
            call.send(
                ev.TurnReported, turn_id=known(call.turns), call_id=call_id, arguments=data.draw(reports)
            )
        case "unreported":
            call.send(ev.TurnUnreported, turn_id=known(call.turns), reason="no_call")
        case "key":
            call.send(ev.DtmfPressed, digit=data.draw(st.sampled_from("12#9")))
        case "asked":
            call.send(
                ev.ActionRequested,
                call_id="c9",
                action=data.draw(st.sampled_from(["book", "look", "rm"])),
                arguments={},
            )
        case "succeeded":
            result = data.draw(st.sampled_from([{"at": "noon"}, {"price": 3.5}, {}, {"at": 4}]))
            call.send(ev.ActionSucceeded, run_id=known(call.runs), result=result)
        case "action_failed":
            call.send(ev.ActionFailed, run_id=known(call.runs), reason="500")
        case "action_unknown":
            call.send(
                ev.ActionUnknown, run_id=known(call.runs), reason="lost", final=data.draw(st.booleans())
            )
        case "delivered":
            call.send(ev.PackageDelivered, handoff_id=known(call.handoffs))
        case "undelivered":
            call.send(ev.PackageFailed, handoff_id=known(call.handoffs), reason="500")
        case "accepted":
            call.send(ev.TransferAccepted, handoff_id=known(call.handoffs))
        case "refused":
            call.send(ev.TransferRefused, handoff_id=known(call.handoffs))
        case "lost":
            call.send(ev.SessionLost, reason="1001", final=data.draw(st.booleans()))
        case "timer":
            call.fire(data.draw(st.sampled_from([*call.timers, "unknown"])))
        case "loaded":
            call.send(
                ev.ContextLoaded,
                facts=data.draw(st.dictionaries(st.sampled_from(["name", "tickets", "x"]), junk, max_size=3)),
            )
        case "simple":
            call.send(data.draw(st.sampled_from([ev.CallerSpeechStarted, ev.NoInput, ev.SessionRestored])))
        case "answerer":
            call.send(ev.AnswererDetected, by=data.draw(st.sampled_from(["person", "machine", "unknown"])))
        case "missing":
            call.send(ev.ContextMissing, reason="unknown")
        case "transcribed":
            words = data.draw(st.sampled_from(["words", "uh-huh", "Mhm. Mhm!", ""]))
            call.send(ev.TurnTranscribed, turn_id=known(call.turns), text=words)


_CHOICES = (
    ["finished"] * 5
    + ["turn"] * 3
    + ["reported"] * 5
    + [
        "interrupted",
        "failed",
        "unreported",
        "key",
        "asked",
        "succeeded",
        "action_failed",
        "action_unknown",
        "delivered",
        "undelivered",
    ]
    + [
        "accepted",
        "refused",
        "lost",
        "timer",
        "timer",
        "loaded",
        "simple",
        "simple",
        "missing",
        "transcribed",
        "delivered",
        "answerer",
    ]
)


# ---- the laws, as monitors over a trace (runtime/audit reads them off records too)


def wrong_values(call: Call) -> list[tuple[str, object]]:
    """Law 4: slot values that do not fit their type."""
    fits = {
        "size": lambda held: isinstance(held, int) and not isinstance(held, bool) and 1 <= held <= 1000,
        "when": lambda held: held in ("now", "later"),
        "email": lambda held: isinstance(held, str) and "@" in held,
        "pin": lambda held: isinstance(held, str) and len(held) == 4 and held.isdigit(),
    }
    return [
        (name, held.value)
        for _, _, state in call.trace
        for name, held in state.slots.items()
        if not fits[name](held.value)
    ]


MONITORS = (
    undisclosed_effects,
    words_before_the_verdict,
    hasty_transfers,
    invented_transitions,
    unlawful_actions,
    wrong_values,
    unanswered_calls,
    unanswered_escalations,
)
