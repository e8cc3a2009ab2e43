"""A folder: each package a file of its own, whole and synced to the disk, for its owner alone."""

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.handoff.channels.base import Delivery
from runtime.ports import OutsideFailure
from runtime.settings import Settings
from runtime.settings.keys import Key, Table, read_options, read_text

KEYS: Final = (Key("path", None, read_text, "the folder, such as /mnt/desk/handoffs"),)


@dataclass(frozen=True, slots=True)
class Folder:
    """Implements Channel."""

    path: Path
    lasting: bool = True

    async def deliver(self, delivery: Delivery) -> str:
        """Write it; the file's name is the receipt."""
        name = f"{file_name(delivery.call_id, delivery.handoff_id)}.json"
        await write_file(self.path / name, delivery.content)
        return name

    async def close(self) -> None:
        """Nothing is held."""


def open_channel(place: str, table: Table, settings: Settings) -> Folder:
    """A folder by its settings. Raises SettingsError."""
    return Folder(settings.folder / read_options(place, table, KEYS)["path"])


def file_name(*parts: str) -> str:
    """A name for a file, without what could lead elsewhere."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", "-".join(parts))[:120]


async def write_file(path: Path, content: bytes) -> None:
    """Put a file on the disk whole: a name that exists always has all of its bytes. Raises OutsideFailure."""
    try:
        await asyncio.to_thread(_write, path, content)
    except OSError:
        raise OutsideFailure("disk") from None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
