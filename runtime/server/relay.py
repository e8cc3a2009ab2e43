"""A media stream that came to one worker while its call is live in another: passed through, message by
message. Only callers who come back from a transfer take this way.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runtime.server.upgrade import MAX_MESSAGE
from runtime.websocket import Message, RefusedError, Socket, connect

GONE: Final = 1001
SIGNED: Final = ("x-twilio-signature", "authorization")


async def relay(
    socket: Socket, first: Message, path: Path, media_path: str, headers: Mapping[str, str]
) -> bool:
    """Pass everything on, the first message before all else, until one side ends. False: nobody was there."""
    sent = {name: headers[name] for name in SIGNED if name in headers}
    try:
        other = await connect(f"ws://worker{media_path}", sent, most=MAX_MESSAGE, unix=path)
    except (OSError, RefusedError):
        return False
    other.send(first)
    _pass_on(socket, other)
    _pass_on(other, socket)
    return True


def _pass_on(one: Socket, other: Socket) -> None:
    def take(message: Message | None) -> None:
        if message is None:
            other.close(one.close_code if one.close_code in (1000, 1001, 1008) else GONE)
        else:
            other.send(message)

    one.listen(take)
