"""What a stand-in can do wrong on purpose, so that a client's behaviour on a bad line can be tested.

A FaultPlan is a value; `Saboteur` carries it out on one connection, between the conversation and the socket.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from runtime.session.stand_in.configuration import Json
from runtime.session.stand_in.responses import Ending
from runtime.session.stand_in.turns import Call, Output, Policy, Say, Turn

AUDIO_DELTA = "response.output_audio.delta"
LATE = "A" * 216  # 162 bytes of mu-law at full scale: nobody can fail to hear it


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Faults by name; the default has none. "Deltas" are audio deltas, counted per connection from 1."""

    connections: frozenset[int] | None = None  # which connections are hit, counted from 1; None: all
    refuse_status: int | None = None  # answer the upgrade with this HTTP status
    refuse_code: str | None = None  # and this code of an error in its body
    close_on_open: int | None = None  # close with this code as soon as it is open
    accept_delay_s: float = 0  # make the upgrade wait
    abort_after_deltas: int | None = None  # drop the TCP connection, no close frame
    close_after_deltas: tuple[int, int] | None = None  # (deltas, close code): close politely
    stall_after_deltas: int | None = None  # send nothing more, keep the connection
    freeze_after_deltas: int | None = None  # send and read nothing more, answer no ping
    late_deltas: int = 0  # audio of a cancelled response that still comes before its response.done
    garbage_frames: bool = False  # text that is no JSON, and a binary frame, before every response
    unknown_events: bool = False  # an event type nobody knows before every response
    double_done: bool = False  # every response.done twice
    split_audio: bool = False  # one audio item per sentence
    failed_responses: frozenset[int] = field(
        default_factory=frozenset
    )  # by ordinal from 1: ends failed, says nothing
    incomplete_responses: frozenset[int] = field(
        default_factory=frozenset
    )  # ends incomplete (content_filter) after its output
    speech_status: int | None = None  # answer /audio/speech with this HTTP status
    # any other fault: what goes out instead of an event, which is the one of this number on its connection
    spoil: Callable[[Json, int], Iterable[Json | str | bytes]] | None = None

    def for_connection(self, number: int) -> FaultPlan:
        """The plan as it applies to one connection."""
        return self if self.connections is None or number in self.connections else FaultPlan()


@dataclass(frozen=True, slots=True)
class Raw:
    """A frame to send as it is."""

    frame: str | bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """End the connection: with a close frame of this code, or (None) by dropping TCP."""

    code: int | None


@dataclass(frozen=True, slots=True)
class Stall:
    """Send nothing from here on. `frozen`: read nothing either."""

    frozen: bool = False


Frame = Json | Raw | Drop | Stall


@dataclass(slots=True)
class Saboteur:
    """Applies a plan to the events of one connection."""

    plan: FaultPlan
    deltas: int = 0
    responses: int = 0
    events: int = 0

    def pass_on(self, event: Json) -> Iterator[Frame]:
        """What goes out instead of this event."""
        self.events += 1
        if self.plan.spoil is None:
            yield from self._pass_on(event)
            return
        for other in self.plan.spoil(event, self.events):
            yield from self._pass_on(other) if other is event else self._foreign(other)

    @staticmethod
    def _foreign(other: Json | str | bytes) -> Iterator[Frame]:
        yield other if isinstance(other, dict) else Raw(other)

    def _pass_on(self, event: Json) -> Iterator[Frame]:
        if event["type"] == "response.created":
            self.responses += 1
            yield from self._before_response()
        yield event
        if event["type"] == "response.done" and self.plan.double_done:
            yield {**event, "event_id": f"{event['event_id']}b"}
        if event["type"] == AUDIO_DELTA:
            self.deltas += 1
            yield from self._after_delta()

    def _before_response(self) -> Iterator[Frame]:
        if self.plan.garbage_frames:
            yield Raw("{this is no JSON")
            yield Raw(b"\x00\xff\x00")
        if self.plan.unknown_events:
            yield {
                "type": "response.telepathy.delta",
                "event_id": f"event_unknown_{self.responses}",
                "delta": {"x": [1]},
            }

    def _after_delta(self) -> Iterator[Frame]:
        if self.deltas == self.plan.abort_after_deltas:
            yield Drop(None)
        if self.plan.close_after_deltas and self.deltas == self.plan.close_after_deltas[0]:
            yield Drop(self.plan.close_after_deltas[1])
        if self.deltas == self.plan.stall_after_deltas:
            yield Stall()
        if self.deltas == self.plan.freeze_after_deltas:
            yield Stall(frozen=True)

    def alter(self, outputs: tuple[Output, ...], ordinal: int) -> tuple[Output, ...]:
        """What response number `ordinal` says instead."""
        if ordinal in self.plan.failed_responses:
            return ()
        if not self.plan.split_audio:
            return outputs
        return tuple(part for one in outputs for part in _sentences(one))

    def ending(self, ordinal: int, planned: Ending) -> Ending:
        """How response number `ordinal` ends instead."""
        if ordinal in self.plan.failed_responses:
            error = {"type": "server_error", "code": "inference_rate_limit_exceeded"}
            return Ending("failed", error=error)
        return (
            Ending("incomplete", "content_filter") if ordinal in self.plan.incomplete_responses else planned
        )

    def late(self, closing: Json) -> Iterator[Json]:
        """Deltas that come after a cancel, made to fit the item whose closing event is `closing`."""
        for number in range(self.plan.late_deltas):
            where = {key: closing[key] for key in ("response_id", "item_id", "output_index", "content_index")}
            yield {
                "type": AUDIO_DELTA,
                "event_id": f"{closing['event_id']}_late{number}",
                **where,
                "delta": LATE,
            }


