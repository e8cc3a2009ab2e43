"""What Twilio and SignalWire share over HTTP: the signature of a request, the documents (TwiML, cXML) it is
answered with, and the form a call is placed by.

Whatever is put into a document was escaped here. Signature:
https://www.twilio.com/docs/usage/security#validating-requests
"""

import hashlib
import hmac
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from runtime.telephony.base import (
    Account,
    Answerer,
    ConferenceEvent,
    Dialled,
    HttpOrder,
    LineCall,
    Placed,
    Placing,
)

DOCUMENT_TYPE: Final = "text/xml"
TOKEN_PARAMETER: Final = "call_token"


def sign(token: str, url: str, parameters: Iterable[tuple[str, str]] = ()) -> str:
    """The signature of a request: base64 HMAC-SHA1 of the URL and the sorted form fields."""
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


# --- what is asked ---

_E164: Final = re.compile(r"\+[1-9][0-9]{4,14}")
_ENDED: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
# These spell ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN: the numbers of callers who withhold theirs.
_WITHHELD: Final = frozenset({"+266696687", "+7378742833", "+2562533", "+8566696"})


def read_call(
    form: Mapping[str, str], call_id: re.Pattern[str], account_id: re.Pattern[str]
) -> LineCall | None:
    """The call a webhook speaks of, or None when it names none. A number withheld or odd becomes None."""
    call, account = form.get("CallSid", ""), form.get("AccountSid", "")
    if not call_id.fullmatch(call) or not account_id.fullmatch(account):
        return None
    return LineCall(
        call_id=call,
        account_id=account,
        caller_number=_number(form.get("From", "")),
        called_number=_number(form.get("To", "")),
        direction="outbound" if form.get("Direction", "").startswith("outbound") else "inbound",
        ended=form.get("CallStatus", "") in _ENDED,
        leg_id=call,
    )


def _number(text: str) -> str | None:
    return text if _E164.fullmatch(text) and text not in _WITHHELD else None


def wants_document(form: Mapping[str, str]) -> bool:
    """Whether this asks what to do next; a status or a verdict about a call only tells."""
    return "AnsweredBy" not in form and "CallbackSource" not in form


_DIALLED: Final = {
    "completed": Dialled("answered", ""),
    "answered": Dialled("answered", ""),
    "busy": Dialled("unanswered", "busy"),
    "no-answer": Dialled("unanswered", "no_answer"),
}


def read_dialled(form: Mapping[str, str]) -> Dialled:
    """How dialling a person went, as the action of `<Dial>` or `<Refer>` reports it. What is not known is a
    failure.
    """
    if "ReferCallStatus" in form:
        taken = form["ReferCallStatus"] in _DIALLED and form.get("NotifySipResponseCode", "200")[:1] == "2"
        return Dialled("answered", "") if taken else Dialled("unanswered", "failed")
    return _DIALLED.get(form.get("DialCallStatus", ""), Dialled("unanswered", "failed"))


_HAPPENED: Final[dict[str, ConferenceEvent]] = {
    "conference-start": "began",
    "conference-end": "over",
    "participant-join": "entered",
    "participant-leave": "left",
}


def read_conference(form: Mapping[str, str]) -> ConferenceEvent | None:
    """What happened in a conference; None for what is of no use here."""
    return _HAPPENED.get(form.get("StatusCallbackEvent", ""))


def read_over(form: Mapping[str, str]) -> bool:
    """Whether the leg a status speaks of is over."""
    return form.get("CallStatus", "") in _ENDED


def read_digit(form: Mapping[str, str]) -> str:
    """The key a person pressed at the whisper, "" for none."""
    return form.get("Digits", "")[:1]


def connect(
    *,
    media_url: str,
    after_url: str,
    token: str,
    say: str = "",
    last_words: str = "",
    person: str | None = None,
    **extra: str,
) -> str:
    """The answer to a call: open a media stream to us, and ask `after_url` when it ends. `extra`: attributes
    of `<Stream>`.

    What follows is the second net: should the provider go on past `<Connect>` unasked, it asks then; should
    nobody answer, the last words are said and the person is rung.
    """
    response = Element("Response")
    if say:
        SubElement(response, "Say").text = printable(say)
    stream = SubElement(
        SubElement(response, "Connect", action=after_url, method="POST"),
        "Stream",
        {"url": media_url, "name": "assistant", **extra},
    )
    SubElement(stream, "Parameter", name=TOKEN_PARAMETER, value=token)
    SubElement(response, "Redirect", method="POST").text = after_url
    if last_words:
        SubElement(response, "Say").text = printable(last_words)
        if person:
            _ring(response, person)
    return document(response)


def _ring(response: Element, number: str, after_url: str = "") -> None:
    after = {"action": after_url, "method": "POST"} if after_url else {}
    verb = SubElement(response, "Dial", after, answerOnBridge="true")
    SubElement(verb, "Sip" if number.startswith("sip:") else "Number").text = number


