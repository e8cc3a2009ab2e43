"""The writing side of the line when the carrier stops reading, and the measure of a turn."""

import asyncio

from runtime.call.latency import Latency
from runtime.call.line import STALL_MS, LineWriter
from runtime.simulate.clock import idle


class Carrier:
    """A carrier that takes one message more and then nothing, when told."""

    def __init__(self):
        self.got = []
        self.reading = True
        self.full = False

    def listen(self, take, flow):
        return None

    def close(self, code=1000):
        return None

    def send(self, message):
        self.got.append(message)
        self.full = not self.reading


def run(work):
    with asyncio.Runner(loop_factory=idle(10)) as runner:
        return runner.run(work())


def test_audio_that_waited_for_a_stalled_carrier_is_dropped():
    """When the carrier reads again it gets the newest audio: what waited is gone, but for marks and
    protected speech.
    """

    async def work():
        carrier = Carrier()
        line = LineWriter(carrier)
        carrier.reading = False
        line.audio("first", protected=False)
        for n in range(3):
            line.audio(f"old{n}", protected=False)
            line.mark(f"mark{n}")
        line.audio("disclosure", protected=True)
        await asyncio.sleep(STALL_MS / 1000 * 2)
        carrier.reading, carrier.full = True, False
        line.flow()
        line.audio("new", protected=False)
        return carrier.got, line.dropped

    assert run(work) == (["first", "mark0", "mark1", "mark2", "disclosure", "new"], 3)


def test_a_clear_goes_before_everything_that_was_queued():
    """What was not sent when the line is cleared is never sent."""

    async def work():
        carrier = Carrier()
        line = LineWriter(carrier)
        carrier.full = True
        line.audio("old", protected=False)
        line.mark("mark")
        line.clear("clear")
        line.audio("new", protected=False)
        carrier.full = False
        line.flow()
        return carrier.got

    assert run(work) == ["clear", "new"]


def test_a_turn_is_measured_once_and_adds_up():
    """Detection, the model's time and ours make the whole, and a second piece of audio measures nothing."""
    latency = Latency()
    latency.turn_ended("t1", 500, 1000)
    latency.asked(1010)
    latency.answered(1200)
    latency.asked(1205)
    latency.answered(1400)
    assert latency.waiting
    assert latency.sent(1410) == {
        "turn_id": "t1",
        "total_ms": 910,
        "detection_ms": 500,
        "model_ms": 385,
        "bridge_ms": 25,
    }
    assert not latency.waiting
    assert latency.sent(1500) is None
