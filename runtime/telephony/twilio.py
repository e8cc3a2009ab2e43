"""Twilio: its media-stream codec, its signature, and the documents (TwiML) it is answered with.

1. Nothing here sends, waits or reads a clock; nothing raises for what Twilio can send.
2. Whatever is spliced into a message or a document was checked or escaped here.
"""

import binascii
import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final
from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec
from msgspec import Meta, Struct

from runtime.telephony.base import (
    Codec,
    Dialled,
    Dtmf,
    Ignored,
    LineCall,
    LineEvent,
    Malformed,
    MarkReturned,
    Media,
    StreamStarted,
    StreamStopped,
)

SIGNATURE_HEADER: Final = "X-Twilio-Signature"
TOKEN_PARAMETER: Final = "call_token"
MAX_MESSAGE: Final = 65_536
MAX_PAYLOAD: Final = 32_768  # four seconds of mu-law in one frame: nobody sends that
DIGITS: Final = frozenset("0123456789*#ABCD")

# --- What Twilio writes on the stream. Numbers arrive as strings ("sequenceNumber": "4"). ---

Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_\-]{1,64}\Z")]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Parameter = Annotated[str, Meta(max_length=1024)]


class _Format(Struct, rename="camel"):
    encoding: str
    sample_rate: Count
    channels: Count


class _StartBody(Struct, rename="camel"):
    account_sid: Identifier
    stream_sid: Identifier
    call_sid: Identifier
    media_format: _Format
    custom_parameters: Annotated[dict[Parameter, Parameter], Meta(max_length=64)] = {}


class _MediaBody(Struct, rename="camel"):
    payload: Annotated[str, Meta(min_length=1, max_length=MAX_PAYLOAD)]
    timestamp: Count
    track: str = "inbound"


class _DtmfBody(Struct):
    digit: str


class _MarkBody(Struct):
    name: Name


class _Message(Struct, rename="camel", tag_field="event"):
    stream_sid: str | None = None
    sequence_number: Count | None = None


class _Start(_Message, tag="start", kw_only=True):
    start: _StartBody


class _Media(_Message, tag="media", kw_only=True):
    media: _MediaBody


class _Dtmf(_Message, tag="dtmf", kw_only=True):
    dtmf: _DtmfBody


class _Mark(_Message, tag="mark", kw_only=True):
    mark: _MarkBody


class _Stop(_Message, tag="stop"):
    pass


class _AnyMessage(Struct):
    event: Annotated[str, Meta(max_length=64)]


_Known = _Start | _Media | _Dtmf | _Mark | _Stop
_KNOWN_EVENTS: Final = frozenset({"start", "media", "dtmf", "mark", "stop"})
_read = msgspec.json.Decoder(_Known, strict=False)
_read_any = msgspec.json.Decoder(_AnyMessage)
_quote = msgspec.json.Encoder()


@dataclass(slots=True)
class StreamCodec:
    """The codec of one call's streams: it learns the stream id from each `start` message."""

    stream_id: str = ""
    _media_head: str = field(default="", repr=False)

    def decode(self, message: str | bytes) -> LineEvent:
        """What a message from Twilio says; anything else is Malformed. Never raises."""
        if len(message) > MAX_MESSAGE:
            return Malformed("too_long")
        try:
            return self._event(_read.decode(message))
        except msgspec.ValidationError:
            return _unknown(message)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return Malformed("not_json")

    def media(self, payload: str) -> str:
        """A message that queues this base64 mu-law audio on the line."""
        return f'{self._media_head}{payload}"}}}}'

    def mark(self, name: str) -> str:
        """A message that comes back when everything queued before it was played (or cleared)."""
        quoted = _quote.encode(name).decode()
        return f'{{"event":"mark","streamSid":"{self.stream_id}","mark":{{"name":{quoted}}}}}'

    def clear(self) -> str:
        """A message that throws away what is queued; all pending marks come back."""
        return f'{{"event":"clear","streamSid":"{self.stream_id}"}}'

    def _event(self, message: _Known) -> LineEvent:
        if not isinstance(message, _Start) and message.stream_sid not in (None, self.stream_id):
            return Malformed("other_stream")
        match message:
            case _Media():
                return _media(message)
            case _Start(start=start):
                return self._started(start)
            case _Mark(mark=mark):
                return MarkReturned(mark.name)
            case _Dtmf(dtmf=dtmf):
                return Dtmf(dtmf.digit) if dtmf.digit in DIGITS else Malformed("digit")
            case _Stop():
                return StreamStopped()

    def _started(self, start: _StartBody) -> LineEvent:
        if start.media_format != _Format("audio/x-mulaw", 8000, 1):
            return Malformed("audio_format")
        self.stream_id = start.stream_sid
        self._media_head = f'{{"event":"media","streamSid":"{start.stream_sid}","media":{{"payload":"'
        return StreamStarted(
            stream_id=start.stream_sid,
            call_id=start.call_sid,
            account_id=start.account_sid,
            audio_format="audio/pcmu",
            sample_rate_hz=8000,
            parameters=start.custom_parameters,
        )


