"""A provider that speaks cXML: what Twilio and SignalWire share, and the places where they differ as fields.

Pure: nothing here sends, waits or reads a clock.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from runtime.audio import PCMU, Format
from runtime.telephony.base import Account, Asked, Codec, HttpOrder, LineCall, Placing, cxml, has_bearer
from runtime.telephony.base.json_stream import StreamCodec


@dataclass(frozen=True, slots=True)
class CxmlProvider:
    """Implements Provider. `call_ids` and `account_ids`: what ids look like. `calls_path`: the REST path of
    an account's calls. `signs_upgrades`: the media socket's upgrade is signed; otherwise it brings the bearer
    token of our document. `codecs`: what `<Stream>` calls each format, where it takes a choice.
    """

    signature_header: str
    call_ids: re.Pattern[str]
    account_ids: re.Pattern[str]
    calls_path: str
    API_URL: str
    FORMATS: tuple[Format, ...] = (PCMU,)
    SIGNS_WITH_ACCOUNT: bool = False
    signs_upgrades: bool = False
    codecs: Mapping[Format, str] = field(default_factory=dict)
    CONFERENCE_RETURNS: bool = True
    REFERS: bool = True
    TURNING_AWAY_ENDS: bool = True
    DOCUMENT_TYPE: str = cxml.DOCUMENT_TYPE
    TOKEN_PARAMETER: str = cxml.TOKEN_PARAMETER

    sign = staticmethod(cxml.sign)
    verify = staticmethod(cxml.verify)
    wants_document = staticmethod(cxml.wants_document)
    read_dialled = staticmethod(cxml.read_dialled)
    read_digit = staticmethod(cxml.read_digit)
    read_answerer = staticmethod(cxml.read_answerer)
    read_unanswered = staticmethod(cxml.read_unanswered)
    read_over = staticmethod(cxml.read_over)
    read_conference = staticmethod(cxml.read_conference)
    read_placed = staticmethod(cxml.read_placed)
    dial = staticmethod(cxml.dial)
    conference = staticmethod(cxml.conference)
    refer = staticmethod(cxml.refer)
    whisper = staticmethod(cxml.whisper)
    join = staticmethod(cxml.join)
    turn_away = staticmethod(cxml.turn_away)
    hang_up = staticmethod(cxml.hang_up)
    apologise = staticmethod(cxml.apologise)

    def open_codec(self, wanted: Format = PCMU) -> Codec:
        """A codec for the streams of one call."""
        return StreamCodec(wanted)

    def genuine(self, secrets: Iterable[str], asked: Asked, account: str | None) -> bool:
        """Whether one of our secrets signed this webhook; the account stands in its fields."""
        theirs = dict(asked.fields).get("AccountSid")
        if account and theirs != account:
            return False
        return cxml.verify(secrets, asked.url, asked.fields, self._signature(asked))

    def replay_key(self, secrets: Iterable[str], asked: Asked) -> str | None:
        """Nothing on a request names it: what is asked twice about a call is answered the same."""
        return None

    def genuine_stream(self, secrets: Iterable[str], asked: Asked) -> bool:
        """Where upgrades are signed, a signature that is there must be ours, and without one the call's token
        alone decides. Elsewhere the bearer token of our document must be there.
        """
        if not self.signs_upgrades:
            return has_bearer(secrets, asked)
        signature = self._signature(asked)
        return signature is None or cxml.verify(secrets, asked.url, (), signature)

    def _signature(self, asked: Asked) -> str | None:
        return asked.headers.get(self.signature_header.lower())

    def read_call(self, form: Mapping[str, str]) -> LineCall | None:
        """The call a webhook speaks of, or None when it names none."""
        return cxml.read_call(form, self.call_ids, self.account_ids)

    def connect(
        self,
        *,
        media_url: str,
        after_url: str,
        token: str,
        call: LineCall | None = None,
        bearer: str = "",
        wanted: Format = PCMU,
        say: str = "",
        last_words: str = "",
        person: str | None = None,
    ) -> str:
        """The answer to a call: open a media stream to us, in this format, with what lets its upgrade in."""
        extra = {"codec": self.codecs[wanted]} if self.codecs else {}
        extra |= {"authBearerToken": bearer} if bearer and not self.signs_upgrades else {}
        return cxml.connect(
            media_url=media_url,
            after_url=after_url,
            token=token,
            say=say,
            last_words=last_words,
            person=person,
            **extra,
        )

    def place_call(self, account: Account, placing: Placing) -> HttpOrder:
        """Place a call."""
        return cxml.place_call(f"{self._calls(account)}.json", placing)

    def end_call(self, account: Account, call_id: str) -> HttpOrder:
        """Hang up a call under way."""
        return cxml.end_call(f"{self._calls(account)}/{call_id}.json")

    def redirect_call(self, account: Account, call_id: str, *, url: str, document: str) -> HttpOrder:
        """Make a call under way obey the document at `url`."""
        return cxml.redirect_call(f"{self._calls(account)}/{call_id}.json", url)

    def authorization(self, account: Account, now_s: int, nonce: str) -> str:
        """HTTP Basic: neither time nor nonce is in it."""
        return cxml.authorization(account)

    def _calls(self, account: Account) -> str:
        return self.calls_path.format(account=account.account)
