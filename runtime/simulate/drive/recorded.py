"""The steps of a recorded call: the engine run again over its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from runtime.engine.events import CallStarted, Event
from runtime.engine.state import State
from runtime.engine.step import start, step
from runtime.simulate.drive.steps import Moment
from voiceflow_compiler.artifact import Artifact


def moments_of(artifact: Artifact, lines: Iterable[Mapping[str, Any]]) -> tuple[Moment, ...]:
    """What this flow does with the events of a record; `lines` are those after its header."""
    state: State | None = None
    found: list[Moment] = []
    for line in lines:
        if "event" not in line:
            continue
        event = msgspec.convert(line["event"], Event)
        if state is None:
            if not isinstance(event, CallStarted):
                continue
            after, effects = start(artifact, event)
        else:
            after, effects = step(artifact, state, event)
        found.append(Moment(state, event, effects, after))
        state = after
    return tuple(found)
