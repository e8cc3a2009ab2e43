"""This project's server with everything on: webhook, token, flow, record, recording, marks and timers."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from benchmarks.side_by_side.targets import main
from runtime import server, settings
from runtime.server.loops import keep_for_good
from runtime.simulate.loopback import write_settings
from tests.flows.shipped import ROOT, artifact, caller

FLOW = "lead_qualification"


@asynccontextmanager
async def opened(model_url: str) -> AsyncIterator[dict[str, str]]:
    """What `vfc serve` runs."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder:
        compiled = await asyncio.to_thread(artifact, FLOW)
        file = write_settings(compiled, ROOT / "flows" / FLOW, caller(FLOW, "agrees"), Path(folder), {})
        options = {
            "model.base_url": model_url,
            "model.api_key": "none",
            "telephony.auth_token": token,
            "limits.calls": 1000,
        }
        chosen = replace(settings.load(file, {}, options), public_url="")
        running = await server.start([compiled], chosen)
        keep_for_good()
        try:
            yield {"voice_url": running.voice_url, "token": token}
        finally:
            await running.aclose()


if __name__ == "__main__":
    main(opened)
