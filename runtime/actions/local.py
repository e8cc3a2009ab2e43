"""Actions written down: one line of JSON per action in a file, exactly once per idempotency key.

The embedded default, so that a flow does something real before anything is connected. A line is on the disk
before the action counts as done; a line cut short by a crash counts as not done.
"""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from runtime.actions.base import Opened, Opening
from runtime.engine.effects import RunAction
from runtime.ports import OutsideFailure
from runtime.privacy import starred
from runtime.settings.keys import Key, read_options

FILE_NAME: Final = "actions.jsonl"


def _read_returns(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError('a table like { time = "3 pm" }')
    return value


KEYS: Final = (Key("returns", None, _read_returns, "the fields this action answers with", {}),)


@dataclass(slots=True)
class Ledger:
    """One file of actions done, with what each answered, by key. Opened once per file and process."""

    path: Path
    done: dict[str, dict[str, Any]] | None = field(default=None, repr=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _writing: dict[str, "asyncio.Task[dict[str, Any]]"] = field(default_factory=dict, repr=False)

    async def record(self, line: dict[str, Any]) -> dict[str, Any]:
        """The result of the action with this key: the one written before, or `line`'s once it is on the
        disk.
        """
        key = line["idempotency_key"]
        if key not in self._writing:
            self._writing[key] = asyncio.create_task(self._write(line))
            self._writing[key].add_done_callback(lambda task: self._written(key, task))
        # A write that began is finished even if the call ends meanwhile, or the key would be done twice.
        return await asyncio.shield(self._writing[key])

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._writing.values(), return_exceptions=True)

    async def _write(self, line: dict[str, Any]) -> dict[str, Any]:
        async with self._lock:
            if self.done is None:
                self.done = await asyncio.to_thread(self._read)
            key = line["idempotency_key"]
            if key not in self.done:
                await asyncio.to_thread(self._append, line)
                self.done[key] = line["result"]
            return self.done[key]

    def _written(self, key: str, task: "asyncio.Task[dict[str, Any]]") -> None:
        del self._writing[key]
        if not task.cancelled():
            task.exception()  # whoever waited was told; nobody may be waiting any more

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self.path.exists():
            return {}
        found = {}
        for line in self.path.read_bytes().splitlines():
            try:
                entry = msgspec.json.decode(line)
                found[entry["idempotency_key"]] = entry["result"]
            except (msgspec.DecodeError, KeyError, TypeError):
                continue  # cut short by a crash: never acknowledged, so never done
        return found

    def _append(self, line: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, (b"\n" if torn else b"") + msgspec.json.encode(line) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Local:
    """An action that is written down. What it answers: `answers`, and a plain value for each other field."""

    ledger: Ledger
    answers: Mapping[str, Any]
    returns: Mapping[str, str]
    secrets: tuple[str, ...] = ()
    repeatable: bool = True

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Write the action down once. Raises OutsideFailure when the disk refuses or is too slow."""
        line = {
            "action": order.action,
            "idempotency_key": order.idempotency_key,
            "arguments": starred(order.arguments, self.secrets),
            "result": self._result(order.idempotency_key),
        }
        try:
            async with asyncio.timeout(order.within_ms / 1000):
                return await self.ledger.record(line)
        except TimeoutError:
            raise OutsideFailure("timeout") from None
        except OSError:
            raise OutsideFailure("disk") from None

    async def close(self) -> None:
        """Finish what is being written."""
        await self.ledger.close()

    def _result(self, key: str) -> dict[str, Any]:
        reference = hashlib.sha256(key.encode()).hexdigest()[:6].upper()
        plain = {name: _PLAIN.get(kind, reference) for name, kind in self.returns.items()}
        return plain | dict(self.answers)


# What an action answers that nobody described: a value of its type; for text, a reference that tells two
# apart.
_PLAIN: Final[dict[str, Any]] = {
    "integer": 1,
    "number": 0,
    "money": 0,
    "boolean": True,
    "date": "2030-01-01",
    "time": "09:00",
    "phone": "+15005550000",
    "email": "nobody@example.com",
    "digits": "0",
}


def open_executor(opening: Opening) -> Opened:
    """The executor a table with `executor = "local"` (or no table) describes. Raises SettingsError."""
    options = read_options(opening.place, opening.options, KEYS)
    path = (opening.records / FILE_NAME).absolute()
    return Opened(Local(Ledger(path), options["returns"], opening.returns, opening.secrets))
