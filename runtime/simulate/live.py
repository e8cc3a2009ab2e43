"""A call as it happens: its record, line by line while it is written, shown with the node it stands at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from runtime.simulate.story import clock

Line = Mapping[str, Any]


class Watched:
    """What the record of a call tells while it is written: where the call stands (`node`), and every line
    to `show`.
    """

    __slots__ = ("_show", "call_id", "node")

    def __init__(self, show: Callable[[Line], None] = lambda line: None) -> None:
        self._show = show
        self.call_id: str | None = None
        self.node: str | None = None

    def take(self, call_id: str, line: Line) -> None:
        """Take in one line of the record."""
        plain = msgspec.to_builtins(line)
        self.call_id = call_id
        effect = plain.get("effect", {})
        if effect.get("type") == "EnterNode":
            self.node = effect["node"]
        self._show(plain)


class Onlooker(Console):
    """A console whose reader may go away (`vfc call FLOW | head`): the call goes on, unseen."""

    def on_broken_pipe(self) -> None:
        """Be quiet from here on; what is still in the buffer has nowhere to go."""
        self.quiet = True
        unread = os.open(os.devnull, os.O_WRONLY)
        os.dup2(unread, self.file.fileno())
        os.close(unread)


class Screen:
    """Shows a call in a terminal, the active node below the lines; plain lines where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("ringing", spinner="dots") if console.is_terminal else None
        self._node = ""

    @contextmanager
    def open(self) -> Iterator[None]:
        """Show the active node while this lasts."""
        if self._status is None:
            yield
            return
        with self._status:
            yield

    def show(self, line: Line) -> None:
        """Show what a line of the record tells, if it tells a person anything."""
        event, effect = line.get("event", {}), line.get("effect", {})
        if effect.get("type") == "EnterNode":
            self._enter(line["at_ms"], effect["node"])
        told = _tell(event) or _tell_order(effect)
        if told is not None:
            who, text = told
            self._print(line["at_ms"], who, text)

    def _enter(self, at_ms: int, node: str) -> None:
        self._node = node
        if self._status is not None:
            self._status.update(f"[bold green]{escape(node)}[/]")
        self._print(at_ms, "node", node)

    def _print(self, at_ms: int, who: str, text: str) -> None:
        style = _STYLES.get(who, "yellow")
        name = {"assistant": "assistant", "caller": "   caller", "node": "         "}.get(who, "         ")
        body = f"● {text}" if who == "node" else text
        if not self._console.is_terminal:
            self._console.print(
                f"{clock(at_ms)} {name} {body}", highlight=False, soft_wrap=True, markup=False
            )
            return
        grid = Table.grid(padding=(0, 1))
        grid.add_row(f"[dim]{clock(at_ms)}[/]", f"[{style}]{name}[/]", f"[{style}]{escape(body)}[/]")
        self._console.print(grid, highlight=False)


_STYLES: Final = {"assistant": "cyan", "caller": "bold", "node": "green"}


def _tell(event: Line) -> tuple[str, str] | None:
    match event:
        case {"type": "PlaybackFinished", "text": str(text)} if text:
            return "assistant", text
        case {"type": "PlaybackInterrupted", "text": str(text)} if text:
            return "assistant", f"{text} —"
        case {"type": "TurnReported", "arguments": {"heard": heard, "intent": intent}}:
            return "caller", f"{heard or '(not understood)'}  [{intent}]"
        case {"type": "DtmfPressed", "digit": digit}:
            return "caller", f"(presses {digit})"
        case {"type": "PackageDelivered"}:
            return "call", "the context package was delivered"
        case {"type": "TransferAccepted"}:
            return "call", "a person took the call"
        case {"type": "TransferRefused" | "TransferUnanswered"}:
            return "call", "no person took the call"
        case {"type": "SessionLost", "reason": reason}:
            return "call", f"the speech model was lost: {reason}"
        case {"type": "ActionFailed", "reason": reason}:
            return "call", f"the action failed: {reason}"
        case {"type": "ActionUnknown", "reason": reason}:
            return "call", f"nobody knows whether the action was done: {reason}"
        case {"type": "CallEnded", "reason": reason}:
            return "call", f"the call ended: {reason}"
    return None


def _tell_order(effect: Line) -> tuple[str, str] | None:
    match effect:
        case {"type": "RunAction", "action": action}:
            return "call", f"runs {action}"
        case {"type": "Transfer", "handoff": handoff}:
            return "call", f"rings {handoff}"
        case {"type": "SetOutcome", "outcome": outcome}:
            return "call", f"outcome: {outcome}"
    return None
