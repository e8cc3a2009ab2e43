"""When a silence is dead air, and when it is the caller's own."""

import pytest

from runtime.call.silence import Silence


def after(phase: str, *, turn_ms: float = 10_000, waited_ms: float = 0, quiet_since_ms: float = 0) -> int:
    """The dead air before audio at 14 s, when the call was in this phase since `turn_ms`."""
    silence = Silence()
    silence.turn("listening", 0)
    silence.turn(phase, turn_ms, waited_ms)
    return silence.sounds(14_000, quiet_since_ms)


@pytest.mark.parametrize("phase", ["starting", "speaking", "judging", "acting", "delivering"])
def test_a_silence_in_the_assistant_s_turn_is_told(phase: str) -> None:
    """Four seconds without a sound, when it was for the assistant to speak."""
    assert after(phase) == 4000


@pytest.mark.parametrize("phase", ["listening", "transferring", "ended"])
def test_a_silence_that_is_somebody_else_s_is_not(phase: str) -> None:
    """While the caller is listened to, or has another on the line, silence is none of ours."""
    assert after(phase) == 0


def test_what_is_still_heard_is_no_silence() -> None:
    """Silence begins when what was sent before has been heard; under three seconds it is none."""
    assert after("acting", quiet_since_ms=10_500) == 3500
    assert after("acting", quiet_since_ms=11_500) == 0


def test_a_wait_begins_when_the_caller_stopped() -> None:
    """The time detection took counts: the caller has been waiting for it too."""
    assert after("judging", turn_ms=11_400, waited_ms=500) == 3100
    assert after("judging", turn_ms=11_400) == 0
