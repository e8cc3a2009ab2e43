"""Whom a handoff reaches and when: opening hours, several numbers, and what the desk's page said before."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.effects import Transfer
from runtime.handoff import Board, open_destinations
from runtime.handoff.hours import DAYS, Hours, read_spans
from runtime.ports import OutsideFailure
from tests.runtime.handoffs import DELIVER, TRANSFER, Clock, Remembering, close, desk, settings, unheard
from tests.runtime.office import Answer, listening

HOURS = 'open = ["mon-fri 09:00-17:30"]\ntime_zone = "America/New_York"\nclosed_on = ["2026-12-25"]\n'
DOCS = Path(__file__).parents[2] / "docs" / "handoff.md"
NEW_YORK = ZoneInfo("America/New_York")


def seconds(text: str, zone: ZoneInfo = NEW_YORK) -> float:
    """A local time as seconds since 1970."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("spans", "when", "is_open"),
    [
        (["mon-fri 09:00-17:30"], "2026-11-23T09:00", True),  # a Monday
        (["mon-fri 09:00-17:30"], "2026-11-23T08:59", False),
        (["mon-fri 09:00-17:30"], "2026-11-23T17:30", False),
        (["mon-fri 09:00-17:30"], "2026-11-22T12:00", False),
        (["mon-fri 09:00-17:30", "sun 11:00-13:00"], "2026-11-22T12:00", True),
        (["fri-mon 09:00-17:00"], "2026-11-22T12:00", True),  # round the week's end
        (["fri-mon 09:00-17:00"], "2026-11-25T12:00", False),
        (["sat 22:00-02:00"], "2026-11-22T01:59", True),  # past midnight
        (["sat 22:00-02:00"], "2026-11-21T01:00", False),
        (["mon 00:00-24:00"], "2026-11-23T23:59", True),
        (["mon 00:00-24:00"], "2026-11-24T00:00", False),
        ([], "2026-11-22T03:00", True),
    ],
)
def test_hours_hold_on_the_clock_of_their_zone(spans: list[str], when: str, is_open: bool) -> None:
    """Spans open at their begin and close at their end, in local time."""
    assert Hours(read_spans(spans), NEW_YORK).open_at(seconds(when)) == is_open


def test_hours_follow_the_clock_when_it_changes() -> None:
    """Nine o'clock is nine o'clock before and after the clocks go back."""
    hours = Hours(read_spans(["mon-sun 09:00-17:00"]), NEW_YORK)
    for day, utc_hour in (("2026-10-31", 13), ("2026-11-01", 14)):
        nine = datetime.fromisoformat(f"{day}T{utc_hour}:00").replace(tzinfo=UTC).timestamp()
        assert (hours.open_at(nine - 1), hours.open_at(nine)) == (False, True)


@given(st.sampled_from(DAYS), st.sampled_from(DAYS), st.integers(0, 10_080 * 60))
def test_a_span_of_whole_days_is_open_on_exactly_its_days(first: str, last: str, offset: int) -> None:
    """`first-last` counts its days forwards, round the week's end if need be."""
    hours = Hours(read_spans([f"{first}-{last} 00:00-24:00"]), ZoneInfo("UTC"))
    now = seconds("2026-11-23T00:00", ZoneInfo("UTC")) + offset
    wanted, day = [first], first
    while day != last:
        day = DAYS[(DAYS.index(day) + 1) % 7]
        wanted.append(day)
    assert hours.open_at(now) == (DAYS[datetime.fromtimestamp(now, UTC).weekday()] in wanted)


@pytest.mark.faults
@pytest.mark.parametrize("when", ["2026-11-23T20:00", "2026-11-22T12:00", "2026-12-25T12:00"])
async def test_out_of_hours_nothing_is_promised_and_nobody_rung(tmp_path: Path, when: str) -> None:
    """A closed desk fails the delivery as `closed` before any promise, yet the package is kept and sent."""
    async with listening(Answer(200, b"")) as office:
        table = f'{HOURS}number = "+15005550009"\nwebhook = "{office.url}/packages"'
        one = desk(tmp_path, table, Clock(seconds(when)))
        with pytest.raises(OutsideFailure, match="closed"):
            await one.deliver(DELIVER)
        went = await one.transfer(TRANSFER, unheard)
        assert (went.result, went.reason) == ("unanswered", "closed")
        await close(one)
        assert len(office.requests) == 1
    assert isinstance(one.line, Remembering)
    assert one.line.rang == []
    assert (tmp_path / "handoffs" / "CA1-h1.json").exists()


