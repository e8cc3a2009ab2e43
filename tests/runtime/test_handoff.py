"""Handoffs: the package's schema, its way to the disk and to a webhook, and who is rung."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from runtime.engine.effects import DeliverPackage, Transfer
from runtime.handoff import CallDesk, Ring, Tell, Transferred, check_package, open_destinations
from runtime.ports import OutsideFailure
from runtime.settings import Settings, load
from runtime.settings.keys import SettingsError
from tests.runtime.handoffs import unheard
from tests.runtime.office import Answer, listening

PACKAGE: dict[str, Any] = {
    "handoff": "sales",
    "call_id": "CA1",
    "flow": "lead-qualification",
    "flow_version": "1",
    "reason": "the caller asked for a person",
    "summary": "The caller reached team after 2 turns.",
    "slots": [{"name": "team_size", "meaning": "people", "value": 20, "sure": True, "confidence": 0.9}],
    "facts": {"account_status": "trial"},
    "transcript": [{"who": "caller", "text": "a person please", "at_ms": 900}],
    "sentiment": "neutral",
    "callback_number": None,
}
DELIVER = DeliverPackage(handoff_id="h1", handoff="sales", package=PACKAGE)
TRANSFER = Transfer(handoff_id="h1", handoff="sales", mode="warm", timeout_ms=30_000)
SCHEMA = json.loads(schemas.read("handoff"))


class FakeLine:
    """A line whose person always accepts; it remembers whom it rang."""

    def __init__(self) -> None:
        self.rang: list[Ring] = []
        self.given_up = False
        self.answers: list[bool] = []

    async def ring(self, ring: Ring, tell: Tell) -> Transferred:
        self.rang.append(ring)
        return Transferred("accepted")

    def person_answered_elsewhere(self, *, accepted: bool) -> None:
        self.answers.append(accepted)

    async def join(self) -> None:
        """Nobody is away here."""

    def give_up(self) -> None:
        self.given_up = True


def settings(folder: Path, table: str = "") -> Settings:
    """Settings with this [handoffs.sales] table."""
    outbound = '[outbound]\nprivate_hosts = ["127.0.0.1"]\n'
    (folder / "vfc.toml").write_text(f"{outbound}[handoffs.sales]\n{table}\n" if table else "")
    environment = {"VFC_PUBLIC_URL": "https://c.example", "OPENAI_API_KEY": "k", "TWILIO_AUTH_TOKEN": "t"}
    return load(folder / "vfc.toml", environment | {"DESK_TOKEN": "s3cret"})


def desk(folder: Path, table: str = "", *, anybody: bool = True) -> tuple[CallDesk, FakeLine]:
    """A call's desk whose packages go to `folder`/handoffs; `anybody`: somebody can be rung."""
    line = FakeLine()
    if anybody and "number" not in table:
        table = f'number = "+15005550009"\n{table}'
    return CallDesk(
        "CA1", folder / "handoffs", open_destinations({"sales": None}, settings(folder, table)), line
    ), line


async def close(one: CallDesk) -> None:
    """Let go of the desk's connections."""
    for destination in one.destinations.values():
        await destination.close()


VALUES = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(0, 1) | st.text(max_size=5)
FIELDS = st.sampled_from([*PACKAGE, "odd"])
CHANGED = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
)


@given(st.dictionaries(FIELDS, CHANGED, max_size=3), st.sets(FIELDS, max_size=2))
def test_the_schema_and_the_type_agree(changed: dict[str, Any], without: set[str]) -> None:
    """A package is taken exactly when the published schema takes it."""
    package = {name: value for name, value in (PACKAGE | changed).items() if name not in without}
    by_schema = not list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(package))
    try:
        check_package(package)
        by_type = True
    except OutsideFailure:
        by_type = False
    assert by_type == by_schema, package


async def test_a_delivered_package_is_whole_on_the_disk(tmp_path: Path) -> None:
    """What was delivered lies in the folder, is the package, and nobody else may read it."""
    one, _ = desk(tmp_path)
    receipt = await one.deliver(DELIVER)
    (file,) = (tmp_path / "handoffs").iterdir()
    assert json.loads(file.read_bytes()) == PACKAGE
    assert file.stat().st_mode & 0o077 == 0
    assert receipt


