"""Requests that came before: a webhook that names itself is answered once, and again with the same answer."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.responses import Response

KEPT_S: Final = 600.0  # longer than a signature is taken for fresh
MOST: Final = 10_000


class Replays:
    """The answers of the last minutes, by what their requests name themselves."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: OrderedDict[str, tuple[float, int, bytes, str | None]] = OrderedDict()

    def answer(self, key: str | None) -> Response | None:
        """What this request was answered before; None for a new one."""
        kept = self._answers.get(key) if key else None
        if kept is None or self._clock() - kept[0] > KEPT_S:
            return None
        _, status, body, kind = kept
        return Response(body, status, media_type=kind)

    def keep(self, key: str | None, answer: Response) -> Response:
        """Remember an answer, and give it on."""
        if key:
            self._answers[key] = (self._clock(), answer.status_code, bytes(answer.body), answer.media_type)
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        return answer