def open_codec() -> Codec:
    """A codec for the streams of one call."""
    return StreamCodec()


def _media(message: _Media) -> LineEvent:
    if message.media.track != "inbound":
        return Ignored("media of another track")
    try:
        # The payload is spliced into JSON for the model, so nothing but base64 may pass.
        binascii.a2b_base64(message.media.payload, strict_mode=True)
    except ValueError:
        return Malformed("payload")
    return Media(message.media.payload, message.media.timestamp, message.sequence_number)


def _unknown(message: str | bytes) -> LineEvent:
    try:
        event = _read_any.decode(message).event
    except (msgspec.DecodeError, ValueError, RecursionError):
        return Malformed("not_a_message")
    return Malformed(f"bad_{event}") if event in _KNOWN_EVENTS else Ignored(event)


# --- signature: https://www.twilio.com/docs/usage/security#validating-requests ---


def sign(token: str, url: str, parameters: Iterable[tuple[str, str]] = ()) -> str:
    """Twilio's signature of a request: base64 HMAC-SHA1 of the URL and the sorted form fields."""
    signed = url + "".join(name + value for name, value in sorted(set(parameters)))
    return b64encode(
        hmac.new(token.encode(), signed.encode(errors="surrogatepass"), hashlib.sha1).digest()
    ).decode()


def verify(
    tokens: Iterable[str], url: str, parameters: Iterable[tuple[str, str]], signature: str | None
) -> bool:
    """Whether one of our tokens made this signature, compared in constant time. An absent one is false."""
    if not signature:
        return False
    fields = tuple(parameters)
    made = [sign(token, form, fields) for token in tokens if token for form in _with_and_without_port(url)]
    sent = signature.encode(errors="surrogatepass")
    matches = [hmac.compare_digest(one.encode(), sent) for one in made]  # all of them: no early way out
    return any(matches)


