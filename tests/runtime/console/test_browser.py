"""The desk in a real browser: handoffs arrive live, are read as text, and are answered by keyboard."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect

from runtime.call import Caller, Outside
from runtime.engine.effects import DeliverPackage, Transfer
from runtime.gate.complaints import marked
from runtime.telephony.base import Media, StreamStarted
from tests.runtime.console.browser import PATIENCE_MS, browsing
from tests.runtime.handoffs import unheard
from tests.runtime.inbox import Inbox
from tests.runtime.switchboard import (
    CALL,
    PATIENCE_S,
    Switchboard,
    end,
    form,
    media_message,
    open_switchboard,
    read,
    stop_message,
    token_of,
)

TOKEN = "a-token-of-the-desk"
DESK = f'[desk]\ntoken = "{TOKEN}"\n[handoffs.sales]\nnumber = "+15005550009"\nleast_talk_ms = 0\n'
REQUIRED = DESK + "[handoffs.sales.channels.desk]\nrequired = true\n"
LEG = "CA" + "8" * 32
HOSTILE = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'
PACKAGE: dict[str, Any] = {
    "handoff": "sales",
    "call_id": CALL,
    "flow": "lead-qualification",
    "flow_version": "1",
    "reason": "the caller asked for a person",
    "summary": f"The caller is {HOSTILE}.",
    "slots": [
        {"name": "team_size", "meaning": "people", "value": 20, "sure": True, "confidence": 0.9},
        {"name": "name", "meaning": "", "value": HOSTILE, "sure": False, "confidence": 0.4},
    ],
    "facts": {"account_status": "trial", "owner": None},
    "transcript": [
        {"who": "assistant", "text": "How many people would use it?", "at_ms": 900},
        {"who": "caller", "text": HOSTILE, "at_ms": 63_000},
    ],
    "sentiment": "negative",
    "callback_number": "+15005550006",
}


class Bridge:
    """A bridge that delivers a package at the first frame, transfers at the second, and then tells by marks
    how it went.
    """

    def __init__(self) -> None:
        self.told: list[str] = []
        self.changed = asyncio.Event()

    async def carry(self, caller: Caller, outside: Outside) -> str:
        orders = [self.deliver, self.transfer]
        tasks = []
        inbox = Inbox(outside.line)
        while (message := await inbox.receive()) is not None:
            match outside.codec.decode(message):
                case StreamStarted():
                    pass  # the caller is back
                case Media() if orders:
                    tasks.append(asyncio.create_task(orders.pop(0)(outside)))
                case Media():
                    outside.line.send(outside.codec.mark(self.told[-1]))
                case _:
                    break
        await asyncio.gather(*tasks)
        return await end(outside, "transferred" if "accepted/" in self.told else "caller_hangup")

    async def deliver(self, outside: Outside) -> None:
        order = DeliverPackage(handoff_id="h1", handoff="sales", package=PACKAGE)
        self.tell("delivered" if await outside.desk.deliver(order) else "")

    async def transfer(self, outside: Outside) -> None:
        went = await outside.desk.transfer(
            Transfer(handoff_id="h1", handoff="sales", mode="warm", timeout_ms=30_000), unheard
        )
        self.tell(f"{went.result}/{went.reason}")
        if went.result == "accepted":
            outside.line.close()

    def tell(self, what: str) -> None:
        self.told.append(what)
        self.changed.set()

    async def until(self, what: str) -> None:
        """Wait until this was told."""
        async with asyncio.timeout(PATIENCE_S):
            while what not in self.told:
                self.changed.clear()
                await self.changed.wait()


async def enter(browser: Browser, board: Switchboard, **options: Any) -> Page:
    """An open desk."""
    page = await (await browser.new_context(**options)).new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(f"{board.running.url}/desk")
    await page.get_by_label("Your name").fill("Ana")
    await page.get_by_label("Desk token").fill(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("Connected", timeout=PATIENCE_MS)
    return page


@asynccontextmanager
async def desk(
    folder: Path, toml: str = DESK, **options: Any
) -> AsyncIterator[tuple[Page, Switchboard, Bridge]]:
    """An open desk before a server whose bridge waits for frames."""
    bridge = Bridge()
    async with browsing() as browser, open_switchboard(folder, carry=bridge.carry, toml=toml) as board:
        yield await enter(browser, board, **options), board, bridge


async def ring(board: Switchboard, bridge: Bridge, *, deliver_only: bool = False) -> None:
    """Bring a call to where the person's telephone rings."""
    async with board.stream(await board.answer()) as socket:
        await socket.send(media_message())
        await bridge.until("delivered")
        if deliver_only:
            await socket.send(stop_message())
            assert await board.over() == "caller_hangup"
            return
        await socket.send(media_message(number=2))
        async with asyncio.timeout(PATIENCE_S):
            await socket.wait_closed()
    await board.ask("/twilio/after-stream")


async def test_a_handoff_arrives_live_and_is_read_as_text(tmp_path: Path) -> None:
    """Everything of the package is shown on a page that was already open, and markup in it stays text."""
    async with desk(tmp_path, REQUIRED) as (page, board, bridge):
        await expect(page.get_by_text("Nobody is waiting")).to_be_visible()
        await ring(board, bridge)
        shown = page.get_by_role("article")
        await expect(shown.get_by_role("heading", name="sales")).to_be_visible()
        for text in (
            "the caller asked for a person",
            "+15005550006",
            "negative",
            "not sure (40 %)",
            "trial",
            "not known",
            "How many people would use it?",
            "1:03",
        ):
            await expect(shown.get_by_text(text, exact=True).first).to_be_visible()
        assert await shown.get_by_text(HOSTILE).count() == 3
        assert await page.evaluate("window.hurt") is None
        assert await page.locator("img, article script").count() == 0
        await expect(page.get_by_role("log")).to_contain_text("Sales")
        if folder := os.environ.get("SCREENSHOTS"):
            await page.screenshot(path=f"{folder}/desk.png", full_page=True)
            await page.emulate_media(color_scheme="dark")
            await page.screenshot(path=f"{folder}/desk-dark.png", full_page=True)
            await page.set_viewport_size({"width": 390, "height": 844})
            await page.screenshot(path=f"{folder}/desk-small.png", full_page=True)


