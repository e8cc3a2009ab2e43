"""Which lines of a call's record an operator is told of: the record says it first, alerts and numbers follow.

A rule is for one kind of line. `each`: told every time and not once a call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.engine.cards import WITHHELD
from runtime.engine.effects import Flag
from runtime.engine.events import (
    ActionFailed,
    ActionUnknown,
    CallerTurn,
    ContextMissing,
    PackageFailed,
    TransferUnanswered,
    TurnReported,
    TurnTranscribed,
)
from runtime.metrics import Metrics
from runtime.ports import Alert
from runtime.session.conversation import FATAL_CODES

SLOW_MS: Final = 300  # model and bridge: the part of a wait that software controls
GAP_MS: Final = 200
# What trying again does not mend: the key, the quota, the bill, our configuration.
UNUSABLE: Final = frozenset(
    {"unauthorized", "unusable", "closed_1008", "configuration_refused", *FATAL_CODES}
)
NOBODY_TO_ASK: Final = frozenset({"no_source", "withheld", "unknown_caller"})


@dataclass(frozen=True, slots=True)
class Rule:
    """`detail`: the field that names the case in one word; `when`: whether a line of the kind is meant."""

    code: str
    detail: str = ""
    when: Callable[[Mapping[str, Any]], bool] = lambda told: True
    each: bool = False


NOTES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "model_lost": (
        Rule("model.unusable", "reason", lambda told: told["final"] and told["reason"] in UNUSABLE),
        Rule("model.stalled", "reason", lambda told: told["reason"] == "stalled", each=True),
        Rule("model.unreachable", "reason", lambda told: told["final"] and told["reason"] not in UNUSABLE),
        Rule(
            "model.lost", "reason", lambda told: not told["final"] and told["reason"] != "stalled", each=True
        ),
    ),
    "session_moved": (Rule("model.rotated", each=True),),
    "model_babbles": (Rule("model.malformed"),),
    "model_error": (Rule("model.error", "detail", each=True),),
    "response_failed": (Rule("response.failed", "detail", each=True),),
    "response_incomplete": (Rule("response.failed", "detail", each=True),),
    "response_unasked": (Rule("response.suppressed", each=True),),
    "line_babbles": (Rule("line.malformed"),),
    "marks_missing": (Rule("line.marks"),),
    "audio_dropped": (Rule("audio.dropped"),),
    "audio_underrun": (Rule("audio.underrun", when=lambda told: told["gap_ms"] > GAP_MS),),
    "dead_air": (Rule("audio.dead_air", each=True),),
    "internal_error": (Rule("call.broken"),),
    "over_budget": (Rule("call.over_budget", "part"),),
    "record_failed": (Rule("record.failed"),),
    "latency": (Rule("answer.slow", when=lambda told: told["model_ms"] + told["bridge_ms"] > SLOW_MS),),
}
FLAGS: Final[Mapping[str, tuple[Rule, ...]]] = {
    "turn_refused": (Rule("tool.rejected", "detail", each=True),),
    "claim_unbacked": (Rule("claim.unbacked", each=True),),
    "limit_reached": (Rule("loop.detected", "detail"),),
    "undo_impossible": (Rule("action.not_undone", "detail", each=True),),
}
EVENTS: Final[Mapping[type[Any], tuple[Rule, ...]]] = {
    ContextMissing: (
        Rule("security.wrong_person", when=lambda told: told["reason"] == "ambiguous"),
        Rule("context.missing", "reason", lambda told: told["reason"] not in NOBODY_TO_ASK),
    ),
    ActionFailed: (
        Rule("security.address_refused", when=lambda told: told["reason"] == "forbidden", each=True),
        Rule("action.failed", "reason", each=True),
    ),
    CallerTurn: (Rule("security.card_number", when=lambda told: told["withheld"]),),
    TurnTranscribed: (Rule("security.card_number", when=lambda told: told["withheld"]),),
    TurnReported: (Rule("security.card_number", when=lambda told: told["withheld"]),),
    ActionUnknown: (Rule("action.unknown", "reason", lambda told: told["final"], each=True),),
    PackageFailed: (Rule("handoff.package_failed", "reason", each=True),),
    TransferUnanswered: (Rule("handoff.failed", "reason", each=True),),
}
ENDS: Final[Mapping[str, Rule]] = {
    "line_lost": Rule("line.lost"),
    "malformed_flood": Rule("line.flood"),
}


def _of_event(event: Any) -> Mapping[str, Any]:
    """What rules look at; of what was said only whether a card's number was taken out of it."""
    said = getattr(event, "text", "") or str(getattr(event, "arguments", ""))
    return {
        "reason": getattr(event, "reason", ""),
        "final": getattr(event, "final", True),
        "withheld": WITHHELD in said,
    }


@dataclass(slots=True)
class Lines:
    """Reads one call's lines as they are written: tells alerts, and measures what there is to measure."""

    alert: Alert
    metrics: Metrics
    call_id: str
    artifact: str
    _told: set[str] = field(default_factory=set)

    def read(self, body: Mapping[str, Any]) -> None:
        """One line, as the recorder was given it."""
        if note := body.get("note"):
            self._note(note)
        elif event := body.get("event"):
            for rule in EVENTS.get(type(event), ()):
                self._apply(rule, _of_event(event))
        elif isinstance(flag := body.get("effect"), Flag):
            for rule in FLAGS.get(flag.kind, ()):
                self._apply(rule, {"detail": flag.detail})
        elif (end := body.get("end")) and (found := ENDS.get(end["reason"])):
            self._apply(found, end)

    def tell(self, code: str) -> None:
        """An alert of this call's, once."""
        self._apply(Rule(code), {})

    def _note(self, note: Mapping[str, Any]) -> None:
        if note["kind"] == "latency":
            self.metrics.turn(note)
        elif note["kind"] == "response":
            self.metrics.response(note["status"], note["tokens"])
        for rule in NOTES.get(note["kind"], ()):
            self._apply(rule, note)

    def _apply(self, rule: Rule, told: Mapping[str, Any]) -> None:
        if not rule.when(told):
            return
        if rule.each or rule.code not in self._told:
            self._told.add(rule.code)
            detail = str(told[rule.detail]) if rule.detail else ""
            self.alert(rule.code, call_id=self.call_id, artifact=self.artifact, detail=detail)
