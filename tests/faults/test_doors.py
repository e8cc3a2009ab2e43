"""Forged requests at the door: what is not exactly what the provider signed is refused before any work."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runtime.telephony.twilio import sign
from tests.faults.bed import sized
from tests.runtime.switchboard import ACCOUNT, OTHER_CALL, SECRET, form, open_switchboard

pytestmark = pytest.mark.faults


def variants(url: str, fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Forty signatures that are nearly right, each with what is wrong with it."""
    right = sign(SECRET, url, fields.items())
    parts = urlsplit(url)
    text = url + "".join(name + fields[name] for name in sorted(fields))
    yield from (("absent", ""), ("dot", "."), ("word", "garbage"), ("padding", "="), ("null", "null"))
    yield from (
        ("upper", right.upper()),
        ("lower", right.lower()),
        ("cut", right[:-1]),
        ("longer", right + "A"),
    )
    yield from (("no padding", right.rstrip("=")), ("twice", right + right), ("list", f"{right},{right}"))
    yield from (
        ("quoted", f'"{right}"'),
        ("bearer", f"Bearer {right}"),
        ("hex", base64.b64decode(right).hex()),
    )
    yield "url-safe", right.replace("+", "-").replace("/", "_") + "-"
    yield "no key", sign("", url, fields.items())
    yield "another key", sign("another token", url, fields.items())
    yield "key in upper case", sign(SECRET.upper(), url, fields.items())
    yield "the call's id as key", sign(fields["CallSid"], url, fields.items())
    for name, kind in (("sha256", hashlib.sha256), ("sha512", hashlib.sha512), ("md5", hashlib.md5)):
        yield name, base64.b64encode(hmac.new(SECRET.encode(), text.encode(), kind).digest()).decode()
    yield "no mac", base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()
    moved = {  # without its port is not among them: Twilio itself leaves it away
        "scheme": url.replace("http:", "https:"),
        "websocket": url.replace("http:", "ws:"),
        "host": url.replace(parts.hostname or "", "localhost"),
        "host in upper case": url.replace("http://", "HTTP://"),
        "port": url.replace(f":{parts.port}", f":{(parts.port or 0) + 1}"),
        "slash": url + "/",
        "two slashes": url.replace("/twilio", "//twilio"),
        "path": url + "/x",
        "upper path": url.replace("twilio", "Twilio"),
        "query": url + "?a=1",
        "empty query": url + "?",
        "fragment": url + "#a",
        "dots": url.replace("/twilio", "/x/../twilio"),
    }
    yield from ((name, sign(SECRET, other, fields.items())) for name, other in moved.items())
    yield "no fields", sign(SECRET, url, [])
    yield "another call", sign(SECRET, url, form(OTHER_CALL).items())
    yield "a field more", sign(SECRET, url, {**fields, "Extra": "1"}.items())
    yield "a field less", sign(SECRET, url, list(fields.items())[:-1])
    yield "a field changed", sign(SECRET, url, {**fields, "AccountSid": "AC" + "9" * 32}.items())


async def test_row_65_forty_forged_signatures(tmp_path: Path) -> None:
    """Each is refused with 403, no call begins and no session is opened; the right one is taken."""
    async with open_switchboard(tmp_path) as board:
        forged = list(variants(board.running.voice_url, form()))
        assert len({signature for _, signature in forged}) >= 40
        for what, signature in forged:
            answer = await board.post("/twilio/voice", signature=signature)
            assert answer.status_code == 403, what
            assert answer.text == "forbidden\n", what
        assert board.running.calls.live == 0
        assert (await board.post("/twilio/voice")).status_code == 200
        assert board.running.calls.live == 1


async def test_row_65_a_flood_of_forgeries_leaves_the_door_as_it_was(tmp_path: Path) -> None:
    """After many bad attempts the next good request is answered, and nothing of them is remembered."""
    async with open_switchboard(tmp_path) as board:
        for number in range(sized(200, 10_000)):
            fields = form() | {"CallSid": f"CA{number:032x}"}
            assert (await board.post("/twilio/voice", fields, signature="forged")).status_code == 403
        assert board.running.calls.live == 0
        assert board.running.calls.find("CA" + "0" * 32) is None
        assert (await board.post("/twilio/voice")).status_code == 200


async def test_row_65_the_right_signature_of_another_account(tmp_path: Path) -> None:
    """A request signed as it should be, for an account that is not ours, is refused like a forged one."""
    async with open_switchboard(tmp_path, toml=f'[telephony]\naccount = "{ACCOUNT}"') as board:
        for account in ("", "AC" + "9" * 32, ACCOUNT.lower(), ACCOUNT + " "):
            answer = await board.post("/twilio/voice", form() | {"AccountSid": account})
            assert answer.status_code == 403
        assert board.running.calls.live == 0
