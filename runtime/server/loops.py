"""What a server's process is made of before it serves: its event loop, and what it never lets go of.

The loop is uvloop's where that is installed (the extra `fast`), else asyncio's own.
"""

import asyncio
import gc


def new_loop() -> asyncio.AbstractEventLoop:
    """A new loop."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def keep_for_good() -> None:
    """Whatever is loaded by now stays as long as the process: the collector need not look at it again.

    A full collection that walks all modules takes a tenth of a second, and no call is carried meanwhile.
    """
    gc.collect()
    gc.freeze()
