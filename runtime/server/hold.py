"""What one worker holds of a call by its lease: what its row begins with, and what is to be kept of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from runtime.engine.resuming import keepable
from runtime.engine.state import State
from runtime.seals import of_process, sealed
from voiceflow_compiler.artifact import Artifact

if TYPE_CHECKING:
    from runtime.store.leases import Answered


@dataclass(slots=True, eq=False)
class Hold:
    """One call of this worker. `fence`: None while the store has not been told; `over`: reason, outcome and
    whether that was planned; `room`: whom the caller is being brought to.
    """

    call_id: str
    artifact: Artifact = field(repr=False)
    call: str = field(repr=False)
    token: str = field(repr=False)
    superseded: Callable[[], object] = field(repr=False)
    fence: int | None = None
    at_ms: int = 0
    state: State | None = field(default=None, repr=False)
    room: str = field(default="", repr=False)
    over: tuple[str, str | None, bool] | None = None

    def answered(self) -> Answered:
        """What its row begins with."""
        from runtime.store.leases import Answered

        artifact = self.artifact
        return Answered(self.call_id, artifact.flow, artifact.content_hash, self.call, self.token)

    def kept_state(self, state: State) -> str:
        """A state as the store keeps it."""
        return sealed(msgspec.json.encode(keepable(self.artifact, state)), of_process()).decode()
