"""What a caller does next: a pure choice from the caller's lines, where the call stands and what was said
already.

Laws
1. Lines are taken in the order of the profile; a line kept for another node waits, and is passed over once
   a later line fits.
2. While the call has not moved on from the node of the line before, and no other line fits, that line is
   said again, at most REPEATS times: a caller who was not understood says it again, but not for ever.
3. Silence is for good: after it the caller only listens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from runtime.simulate.profile import Line, Profile

REPEATS: Final = 3


@dataclass(frozen=True, slots=True)
class Mind:
    """A caller in the middle of a call. `next_line` is the first line not yet said; `last` the line said
    last.
    """

    profile: Profile
    next_line: int = 0
    last: Line | None = None
    last_node: str | None = None
    repeated: int = 0

    @property
    def coming(self) -> Line | None:
        """The first line not yet said."""
        lines = self.profile.says
        return lines[self.next_line] if self.next_line < len(lines) else None


def interruption(mind: Mind, node: str | None) -> Line | None:
    """The line that wants to be said into the assistant's speech at this node, if the next one is of that
    kind.
    """
    line = mind.coming
    if line is None or line.interrupt_after_ms is None or not _fits(line, node):
        return None
    return line


def answer(mind: Mind, node: str | None) -> tuple[Mind, Line | None]:
    """The line for a silence of the assistant, at `node` (None: not known), and the mind after it. None:
    only listen.
    """
    if mind.last is not None and mind.last.silence:
        return mind, None
    for place in range(mind.next_line, len(mind.profile.says)):
        line = mind.profile.says[place]
        if _fits(line, node):
            return said(mind, place, node), line
    return _again(mind, node)


def said(mind: Mind, place: int, node: str | None) -> Mind:
    """The mind after the line at this place was said."""
    return replace(mind, next_line=place + 1, last=mind.profile.says[place], last_node=node, repeated=0)


def _again(mind: Mind, node: str | None) -> tuple[Mind, Line | None]:
    line = mind.last
    if line is None or line.say is None or node is None or node != mind.last_node or mind.repeated >= REPEATS:
        return mind, None
    return replace(mind, repeated=mind.repeated + 1), line


def _fits(line: Line, node: str | None) -> bool:
    return line.at is None or node is None or line.at == node
