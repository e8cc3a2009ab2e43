"""The line of a call while a person is rung, in any order of what providers, people and callers do."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.handoff import Ring, Transferred
from runtime.server.line import Line
from runtime.telephony.base import Dialled
from tests.runtime.handoffs import unheard
from tests.runtime.test_server_line import Wire

HAPPENINGS = (
    "dial",
    "picked_up",
    "pressed_1",
    "pressed_2",
    "pressed_nothing",
    "page_accepts",
    "page_declines",
    "busy",
    "caller_gone",
    "back",
    "gave_up",
    "closed",
)


class Watched:
    """A line and what must hold of it after each happening."""

    def __init__(self, others: tuple[str, ...], whisper: str | None, least_talk_ms: int) -> None:
        self.line = Line()
        self.ring = Ring("+15005550009", 30_000, whisper, others, least_talk_ms=least_talk_ms)
        self.ended = False
        self.refused = self.accepted = False
        self.dialled: list[str] = []
        self.joined_by: str | None = None

    async def happen(self, name: str) -> None:
        line, before = self.line, self.line.joined
        over = line.over
        match name:
            case "dial":
                self.note(line.dial())
            case "picked_up":
                line.person_answered()
            case "pressed_1" | "pressed_2" | "pressed_nothing":
                digit = {"pressed_1": "1", "pressed_2": "2", "pressed_nothing": ""}[name]
                self.refused |= digit == "2" and line.ringing and not line.joined
                line.person_pressed(digit)
            case "page_accepts" | "page_declines":
                accepted = name == "page_accepts"
                self.accepted, self.refused = accepted, self.refused or not accepted
                line.person_answered_elsewhere(accepted=accepted)
            case "busy" | "caller_gone" if self.dialled:  # nothing ends that was not begun
                gone = name == "caller_gone"
                following = line.dial_next(caller_gone=gone)
                self.note(following)
                assert not (following and gone)
                if following is None:
                    self.ended = True
                    line.dial_ended(Dialled("unanswered", "busy"), caller_gone=gone)
            case "back":
                line.attach(Wire(), None)
            case "gave_up":
                self.refused = True
                line.give_up()
            case "closed":
                line.close()
        if line.joined and not before:
            self.joined_by = name
            assert not over, "joined to a line that was over"
            assert not self.refused, "joined after a refusal"
            assert not self.ended, "joined after the dial had ended"
            assert name in self.lawful(), f"joined by {name}"
        await asyncio.sleep(0)

    def lawful(self) -> set[str]:
        """What may join a person now."""
        by = {"pressed_1"}
        if self.accepted:
            by |= {"picked_up", "pressed_nothing"}
        if self.ring.whisper is None:
            by.add("picked_up")
        return by

    def note(self, ring: Ring | None) -> None:
        if ring:
            self.dialled.append(ring.number)


async def run(
    happenings: Sequence[str], others: tuple[str, ...], whisper: str | None, least_talk_ms: int = 0
) -> None:
    """Let it all happen, then let the provider bring things to their end."""
    watched = Watched(others, whisper, least_talk_ms)
    watched.line.attach(Wire(), None)
    ringing = asyncio.create_task(watched.line.ring(watched.ring, unheard))
    await asyncio.sleep(0)
    for name in happenings:
        await watched.happen(name)
    watched.line.close()
    async with asyncio.timeout(90):
        went = await ringing
    assert watched.line.joined or went != Transferred("accepted")
    assert watched.line.over
    fresh = list(dict.fromkeys(watched.dialled))
    assert fresh == [watched.ring.number, *others][: len(fresh)], "numbers out of their order"


@pytest.mark.faults
@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.sampled_from(HAPPENINGS), max_size=10),
    st.sampled_from([(), ("+15005550008",), ("+15005550008", "+15005550007")]),
    st.sampled_from(["A caller for you. Press 1.", None]),
    st.sampled_from([0, 15_000]),
)
def test_a_person_is_joined_lawfully_in_any_order(
    happenings: list[str], others: tuple[str, ...], whisper: str | None, least_talk_ms: int
) -> None:
    """Nobody is joined without a key, a page's answer or a blind transfer, nor after a refusal or the end;
    numbers keep their order; nothing waits for ever.
    """
    asyncio.run(run(happenings, others, whisper, least_talk_ms))