async def test_a_handoff_is_accepted_by_keyboard_alone(tmp_path: Path) -> None:
    """Accepting on the page joins whoever picks up, without whisper or key, and the page says by whom."""
    async with desk(tmp_path) as (page, board, bridge):
        await ring(board, bridge)
        await expect(page.get_by_text("ringing: your telephone rings").first).to_be_visible()
        accept = page.get_by_role("button", name="Accept")
        for _ in range(12):
            if await accept.evaluate("one => one === document.activeElement"):
                break
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("article")).to_contain_text("accepted by Ana: pick up")
        await expect(page.locator("#chosen")).to_be_focused()
        assert bridge.told == ["delivered"]
        assert len(await board.ask(f"/twilio/whisper/{CALL}", form(LEG))) == 0
        await bridge.until("accepted/")
        await expect(page.get_by_role("article")).to_contain_text("with the caller by Ana")
        assert await board.over() == "transferred"
        await expect(page.get_by_role("article")).to_be_visible()  # it is read while they talk
        await page.get_by_role("button", name="Put away").click()
        await expect(page.get_by_text("Nobody is waiting")).to_be_visible()


async def test_a_person_who_accepts_during_the_whisper_is_joined_after_it(tmp_path: Path) -> None:
    """Accepting on the page while the whisper speaks counts as the key: no digit is needed. What the caller
    complained about is noted for its call.
    """
    async with desk(tmp_path) as (page, board, bridge):
        await ring(board, bridge)
        whisper = await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        assert whisper.find("Gather") is not None
        await page.get_by_role("button", name="Accept").click()
        await expect(page.get_by_role("article")).to_contain_text("accepted by Ana")
        async with page.expect_response("**/complaint"):
            await page.get_by_role("button", name="Caller complains").click()
        assert marked(tmp_path / "records" / "calls") == {CALL}
        assert len(await board.ask(f"/twilio/whisper/{CALL}/answer", form(LEG))) == 0
        await bridge.until("accepted/")


async def test_a_declined_handoff_sends_the_caller_back(tmp_path: Path) -> None:
    """After declining, whoever picks up is not joined and the caller comes back as refused."""
    async with desk(tmp_path) as (page, board, bridge):
        await ring(board, bridge)
        await page.get_by_role("button", name="Decline").click()
        await expect(page.get_by_role("article")).to_contain_text("declined by Ana")
        late = await board.ask(f"/twilio/whisper/{CALL}", form(LEG))
        assert [verb.tag for verb in late] == ["Hangup"]
        again = await board.ask("/twilio/after-dial", form(DialCallStatus="no-answer"))
        async with board.stream(token_of(again)) as socket:
            await bridge.until("refused/declined")
            await socket.send(media_message())
            assert (await read(socket))["mark"]["name"] == "refused/declined"
            await expect(page.get_by_text("Nobody is waiting")).to_be_visible()
            await socket.send(stop_message())


async def test_a_caller_who_hangs_up_leaves_the_desk(tmp_path: Path) -> None:
    """A handoff whose caller is gone goes from the page, which says why."""
    async with desk(tmp_path) as (page, board, bridge):
        await ring(board, bridge, deliver_only=True)
        await expect(page.get_by_role("log")).to_have_text("Sales: over: the caller has hung up.")
        await expect(page.get_by_role("article")).to_be_hidden()


async def test_a_page_that_opens_late_shows_what_was_there_before(tmp_path: Path) -> None:
    """A handoff that arrived while no page was open is shown to the next one."""
    async with desk(tmp_path) as (page, board, bridge):
        await page.goto("about:blank")
        await ring(board, bridge)
        await page.goto(f"{board.running.url}/desk")
        await expect(page.get_by_role("button", name="Accept")).to_be_visible()


async def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """Every request the page makes goes to the server itself, and no policy is broken."""
    bridge = Bridge()
    async with browsing() as browser, open_switchboard(tmp_path, carry=bridge.carry, toml=DESK) as board:
        page = await enter(browser, board)
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        await page.reload()
        await ring(board, bridge)
        await expect(page.get_by_role("button", name="Accept")).to_be_visible()
        assert asked
        assert all(url.startswith(board.running.url + "/") for url in asked)
        assert complaints == []


async def test_the_desk_has_names_for_all_it_shows(tmp_path: Path) -> None:
    """A screen reader finds a main part, a list, headings and buttons by name, and news as they come."""
    async with desk(tmp_path) as (page, board, bridge):
        await ring(board, bridge)
        await expect(page.get_by_role("main", name="The chosen handoff")).to_be_visible()
        await expect(page.get_by_role("navigation", name="Waiting")).to_be_visible()
        await expect(page.get_by_role("columnheader", name="How sure")).to_be_visible()
        for name in ("Why", "Summary", "Caller", "What the caller gave", "What we knew", "What was said"):
            await expect(page.get_by_role("region", name=name, exact=True)).to_be_visible()
        assert await page.locator("[aria-live=assertive]").count() == 1
        chosen = page.get_by_role("button", name="sales the caller asked")
        assert await chosen.get_attribute("aria-current") == "true"
        assert await page.title() == "(1) Desk"
