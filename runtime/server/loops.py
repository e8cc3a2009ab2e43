"""The event loop a server runs on: uvloop where it is installed (the extra `fast`), else asyncio's own."""

import asyncio


def new_loop() -> asyncio.AbstractEventLoop:
    """A new loop."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
