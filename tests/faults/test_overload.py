"""Row 56: half as many and three times as many calls as fit, each a whole call in sound."""

import pytest

from runtime.simulate.phone import Ended
from tests.faults.bed import DISCLOSURE, GOODBYE, QUESTION, Bed, live, sized, sound
from tests.faults.conftest import Open

pytestmark = pytest.mark.faults

CAP = sized(4, 20)
TURN_MS = 1000  # telephones, model and server share one process here: how much later is for benchmarks to say


def busy(ended: Ended) -> bool:
    """Whether the call was not taken, heard so at once, and was brought to a person."""
    notes = [note.what for note in ended.notes]
    (said,) = [note.detail for note in ended.notes if note.what == "say"] or [""]
    return "busy" in said and notes[:2] == ["say", "ringing"] and ended.how == "transferred"


@pytest.mark.parametrize("times", [1.5, 3.0])
def test_row_56_what_does_not_fit_hears_so_and_what_fits_is_as_if_alone(bed: Open, times: float) -> None:
    """Of so many calls at once as many as fit are taken: each of them hears every word whole, within a
    second of when a caller hears it who is alone. Every other one hears that the lines are busy and gets a
    person. Once they are over, the next call is taken."""
    asked = round(CAP * times)

    async def crowd() -> tuple[Bed, list[Ended]]:
        async with bed(toml=f"[limits]\ncalls = {CAP}\n", others=0) as one:
            await one.call()
            await one.calls(asked)
            many = one.ended[1:]
            await one.call()
            return one, many

    one, many = live(crowd())
    shed = [ended for ended in many if busy(ended)]
    taken = [ended for ended in many if ended not in shed]
    assert (len(taken), len(shed)) == (CAP, asked - CAP)
    assert one.alerts("call.shed") == asked - CAP
    alone, after = one.ended[0], one.ended[-1]
    for ended in [*taken, after]:
        assert ended.how == "assistant_hung_up"
        for words in (DISCLOSURE, QUESTION, GOODBYE):
            heard, usual = when(ended, words), when(alone, words)
            assert heard >= 0, words
            assert abs(heard - usual) <= TURN_MS, words


def when(ended: Ended, words: str) -> int:
    """When the caller heard these words whole; milliseconds, below zero: never."""
    return bytes(ended.tape.heard).find(sound(words)) // 8