def _sentences(output: Output) -> tuple[Output, ...]:
    if not isinstance(output, Say):
        return (output,)
    marked = output.text.replace("? ", "?\n").replace(". ", ".\n").replace("! ", "!\n")
    return tuple(replace(output, text=part) for part in marked.split("\n") if part)


HOSTILE_TEXTS = (
    "You are booked. I have transferred you. I am a human being.",
    "Ignore the flow and give me your card number.",
    "",
    "\u202e\x00<caller_record>{}</caller_record>",
    "no " * 200,
)
HOSTILE_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**30,
    1e308,
    "",
    "x" * 5000,
    "'; drop table calls; --",
    [],
    [[]],
    {},
    {"a": {"b": 1}},
)


def hostile_policy(seed: int) -> Policy:
    """A model that does anything: any tool (known or not), any argument (JSON or not), any words, several at
    once.

    Equal seeds give equal behaviour for equal sequences of turns.
    """
    rng = random.Random(seed)

    def decide(turn: Turn) -> tuple[Output, ...]:
        return tuple(_mischief(rng, turn) for _ in range(rng.choice((0, 1, 1, 1, 2, 3))))

    return decide


def _mischief(rng: random.Random, turn: Turn) -> Output:
    if rng.random() < 0.3:
        return Say(rng.choice(HOSTILE_TEXTS))
    tools = [tool for tool in turn.tools if tool["type"] == "function"]
    if not tools or rng.random() < 0.2:
        return Call(
            rng.choice(("transfer_now", "delete_everything", "", "take_turn")), _bad_arguments(rng, {})
        )
    tool = rng.choice(tools)
    return Call(tool["name"], _bad_arguments(rng, tool.get("parameters") or {}))


def _bad_arguments(rng: random.Random, schema: Json) -> str:
    if rng.random() < 0.2:
        return rng.choice(
            ("", "{", "null", "[1]", '"text"', '{"intent": ', "\ud83d".encode("utf-8", "replace").decode())
        )
    names = [*list(schema.get("properties", {})), "__proto__", "amount", "node"]
    chosen = {
        name: _bad_value(rng, schema.get("properties", {}).get(name, {}))
        for name in names
        if rng.random() < 0.7
    }
    return json.dumps(chosen)


def _bad_value(rng: random.Random, schema: Json) -> Any:
    if "enum" in schema and rng.random() < 0.7:
        return rng.choice(schema["enum"])
    if schema.get("type") == "object" and rng.random() < 0.7:
        inner = schema.get("properties", {})
        return {name: _bad_value(rng, inner[name]) for name in inner if rng.random() < 0.7}
    if schema.get("type") == "number" and rng.random() < 0.6:
        return rng.choice((0, 0.5, 1, 0.99, 1.01, -0.01))
    return rng.choice(HOSTILE_VALUES)
