"""Actions by a Python function that another installed package offers as an entry point (group `vfc.actions`).

It is called with the action's arguments by name, and with `idempotency_key` where it takes one; it returns a
mapping. A plain function runs in a thread of its own pool, so that a slow one holds up nothing else.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Final

import structlog

from runtime.actions.base import Opened, Opening
from runtime.engine.effects import RunAction
from runtime.ports import OutsideFailure
from runtime.settings.keys import Key, SettingsError, read_options, read_text, read_yes

log = structlog.get_logger()

GROUP: Final = "vfc.actions"
KEY: Final = "idempotency_key"
THREADS: Final = 4
KEYS: Final = (
    Key("entry_point", None, read_text, f"the name of an entry point in the group {GROUP}"),
    Key("repeatable", None, read_yes, "true if the function does one idempotency_key once", False),
)


@dataclass(frozen=True, slots=True)
class Python:
    """One function."""

    function: Callable[..., Any]
    takes_key: bool
    repeatable: bool
    threads: ThreadPoolExecutor = field(repr=False)

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Call it. Raises OutsideFailure: timeout, broken (it raised), bad_answer (no mapping came back)."""
        arguments: dict[str, Any] = dict(order.arguments)
        if self.takes_key:
            arguments[KEY] = order.idempotency_key
        try:
            async with asyncio.timeout(order.within_ms / 1000):
                result = await self._call(arguments)
        except TimeoutError:
            raise OutsideFailure("timeout") from None
        except OutsideFailure:
            raise
        except Exception as error:  # noqa: BLE001 - what other people's code raises is theirs to choose
            # Its text may quote the caller; its kind does not.
            log.error("action.raised", action=order.action, kind=type(error).__name__)
            raise OutsideFailure("broken") from None
        if result is not None and not isinstance(result, Mapping):
            raise OutsideFailure("bad_answer")
        return dict(result or {})

    async def _call(self, arguments: dict[str, Any]) -> Any:
        if inspect.iscoroutinefunction(self.function):
            return await self.function(**arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, lambda: self.function(**arguments))

    async def close(self) -> None:
        """A thread that is still at it is not waited for: it has had its time."""
        self.threads.shutdown(wait=False, cancel_futures=True)


def open_executor(opening: Opening) -> Opened:
    """The executor a table with `executor = "python"` describes. Raises SettingsError."""
    options = read_options(opening.place, opening.options, KEYS)
    name = options["entry_point"]
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        known = ", ".join(sorted(one.name for one in entry_points(group=GROUP))) or "none"
        raise SettingsError(
            [f"{opening.place}.entry_point: nothing installed offers {name!r} in {GROUP}; there is {known}."]
        )
    try:
        function = found.load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(
            [f"{opening.place}.entry_point: {found.value} cannot be loaded ({type(error).__name__})."]
        ) from None
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix=opening.place)
    return Opened(
        Python(function, KEY in inspect.signature(function).parameters, options["repeatable"], threads)
    )
