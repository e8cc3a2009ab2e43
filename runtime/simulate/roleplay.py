"""`vfc play`: a person plays the caller. What is done and what is told of it; no terminal, no page is here.

Commands of the player: `:intent NAME`, `:key 1`, `:silence`, `:hangup`, `:back`, `:why`, `:brief`,
`:save FILE`, `:help`, `:quit`. Anything else is what the caller says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from runtime.engine import effects, events
from runtime.engine.fill import brief
from runtime.engine.state import State
from runtime.simulate.drive.call import DrivenCall, Outside
from runtime.simulate.drive.hearing import Hearing
from runtime.simulate.drive.moves import HangUp, Keys, Move, Silence, Turn
from runtime.simulate.drive.steps import Moment, spoken
from runtime.simulate.scenario.form import Scenario
from runtime.simulate.scenario.write import scenario_of
from voiceflow_compiler.artifact import Artifact

HELP: Final = (
    "type what the caller says, or :intent NAME, :key 1, :silence, :hangup, :back, :why, :brief, "
    ":save FILE, :quit"
)
OVER: Final = "the call is over: :back takes the last turn back, :quit ends"

Kind = Literal["caller", "assistant", "heard", "did", "place", "note"]


class Told(Struct, frozen=True):
    """One thing to show: said by either side, how it was heard, what was done, where the call stands, or a
    note to the player.
    """

    kind: Kind
    text: str

    def __str__(self) -> str:
        return _LINES[self.kind].format(self.text)


_LINES: Final[Mapping[Kind, str]] = {
    "caller": "caller: {}",
    "assistant": "assistant: {}",
    "heard": "  heard: {}",
    "did": "  {}",
    "place": "{}",
    "note": "{}",
}


class Known(Struct, frozen=True):
    """A value of the call; `sure`: nobody needs to ask again."""

    name: str
    value: str
    sure: bool


class Scene(Struct, frozen=True):
    """Where the role-play stands, whole. `came` says by which way each node of the last turn was entered."""

    node: str
    over: bool
    moves: int
    slots: tuple[Known, ...]
    came: tuple[tuple[str, str], ...]
    no_match: int
    no_input: int
    answers: tuple[tuple[str, str], ...]
    brief: tuple[str, ...]
    transcript: tuple[Told, ...]


class Roleplay:
    """One role-play."""

    def __init__(self, artifact: Artifact, facts: Mapping[str, Any] | None, outside: Outside) -> None:
        self.artifact = artifact
        self.facts = facts
        self.outside = outside
        self.ears = Hearing(artifact)
        self.moves: list[Move] = []
        self.call = self._again()

    def _again(self) -> DrivenCall:
        """The call so far, from its beginning: moves are data, so going back is playing fewer of them."""
        call = DrivenCall(self.artifact, self.facts, self.outside)
        for move in self.moves:
            call.do(move)
        call.rest()
        return call

    @property
    def over(self) -> bool:
        return self.call.over

    @property
    def state(self) -> State:
        return self.call.state

    def opening(self) -> Iterator[Told]:
        """How the call begins."""
        yield from _told(self.call.segments[0])
        yield self._where()

    def take(self, typed: str) -> Iterator[Told]:
        """What follows from a line that was typed."""
        word, _, rest = typed.strip().partition(" ")
        if word.startswith(":"):
            yield from self._command(word, rest.strip())
        elif typed.strip():
            yield from self.do(self.ears.hear(self.call.state, typed.strip()))

    def _command(self, word: str, rest: str) -> Iterator[Told]:
        match word:
            case ":intent" if rest in self.artifact.intents:
                yield from self.do(Turn(rest))
            case ":intent":
                yield Told("note", f"there are {', '.join(sorted(self.artifact.intents))}")
            case ":key" if rest and set(rest) <= set("0123456789*#"):
                yield from self.do(Keys(rest))
            case ":key":
                yield Told("note", "keys are 0 to 9, * and #: write :key 1")
            case ":silence":
                yield from self.do(Silence())
            case ":hangup":
                yield from self.do(HangUp())
            case ":back":
                yield from self._back()
            case ":why":
                yield from self._why()
            case ":brief":
                yield from (Told("did", line) for line in self._brief())
            case _:
                yield Told("note", HELP)

    def do(self, move: Move) -> Iterator[Told]:
        """What follows from a move."""
        if self.over:
            yield Told("note", OVER)
            return
        if isinstance(move, Turn):
            yield _heard(move)
        self.call.do(move)
        self.call.rest()
        self.moves.append(move)
        yield from _told(self.call.segments[-1])
        yield self._where()

    def _back(self) -> Iterator[Told]:
        if not self.moves:
            yield Told("note", "this is the beginning")
            return
        self.moves.pop()
        self.call = self._again()
        yield Told("note", "the last turn is taken back")
        yield self._where()

    def _where(self) -> Told:
        known = ", ".join(f"{one.name}={one.value}{'' if one.sure else '?'}" for one in self._slots())
        over = " (the call is over)" if self.over else ""
        return Told("place", f"[{self.state.node}]{over}{' ' + known if known else ''}")

    def _slots(self) -> tuple[Known, ...]:
        return tuple(
            Known(name, str(held.value), held.sure)
            for name, held in self.state.slots.items()
            if not self.artifact.slots[name].secret
        )

    def _why(self) -> Iterator[Told]:
        """Which way the call came by its last turn, and what it would answer here."""
        for node, why in self._came():
            yield Told("did", f"came to {node}: {why}")
        visit = self.state.visit
        yield Told("did", f"not understood here: {visit.no_match}, silent here: {visit.no_input}")
        for intent, to in self._answers():
            yield Told("did", f"{intent} → {to}")

    def _came(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (effect.node, effect.why)
            for moment in self.call.segments[-1]
            for effect in moment.effects
            if isinstance(effect, effects.EnterNode)
        )

    def _answers(self) -> tuple[tuple[str, str], ...]:
        node = self.artifact.nodes.get(self.state.node)
        return (
            tuple((intent, answer.go or "stays") for intent, answer in node.answers.items()) if node else ()
        )

    def _brief(self) -> tuple[str, ...]:
        return tuple(brief(self.artifact, self.state, None).splitlines()) if self.state.node else ()

    def scene(self) -> Scene:
        """Everything there is to see now, for whoever shows it at once."""
        transcript = list(_told(self.call.segments[0]))
        for move, segment in zip(self.moves, self.call.segments[1:], strict=True):
            transcript += [Told("caller", _said(move)), *([_heard(move)] if isinstance(move, Turn) else [])]
            transcript += _told(segment)
        visit = self.state.visit
        return Scene(
            node=self.state.node,
            over=self.over,
            moves=len(self.moves),
            slots=self._slots(),
            came=self._came(),
            no_match=visit.no_match,
            no_input=visit.no_input,
            answers=self._answers(),
            brief=self._brief(),
            transcript=tuple(transcript),
        )

    def scenario(self, name: str) -> Scenario:
        """The role-play as a scenario: what happened is what must happen."""
        return scenario_of(
            self.artifact, name, self.facts, self.moves, self.call.segments, outside=self.outside
        )


def _heard(turn: Turn) -> Told:
    slots = "".join(f" {name}={value}" for name, value in turn.slots.items())
    return Told("heard", f"{turn.intent} ({turn.confidence:.2f}){slots}")


def _said(move: Move) -> str:
    """What the caller did, as a transcript says it."""
    match move:
        case Turn(words=""):
            return "(says something)"
        case Turn():
            return move.words
        case Keys():
            return f"(presses {move.digits})"
        case Silence():
            return "(is silent)"
        case _:
            return "(hangs up)"


def _told(moments: tuple[Moment, ...]) -> Iterator[Told]:
    """What was said and done."""
    for moment in moments:
        words = spoken(moment)
        if words:
            yield Told("assistant", words)
        yield from (Told("did", done) for effect in moment.effects if (done := _done(effect)))
        if isinstance(moment.event, events.TransferAccepted):
            yield Told("did", "a person takes the call")


def _done(effect: effects.Effect) -> str:
    """What an effect does outside, in a line; nothing for the others."""
    match effect:
        case effects.RunAction(action=action, arguments=arguments):
            return f"does {action} {dict(arguments)}"
        case effects.DeliverPackage(handoff=handoff, package=package):
            return f"sends the package to {handoff}: {', '.join(package)}"
        case effects.Transfer(handoff=handoff):
            return f"rings {handoff}"
        case effects.SetOutcome(outcome=outcome):
            return f"outcome: {outcome}"
    return ""
