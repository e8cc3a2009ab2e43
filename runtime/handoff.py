"""Handoffs: the context package brought to a person's side, and the person brought onto the line.

1. A package is checked, written and synced to the disk before it counts as delivered; a webhook, where there
   is one, must have acknowledged it too.
2. Who is rung stands in the settings. Neither the model nor the caller can name a number.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

from runtime.engine.effects import DeliverPackage, Transfer
from runtime.engine.events import Scalar
from runtime.outbound import KEYS as HTTP_KEYS
from runtime.outbound import Endpoint, Reach, ask, open_endpoint, reach_of, read_secrets
from runtime.ports import OutsideFailure, Packages
from runtime.settings import Settings
from runtime.settings.keys import Key, SettingsError, read_number, read_options, read_url

WEBHOOK_MS: Final = 5000
FOLDER: Final = "handoffs"
WHISPER_CHARACTERS: Final = 400

# --- the package, as schemas/handoff.schema.json has it ---

Text = Annotated[str, Meta(max_length=20_000)]


class SlotHeld(Struct, frozen=True, forbid_unknown_fields=True):
    name: Text
    value: Scalar
    meaning: Text = ""
    sure: bool = False
    confidence: Annotated[float, Meta(ge=0, le=1)] = 1.0


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    who: Literal["assistant", "caller"]
    text: Text
    at_ms: Annotated[int, Meta(ge=0)] = 0


class Package(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person is told before they speak to the caller; which of the optional fields are there, the
    flow says.
    """

    handoff: Text
    call_id: Text
    flow: Text
    flow_version: Text
    reason: Text | None = None
    summary: Text | None = None
    slots: list[SlotHeld] | None = None
    facts: dict[str, Scalar | None] | None = None
    transcript: list[Line] | None = None
    sentiment: Literal["positive", "neutral", "negative"] | None = None
    callback_number: Annotated[str, Meta(max_length=64)] | None = None


def check_package(package: Mapping[str, Any]) -> Package:
    """The package in its type. Raises OutsideFailure("bad_package"), which quotes nothing of it."""
    try:
        return msgspec.convert(package, Package)
    except msgspec.ValidationError:
        raise OutsideFailure("bad_package") from None


# --- where people are ---


def _read_number(value: Any) -> str | None:
    return read_number(value) if value else None


def _read_webhook(value: Any) -> str | None:
    return read_url("https", "http")(value) if value else None


KEYS: Final = (
    Key("number", None, _read_number, 'the number to ring, or a "sip:" address', ""),
    Key("webhook", None, _read_webhook, "an address the package is posted to", ""),
    *(key for key in HTTP_KEYS if key.path == "headers"),
)


@dataclass(frozen=True, slots=True)
class Destination:
    """One handoff's person: whom to ring, and where else the package goes."""

    number: str | None
    webhook: Endpoint | None


def open_destinations(names: Mapping[str, Any], settings: Settings) -> dict[str, Destination]:
    """The destination of each handoff of a flow, by the settings. Raises SettingsError with every problem."""
    problems: list[str] = []
    found = {}
    for name in names:
        try:
            found[name] = _destination(
                f"handoffs.{name}", settings.handoffs.get(name, {}), settings.environment, reach_of(settings)
            )
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return found


def _destination(
    place: str, table: Mapping[str, Any], environment: Mapping[str, str], reach: Reach
) -> Destination:
    options = read_options(place, table, KEYS)
    headers = read_secrets(place, options["headers"], environment)
    url = options["webhook"]
    webhook = open_endpoint(f"{place}.webhook", url, "POST", headers, reach) if url else None
    return Destination(options["number"], webhook)


# --- one call's desk ---


@dataclass(slots=True)  # not frozen: the port's attributes may be set
class Transferred:
    """How a transfer went.

    `result`: accepted, refused, unanswered; `reason` as in runtime.ports.TransferResult.
    """

    result: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ring:
    """Whom to ring while the caller waits.

    `whisper`: what the person hears and must accept; None: joined at once.
    """

    number: str
    timeout_ms: int
    whisper: str | None = field(repr=False)


class Ringer(Protocol):
    """Whoever can bring a person onto this call's line."""

    async def ring(self, ring: Ring) -> Transferred: ...

    def give_up(self) -> None: ...


@dataclass(slots=True)
class CallDesk:
    """The human side of one call, as the call sees it (runtime.ports.Desk). `packages`: the store, if any."""

    call_id: str
    folder: Path
    destinations: Mapping[str, Destination]
    line: Ringer
    packages: Packages | None = None
    _packages: dict[str, Package] = field(default_factory=dict, repr=False)

    async def deliver(self, order: DeliverPackage) -> str:
        """Write the package, post it where a webhook is set; returns the receipt. Raises OutsideFailure."""
        package = check_package(order.package)
        content = msgspec.json.format(msgspec.json.encode(order.package, order="sorted"), indent=2) + b"\n"
        name = re.sub(r"[^A-Za-z0-9_-]", "-", f"{self.call_id}-{order.handoff_id}")[:120]
        try:
            await asyncio.to_thread(_write, self.folder / f"{name}.json", content)
        except OSError:
            raise OutsideFailure("disk") from None
        if self.packages:
            await self.packages.keep_package(self.call_id, order.handoff_id, order.handoff, content)
        receipt = hashlib.sha256(content).hexdigest()[:16]
        destination = self.destinations.get(order.handoff)
        if destination and destination.webhook:
            answer = await ask(
                destination.webhook, order.package, f"{self.call_id}:{order.handoff_id}", WEBHOOK_MS / 1000
            )
            receipt = str(answer.get("receipt") or receipt)[:200]
        if self.packages:
            await self.packages.acknowledge_package(self.call_id, order.handoff_id, receipt)
        self._packages[order.handoff_id] = package
        return receipt

    async def transfer(self, order: Transfer) -> Transferred:
        """Ring the person the settings name for this handoff. With nobody to ring: unanswered, closed."""
        destination = self.destinations.get(order.handoff)
        if destination is None or destination.number is None:
            return Transferred("unanswered", "closed")
        whisper = self._whisper(order.handoff_id) if order.mode == "warm" else None
        return await self.line.ring(Ring(destination.number, order.timeout_ms, whisper))

    async def give_up(self, handoff_id: str) -> None:
        """Whoever picks up from now on is not joined to the caller."""
        self.line.give_up()

    def _whisper(self, handoff_id: str) -> str:
        package = self._packages.get(handoff_id)
        told = " ".join(part for part in (package.reason, package.summary) if part) if package else ""
        return f"A caller for you. {told[:WHISPER_CHARACTERS]} Press 1 to take the call."


def _write(path: Path, content: bytes) -> None:
    """Put a file on the disk whole: a name that exists always has all of its bytes."""
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