def _with_and_without_port(url: str) -> tuple[str, str]:
    """Twilio signs with or without the standard port, and does not say which."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    bare, _, _ = host.partition(":")
    port = "443" if scheme in ("https", "wss") else "80"
    other = f"{bare}:{port}" if host == bare else bare
    return url, f"{scheme}://{other}{slash}{path}"


# --- what Twilio asks, and what it is answered ---

_CALL_ID = re.compile(r"CA[0-9a-zA-Z_\-]{1,62}")
_ACCOUNT_ID = re.compile(r"AC[0-9a-zA-Z_\-]{1,62}")
_E164 = re.compile(r"\+[1-9][0-9]{4,14}")
_ENDED: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def read_call(form: Mapping[str, str]) -> LineCall | None:
    """The call a webhook speaks of, or None when it names none. A number withheld or odd becomes None."""
    call_id, account_id = form.get("CallSid", ""), form.get("AccountSid", "")
    if not _CALL_ID.fullmatch(call_id) or not _ACCOUNT_ID.fullmatch(account_id):
        return None
    return LineCall(
        call_id=call_id,
        account_id=account_id,
        caller_number=_number(form.get("From", "")),
        called_number=_number(form.get("To", "")),
        direction="outbound" if form.get("Direction", "").startswith("outbound") else "inbound",
        ended=form.get("CallStatus", "") in _ENDED,
    )


# These spell ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN: Twilio's numbers for callers who withhold theirs.
_WITHHELD: Final = frozenset({"+266696687", "+7378742833", "+2562533", "+8566696"})


def _number(text: str) -> str | None:
    return text if _E164.fullmatch(text) and text not in _WITHHELD else None


_DIALLED: Final = {
    "completed": Dialled("answered", ""),
    "answered": Dialled("answered", ""),
    "busy": Dialled("unanswered", "busy"),
    "no-answer": Dialled("unanswered", "no_answer"),
}


def read_dialled(form: Mapping[str, str]) -> Dialled:
    """How dialling a person went, as the `<Dial action>` reports it. What is not known is a failure."""
    return _DIALLED.get(form.get("DialCallStatus", ""), Dialled("unanswered", "failed"))


def read_digit(form: Mapping[str, str]) -> str:
    """The key a person pressed at the whisper, "" for none."""
    return form.get("Digits", "")[:1]


def connect(*, media_url: str, after_url: str, token: str) -> str:
    """The answer to a call: open a media stream to us, and ask `after_url` when it ends.

    The last verb is the second net: should Twilio go on past `<Connect>` unasked, it asks then.
    """
    response = Element("Response")
    stream = SubElement(
        SubElement(response, "Connect", action=after_url, method="POST"),
        "Stream",
        url=media_url,
        name="assistant",
    )
    SubElement(stream, "Parameter", name=TOKEN_PARAMETER, value=token)
    SubElement(response, "Redirect", method="POST").text = after_url
    return _document(response)


def dial(*, number: str, timeout_ms: int, after_url: str, whisper_url: str | None) -> str:
    """Bring a person onto the line: a telephone number or a `sip:` address.

    `whisper_url` is asked when the person answers, before the two are joined; `after_url` when it is over.
    """
    seconds = str(min(600, max(5, timeout_ms // 1000)))
    response = Element("Response")
    verb = SubElement(
        response, "Dial", answerOnBridge="true", timeout=seconds, action=after_url, method="POST"
    )
    extra = {"url": whisper_url, "method": "POST"} if whisper_url else {}
    SubElement(verb, "Sip" if number.startswith("sip:") else "Number", extra).text = number
    return _document(response)


def whisper(*, text: str, answer_url: str, timeout_ms: int = 10_000) -> str:
    """Spoken to the person alone: who is calling and why. A key joins the two; no key ends this leg only."""
    response = Element("Response")
    gather = SubElement(
        response, "Gather", numDigits="1", timeout=str(timeout_ms // 1000), action=answer_url, method="POST"
    )
    SubElement(gather, "Say").text = _printable(text)
    SubElement(response, "Hangup")
    return _document(response)


def join() -> str:
    """Nothing more to do on the person's leg: Twilio joins the two."""
    return _document(Element("Response"))


def hang_up() -> str:
    """End this leg."""
    response = Element("Response")
    SubElement(response, "Hangup")
    return _document(response)


def apologise(*, text: str, number: str | None = None) -> str:
    """One honest sentence, then a person where there is one, else the end."""
    response = Element("Response")
    SubElement(response, "Say").text = _printable(text)
    if number:
        SubElement(
            SubElement(response, "Dial", answerOnBridge="true"),
            "Sip" if number.startswith("sip:") else "Number",
        ).text = number
    SubElement(response, "Hangup")
    return _document(response)


def _document(response: Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>' + tostring(response, encoding="unicode")


def _printable(text: str) -> str:
    """XML 1.0 has no way to write control characters, so they go."""
    return "".join(character for character in text if character.isprintable() or character == "\n")
