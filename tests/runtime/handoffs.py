"""What tests of handoffs share: a package, a line that remembers, and a desk by its settings."""

from pathlib import Path
from typing import Any

from runtime.engine.effects import DeliverPackage, Transfer
from runtime.handoff import CallDesk, Ring, Spool, Tell, Transferred, open_destinations
from runtime.settings import Settings, load

HOSTILE = "<!channel> Bob & Co\r\nBcc: all@example.com"
PACKAGE: dict[str, Any] = {
    "handoff": "sales",
    "call_id": "CA1",
    "flow": "lead-qualification",
    "flow_version": "1",
    "reason": "the caller asked for a person",
    "summary": f"The caller is {HOSTILE}.",
    "slots": [{"name": "team_size", "meaning": "people", "value": 20, "sure": False, "confidence": 0.4}],
    "facts": {"account_status": "trial"},
    "transcript": [{"who": "caller", "text": "a person please", "at_ms": 900}],
    "sentiment": "neutral",
    "callback_number": "+15005550006",
}
DELIVER = DeliverPackage(handoff_id="h1", handoff="sales", package=PACKAGE)
TRANSFER = Transfer(handoff_id="h1", handoff="sales", mode="warm", timeout_ms=30_000)


def unheard(step: str) -> None:
    """Nobody asks how far a transfer is."""


class Remembering:
    """A line whose person always accepts."""

    def __init__(self) -> None:
        self.rang: list[Ring] = []
        self.answers: list[bool] = []

    async def ring(self, ring: Ring, tell: Tell) -> Transferred:
        self.rang.append(ring)
        return Transferred("accepted")

    def person_answered_elsewhere(self, *, accepted: bool) -> None:
        self.answers.append(accepted)

    async def join(self) -> None:
        """Nobody is away here."""

    def give_up(self) -> None:
        """Nobody is rung here."""


def settings(folder: Path, table: str = "", **environment: str) -> Settings:
    """Settings with this text below [handoffs.sales]; somebody can be rung unless the text says whom."""
    table = (
        table if table.startswith("number") or "\nnumber" in table else f'number = "+15005550009"\n{table}'
    )
    outbound = '[outbound]\nprivate_hosts = ["127.0.0.1"]\n'
    (folder / "vfc.toml").write_text(f"{outbound}[handoffs.sales]\n{table}\n")
    enough = {"VFC_PUBLIC_URL": "https://c.example", "OPENAI_API_KEY": "k", "TWILIO_AUTH_TOKEN": "t"}
    return load(folder / "vfc.toml", enough | environment)


class Clock:
    """A clock the test sets, in seconds since 1970."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def desk(folder: Path, table: str = "", clock: Clock | None = None, **environment: str) -> CallDesk:
    """A call's desk whose packages go to `folder`/handoffs, with a spool beside them."""
    destinations = open_destinations({"sales": None}, settings(folder, table, **environment))
    ways = {("sales", way.name): way for way in destinations["sales"].ways}
    clock = clock or Clock()
    spool = Spool(folder / "spool", ways, clock)
    return CallDesk("CA1", folder / "handoffs", destinations, Remembering(), None, None, spool, clock=clock)


def spooled(folder: Path) -> list[Path]:
    """What waits to be sent again."""
    return sorted((folder / "spool").glob("*.json"))


async def close(one: CallDesk) -> None:
    """Let go of the desk's connections, what is being sent first."""
    if one.spool:
        await one.spool.close()
    for destination in one.destinations.values():
        await destination.close()
