"""A real browser for tests of pages: Chromium, as the machine has it."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

PATIENCE_MS = 20_000


def chromium() -> str:
    """Where Chromium is; skips the test where there is none."""
    named = os.environ.get("CHROMIUM")
    found = named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
    )
    if not found:
        pytest.skip("no Chromium on this machine: install the package chromium, or set CHROMIUM to its path")
    return found


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """A running browser."""
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()
