"""Where something can be made to raise inside one call: each port a call is given, and what is asked of it.

A hook stands between the call and the port (the session, the codec, the recorder...), passes everything on,
and once raises instead of doing what it is asked.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from runtime.call import Caller, Outside, carry
from runtime.ports import Unsure


@dataclass(frozen=True)
class Point:
    """The method of a port of `Outside`; which of the times it is asked it raises; what the caller wants."""

    port: str
    method: str
    time: int = 1
    wants: str = "table"


# Not the record's `effect`: an order that was not written down could not be told from one never given (I9).
# `wants`: what brings a call there. person: it is asked for; interrupts: the assistant is cut short;
# unsure: the action's answer is lost.
POINTS: Final = (
    Point("session", "connect"),
    Point("session", "open"),
    Point("session", "hear", 40),
    Point("session", "said"),
    Point("session", "brief"),
    Point("session", "respond"),
    Point("session", "respond", 2),
    Point("session", "flush", 3),
    Point("session", "answer"),
    Point("session", "heard"),
    Point("session", "listen"),
    Point("session", "stop", 1, "interrupts"),
    Point("session", "close"),
    Point("codec", "decode", 5),
    Point("codec", "decode", 200),
    Point("codec", "media"),
    Point("codec", "media", 12),
    Point("codec", "mark", 3),
    Point("codec", "clear", 1, "interrupts"),
    Point("actions", "run"),
    Point("actions", "find_out", 1, "unsure"),
    Point("desk", "transfer", 1, "person"),
    Point("record", "event"),
    Point("record", "event", 6),
    Point("record", "note", 1),
    Point("record", "durable"),
    Point("recording", "caller", 30),
    Point("recording", "assistant", 4),
    Point("line", "send", 9),
    Point("line", "close"),
)


class Hooked:
    """A port that raises once. `fired`: whether it did."""

    def __init__(self, port: Any, point: Point, raises: Callable[[], BaseException]) -> None:
        object.__setattr__(self, "_inside", (port, point, raises))
        object.__setattr__(self, "_asked", 0)
        object.__setattr__(self, "fired", False)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inside[0], name, value)

    def __getattr__(self, name: str) -> Any:
        port, point, raises = self._inside
        found = getattr(port, name)
        if name != point.method:
            return found
        waits = inspect.iscoroutinefunction(found)

        def asked(*given: Any, **named: Any) -> Any:
            object.__setattr__(self, "_asked", self._asked + 1)
            if self._asked != point.time:
                return found(*given, **named)
            object.__setattr__(self, "fired", True)
            if not waits:
                raise raises()
            return _raising(raises())

        return asked


async def _raising(error: BaseException) -> Any:
    raise error


class Lost:
    """Actions whose answer is lost: nobody knows whether they were done."""

    def __init__(self, actions: Any) -> None:
        self._actions = actions

    async def run(self, order: Any) -> Any:
        raise Unsure("lost")

    async def find_out(self, order: Any) -> Any:
        return await self._actions.find_out(order)


@dataclass
class Carrier:
    """Carries calls like a server; those of `numbers` with a hook, the first time they are carried."""

    numbers: Mapping[str, tuple[Point, Callable[[], BaseException]]]
    hooks: dict[str, Hooked]

    async def __call__(self, caller: Caller, outside: Outside) -> str:
        number = caller.caller_number or ""
        hook = self.numbers.get(number)
        if hook is None or outside.resumed is not None or number in self.hooks:
            return await carry(caller, outside)
        point, raises = hook
        if point.wants == "unsure":
            outside = replace(outside, actions=Lost(outside.actions))
        self.hooks[number] = Hooked(getattr(outside, point.port), point, raises)
        return await carry(caller, _given(outside, point.port, self.hooks[number]))


def _given(outside: Outside, port: str, hook: Any) -> Outside:
    changed: dict[str, Any] = {port: hook}
    return replace(outside, **changed)
