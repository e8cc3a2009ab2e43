"""The channels of a handoff: each by a real server on loopback, and the spool for when one is away."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from runtime.handoff import open_destinations
from runtime.handoff.channels.webhook import SIGNATURE_HEADER
from runtime.ports import OutsideFailure
from runtime.settings.keys import SettingsError
from tests.runtime.handoffs import DELIVER, HOSTILE, PACKAGE, Clock, close, desk, settings, spooled
from tests.runtime.office import Answer, listening

DAY_S = 86_400


def channel(kind: str, *lines: str, required: bool = True) -> str:
    """The table of one channel."""
    return "\n".join([f"[handoffs.sales.channels.{kind}]", f"required = {str(required).lower()}", *lines])


class Postbox:
    """A mail server's memory; `refuse` answers every letter with a refusal."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refuse = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuse:
            return "451 later"
        letter: Any = message_from_bytes(envelope.content or b"", policy=policy.default)  # type: ignore[arg-type]
        self.letters.append(letter)
        self.recipients += envelope.rcpt_tos
        return "250 kept"


@asynccontextmanager
async def mail() -> AsyncIterator[tuple[Postbox, int]]:
    """A mail server on loopback and its port."""
    postbox = Postbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postbox, hostname="localhost"), "127.0.0.1", 0)
    try:
        yield postbox, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def letterbox(port: int) -> str:
    """The table of an e-mail channel."""
    return channel(
        "email",
        'host = "127.0.0.1"',
        f"port = {port}",
        'tls = "none"',
        'sender = "calls@example.com"',
        'to = ["desk@example.com", "boss@example.com"]',
    )


