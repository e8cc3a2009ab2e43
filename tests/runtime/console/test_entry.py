"""The desk's door: nothing is shown or answered without the token, nor for other sites."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from runtime.console.entry import COOKIE, LASTS_S, Entry
from runtime.handoff import Waiting
from runtime.settings.keys import SettingsError
from tests.runtime.switchboard import PATIENCE_S, Switchboard, open_switchboard

TOKEN = "a-token-of-the-desk"
DESK = f'[desk]\ntoken = "{TOKEN}"\n'


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[tuple[Switchboard, Waiting]]:
    """A server with a desk, and one handoff on its board."""
    async with open_switchboard(folder, toml=DESK) as board:
        assert board.running.calls.board is not None
        yield board, board.running.calls.board.post("CA1", "h1", "sales", {"summary": "private words"})


async def enter(board: Switchboard, token: str = TOKEN, **headers: str) -> httpx2.Response:
    """Enter a token as the page does."""
    url = f"{board.running.url}/desk/enter"
    return await board.http.post(url, data={"token": token, "name": "Ana"}, headers=headers)


async def test_there_is_no_desk_without_a_token(tmp_path: Path) -> None:
    """A server whose settings name no token has none of the desk's addresses."""
    async with open_switchboard(tmp_path) as board:
        for path in ("/desk", "/desk/changes", "/desk/desk.js"):
            assert (await board.http.get(board.running.url + path)).status_code == 404


async def test_a_short_token_is_refused_at_the_start(tmp_path: Path) -> None:
    """A token somebody could guess is a line for the operator."""
    with pytest.raises(SettingsError, match=r"desk\.token must be at least 16 characters long"):
        async with open_switchboard(tmp_path, toml='[desk]\ntoken = "short"\n'):
            pass


async def test_without_the_token_nothing_is_told(tmp_path: Path) -> None:
    """No cookie, and a forged one: the sign-in page, no changes, no answers; the handoff still waits."""
    async with desk(tmp_path) as (board, waiting):
        for cookie in ("", "x", "9999999999.QW5h.00", "é.."):
            headers = {b"Cookie": f"{COOKIE}={cookie}".encode()}
            page = await board.http.get(f"{board.running.url}/desk", headers=headers)
            assert "Desk token" in page.text
            changes = await board.http.get(f"{board.running.url}/desk/changes", headers=headers)
            assert (changes.status_code, "private" in changes.text) == (403, False)
            for deed in ("received", "accept", "decline", "put-away"):
                url = f"{board.running.url}/desk/handoffs/{waiting.key}/{deed}"
                assert (await board.http.post(url, headers=headers)).status_code == 403
        assert waiting.place == "waiting"


async def test_a_wrong_token_opens_nothing(tmp_path: Path) -> None:
    """A wrong token is told so, and gives no cookie."""
    async with desk(tmp_path) as (board, _):
        answer = await enter(board, "another-token-at-all")
        assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None)
        assert "That token is not the desk" in answer.text


async def test_the_cookie_is_for_the_desk_alone(tmp_path: Path) -> None:
    """The cookie is out of reach of scripts and other sites, and does not hold the token."""
    async with desk(tmp_path) as (board, _):
        cookie = (await enter(board)).headers["set-cookie"]
    lower = cookie.lower()
    assert all(part in lower for part in ("httponly", "samesite=strict", "path=/desk"))
    assert TOKEN not in cookie


async def test_other_sites_cannot_answer(tmp_path: Path) -> None:
    """A request a browser says comes from elsewhere is refused, cookie or not."""
    async with desk(tmp_path) as (board, waiting):
        assert (await enter(board, **{"Sec-Fetch-Site": "cross-site"})).status_code == 403
        await enter(board)
        url = f"{board.running.url}/desk/handoffs/{waiting.key}/accept"
        for site in ("cross-site", "same-site"):
            assert (await board.http.post(url, headers={"Sec-Fetch-Site": site})).status_code == 403
        assert waiting.place == "waiting"
        answer = await board.http.post(url, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.json() == {"place": "accepted", "by": "Ana"}


async def test_every_answer_forbids_what_the_page_does_not_need(tmp_path: Path) -> None:
    """Pages, files and answers carry the policy, and nothing of the desk is cached."""
    async with desk(tmp_path) as (board, _):
        await enter(board)
        for path in ("/desk", "/desk/desk.js", "/desk/desk.css"):
            headers = (await board.http.get(board.running.url + path)).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["cache-control"] == "no-store"


async def test_the_stream_tells_what_waits_and_ends_with_the_server(tmp_path: Path) -> None:
    """The stream begins with what is there, and an open page does not hold up the server's end."""
    async with desk(tmp_path) as (board, waiting):
        await enter(board)
        told: list[dict[str, str]] = []
        async with board.http.stream("GET", f"{board.running.url}/desk/changes") as stream:
            lines = stream.aiter_lines()
            async for line in lines:
                if line.startswith('data: {"key'):
                    told.append(json.loads(line.removeprefix("data: ")))
                    break
            closing = asyncio.create_task(board.running.calls.close())
            async with asyncio.timeout(PATIENCE_S):
                rest = [line async for line in lines]
            await closing
        assert told[0]["key"] == waiting.key
        assert [line for line in rest if line] == []


async def test_a_cookie_ends(tmp_path: Path) -> None:
    """A cookie opens the desk for its time, under its token, and no longer; names are cut to size."""
    now = 1000.0
    door = Entry(TOKEN, lambda: now)
    cookie = await door.enter(f" {TOKEN} ", "Ana\n" + "x" * 100)
    assert cookie is not None
    assert door.name(cookie) == "Ana" + "x" * 37
    assert Entry("another-token-at-all", lambda: now).name(cookie) is None
    now += LASTS_S
    assert door.name(cookie) is None
