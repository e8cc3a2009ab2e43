"""The goals that the steps of a call reach, told from what the engine did and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runtime.engine.conditions import holds
from runtime.engine.effects import EnterNode
from runtime.engine.events import (
    ActionFailed,
    ActionSucceeded,
    DtmfPressed,
    SessionLost,
    TurnReported,
)
from runtime.engine.state import State
from runtime.simulate.cover.classes import classes, literals, names
from runtime.simulate.cover.goals import WITH, Goal, pair
from runtime.simulate.drive.steps import Moment
from voiceflow_compiler.artifact import Artifact, Expr

NOBODY = ("unanswered", "package failed", "too slow")
PLAIN = {
    "next": "next",
    "filled": "filled",
    "already known": "filled",
    "otherwise": "otherwise",
    "success": "success",
    "failure": "failure",
    "unknown": "unknown",
    "argument missing": "failure",
}


class Track:
    """Follows one call. `last` is the edge taken last; `due` what leads on once the present speech ends."""

    __slots__ = ("artifact", "due", "last")

    def __init__(self, artifact: Artifact, last: Goal | None = None) -> None:
        self.artifact = artifact
        self.last = last
        self.due = ""

    def follow(self, moments: Iterable[Moment]) -> list[Goal]:
        """The goals of these steps, in order, repeats included."""
        found: list[Goal] = []
        for moment in moments:
            found += self._step(moment)
        return found

    def _step(self, moment: Moment) -> Iterator[Goal]:
        before = moment.before or State()
        yield from self._heard(before, moment)
        yield from self._climbed(before, moment)
        at = before.node
        for effect in moment.effects:
            if not isinstance(effect, EnterNode):
                continue
            yield from self._enter(at, effect, before, moment)
            at = effect.node
        self._note_due(before, moment)  # after what was due led on
        if isinstance(moment.event, SessionLost):
            yield ("lost",)

    def _enter(self, at: str, effect: EnterNode, before: State, moment: Moment) -> Iterator[Goal]:
        yield ("node", effect.node)
        if effect.why == "trigger":
            yield from self._trigger(effect.node, moment.after)
        if not at:
            return
        edge = ("edge", at, self._label(at, effect, before), effect.node)
        yield edge
        node = self.artifact.nodes[at]
        if node.kind == "decide":
            yield from self._with(f"{at} {edge[2]}", (case.when for case in node.cases), moment.after)
        if self.last is not None and self.last[3] == at:
            yield pair(self.last, edge)
        self.last = edge

    def _label(self, at: str, effect: EnterNode, before: State) -> str:
        why = effect.why
        node = self.artifact.nodes[at]
        if why == "next" and self.due:
            label, self.due = self.due, ""
            return label
        if node.kind == "handoff":
            return "unanswered"
        if why in PLAIN:
            return PLAIN[why]
        if why in ("no_match", "no_input"):
            step = before.visit.no_match if why == "no_match" else before.visit.no_input
            return f"{why} {step + 1}"
        answer = node.answers.get(why) or node.keys.get(why.removeprefix("key "))
        if answer is not None:
            label = why if why.startswith("key ") else f"on {why}"
            return label if answer.go is not None else f"{label} then"
        return why

    def _trigger(self, node: str, state: State) -> Iterator[Goal]:
        for number, trigger in enumerate(self.artifact.triggers, 1):
            if trigger.go == node and holds(trigger.when, state):
                yield ("trigger", str(number))
                yield from self._with(f"trigger {number}", (trigger.when,), state)
                return

    def _with(self, what: str, conditions: Iterable[Expr], state: State) -> Iterator[Goal]:
        """The values that decided: a condition is tried at each side of what it compares."""
        for space, name in dict.fromkeys(name for expr in conditions for name in names(expr)):
            if space == "facts":
                yield (WITH, what, name, str(state.facts.get(name)))
            elif space == "slots":
                held = state.slots.get(name)
                yield (WITH, what, name, "not known" if held is None else str(held.value))

    def _heard(self, before: State, moment: Moment) -> Iterator[Goal]:
        """What was understood at a listening node, and the classes of the values that were given."""
        event = moment.event
        if isinstance(event, DtmfPressed):
            yield from self._keyed(before, moment.after)
        if not isinstance(event, TurnReported) or event.turn_id != before.judging:
            return
        if moment.after.counts.turns == before.counts.turns:
            return  # refused
        node = self.artifact.nodes.get(before.node)
        if node is None or before.phase != "judging":
            return
        if not any(getattr(effect, "why", "") == "trigger" for effect in moment.effects):
            yield from self._untriggered(moment.after)
        if moment.after.heard.intent in node.answers:
            yield ("intent", before.node, moment.after.heard.intent)
        given = event.arguments.get("slots")
        for name, value in given.items() if isinstance(given, dict) else ():
            if name in self.artifact.slots:
                yield from (
                    ("slot", name, each.name) for each in classes(self.artifact, name) if each.holds(value)
                )

    def _untriggered(self, state: State) -> Iterator[Goal]:
        for number, trigger in enumerate(self.artifact.triggers, 1):
            if state.heard.family in literals(trigger.when):
                yield from self._with(f"no trigger {number}", (trigger.when,), state)

    def _keyed(self, before: State, after: State) -> Iterator[Goal]:
        for name in after.slots.keys() - before.slots.keys():
            yield from (("slot", name, each.name) for each in classes(self.artifact, name) if each.fits)

    def _climbed(self, before: State, moment: Moment) -> Iterator[Goal]:
        if before.phase == "ended" or before.node not in self.artifact.nodes:
            return
        cause = _cause(before, moment)
        if cause:
            taken = before.visit.no_match if cause == "no_match" else before.visit.no_input
            yield ("rung", before.node, cause, str(taken + 1))

    def _note_due(self, before: State, moment: Moment) -> None:
        """A line was ordered after which the call goes on: remember what led there."""
        speech = moment.after.speech
        known = before.speech.id if before.speech is not None else ""
        if speech is None or speech.id == known:
            return
        self.due = ""
        if speech.after.kind != "enter":
            return
        event, node = moment.event, self.artifact.nodes.get(moment.after.node)
        cause = _cause(before, moment)
        if node is None or node.kind in ("disclosure", "tell") or moment.after.node != before.node:
            self.due = ""
        elif node.kind == "handoff":
            self.due = "unanswered"
        elif moment.after.lost_taken and not before.lost_taken:
            self.due = "model lost"
        elif cause:
            taken = before.visit.no_match if cause == "no_match" else before.visit.no_input
            self.due = f"{cause} {taken + 1}"
        elif isinstance(event, DtmfPressed):
            self.due = f"key {event.digit}"
        elif isinstance(event, TurnReported | ActionSucceeded | ActionFailed):
            self.due = f"on {moment.after.heard.intent}"


def _cause(before: State, moment: Moment) -> str:
    """Which ladder of the node was climbed in this step, "" for none."""
    after = moment.after
    if after.node == before.node and after.visits == before.visits:
        if after.visit.no_match > before.visit.no_match:
            return "no_match"
        return "no_input" if after.visit.no_input > before.visit.no_input else ""
    entered = next((effect for effect in moment.effects if isinstance(effect, EnterNode)), None)
    return entered.why if entered is not None and entered.why in ("no_match", "no_input") else ""
