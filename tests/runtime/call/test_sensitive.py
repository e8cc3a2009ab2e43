"""Secrets keyed in and cards told: nothing that outlives the call holds a digit of them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from runtime.engine.cards import WITHHELD
from runtime.record import replay
from runtime.session.stand_in import StandIn
from runtime.simulate.clock import idle
from runtime.simulate.profile import Line
from tests.runtime.call.conftest import FLOW, Firm, World, build

pytestmark = pytest.mark.faults

CARD = "4111111111111111"
PIN = "836192745038"
ASK = """  code:
    kind: ask
    convey: Ask for the code on the keypad.
    sample: Please key in your code.
    collect: [code]
    filled: book
"""
SECRET = FLOW.replace("filled: book", "filled: code").replace("  book: {kind", ASK + "  book: {kind")
SECRET = SECRET.replace(
    "  guests: {",
    "  code: {type: digits, meaning: their code, by: keypad, secret: true, min_length: 5}\n  guests: {",
)
SECRET = SECRET.replace("takes: {guests: slots.guests}", "takes: {guests: slots.guests, code: slots.code}")
OPEN = SECRET.replace("secret: true, ", "")


def forms(number: str) -> list[bytes]:
    """The number as it may stand in a file: plain, grouped, in base64 wherever it begins."""
    grouped = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    found = [number.encode(), grouped.encode()]
    found += [base64.b64encode(b"x" * lead + number.encode())[4 if lead else 0 : -4] for lead in range(3)]
    return found


def leaks(folder: Path, number: str) -> list[str]:
    """The files of a folder that hold the number, also one digit an event."""
    found = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if any(form in content for form in forms(number)):
            found.append(path.name)
        if path.suffix == ".jsonl":
            events = [json.loads(line).get("event", {}) for line in content.splitlines()]
            keyed = "".join(event.get("digit", "") for event in events)
            found += [path.name] if number in keyed else []
    return found


def test_a_code_is_keyed_in_and_nobody_has_it(tmp_path: Path, mouth: Any, firm: Firm) -> None:
    """The action gets the code; the record has stars, replays, and says when nobody listened."""
    world = World(build(tmp_path, SECRET), tmp_path, clock=idle)
    where = lambda: "code"  # noqa: E731
    call = world.call(
        lambda: StandIn(voice="tones"), mouth("four people", Line(key=PIN + "#"), where=where), firm=firm
    )
    assert firm.runs[0].arguments == {"guests": 4, "code": PIN}
    assert call.said[-1] == "Your table is booked. Goodbye."
    assert [event["digit"] for event in call.events("DtmfPressed")] == [*("*" * 12), "#"]
    assert call.effects("RunAction")[0]["arguments"]["code"] == "*" * 12
    assert [order["on"] for order in call.effects("Withhold")] == [True, False]
    assert leaks(tmp_path, PIN) == []
    assert replay(world.artifact, call.record.lines) is None


def test_nobody_hears_the_caller_where_a_code_is_asked_for(tmp_path: Path, mouth: Any, firm: Firm) -> None:
    """What is said there reaches neither the model nor the recording."""
    world = World(build(tmp_path, SECRET), tmp_path, clock=idle)
    says = mouth("four people", Line(say="a person please"), Line(key=PIN + "#"))
    call = world.call(lambda: StandIn(voice="tones"), says, firm=firm)
    on, off = (
        line["at_ms"] for line in call.record.lines if line.get("effect", {}).get("type") == "Withhold"
    )
    assert len(call.events("CallerTurn")) == 1
    wav = call.tracks.wav()[44:]
    between = wav[32 * (on + 300) : 32 * (off - 100)]  # both tracks, PCM16 at 8 kHz
    assert between
    assert not between.strip(b"\0")


def test_a_card_keyed_in_where_none_is_asked_for(tmp_path: Path, mouth: Any, firm: Firm) -> None:
    """At a node that asks for other digits a card's number is no answer, and no digit of it is recorded."""
    world = World(build(tmp_path, OPEN), tmp_path, clock=idle)
    says = mouth("four people", Line(key=CARD + "#"), Line(key="12345#"))
    call = world.call(lambda: StandIn(voice="tones"), says, firm=firm)
    assert firm.runs[0].arguments["code"] == "12345"
    assert leaks(tmp_path, CARD) == []
    digits = "".join(event["digit"] for event in call.events("DtmfPressed"))
    assert digits == "x" * 16 + "#12345#"
    assert replay(world.artifact, call.record.lines) is None


def test_a_card_told_where_none_is_asked_for(tmp_path: Path, mouth: Any, firm: Firm) -> None:
    """A card's number that a caller says, or that the model claims to have heard, is in no file."""

    world = World(build(tmp_path), tmp_path, clock=idle)
    says = mouth(f"my card is {' '.join(CARD)}", "four people")
    call = world.call(lambda: StandIn(voice="tones"), says, firm=firm)
    heard = [event["text"] for event in call.events("TurnTranscribed")]
    assert heard == [] or WITHHELD in heard[0]
    assert leaks(tmp_path, CARD) == []
    assert replay(world.artifact, call.record.lines) is None


def test_a_leak_would_be_found(tmp_path: Path) -> None:
    """The search finds the number plain, in base64, and one digit an event."""
    (tmp_path / "a.txt").write_text(f"x{CARD}y")
    (tmp_path / "b.txt").write_bytes(base64.b64encode(f"ab{CARD}cdefgh".encode()))
    keys = [json.dumps({"event": {"type": "DtmfPressed", "digit": digit}}) for digit in CARD]
    (tmp_path / "c.jsonl").write_text("\n".join(keys))
    assert sorted(leaks(tmp_path, CARD)) == ["a.txt", "b.txt", "c.jsonl"]
