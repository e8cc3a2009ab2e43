"""Twilio: its signature header, its ids, the stream and the documents (TwiML) it takes.

Pure: nothing here sends, waits or reads a clock.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from runtime.audio import PCMU, Format
from runtime.telephony.base import Account, Asked, Codec, HttpOrder, LineCall, Placing
from runtime.telephony.base import cxml as documents
from runtime.telephony.base.cxml import (
    DOCUMENT_TYPE,
    TOKEN_PARAMETER,
    apologise,
    dial,
    hang_up,
    join,
    read_answerer,
    read_dialled,
    read_digit,
    read_placed,
    read_unanswered,
    sign,
    turn_away,
    verify,
    wants_document,
    whisper,
)
from runtime.telephony.base.json_stream import StreamCodec

__all__ = [
    "API_URL",
    "DOCUMENT_TYPE",
    "FORMATS",
    "SIGNATURE_HEADER",
    "TOKEN_PARAMETER",
    "StreamCodec",
    "apologise",
    "authorization",
    "connect",
    "dial",
    "end_call",
    "genuine",
    "genuine_stream",
    "hang_up",
    "join",
    "open_codec",
    "place_call",
    "read_answerer",
    "read_call",
    "read_dialled",
    "read_digit",
    "read_placed",
    "read_unanswered",
    "replace_document",
    "sign",
    "turn_away",
    "verify",
    "wants_document",
    "whisper",
]

SIGNATURE_HEADER: Final = "X-Twilio-Signature"
FORMATS: tuple[Format, ...] = (PCMU,)
API_URL: Final = "https://api.twilio.com"
_CALL_ID: Final = re.compile(r"CA[0-9a-zA-Z_\-]{1,62}")
_ACCOUNT_ID: Final = re.compile(r"AC[0-9a-zA-Z_\-]{1,62}")


def open_codec(wanted: Format = PCMU) -> Codec:
    """A codec for the streams of one call."""
    return StreamCodec(wanted)


def genuine(secrets: Iterable[str], asked: Asked, account: str | None) -> bool:
    """Whether one of our secrets signed this webhook; the account stands in its fields."""
    theirs = dict(asked.fields).get("AccountSid")
    if account and theirs != account:
        return False
    return verify(secrets, asked.url, asked.fields, asked.headers.get(SIGNATURE_HEADER.lower()))


def genuine_stream(secrets: Iterable[str], asked: Asked) -> bool:
    """A signature that is there must be ours. Without one, the token alone decides."""
    signature = asked.headers.get(SIGNATURE_HEADER.lower())
    return signature is None or verify(secrets, asked.url, (), signature)


def read_call(form: Mapping[str, str]) -> LineCall | None:
    """The call a webhook speaks of, or None when it names none."""
    return documents.read_call(form, _CALL_ID, _ACCOUNT_ID)


def connect(
    *,
    media_url: str,
    after_url: str,
    token: str,
    call: LineCall | None = None,
    bearer: str = "",
    wanted: Format = PCMU,
) -> str:
    """The answer to a call: open a media stream to us. Twilio signs the upgrade and carries mu-law only."""
    return documents.connect(media_url=media_url, after_url=after_url, token=token)


def place_call(account: Account, placing: Placing) -> HttpOrder:
    """Place a call."""
    return documents.place_call(f"{_calls(account)}.json", placing)


def end_call(account: Account, call_id: str) -> HttpOrder:
    """Hang up a call under way."""
    return documents.end_call(f"{_calls(account)}/{call_id}.json")


def replace_document(account: Account, call_id: str, document: str) -> HttpOrder:
    """Make a call under way obey another document."""
    return documents.replace_document(f"{_calls(account)}/{call_id}.json", document)


def authorization(account: Account, now_s: int, nonce: str) -> str:
    """HTTP Basic: neither time nor nonce is in it."""
    return documents.authorization(account)


def _calls(account: Account) -> str:
    return f"/2010-04-01/Accounts/{account.account}/Calls"