def dial(
    *,
    number: str,
    timeout_ms: int,
    after_url: str,
    whisper_url: str | None,
    from_number: str | None = None,
) -> str:
    """Bring a person onto the line: a telephone number or a `sip:` address.

    `whisper_url` is asked when the person answers, before the two are joined; `after_url` when it is over.
    The person sees the caller's number, which the network knows.
    """
    seconds = str(min(600, max(5, timeout_ms // 1000)))
    response = Element("Response")
    verb = SubElement(
        response, "Dial", answerOnBridge="true", timeout=seconds, action=after_url, method="POST"
    )
    extra = {"url": whisper_url, "method": "POST"} if whisper_url else {}
    SubElement(verb, "Sip" if number.startswith("sip:") else "Number", extra).text = number
    return document(response)


def whisper(*, text: str, answer_url: str, timeout_ms: int = 10_000) -> str:
    """Spoken to the person alone: who is calling and why. A key joins the two; no key ends this leg only."""
    response = Element("Response")
    gather = SubElement(
        response,
        "Gather",
        numDigits="1",
        timeout=str(timeout_ms // 1000),
        action=answer_url,
        method="POST",
        actionOnEmptyResult="true",  # no key is an answer too: they may have accepted on the desk's page
    )
    SubElement(gather, "Say").text = printable(text)
    SubElement(response, "Hangup")
    return document(response)


def join() -> str:
    """Nothing more to do on the person's leg: the two are joined."""
    return document(Element("Response"))


def hang_up() -> str:
    """End this leg."""
    response = Element("Response")
    SubElement(response, "Hangup")
    return document(response)


def turn_away() -> str:
    """End the leg of a person who did not take the call; the caller's goes on."""
    return hang_up()


def conference(*, name: str, after_url: str, event_url: str, person: bool) -> str:
    """Enter the conference `name`; `after_url` is asked when it is over, `event_url` told who comes and goes.

    It begins when the person is in it with the caller, and ends for both when either leaves: nobody is left
    alone, and each leg goes on at its own `after_url` (https://www.twilio.com/docs/voice/twiml/conference).
    """
    response = Element("Response")
    verb = SubElement(response, "Dial", action=after_url, method="POST")
    room = SubElement(
        verb,
        "Conference",
        beep="false",
        startConferenceOnEnter="true" if person else "false",
        endConferenceOnExit="true",
        statusCallback=event_url,
        statusCallbackEvent="start end join leave",
    )
    room.text = name
    SubElement(response, "Redirect", method="POST").text = after_url
    return document(response)


def refer(*, number: str, after_url: str) -> str:
    """Send a caller who came by SIP on to another address (SIP REFER); `after_url` is asked how it went."""
    response = Element("Response")
    verb = SubElement(response, "Refer", action=after_url, method="POST")
    SubElement(verb, "Sip").text = number
    return document(response)


def apologise(
    *, text: str, number: str | None = None, from_number: str | None = None, after_url: str = ""
) -> str:
    """One honest sentence, then a person where there is one, else the end."""
    response = Element("Response")
    SubElement(response, "Say").text = printable(text)
    if number:
        _ring(response, number, after_url)
    SubElement(response, "Hangup")
    return document(response)


def document(response: Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>' + tostring(response, encoding="unicode")


def printable(text: str) -> str:
    """XML 1.0 has no way to write control characters, so they go."""
    return "".join(character for character in text if character.isprintable() or character == "\n")


# --- calls we place, and calls under way ---

_ANSWERER: Final[dict[str, Answerer]] = {"human": "person", "unknown": "unknown", "fax": "machine"}
_UNANSWERED: Final = {"busy": "busy", "no-answer": "no_answer", "failed": "failed", "canceled": "failed"}


def read_answerer(form: Mapping[str, str]) -> Answerer | None:
    """Who answered a call we placed, as answering-machine detection has it; None where nothing is said."""
    told = form.get("AnsweredBy", "")
    if not told:
        return None
    return "machine" if told.startswith("machine") else _ANSWERER.get(told, "unknown")


def read_unanswered(form: Mapping[str, str]) -> str | None:
    """Why a call that was placed came to nothing; None while that is not known."""
    return _UNANSWERED.get(form.get("CallStatus", ""))


def place_call(calls: str, placing: Placing) -> HttpOrder:
    """Place a call. `calls` is the path of the account's calls. The verdict of answering-machine detection
    comes beside the call, since the line must not wait for it in silence on the other side.
    """
    fields = [
        ("To", placing.number),
        ("From", placing.from_number),
        ("Url", placing.answer_url),
        ("Method", "POST"),
        ("Timeout", str(min(600, max(5, placing.ring_ms // 1000)))),
        ("StatusCallback", placing.event_url),
        ("StatusCallbackMethod", "POST"),
        ("StatusCallbackEvent", "completed"),  # also busy, no-answer and failed: all that ends a call
    ]
    if placing.detect:
        fields += [
            ("MachineDetection", "Enable"),
            ("AsyncAmd", "true"),
            ("AsyncAmdStatusCallback", placing.event_url),
            ("AsyncAmdStatusCallbackMethod", "POST"),
        ]
    return _form(calls, fields)


def read_placed(body: bytes) -> Placed | None:
    """The call just placed; a call is its own leg here."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    call_id = told.get("sid") if isinstance(told, dict) else None
    return Placed(call_id, call_id) if isinstance(call_id, str) else None


def end_call(call: str) -> HttpOrder:
    """Hang up. `call` is the path of the call."""
    return _form(call, [("Status", "completed")])


def redirect_call(call: str, url: str) -> HttpOrder:
    """Make a call obey the document at `url`; a stream it holds ends. Both networks document `Url`, inline
    documents only Twilio (https://developer.signalwire.com/compatibility-api/rest/calls/update).
    """
    return _form(call, [("Url", url), ("Method", "POST")])


def authorization(account: Account) -> str:
    """HTTP Basic with the account and its secret."""
    return "Basic " + b64encode(f"{account.account}:{account.secret}".encode()).decode()


def _form(path: str, fields: list[tuple[str, str]]) -> HttpOrder:
    return HttpOrder("POST", path, urlencode(fields).encode(), "application/x-www-form-urlencoded")
