"""Where a call stands: one frozen value that serialises to JSON.

Phases
  starting     before the first node (waiting for the caller's facts where the first node needs them)
  speaking     the assistant says something; `after` says what follows its end
  listening    it is the caller's turn
  judging      the caller spoke; the report of that turn is awaited
  acting       an action runs
  delivering   a context package is on its way to a person
  transferring a person is being brought onto the line
  ended        nothing more will happen
"""

from typing import Literal

from msgspec import Struct

from runtime.engine.events import Scalar

# Frozen values form no cycles, so the garbage collector need not look at them (`gc=False`, here and in events
# and effects).

Phase = Literal[
    "starting", "speaking", "listening", "judging", "acting", "delivering", "transferring", "ended"
]


class After(Struct, frozen=True, omit_defaults=True, gc=False):
    """What follows a speech: listen at this node, enter another, end the call, begin the transfer, go on
    waiting for a person (hold), or go back to an action's wait.
    """

    kind: Literal["listen", "enter", "end", "transfer", "hold", "act"]
    node: str = ""


class Speech(Struct, frozen=True, omit_defaults=True, gc=False):
    """The speech whose end the call waits for. `brief` is what the model was told, to be told again if it
    fails.
    """

    id: str
    after: After
    scripted: bool = False
    protected: bool = False
    text: str = ""
    brief: str = ""
    failures: int = 0


class SlotValue(Struct, frozen=True, omit_defaults=True, gc=False):
    """`sure` once it needs no reading back (heard clearly, confirmed, or never to be confirmed). `serial`: of
    a secret one, which of its values this is: what may be known of it.
    """

    value: Scalar
    sure: bool = False
    confidence: float = 1.0
    serial: int = 0


class Said(Struct, frozen=True, omit_defaults=True, gc=False):
    """One line of the transcript. `turn_id` lets a late transcript replace what the model said it heard."""

    who: Literal["assistant", "caller"]
    text: str
    at_ms: int
    node: str = ""
    turn_id: str = ""
    cut: bool = False


class Counts(Struct, frozen=True, omit_defaults=True, gc=False):
    """Counters over the whole call; `no_progress` starts again only when the caller makes progress."""

    turns: int = 0
    negative: int = 0
    unclear: int = 0
    silent: int = 0
    no_progress: int = 0


class Visit(Struct, frozen=True, omit_defaults=True, gc=False):
    """Counters of this visit to the node. `overheard`: what overlapped the change to it moves nothing here.
    `opening_due`: the node's own line is still to be said (the caller
    spoke first). `checking`: the answer of the action was lost, and it is being found out.
    """

    no_match: int = 0
    no_input: int = 0
    stays: dict[str, int] = {}
    refusals: int = 0
    repairs: int = 0
    requests: int = 0
    fillers: int = 0
    checking: bool = False
    opening_due: bool = False
    overheard: bool = False


class Heard(Struct, frozen=True, omit_defaults=True, gc=False):
    """The newest understood turn, as conditions see it."""

    intent: str = ""
    family: str = ""
    confidence: float = 0.0
    sentiment: str = "neutral"


class State(Struct, frozen=True, omit_defaults=True, gc=False):
    """Everything the engine knows of a call.

    `answerer_due`: nothing is said before it is known who answered. `came_from`: the ask node left last, if
    nothing was done since. `murmur`: a turn too short to stop the assistant, until its words are known.
    `overlap`: the caller is speaking now. `pending`: turns heard but not yet judged. `judging`: the turn
    whose report is awaited, asked for
    as `asked`. `open_call`: the tool call this step must answer (empty between steps). `runs`: action runs
    under way, by run id;
    `requested` those the model asked for, with the tool call to answer. `rings`: while a person is brought,
    whether the caller hears us, and whether somebody took the call. `leaving`: the goodbye is ordered.
    `ends_after_report`: the goodbye
    was heard while a report was awaited. `limited`: a limit was reached once. `lost_taken`: the lost-model
    way was taken. `done`: actions
    that succeeded. `undo_at`: the act node at which the caller hung up, if what it does is to be taken back.
    `withheld`: what the caller says now is heard by nobody.
    """

    phase: Phase = "starting"
    node: str = ""
    call_id: str = ""
    caller_number: str | None = None
    at_ms: int = 0
    serial: int = 0
    disclosed: bool = False
    settled: bool = False
    answerer_due: bool = False
    model: Literal["up", "reconnecting", "lost"] = "up"
    waiting_node: str = ""
    wants_person: bool = False
    speech: Speech | None = None
    visit: Visit = Visit()
    visits: dict[str, int] = {}
    came_from: str = ""
    counts: Counts = Counts()
    heard: Heard = Heard()
    slots: dict[str, SlotValue] = {}
    facts: dict[str, Scalar] = {}
    known_facts: tuple[str, ...] = ()
    results: dict[str, dict[str, Scalar]] = {}
    confirming: str = ""
    recheck: str = ""
    digits: str = ""
    overlap: bool = False
    pending: tuple[str, ...] = ()
    murmur: str = ""
    judging: str = ""
    asked: Literal["", "report", "answer", "classify"] = ""
    answer_speech: str = ""
    answer_heard: bool = False
    open_call: str = ""
    run: str = ""
    runs: dict[str, str] = {}
    requested: dict[str, str] = {}
    handoff: str = ""
    handoff_id: str = ""
    reason: str = ""
    rings: Literal["", "beside", "accepted"] = ""
    leaving: bool = False
    ends_after_report: bool = False
    limited: bool = False
    lost_taken: bool = False
    outcome: str = ""
    done: tuple[str, ...] = ()
    undo_at: str = ""
    withheld: bool = False
    transcript: tuple[Said, ...] = ()
