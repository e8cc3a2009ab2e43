"""A role-play in a real browser: typed, spoken, heard, taken back, kept; and nobody else gets in."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Page, async_playwright, expect

from runtime import audio
from runtime.session.stand_in import StandIn
from runtime.simulate.drive.call import Outside
from runtime.simulate.page import HearingError, Stage, serve, understand
from runtime.simulate.page.model import speaking
from runtime.simulate.roleplay import Roleplay
from runtime.voices import open_voice
from tests.flows.shipped import artifact
from tests.runtime.console.browser import chromium
from voiceflow_compiler import cli

FLOW = "lead_qualification"
PATIENCE_MS = 60_000
FAKE = (
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
RECORDED_S = "recording.pieces.reduce((sum, one) => sum + one.length, 0) / recording.context.sampleRate"


@asynccontextmanager
async def stage(*, silent: str = "") -> AsyncIterator[tuple[str, dict[str, str]]]:
    """A page that is served; its address, and the scenarios it keeps."""
    kept: dict[str, str] = {}

    def keep(name: str, text: str) -> str:
        if name in kept or not name:
            raise ValueError("choose another name")
        kept[name] = text
        return f"{name}.yaml"

    one = artifact(FLOW)
    game = Roleplay(one, None, Outside())
    async with speaking({}, live=False) as model:
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        on_stage = Stage(game, lambda: cli.drawn(one), keep, None if silent else model, silent)
        serving = asyncio.create_task(serve(on_stage, 0, ready.set_result))
        try:
            yield await ready, kept
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


@asynccontextmanager
async def page_at(address: str, *more: str) -> AsyncIterator[Page]:
    """The page in Chromium."""
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*FAKE, *more])
        try:
            page = await browser.new_page()
            page.set_default_timeout(PATIENCE_MS)
            expect.set_options(timeout=PATIENCE_MS)
            await page.goto(address)
            await expect(page.get_by_role("status")).to_have_text("The caller’s turn.")
            yield page
        finally:
            await browser.close()


async def test_what_is_typed_is_played_and_shown() -> None:
    """By keyboard alone: a turn is played and shown with its intent, values, node, brief and reasons, the
    graph marks the node, the assistant is heard, a turn is taken back, and the call becomes a scenario.
    """
    async with stage() as (address, kept), page_at(address) as page:
        spoken: list[str] = []
        complaints: list[str] = []
        page.on("requestfinished", lambda one: spoken.append(one.url) if "/said/" in one.url else None)
        page.on("console", lambda message: complaints.append(message.text))
        await expect(page.get_by_label("What the caller says", exact=True)).to_be_focused()
        await page.keyboard.type("sales dashboards")
        async with page.expect_response("**/said/*") as first:
            await page.keyboard.press("Enter")
        answer = await first.value
        assert answer.headers["content-type"] == "audio/wav"
        assert len(await answer.body()) > 24_000
        talk = page.get_by_role("log", name="The call")
        await expect(talk).to_contain_text("answer (0.90) main_need=dashboards")
        await expect(page.get_by_role("heading", name="At team")).to_be_visible()
        await expect(page.get_by_role("cell", name="dashboards", exact=True)).to_be_visible()
        await expect(page.get_by_role("list").filter(has_text="came to team")).to_be_visible()
        await expect(page.locator("#brief")).to_contain_text("Find out: team_size")
        here = page.frame_locator("#graph").locator(".node.here")
        await expect(here).to_have_attribute("data-name", "team")
        if folder := os.environ.get("SCREENSHOTS"):
            await page.set_viewport_size({"width": 1440, "height": 900})
            await page.screenshot(path=f"{folder}/play.png")
            await page.emulate_media(color_scheme="dark")
            await page.set_viewport_size({"width": 390, "height": 844})
            await page.screenshot(path=f"{folder}/play-small.png", full_page=True)
            await page.emulate_media(color_scheme="light")
        await page.keyboard.type(":why")
        await page.keyboard.press("Enter")
        await expect(talk.get_by_text("came to team: filled")).to_be_visible()
        await page.keyboard.type("twenty people")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="At timeline")).to_be_visible()
        await page.get_by_role("button", name="Back one turn").press("Enter")
        await expect(here).to_have_attribute("data-name", "team")
        await expect(talk.get_by_text("twenty people")).to_have_count(0)
        await page.get_by_label("Intent").select_option("wants_person")
        await page.get_by_role("button", name="Mean it").press("Enter")
        await expect(talk).to_contain_text("rings sales")
        await page.get_by_label("Scenario").fill("kept_call")
        await page.keyboard.press("Enter")
        await expect(talk).to_contain_text("saved: kept_call.yaml")
        assert "sales dashboards" in kept["kept_call"]
        await page.keyboard.press("Enter")
        await expect(talk).to_contain_text("not saved: choose another name")
        assert complaints == []
        assert spoken


async def test_what_is_spoken_into_the_microphone_is_heard(tmp_path: Path) -> None:
    """Speech from a microphone reaches the recogniser through the model's own protocol, and is played as
    typed words are.
    """
    said = open_voice("spoken", "caller").speak("sales dashboards")
    pcm = audio.mulaw_to_pcm16(audio.silence(1500) + said + audio.silence(3000))
    sound = tmp_path / "said.wav"
    sound.write_bytes(audio.mono_wav(audio.resample(pcm, 8000, 48_000), 48_000))
    lasts_s = len(pcm) / 16_000 - 2
    capture = f"--use-file-for-fake-audio-capture={sound}%noloop"
    async with stage() as (address, _), page_at(address, capture) as page:
        speak = page.locator("#speak")
        talk = page.get_by_role("log", name="The call")
        for _ in range(3):  # a browser without time loses sound: a person says it again
            await speak.press("Enter")
            over = page.get_by_role("button", name="That was it")
            await expect(over).to_have_attribute("aria-pressed", "true")
            await page.wait_for_function(f"() => recording && {RECORDED_S} > {lasts_s}")
            async with page.expect_response("**/heard*"):
                await speak.press("Enter")
            await expect(page.get_by_role("status")).to_have_text("The caller’s turn.")
            if "main_need=dashboards" in await talk.inner_text():
                break
            async with page.expect_response("**/take"):
                await page.get_by_role("button", name="Back one turn").press("Enter")
            await expect(page.get_by_role("status")).to_have_text("The caller’s turn.")
        await expect(talk).to_contain_text("main_need=dashboards")
        await expect(talk).to_contain_text("sales dashboards")
        await expect(page.get_by_role("heading", name="At team")).to_be_visible()


async def test_silence_in_the_microphone_is_no_turn() -> None:
    """Where nobody spoke, the call stays where it was and the page says so."""
    async with stage() as (address, _), httpx2.AsyncClient(timeout=60, follow_redirects=True) as http:
        await http.get(address)
        origin = address.partition("/?")[0]
        before = (await http.get(f"{origin}/scene")).json()["scene"]
        told = (await http.post(f"{origin}/heard?rate=48000", content=bytes(96_000))).json()
        assert told["told"] == [{"kind": "note", "text": "nobody was heard: speak louder, or type"}]
        assert told["scene"] == before
        assert (await http.post(f"{origin}/heard?rate=7", content=bytes(96))).status_code == 404


async def test_without_a_voice_the_page_is_text() -> None:
    """Where nothing can speak, the page says why and its microphone is off; typing works."""
    async with stage(silent="In text only: no voice") as (address, _):
        path = chromium()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=path, args=list(FAKE))
            page = await browser.new_page()
            await page.goto(address)
            await expect(page.get_by_role("status")).to_have_text(
                "In text only: no voice", timeout=PATIENCE_MS
            )
            await expect(page.get_by_role("button", name="Speak")).to_be_disabled()
            await page.get_by_label("What the caller says", exact=True).fill("sales dashboards")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("heading", name="At team")).to_be_visible(timeout=PATIENCE_MS)
            await browser.close()


async def test_the_address_opens_once_and_for_one() -> None:
    """The token opens the page to the first who brings it; without its cookie, under another name for this
    machine, or from another site, nothing is shown or done.
    """
    async with stage() as (address, _):
        origin = address.partition("/?")[0]
        async with httpx2.AsyncClient(timeout=60) as one, httpx2.AsyncClient(timeout=60) as other:
            assert (await other.get(f"{origin}/?token=guess")).status_code == 403
            opened = await one.get(address)
            assert (opened.status_code, opened.headers["location"]) == (303, "/")
            assert (await one.get(f"{origin}/scene")).status_code == 200
            assert (await other.get(address)).status_code == 403
            for path in ("/", "/scene", "/graph.svg", "/play.js", "/said/0"):
                assert (await other.get(f"{origin}{path}")).status_code == 403
            for headers in ({"sec-fetch-site": "cross-site"}, {"host": "evil.example"}):
                refused = await one.post(f"{origin}/take", content=":hangup", headers=headers)
                assert refused.status_code == 403
            assert (await one.get(f"{origin}/scene")).json()["scene"]["moves"] == 0


async def test_a_model_that_cannot_be_asked_is_a_note() -> None:
    """With the model of the settings, a wrong key is told in one line, and a missing one before it begins."""
    one = artifact(FLOW)
    game = Roleplay(one, None, Outside())
    async with StandIn(voice="spoken", key="right") as model:
        environment = {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "wrong"}
        async with speaking(environment, live=True) as chosen:
            assert chosen.base_url == model.base_url
            with pytest.raises(HearingError, match="unauthorized"):
                await understand(chosen, one, game.state, "", bytes(48_000))
        with pytest.raises(ValueError, match="OPENAI_API_KEY"):
            async with speaking({}, live=True):
                pass
