"""A second server as a process of its own: it shares the store of a first one, and carries no call."""

import asyncio
import sys
from pathlib import Path

from runtime.server import start
from runtime.settings import load
from tests.runtime.switchboard import artifact


async def serve(file: Path) -> None:
    """Serve until whoever started it lets go of our input; the address is told first."""
    environment = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "TWILIO_AUTH_TOKEN": "the-auth-token"}
    environment |= {"VFC_PORT": "0", "VFC_PUBLIC_URL": "http://127.0.0.1", "OPENAI_API_KEY": "k"}
    running = await start([artifact()], load(file, environment))
    print(running.url, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await running.aclose()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
