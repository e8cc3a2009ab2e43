"""What a telephone network can do wrong on purpose, so that a bridge can be tried on a bad line.

LineFaults is a value; `BadLine` carries it out on one media stream. Frames are counted from 1, 20 ms each;
times are milliseconds of the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Message = str | bytes


@dataclass(frozen=True, slots=True)
class LineFaults:
    """Faults by name; the default has none."""

    marks: Literal["told", "never", "twice", "strange"] = "told"  # strange: also marks nobody asked for
    marks_late_ms: int = 0
    deaf: tuple[int, int] | None = None  # from, to: nothing is read from the socket
    lost: frozenset[int] = field(default_factory=frozenset)  # frames of the caller that never come
    twice: frozenset[int] = field(default_factory=frozenset)
    swapped: frozenset[int] = field(default_factory=frozenset)  # come after the next one
    held: tuple[int, int] | None = None  # frames from, to: come all at once at the end
    extra: Mapping[int, tuple[Message, ...]] = field(default_factory=dict)  # sent before this frame
    # After this frame, without a stop. `cut`: the socket is reset, and the caller is still there.
    ends: tuple[int, Literal["close", "reset", "silent", "cut"]] | None = None


class BadLine:
    """One stream's faults under way."""

    def __init__(self, plan: LineFaults) -> None:
        self.plan = plan
        self._waiting: list[Message] = []

    def out(self, number: int, frame: Message) -> list[Message]:
        """What leaves instead of the caller's frame of this number."""
        plan = self.plan
        if plan.ends and plan.ends[1] == "silent" and number > plan.ends[0]:
            return []
        frames = [] if number in plan.lost else [frame, frame] if number in plan.twice else [frame]
        if number in plan.swapped or (plan.held and plan.held[0] <= number < plan.held[1]):
            self._waiting += frames
            return list(plan.extra.get(number, ()))
        waiting, self._waiting = self._waiting, []
        # A frame that was swapped comes after this one; frames that were held come before it.
        together = frames + waiting if number - 1 in plan.swapped else waiting + frames
        return [*plan.extra.get(number, ()), *together]

    def marks(self, names: list[str]) -> list[str]:
        """The marks that are told instead of these."""
        match self.plan.marks:
            case "never":
                return []
            case "twice":
                return [name for name in names for _ in range(2)]
            case "strange":
                return [other for name in names for other in (f"{name}9", "g1:999999", "", name)]
            case _:
                return names

    def deaf(self, at_ms: int) -> bool:
        """Whether nothing is read now."""
        return self.plan.deaf is not None and self.plan.deaf[0] <= at_ms < self.plan.deaf[1]

    def ends(self, number: int) -> Literal["close", "reset", "cut"] | None:
        """How the socket ends after the frame of this number, if it does."""
        if self.plan.ends and self.plan.ends[0] == number and self.plan.ends[1] != "silent":
            return self.plan.ends[1]
        return None
