"""The desk of several workers: one cookie, one board, one answer, whichever worker a page reaches."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from runtime.console.entry import COOKIE
from runtime.server.fleet import slot_of
from tests.stack.workers import Fleet, open_fleet

TOKEN = "a-token-of-the-desk"
REQUIRED = "\n[handoffs.sales.channels.desk]\nrequired = true\n"
# Without an account at the REST interface people are rung by the network, which the fake telephone does.
ENVIRONMENT = {"VFC_DESK_TOKEN": TOKEN, "TWILIO_ACCOUNT_SID": ""}
WITHIN_S = 60


class Page:
    """A page of the desk whose every request reaches one worker: what its stream told, in order."""

    def __init__(self, http: httpx2.AsyncClient, slot: int, changed: asyncio.Event) -> None:
        self.http, self.slot, self.changed = http, slot, changed
        self.told: list[dict[str, Any]] = []

    async def read(self) -> None:
        async with self.http.stream("GET", "/desk/changes") as stream:
            async for line in stream.aiter_lines():
                if line.startswith('data: {"key'):
                    self.told.append(json.loads(line.removeprefix("data: ")))
                    self.changed.set()

    async def until(self, **shown: str) -> dict[str, Any]:
        """The first change that shows this."""
        return await until([self], lambda one: shown.items() <= one.items())

    async def send(self, key: str, deed: str) -> dict[str, str]:
        answer = await self.http.post(f"/desk/handoffs/{key}/{deed}")
        assert answer.status_code == 200, (deed, answer.status_code)
        told: dict[str, str] = answer.json()
        return told


async def until(pages: list[Page], fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first change that any of these pages is told and that fits."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            for one in (one for page in pages for one in page.told if fits(one)):
                return one
            pages[0].changed.clear()
            await pages[0].changed.wait()


@asynccontextmanager
async def pages(fleet: Fleet) -> AsyncIterator[list[Page]]:
    """A page at each of two workers: either enters at the other one."""
    opened, changed = [], asyncio.Event()
    for slot in (0, 1):
        transport = httpx2.AsyncHTTPTransport(uds=fleet.socket(slot))
        http = httpx2.AsyncClient(transport=transport, base_url="http://worker", timeout=WITHIN_S)
        opened.append(Page(http, slot, changed))
    for page, name in zip(opened, ("Ana", "Ben"), strict=True):
        entered = await opened[1 - page.slot].http.post("/desk/enter", data={"token": TOKEN, "name": name})
        assert entered.status_code == 303
        page.http.headers["Cookie"] = f"{COOKIE}={entered.cookies[COOKIE]}"
    for page in opened:
        page.http.cookies.clear()  # each brings the one it was given elsewhere
    reading = [asyncio.create_task(page.read()) for page in opened]
    try:
        yield opened
    finally:
        for one in reading:
            one.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        for page in opened:
            await page.http.aclose()


async def owner_first(fleet: Fleet, two: list[Page]) -> tuple[Page, Page]:
    """The page at the worker that has the one live call, and the other."""
    (live,) = await fleet.live()
    slot = slot_of(live.owner or "")
    return two[slot], two[1 - slot]


def events(fleet: Fleet, call_id: str) -> list[dict[str, Any]]:
    """Every event in the record of a call."""
    return [line["event"] for record in fleet.records(call_id) for line in record.lines if "event" in line]


@pytest.mark.faults
async def test_any_worker_shows_and_answers_the_handoffs_of_all(tmp_path: Path) -> None:
    """A cookie of one worker opens the desk at another. A page at the worker that has not the call
    acknowledges the package the moment any page shows it. Of two who accept at once at two workers one has
    the call. The next one is declined at the other worker, and its call goes on without a person.
    """
    async with open_fleet(tmp_path, environment=ENVIRONMENT, toml=REQUIRED) as fleet, pages(fleet) as two:
        call = asyncio.create_task(fleet.call("+12025550107", "escalates"))
        shown = await until(two, lambda one: one["place"] == "waiting")
        owner, other = await owner_first(fleet, two)
        assert (await other.send(shown["key"], "received"))["place"] == "waiting"
        answers = await asyncio.gather(*(page.send(shown["key"], "accept") for page in two))
        assert answers[0] == answers[1]
        assert answers[0]["place"] == "accepted"
        for page in two:
            taken = await page.until(place="accepted", why="joined")
            assert taken["by"] == answers[0]["by"]
        assert "ringing" not in [one["place"] for one in owner.told]
        ended = await call
        assert ended.how == "transferred"
        assert (await other.send(shown["key"], "put-away"))["place"] == "over"
        for page in two:
            await page.until(key=shown["key"], place="over")

        call = asyncio.create_task(fleet.call("+12025550107", "escalates"))
        new = await until(two, lambda one: one["key"] != shown["key"])
        owner, other = await owner_first(fleet, two)
        await other.send(new["key"], "received")
        assert (await other.send(new["key"], "decline"))["place"] == "declined"
        ended = await call
        assert ended.how == "assistant_hung_up"
        refused = [one for one in events(fleet, ended.call_id) if one["type"] == "TransferRefused"]
        assert [one["reason"] for one in refused] == ["declined"]
