"""What one call holds in memory, against a bound: one call that grows must not take the others with it.

Python keeps no heap for each call, so what a call can pile up is counted where it piles up: sound and words
not on the line yet, messages the model did not take, what was said so far, sound and lines not yet on the
disk, and the engine's state with its slots, facts, results and transcript. It is counted once a second and
never for a frame.
"""

from __future__ import annotations

from typing import Final

import msgspec

from runtime.call.under_way import Call

EVENT_BYTES: Final = 1024  # an event that waits for the engine; what it quotes is counted in the state


class OverBudgetError(Exception):
    """A call holds more than it may. `part` is what most of it is, one of the names `held` gives."""

    def __init__(self, size: int, part: str) -> None:
        super().__init__(f"{size} bytes, most of it {part}")
        self.size, self.part = size, part


def held(call: Call) -> dict[str, int]:
    """How many bytes the call holds, by what holds them."""
    outside = call.outside
    return {
        "speech": call.ledger.held,
        "line": call.line.held,
        "model": outside.session.held,
        "sound": outside.recording.held,
        "record": outside.record.held,
        "events": call.queue.qsize() * EVENT_BYTES,
        "state": _state(call),
    }


def weigh(call: Call) -> None:
    """Count what the call holds. Raises OverBudgetError when that is too much."""
    parts = held(call)
    total = sum(parts.values())
    call.most_held = max(call.most_held, total)
    if total > call.outside.budget:
        raise OverBudgetError(total, max(parts, key=parts.__getitem__))


def _state(call: Call) -> int:
    if call.state is not call.weighed[0]:
        call.weighed = (call.state, len(msgspec.json.encode(call.state)))
    return call.weighed[1]