async def test_within_hours_the_person_is_rung(tmp_path: Path) -> None:
    """An open desk delivers and rings."""
    one = desk(tmp_path, f'{HOURS}number = "+15005550009"', Clock(seconds("2026-11-23T10:00")))
    assert await one.deliver(DELIVER)
    assert (await one.transfer(TRANSFER, unheard)).result == "accepted"


async def test_several_numbers_share_the_handoff_s_time(tmp_path: Path) -> None:
    """The numbers are rung in the order of the settings, each for its share of the time."""
    one = desk(tmp_path, 'numbers = ["+15005550009", "sip:desk@example.com", "+15005550009"]')
    await one.transfer(Transfer(handoff_id="h1", handoff="sales", mode="warm", timeout_ms=40_000), unheard)
    assert isinstance(one.line, Remembering)
    (ring,) = one.line.rang
    assert (ring.number, ring.others, ring.timeout_ms) == (
        "+15005550009",
        ("sip:desk@example.com",),
        20_000,
    )


async def test_whoever_accepted_before_it_rang_hears_no_whisper(tmp_path: Path) -> None:
    """An answer on the page counts from the delivery on: accepted needs no whisper, declined no ring."""
    for accepted in (True, False):
        one = desk(tmp_path, 'number = "+15005550009"')
        one.board = Board()
        await one.deliver(DELIVER)
        (waiting,) = one.board.of_call("CA1")
        one.board.answer(waiting.key, "Ana", accepted=accepted)
        went = await one.transfer(TRANSFER, unheard)
        assert isinstance(one.line, Remembering)
        assert [ring.whisper for ring in one.line.rang] == ([None] if accepted else [])
        assert (went.result, went.reason) == (("accepted", "") if accepted else ("refused", "declined"))


async def test_the_first_answer_counts() -> None:
    """Two people who answer at once: the second sees whose it is, and the line hears of one answer."""
    board, heard = Board(), []
    one = board.post("CA1", "h1", "sales", {})
    board.ring(one, lambda waiting: heard.append((waiting.place, waiting.by)))
    board.answer(one.key, "Ana", accepted=True)
    second = board.answer(one.key, "Ben", accepted=False)
    assert second is not None
    assert (second.place, second.by) == ("accepted", "Ana")
    assert heard == [("accepted", "Ana")]


async def test_a_watcher_who_is_too_slow_is_let_go() -> None:
    """A page that does not read costs bounded memory: its stream ends, and it may come again."""
    board = Board()
    changes = board.watch(60)
    board.post("CA1", "h0", "sales", {})
    first = await anext(changes)
    assert first is not None
    assert first["place"] == "waiting"
    for number in range(1200):
        board.post("CA1", f"h{number}", "sales", {})
    left = [change async for change in changes]
    assert len(left) == 1000
    assert board.watchers == 0


async def test_the_board_holds_no_more_than_it_may() -> None:
    """However many handoffs come, the oldest go and their packages with them."""
    board = Board()
    for number in range(700):
        board.post(f"CA{number}", "h1", "sales", {"summary": "x"})
    assert board.of_call("CA0") == []
    assert len(board.of_call("CA699")) == 1


def test_the_settings_in_the_documentation_are_settings(tmp_path: Path) -> None:
    """Every table the page on handoffs shows opens as it stands."""
    tables = "\n".join(re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL))
    environment = {
        "CRM_TOKEN": "a",
        "HANDOFF_SECRET": "b",
        "SMTP_PASSWORD": "c",
        "SLACK_WEBHOOK": "https://hooks.example.com/services/T/B/x",
        "VFC_DESK_TOKEN": "a-token-of-the-desk",
    }
    shown = tables.replace("[handoffs.sales]\n", "", 1)
    (sales,) = open_destinations({"sales": None}, settings(tmp_path, shown, **environment)).values()
    assert [way.name for way in sales.ways] == ["webhook", "slack", "email", "crm_note", "share", "desk"]
    assert [way.name for way in sales.ways if way.required] == ["webhook", "desk"]
    assert len(sales.numbers) == 2