async def test_a_webhook_is_signed_with_its_time(tmp_path: Path) -> None:
    """A receiver who knows the secret can check the body and how old it is."""
    async with listening(Answer(200, b'{"receipt": "R-7"}')) as office:
        one = desk(
            tmp_path,
            channel("webhook", f'url = "{office.url}/packages"', 'secret = "env:DESK_SECRET"'),
            DESK_SECRET="s3cret",
        )
        assert await one.deliver(DELIVER) == "R-7"
        await close(one)
    (request,) = office.requests
    parts = dict(part.split("=", 1) for part in request.headers[SIGNATURE_HEADER.lower()].split(","))
    made = hmac.new(b"s3cret", f"{parts['t']}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert parts["v1"] == made
    assert json.loads(request.body) == PACKAGE
    assert request.headers["idempotency-key"] == "CA1:h1"
    assert spooled(tmp_path) == []


async def test_a_webhook_is_tried_again_at_once_with_the_same_key(tmp_path: Path) -> None:
    """A server that stumbles once has the package a moment later, and can tell that it is the same."""
    async with listening(Answer(503, b""), Answer(200, b"")) as office:
        one = desk(tmp_path, channel("webhook", f'url = "{office.url}/packages"'))
        assert await one.deliver(DELIVER)
        await close(one)
    assert [request.headers["idempotency-key"] for request in office.requests] == ["CA1:h1"] * 2


async def test_a_refused_package_is_not_pressed_upon_anybody(tmp_path: Path) -> None:
    """A final refusal is not repeated at once; the package stays in the spool."""
    async with listening(Answer(422, b"")) as office:
        one = desk(tmp_path, channel("webhook", f'url = "{office.url}/packages"'))
        with pytest.raises(OutsideFailure, match="refused"):
            await one.deliver(DELIVER)
        await close(one)
    assert len(office.requests) == 1
    assert len(spooled(tmp_path)) == 1


async def test_a_chat_room_gets_the_words_and_no_mentions(tmp_path: Path) -> None:
    """A Slack-compatible webhook gets the package as text, in which a caller can mention nobody."""
    async with listening(Answer(200, b"ok")) as office:
        one = desk(tmp_path, channel("slack", 'url = "env:ROOM"'), ROOM=f"{office.url}/services/T/B/x")
        assert await one.deliver(DELIVER)
        await close(one)
    told = json.loads(office.requests[0].body)
    assert "the caller asked for a person" in told["text"]
    assert "team_size: 20 (not sure)" in told["text"]
    assert "&lt;!channel&gt; Bob &amp; Co" in told["text"]
    assert "<" not in told["text"]


async def test_a_letter_is_taken_by_the_mail_server(tmp_path: Path) -> None:
    """Everybody gets words and JSON; what a caller said makes no header; the letter's id is the receipt."""
    async with mail() as (postbox, port):
        one = desk(tmp_path, letterbox(port))
        receipt = await one.deliver(DELIVER)
        await close(one)
    (letter,) = postbox.letters
    assert postbox.recipients == ["desk@example.com", "boss@example.com"]
    assert (letter["Subject"], letter["Message-ID"], letter["Bcc"]) == ("A caller for sales", receipt, None)
    text, attached = letter.iter_parts()
    assert isinstance(text, EmailMessage)
    assert HOSTILE.splitlines()[0] in text.get_content()
    assert isinstance(attached, EmailMessage)
    assert json.loads(attached.get_content()) == PACKAGE


async def test_a_mail_server_that_says_later_is_no_acknowledgement(tmp_path: Path) -> None:
    """A letter that was not taken is spooled and fails the delivery."""
    async with mail() as (postbox, port):
        postbox.refuse = True
        one = desk(tmp_path, letterbox(port))
        with pytest.raises(OutsideFailure):
            await one.deliver(DELIVER)
        await close(one)
    assert len(spooled(tmp_path)) == 1


async def test_a_note_in_a_crm_takes_its_fields_from_the_package(tmp_path: Path) -> None:
    """Settings say what each field is taken from, what is fixed, and where the answer names the note."""
    async with listening(Answer(201, b'{"data": {"id": 77}}')) as office:
        table = channel(
            "crm_note",
            f'url = "{office.url}/notes"',
            'headers = { Authorization = "env:CRM" }',
            'fields = { phone = "callback_number", size = "slots[?name==\'team_size\'].value | [0]",'
            ' body = "words" }',
            'fixed = { type = "call" }',
            'receipt = "data.id"',
        )
        one = desk(tmp_path, table, CRM="Bearer x")
        assert await one.deliver(DELIVER) == "77"
        await close(one)
    (request,) = office.requests
    note = json.loads(request.body)
    assert (note["type"], note["phone"], note["size"]) == ("call", "+15005550006", 20)
    assert "a person please" in note["body"]
    assert request.headers["authorization"] == "Bearer x"


async def test_a_folder_elsewhere_has_the_package_whole(tmp_path: Path) -> None:
    """A second folder gets the same file."""
    one = desk(tmp_path, channel("folder", f'path = "{tmp_path / "share"}"'))
    assert await one.deliver(DELIVER) == "CA1-h1.json"
    assert json.loads((tmp_path / "share" / "CA1-h1.json").read_bytes()) == PACKAGE
    await close(one)


async def test_the_desk_must_have_been_seen_where_it_is_required(tmp_path: Path) -> None:
    """With the desk required and no board there is no acknowledgement, and nothing is spooled for it."""
    one = desk(tmp_path, channel("desk"), VFC_DESK_TOKEN="a-token-of-the-desk")
    with pytest.raises(OutsideFailure, match="nobody_there"):
        await one.deliver(DELIVER)
    assert spooled(tmp_path) == []


@pytest.mark.faults
async def test_a_channel_that_is_not_required_holds_up_nothing(tmp_path: Path) -> None:
    """A chat room that never answers does not delay the promise; its message stays in the spool."""
    async with listening(Answer(500, b"")) as office:
        one = desk(tmp_path, channel("slack", f'url = "{office.url}/room"', required=False))
        assert await one.deliver(DELIVER)
        await close(one)
    assert len(spooled(tmp_path)) == 1


@pytest.mark.faults
async def test_what_could_not_be_delivered_is_tried_until_it_is(tmp_path: Path) -> None:
    """A spooled package goes out when its time has come, not before, with the same key; then it is gone."""
    clock = Clock()
    async with listening(*[Answer(500, b"")] * 4, Answer(200, b"")) as office:
        one = desk(tmp_path, channel("webhook", f'url = "{office.url}/packages"'), clock)
        with pytest.raises(OutsideFailure):
            await one.deliver(DELIVER)
        assert one.spool is not None
        asked = len(office.requests)
        assert await one.spool.look() == 1
        assert len(office.requests) == asked
        clock.now += 31
        assert await one.spool.look() == 0
        assert {request.headers["idempotency-key"] for request in office.requests} == {"CA1:h1"}
        assert json.loads(office.requests[-1].body) == PACKAGE
        await close(one)
    assert spooled(tmp_path) == []


@pytest.mark.faults
async def test_a_package_nobody_takes_for_a_day_is_left_to_a_person(tmp_path: Path) -> None:
    """After a day it is no longer tried; the file stays, under another name."""
    clock = Clock()
    async with listening(Answer(422, b"")) as office:
        one = desk(tmp_path, channel("webhook", f'url = "{office.url}/packages"'), clock)
        with pytest.raises(OutsideFailure):
            await one.deliver(DELIVER)
        assert one.spool is not None
        for _ in range(60):
            clock.now += 3600
            if await one.spool.look() == 0:
                break
        assert clock.now - 1_800_000_000 == DAY_S
        asked = len(office.requests)
        clock.now += DAY_S
        assert await one.spool.look() == 0
        assert len(office.requests) == asked
        await close(one)
    (left,) = (tmp_path / "spool").iterdir()
    assert left.suffix == ".undelivered"


@pytest.mark.faults
async def test_a_crash_between_sending_and_noting_sends_twice_not_never(tmp_path: Path) -> None:
    """Whatever a dead process left in the spool is sent by the next one."""
    clock = Clock()
    async with listening(Answer(500, b"")) as office:
        dead = desk(tmp_path, channel("webhook", f'url = "{office.url}/packages"'), clock)
        with pytest.raises(OutsideFailure):
            await dead.deliver(DELIVER)
        await close(dead)
    clock.now += 60
    async with listening(Answer(200, b"")) as office:
        next_one = desk(tmp_path, channel("webhook", f'url = "{office.url}/packages"'), clock)
        assert next_one.spool is not None
        assert await next_one.spool.look() == 0
        assert len(office.requests) == 1
        await close(next_one)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('[handoffs.sales.channels.pigeon]\npath = "x"', "channels.pigeon"),
        ("[handoffs.sales.channels.webhook]", "handoffs.sales.channels.webhook.url is missing"),
        ("[handoffs.sales.channels.desk]", "VFC_DESK_TOKEN"),
        ('[handoffs.sales.channels.slack]\nurl = "env:NOT_SET"', "NOT_SET"),
        ('[handoffs.sales.channels.slack]\nurl = "http://10.1.1.1/x"', "https://"),
        (
            '[handoffs.sales.channels.folder]\npath = "x"\nrequired = "perhaps"',
            "required must be true or false",
        ),
        (
            'open = ["mon-fri 9-17"]\ntime_zone = "Europe/Berlin"',
            "handoffs.sales.open must be a list such as",
        ),
        ('open = ["mon-fri 09:00-17:00"]', "handoffs.sales.time_zone is missing"),
        ('time_zone = "Mars/Olympus"', "handoffs.sales.time_zone must be a time zone"),
        ('closed_on = ["christmas"]', "handoffs.sales.closed_on must be a list of dates"),
        ('numbers = ["5550006"]', "handoffs.sales.numbers must be a number like"),
    ],
)
def test_wrong_settings_are_told_to_the_operator(tmp_path: Path, table: str, told: str) -> None:
    """A wrong table is a line that names the setting."""
    with pytest.raises(SettingsError) as error:
        open_destinations({"sales": None}, settings(tmp_path, table))
    assert any(told in line for line in error.value.problems), error.value.problems
