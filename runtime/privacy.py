"""How private each field of an event, an order and a stored row is, and what of it a record may hold.

safe       may stand anywhere: in logs, metrics and alerts
personal   names or quotes a person: in the record and the store only, for as long as retention says, never in
           a log
sensitive  may hold a secret of the caller: in the record only with the secret taken out (`shown`)
secret     nowhere that outlives the call

A field that is in no table fails a test: whoever adds one decides. Keys pressed and arguments are recorded as
stars of the same length where they belong to a secret slot, and the engine takes the same way through the
stars, so that a record still replays.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec.structs import replace

from runtime.engine.cards import is_card
from runtime.engine.effects import Effect, RunAction
from runtime.engine.events import DtmfPressed, Event
from runtime.engine.hearing import keyed_slot
from runtime.engine.state import State
from voiceflow_compiler.artifact import Artifact

Class = Literal["safe", "personal", "sensitive", "secret"]

# What is not named here is safe; every type is named, so that a new one is looked at (`SAFE`: all of it).
SAFE: Final[Mapping[str, Class]] = {}
CLASSES: Final[Mapping[str, Mapping[str, Class]]] = {
    "CallStarted": {"caller_number": "personal", "called_number": "personal"},
    "CallResumed": {"state": "personal"},
    "AnswererDetected": SAFE,
    "ContextLoaded": {"facts": "personal"},
    "ContextMissing": SAFE,
    "PlaybackFinished": {"text": "personal"},
    "PlaybackInterrupted": {"text": "personal"},
    "SpeechFailed": SAFE,
    "CallerSpeechStarted": SAFE,
    "CallerTurn": {"text": "personal"},
    "NoInput": SAFE,
    "DtmfPressed": {"digit": "sensitive"},
    "TurnReported": {"arguments": "personal"},
    "TurnUnreported": SAFE,
    "TurnTranscribed": {"text": "personal"},
    "ActionRequested": {"arguments": "personal"},
    "ActionSucceeded": {"result": "personal"},
    "ActionFailed": SAFE,
    "ActionUnknown": SAFE,
    "PackageDelivered": SAFE,
    "PackageFailed": SAFE,
    "TransferProgressed": SAFE,
    "TransferAccepted": SAFE,
    "TransferRefused": SAFE,
    "TransferUnanswered": SAFE,
    "SessionLost": SAFE,
    "SessionRestored": SAFE,
    "TimerFired": SAFE,
    "CallEnded": SAFE,
    "LookUpContext": {"caller_number": "personal"},
    "OpenSession": {"instructions": "personal"},
    "PlayScript": {"text": "personal"},
    "Brief": {"text": "personal"},
    "Respond": SAFE,
    "StopSpeaking": SAFE,
    "AnswerTool": {"output": "personal"},
    "RunAction": {"arguments": "sensitive", "idempotency_key": "personal"},
    "StartTimer": SAFE,
    "CancelTimer": SAFE,
    "DeliverPackage": {"package": "personal"},
    "Transfer": SAFE,
    "ReturnToCaller": SAFE,
    "JoinCaller": SAFE,
    "SetOutcome": SAFE,
    "Flag": SAFE,
    "EnterNode": SAFE,
    "Withhold": SAFE,
    "EndCall": SAFE,
    # the store's tables
    "calls": {"caller": "personal", "called": "personal"},
    "packages": {"content": "personal"},
    "deeds": {"key": "personal", "arguments": "sensitive", "result": "personal"},
    "rollouts": SAFE,
    "accesses": {"who": "personal"},
    "waiting": {"answered_by": "personal"},
    "undoing": {"key": "personal", "state": "personal"},
    "leases": {"call": "personal", "token": "personal", "state": "personal"},
}

# Every field that may name or quote a person, by its type.
PERSONAL: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(fields) for name, fields in CLASSES.items() if fields and name[0].isupper()
}
STAR: Final = "*"
NO_KEY: Final = "x"


def shown(artifact: Artifact, state: State | None, event: Event) -> Event:
    """The event as a record may hold it: a digit of a secret is a star, one that goes nowhere is no key."""
    if not isinstance(event, DtmfPressed) or event.digit == "#":
        return event
    if state is None or not state.disclosed:
        return replace(event, digit=NO_KEY)
    slot = keyed_slot(artifact, state)
    if slot:
        return replace(event, digit=STAR) if artifact.slots[slot].secret else event
    node = artifact.nodes.get(state.node)
    return event if node is not None and event.digit in node.keys else replace(event, digit=NO_KEY)


def shown_order(artifact: Artifact, order: Effect) -> Effect:
    """The order as a record may hold it: a secret argument is stars."""
    secrets = artifact.actions[order.action].secrets if isinstance(order, RunAction) else ()
    if not secrets or not isinstance(order, RunAction):
        return order
    return replace(order, arguments=starred(order.arguments, secrets))


def starred(arguments: Mapping[str, Any], secrets: tuple[str, ...]) -> dict[str, Any]:
    """The arguments with stars, one for each character, in place of the secret ones."""
    return {name: STAR * len(str(value)) if name in secrets else value for name, value in arguments.items()}


def may_be_card(artifact: Artifact, state: State) -> bool:
    """Whether the digits being keyed in now go where nobody expects a secret and could be a card's number:
    what of them is recorded is decided when all of them are there.
    """
    slot = keyed_slot(artifact, state)
    if not slot or artifact.slots[slot].secret or not state.digits:
        return False
    most = artifact.slots[slot].max_length
    return most is None or most >= 13


def is_card_run(before: State, event: Event) -> bool:
    """Whether the digits that this event ended were a card's number."""
    last = event.digit if isinstance(event, DtmfPressed) and event.digit.isdigit() else ""
    return is_card(before.digits + last) or is_card(before.digits)


def without_digits(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line of a record whose key is not to be known."""
    event = body.get("event")
    if isinstance(event, DtmfPressed) and event.digit != "#":
        return {**body, "event": replace(event, digit=NO_KEY)}
    return body
