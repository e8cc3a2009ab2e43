"""How long the caller waited for an answer: end of their speech to the first audio sent, and where the
time went.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class _Turn:
    turn_id: str
    stopped_ms: float
    detection_ms: int
    model_ms: float = 0


@dataclass(slots=True)
class Latency:
    """One turn at a time is measured; a turn without an answer is forgotten when the next begins.

    `detection` is what the VAD waited before it called the turn ended, `model` the time the model had a
    response to
    make, `bridge` the rest, which is ours. Times are milliseconds of the call.
    """

    _turn: _Turn | None = None
    _asked: list[float] = field(default_factory=list)

    def turn_ended(self, turn_id: str, detection_ms: int, at_ms: float) -> None:
        self._turn, self._asked = _Turn(turn_id, at_ms, detection_ms), []

    def asked(self, at_ms: float) -> None:
        self._asked.append(at_ms)

    def answered(self, at_ms: float) -> None:
        """The model gave what was asked: a finished response, or the first audio of one."""
        if self._turn is not None and self._asked:
            self._turn.model_ms += at_ms - self._asked.pop(0)

    @property
    def detection_ms(self) -> int:
        """How long ago the caller had stopped when their turn was called ended."""
        return self._turn.detection_ms if self._turn else 0

    @property
    def waiting(self) -> bool:
        """Whether a turn is still unanswered."""
        return self._turn is not None

    def sent(self, at_ms: float) -> dict[str, int | str] | None:
        """Audio went out: the measurement of the turn it answers, once."""
        turn, self._turn = self._turn, None
        if turn is None:
            return None
        since = at_ms - turn.stopped_ms
        return {
            "turn_id": turn.turn_id,
            "total_ms": round(turn.detection_ms + since),
            "detection_ms": turn.detection_ms,
            "model_ms": round(turn.model_ms),
            "bridge_ms": round(since - turn.model_ms),
        }
