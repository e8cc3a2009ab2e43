"""Row 19: a stream ends in every way a stream can."""

from __future__ import annotations

from typing import Literal

import pytest

from runtime import audio
from runtime.simulate.bad_line import LineFaults
from runtime.simulate.line import Deed, Moment
from tests.faults.bed import Bed, Later, live
from tests.faults.conftest import Open

pytestmark = pytest.mark.faults
LAST = 150  # the caller's last frame, in the middle of the disclosure
WITHIN_S = {"stop": 2.0, "close": 2.0, "reset": 2.0, "silent": 15.0}
QUIET_S = 10.0  # a line without a frame is let go after this, and not before


class Leaves:
    """A caller who says nothing, and hangs up after their last frame where they say good-bye."""

    def __init__(self, *, says_so: bool) -> None:
        self._says_so, self._frames = says_so, 0

    def tick(self, moment: Moment) -> Deed:
        self._frames += 1
        frame = audio.MULAW_SILENCE * audio.FRAME_BYTES
        return Deed(frame, hang_up=self._says_so and self._frames == LAST)


@pytest.mark.parametrize(
    ("how", "reason"),
    [("stop", "caller_hangup"), ("close", "line_lost"), ("reset", "line_lost"), ("silent", "line_lost")],
)
def test_row_19_the_model_s_session_ends_with_the_line(
    bed: Open, how: Literal["stop", "close", "reset", "silent"], reason: str
) -> None:
    """A caller who is gone, said so or not, leaves no session of the model's: it is closed within 2 s, and
    within 15 s where the line only falls silent; the record has one end, with the reason.
    """

    async def work() -> tuple[Bed, Later]:
        async with bed() as one:
            faults = LineFaults() if how == "stop" else LineFaults(ends=(LAST, how))
            return one, await one.call(faults=faults, mouth=Leaves(says_so=how == "stop"))

    one, later = live(work())
    call = later()
    left = call.began + (LAST - 1) * audio.FRAME_MS / 1000
    closed = round(one.model_at("end", "closed") - left, 3)
    assert (QUIET_S if how == "silent" else 0) <= closed <= WITHIN_S[how]
    assert call.reason == reason
    assert sum("end" in line for line in call.record.lines) == 1