async def test_a_package_out_of_shape_is_not_delivered(tmp_path: Path) -> None:
    """A package the schema refuses fails without a file, and the failure quotes nothing of it."""
    one, _ = desk(tmp_path)
    order = DeliverPackage(handoff_id="h1", handoff="sales", package=PACKAGE | {"sentiment": "furious"})
    with pytest.raises(OutsideFailure) as told:
        await one.deliver(order)
    assert str(told.value) == "bad_package"
    assert not (tmp_path / "handoffs").exists()


async def test_a_full_disk_is_a_failure_with_a_reason(tmp_path: Path) -> None:
    """When the folder cannot be written, the package counts as not delivered."""
    one, _ = desk(tmp_path)
    (tmp_path / "handoffs").write_text("in the way")
    with pytest.raises(OutsideFailure, match="disk"):
        await one.deliver(DELIVER)


async def test_a_webhook_acknowledges_with_its_own_receipt(tmp_path: Path) -> None:
    """With a webhook, the package is posted with its headers, and the receipt is the webhook's."""
    async with listening(Answer(200, b'{"receipt": "R-7"}')) as office:
        table = f'webhook = "{office.url}/packages"\nheaders = {{ X-Key = "env:DESK_TOKEN" }}'
        one, _ = desk(tmp_path, table)
        assert await one.deliver(DELIVER) == "R-7"
        await close(one)
    (request,) = office.requests
    assert json.loads(request.body) == PACKAGE
    assert request.headers["x-key"] == "s3cret"


@pytest.mark.parametrize("answer", [Answer(500, b""), Answer(200, b"not json"), Answer(302, b"")])
async def test_a_webhook_that_does_not_acknowledge_fails_the_delivery(tmp_path: Path, answer: Answer) -> None:
    """Without an acknowledgement nobody may say that the notes were shared."""
    async with listening(answer) as office:
        one, _ = desk(tmp_path, f'webhook = "{office.url}/packages"')
        with pytest.raises(OutsideFailure):
            await one.deliver(DELIVER)
        await close(one)


async def test_a_warm_transfer_whispers_what_the_package_says(tmp_path: Path) -> None:
    """The person hears the reason before they are asked to take the call; the number is the settings'."""
    one, line = desk(tmp_path, 'number = "+15005550009"')
    await one.deliver(DELIVER)
    assert (await one.transfer(TRANSFER, unheard)).result == "accepted"
    (ring,) = line.rang
    assert ring.number == "+15005550009"
    assert ring.whisper is not None
    assert "the caller asked for a person" in ring.whisper


async def test_a_cold_transfer_joins_without_a_whisper(tmp_path: Path) -> None:
    """A blind transfer has no whisper."""
    one, line = desk(tmp_path, 'number = "+15005550009"')
    await one.transfer(Transfer(handoff_id="h1", handoff="sales", mode="cold", timeout_ms=30_000), unheard)
    assert line.rang[0].whisper is None


async def test_nobody_to_ring_is_told_before_a_promise(tmp_path: Path) -> None:
    """A handoff without a number is known to reach nobody before anything is promised; the package is kept
    all the same, and nobody is rung.
    """
    one, line = desk(tmp_path, anybody=False)
    with pytest.raises(OutsideFailure, match="nobody_to_ring"):
        await one.deliver(DELIVER)
    assert list((tmp_path / "handoffs").iterdir())
    told = await one.transfer(TRANSFER, unheard)
    assert (told.result, told.reason, line.rang) == ("unanswered", "closed", [])


def test_a_number_out_of_shape_is_told_to_the_operator(tmp_path: Path) -> None:
    """A wrong number in the settings is one line that names it."""
    names: Mapping[str, Any] = {"sales": None}
    with pytest.raises(SettingsError) as told:
        open_destinations(names, settings(tmp_path, 'number = "call me"'))
    (line,) = told.value.problems
    assert line.startswith("handoffs.sales.number must be a number like")


async def test_giving_up_reaches_the_line(tmp_path: Path) -> None:
    """Giving a transfer up is told to whoever rings."""
    one, line = desk(tmp_path)
    await one.give_up("h1")
    assert line.given_up
