"""`vfc play`: a person plays the caller, in text. What is typed and what is shown; the terminal is not here.

Commands of the player: `:intent NAME`, `:key 1`, `:silence`, `:hangup`, `:back`, `:why`, `:brief`,
`:save FILE`, `:help`, `:quit`. Anything else is what the caller says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from runtime.engine import effects, events
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


class Roleplay:
    """One role-play. Every method gives the lines to show."""

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

    def opening(self) -> Iterator[str]:
        """How the call begins."""
        yield from self._told(self.call.segments[0])
        yield self._where()

    def take(self, typed: str) -> Iterator[str]:
        """What follows from a line that was typed."""
        word, _, rest = typed.strip().partition(" ")
        if word.startswith(":"):
            yield from self._command(word, rest.strip())
        elif typed.strip():
            yield from self._do(self.ears.hear(self.call.state, typed.strip()))

    def _command(self, word: str, rest: str) -> Iterator[str]:
        match word:
            case ":intent" if rest in self.artifact.intents:
                yield from self._do(Turn(rest))
            case ":intent":
                yield f"there are {', '.join(sorted(self.artifact.intents))}"
            case ":key" if rest and set(rest) <= set("0123456789*#"):
                yield from self._do(Keys(rest))
            case ":silence":
                yield from self._do(Silence())
            case ":hangup":
                yield from self._do(HangUp())
            case ":back":
                yield from self._back()
            case ":why":
                yield from self._why()
            case ":brief":
                yield from self._brief()
            case _:
                yield HELP

    def _do(self, move: Move) -> Iterator[str]:
        if self.over:
            yield "the call is over: :back takes the last turn back, :quit ends"
            return
        if isinstance(move, Turn):
            slots = "".join(f" {name}={value}" for name, value in move.slots.items())
            yield f"  heard: {move.intent} ({move.confidence:.2f}){slots}"
        self.call.do(move)
        self.call.rest()
        self.moves.append(move)
        yield from self._told(self.call.segments[-1])
        yield self._where()

    def _back(self) -> Iterator[str]:
        if not self.moves:
            yield "this is the beginning"
            return
        self.moves.pop()
        self.call = self._again()
        yield "the last turn is taken back"
        yield self._where()

    def _told(self, moments: tuple[Moment, ...]) -> Iterator[str]:
        """What was said and done."""
        for moment in moments:
            words = spoken(moment)
            if words:
                yield f"assistant: {words}"
            for effect in moment.effects:
                match effect:
                    case effects.RunAction(action=action, arguments=arguments):
                        yield f"  does {action} {dict(arguments)}"
                    case effects.DeliverPackage(handoff=handoff, package=package):
                        yield f"  sends the package to {handoff}: {', '.join(package)}"
                    case effects.Transfer(handoff=handoff):
                        yield f"  rings {handoff}"
                    case effects.SetOutcome(outcome=outcome):
                        yield f"  outcome: {outcome}"
            if isinstance(moment.event, events.TransferAccepted):
                yield "  a person takes the call"

    def _where(self) -> str:
        state = self.call.state
        known = ", ".join(
            f"{name}={held.value}{'' if held.sure else '?'}"
            for name, held in state.slots.items()
            if not self.artifact.slots[name].secret
        )
        over = " (the call is over)" if self.over else ""
        return f"[{state.node}]{over}{' ' + known if known else ''}"

    def _why(self) -> Iterator[str]:
        """Which way the call came by its last turn, and what it would answer here."""
        for moment in self.call.segments[-1]:
            for effect in moment.effects:
                if isinstance(effect, effects.EnterNode):
                    yield f"  came to {effect.node}: {effect.why}"
        visit = self.call.state.visit
        yield f"  not understood here: {visit.no_match}, silent here: {visit.no_input}"
        node = self.artifact.nodes.get(self.call.state.node)
        for intent, answer in node.answers.items() if node is not None else ():
            yield f"  {intent} → {answer.go or 'stays'}"

    def _brief(self) -> Iterator[str]:
        from runtime.engine.fill import brief

        if self.call.state.node:
            yield from (f"  {line}" for line in brief(self.artifact, self.call.state, None).splitlines())

    def scenario(self, name: str) -> Scenario:
        """The role-play as a scenario: what happened is what must happen."""
        return scenario_of(
            self.artifact, name, self.facts, self.moves, self.call.segments, outside=self.outside
        )
