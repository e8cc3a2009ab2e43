"""Two desks at two server processes that share a store: the same handoffs on both, and one answer counts."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from runtime.database import read_url
from runtime.store import WaitingRows, open_store
from tests.runtime.console.browser import PATIENCE_MS, browsing
from tests.runtime.console.test_browser import DESK, HOSTILE, LEG, REQUIRED, TOKEN, Bridge, ring
from tests.runtime.switchboard import CALL, FLOWS, PATIENCE_S, form, open_switchboard

FACTS = f'[facts.crm]\nsource = "csv_file"\npath = "{FLOWS / "lead_qualification" / "crm.csv"}"\n'


@asynccontextmanager
async def second(folder: Path, toml: str) -> AsyncIterator[str]:
    """A second server process with these settings; its address."""
    file = folder / "second.toml"
    file.write_text(toml)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.runtime.console.second", str(file)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while not (line := (await process.stdout.readline()).decode()).startswith("http"):
                assert line, "the second server did not start"
        yield line.strip()
    finally:
        process.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()


async def enter(browser: Browser, url: str, name: str) -> Page:
    """An open desk of this server."""
    page = await (await browser.new_context()).new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(f"{url}/desk")
    await page.get_by_label("Your name").fill(name)
    await page.get_by_label("Desk token").fill(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("Connected", timeout=PATIENCE_MS)
    return page


async def test_one_of_two_people_at_two_servers_has_the_call(tmp_path: Path) -> None:
    """Both see the handoff live and accept it in the same moment: one has it, both are told who, the owner's
    line is joined once, and the record of accesses names both.
    """
    shared = f'[store]\nurl = "sqlite:///{tmp_path / "shared.db"}"\n'
    bridge = Bridge()
    async with (
        browsing() as browser,
        open_switchboard(tmp_path, carry=bridge.carry, toml=shared + DESK) as board,
        second(tmp_path, f'records = "{tmp_path / "second"}"\n{shared}{DESK}{FACTS}') as other,
    ):
        ana, ben = await enter(browser, board.running.url, "Ana"), await enter(browser, other, "Ben")
        await ring(board, bridge)
        for page in (ana, ben):
            await expect(page.get_by_role("article").get_by_role("heading", name="sales")).to_be_visible()
        assert await ben.get_by_role("article").get_by_text(HOSTILE).count() == 3
        async with asyncio.TaskGroup() as both:
            for page in (ana, ben):
                both.create_task(page.get_by_role("button", name="Accept").click())
        for page in (ana, ben):
            await expect(page.get_by_role("article")).to_contain_text("accepted by ")
        told = [await page.locator("#handoff .place").inner_text() for page in (ana, ben)]
        assert told[0] == told[1]
        assert len(await board.ask(f"/twilio/whisper/{CALL}", form(LEG))) == 0
        await bridge.until("accepted/")
        for page in (ana, ben):
            await expect(page.get_by_role("article")).to_contain_text("with the caller by")
        desk = board.running.calls.board
        assert desk is not None
        store = await open_store(read_url(f"sqlite:///{tmp_path / 'shared.db'}", tmp_path))
        try:
            seen = await WaitingRows(store).accesses(CALL)
        finally:
            await store.close()
        assert {one["who"] for one in seen if one["what"] == "accepted"} == {"Ana", "Ben"}
        assert next(one["what"] for one in seen if one["who"] == "Ben") == "seen"


async def test_a_page_at_another_server_acknowledges_the_package(tmp_path: Path) -> None:
    """Where the desk is required, a page at the other process alone is enough, and its decline counts."""
    shared = f'[store]\nurl = "sqlite:///{tmp_path / "shared.db"}"\n'
    bridge = Bridge()
    async with (
        browsing() as browser,
        open_switchboard(tmp_path, carry=bridge.carry, toml=shared + REQUIRED) as board,
        second(tmp_path, f'records = "{tmp_path / "second"}"\n{shared}{REQUIRED}{FACTS}') as other,
    ):
        ben = await enter(browser, other, "Ben")
        await ring(board, bridge)
        await ben.get_by_role("button", name="Decline").click()
        await expect(ben.get_by_role("article")).to_contain_text("declined by Ben")
        live = board.running.calls.find(CALL)
        assert live is not None
        async with asyncio.timeout(PATIENCE_S):
            while (await board.ask(f"/twilio/whisper/{CALL}", form(LEG))).find("Hangup") is None:  # noqa: ASYNC110
                await asyncio.sleep(0.1)


@pytest.mark.faults
async def test_a_link_opens_one_package_for_whoever_may_see_it(tmp_path: Path) -> None:
    """A package's link asks for the token first, leads to that package, and is dead once it is over."""
    bridge = Bridge()
    async with browsing() as browser, open_switchboard(tmp_path, carry=bridge.carry, toml=DESK) as board:
        await ring(board, bridge)
        desk = board.running.calls.board
        assert desk is not None
        (waiting,) = desk.of_call(CALL)
        page = await (await browser.new_context()).new_page()
        page.set_default_timeout(PATIENCE_MS)
        link = f"{board.running.url}/desk/handoffs/{waiting.key}"
        await page.goto(link)
        assert await page.get_by_text(HOSTILE).count() == 0
        await page.get_by_label("Desk token").fill(TOKEN)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("article").get_by_role("heading", name="sales")).to_be_visible()
        desk.end(waiting, "call_ended")
        answer = await page.goto(link)
        assert answer is not None
        assert answer.status == 404
        await expect(page.get_by_role("heading", name="This handoff is over")).to_be_visible()
