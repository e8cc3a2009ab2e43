"""Vonage: its binary stream, its signed webhooks (JWT), and the documents (NCCO) it is answered with.

1. Nothing here sends, waits or reads a clock; nothing raises for what Vonage can send.
2. A call is a conversation, its id shared by all legs: that is the call id here. REST speaks of legs.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from runtime.audio import PCM24, Format
from runtime.telephony.base import (
    Account,
    Answerer,
    Asked,
    Codec,
    ConferenceEvent,
    Dialled,
    HttpOrder,
    LineCall,
    Placed,
    Placing,
    has_bearer,
)
from runtime.telephony.base.signed import claims_of
from runtime.telephony.vonage.stream import CONTENT_TYPE, StreamCodec

DOCUMENT_TYPE: Final = "application/json"
TOKEN_PARAMETER: Final = "call_token"
FORMATS: tuple[Format, ...] = (PCM24,)
API_URL: Final = "https://api.nexmo.com"
FRESH_S: Final = 300  # how old a signed webhook may be, and how far ahead Vonage's clock
BEEP_S: Final = 45
SIGNS_WITH_ACCOUNT: Final = False
# When a conversation ends for one leg the others' documents are over: the caller would be hung up. So only
# the caller's leaving ends it, and we order what follows the person's.
CONFERENCE_RETURNS: Final = False
REFERS: Final = False
TURNING_AWAY_ENDS: Final = False


def open_codec(wanted: Format = PCM24) -> Codec:
    """A codec for the streams of one call."""
    return StreamCodec(wanted, wanted.frame_bytes)


def genuine_stream(secrets: Iterable[str], asked: Asked) -> bool:
    """The bearer token of our document, made with one of our secrets. An absent one is refused."""
    return has_bearer(secrets, asked)


# --- webhooks: https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks ---


def genuine(secrets: Iterable[str], asked: Asked, account: str | None) -> bool:
    """Whether one of our signature secrets signed this webhook, lately, over this body, for this
    application.
    """
    scheme, _, token = asked.headers.get("authorization", "").partition(" ")
    claims = claims_of(secrets, token) if scheme.lower() == "bearer" else None
    if claims is None or (account and claims.get("application_id") != account):
        return False
    issued, hashed = claims.get("iat"), claims.get("payload_hash")
    if isinstance(issued, bool) or not isinstance(issued, int) or abs(asked.now_s - issued) > FRESH_S:
        return False
    if not asked.body:
        return hashed is None or hashed == hashlib.sha256(b"").hexdigest()
    expected = hashlib.sha256(asked.body).hexdigest().encode()
    return isinstance(hashed, str) and hmac.compare_digest(expected, hashed.encode(errors="surrogatepass"))


def replay_key(secrets: Iterable[str], asked: Asked) -> str | None:
    """The token's own number (`jti`)."""
    claims = claims_of(secrets, asked.headers.get("authorization", "").partition(" ")[2])
    number = (claims or {}).get("jti")
    return number[:128] if isinstance(number, str) and number else None


# --- what Vonage asks and tells ---

_ID: Final = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z_\-]{0,63}")
_NUMBER: Final = re.compile(r"\+?([1-9][0-9]{4,14})")
# A connect that was synchronous asks for the next document when it comes to one of these.
_ASKING: Final = frozenset(
    {"", "disconnected", "failed", "unanswered", "rejected", "timeout", "busy", "cancelled"}
)


def read_call(form: Mapping[str, str]) -> LineCall | None:
    """The conversation a webhook speaks of: all its legs share that id. None when it names none."""
    call_id, leg_id = form.get("conversation_uuid", ""), form.get("uuid", "")
    if not _ID.fullmatch(call_id):
        return None
    return LineCall(
        call_id=call_id,
        account_id="",
        caller_number=_number(form.get("from", "")),
        called_number=_number(form.get("to", "")),
        direction="outbound" if form.get("direction") == "outbound" else "inbound",
        ended=form.get("status") == "completed" and form.get("direction") == "inbound",
        leg_id=leg_id if _ID.fullmatch(leg_id) else "",
        cut=form.get("status") == "disconnected",
    )


def _number(text: str) -> str | None:
    found = _NUMBER.fullmatch(text)
    return f"+{found[1]}" if found else None


def wants_document(form: Mapping[str, str]) -> bool:
    """Whether this asks what to do next: an answer webhook or a `notify` does, most events only tell."""
    return form.get("status", "") in _ASKING


_UNANSWERED: Final = {
    "busy": "busy",
    "timeout": "no_answer",
    "unanswered": "no_answer",
    "cancelled": "failed",
    "rejected": "failed",
    "failed": "failed",
}


def read_dialled(form: Mapping[str, str]) -> Dialled:
    """How dialling a person went. Coming past the dial without a failure means that it was answered."""
    reason = _UNANSWERED.get(form.get("status", ""))
    if reason is not None:
        return Dialled("unanswered", reason)
    answered = form.get("payload.after") == "dial" or form.get("status") in ("completed", "answered")
    return Dialled("answered", "") if answered else Dialled("unanswered", "failed")


_OVER: Final = frozenset({"completed", *_UNANSWERED})


def read_over(form: Mapping[str, str]) -> bool:
    """Whether the leg a status speaks of is over."""
    return form.get("status", "") in _OVER


def read_conference(form: Mapping[str, str]) -> ConferenceEvent | None:
    """Vonage tells of legs, not of who is in a conversation."""
    return None


def read_digit(form: Mapping[str, str]) -> str:
    """The key a person pressed at the whisper, "" for none."""
    return form.get("dtmf.digits", form.get("dtmf", ""))[:1]


_ANSWERER: Final[dict[str, Answerer]] = {"human": "person", "machine": "machine"}


def read_answerer(form: Mapping[str, str]) -> Answerer | None:
    """Who answered a call we placed, as machine detection has it; None where nothing is said."""
    return _ANSWERER.get(form.get("status", ""))


def read_unanswered(form: Mapping[str, str]) -> str | None:
    """Why a call that was placed came to nothing; None while that is not known."""
    return _UNANSWERED.get(form.get("status", ""))


# --- documents: https://developer.vonage.com/en/voice/voice-api/ncco-reference ---


def connect(
    *,
    media_url: str,
    after_url: str,
    token: str,
    call: LineCall | None = None,
    bearer: str = "",
    wanted: Format = PCM24,
    say: str = "",
    last_words: str = "",
    person: str | None = None,
) -> str:
    """The answer to a call: a WebSocket to us; `after_url` is asked when it ends.

    What follows is the second net: should Vonage go on past `connect` unasked, it asks then; should nobody
    answer, the last words are said and the person is rung.
    """
    headers = {TOKEN_PARAMETER: token}
    if call is not None:
        headers |= {"call_id": call.call_id, "account_id": call.account_id}
    endpoint: dict[str, Any] = {
        "type": "websocket",
        "uri": media_url,
        "content-type": CONTENT_TYPE,
        "headers": headers,
    }
    if bearer:
        endpoint["authorization"] = {"type": "custom", "value": f"Bearer {bearer}"}
    ours = call.called_number if call is not None else None
    first = [_talk(say)] if say else []
    last = _last(last_words, person, ours) if last_words else []
    return _document(*first, _connect(endpoint, after_url, ours), _notify(after_url, "stream"), *last)


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
    """
    endpoint = _person(number)
    if whisper_url:
        endpoint["onAnswer"] = {"url": whisper_url}
    seconds = min(120, max(5, timeout_ms // 1000))
    ring = {**_connect(endpoint, after_url, from_number), "timeout": seconds}
    return _document(ring, _notify(after_url, "dial"))


def _person(number: str) -> dict[str, Any]:
    if number.startswith("sip:"):
        return {"type": "sip", "uri": number}
    return {"type": "phone", "number": number.removeprefix("+")}


def _from(number: str | None) -> dict[str, Any]:
    """Who rings: our number, or any of the application's where it is not known."""
    return {"from": number.removeprefix("+")} if number else {"randomFromNumber": True}


def _connect(endpoint: dict[str, Any], after_url: str, from_number: str | None) -> dict[str, Any]:
    return {
        "action": "connect",
        **_from(from_number),
        "eventType": "synchronous",
        "eventUrl": [after_url],
        "eventMethod": "POST",
        "endpoint": [endpoint],
    }


def _notify(after_url: str, after: str) -> dict[str, Any]:
    return {"action": "notify", "payload": {"after": after}, "eventUrl": [after_url], "eventMethod": "POST"}


def whisper(*, text: str, answer_url: str) -> str:
    """Spoken to the person alone: who is calling and why. A key joins the two; no key turns them away."""
    return _document(
        {"action": "talk", "text": _speakable(text), "bargeIn": True},
        {
            "action": "input",
            "type": ["dtmf"],
            "dtmf": {"maxDigits": 1, "timeOut": 10},
            "eventUrl": [answer_url],
            "eventMethod": "POST",
        },
    )


def join() -> str:
    """Nothing more to do on the person's leg: Vonage joins the two when its document is over."""
    return _document()


def conference(*, name: str, after_url: str, event_url: str, person: bool) -> str:
    """Enter the named conversation: it begins with the person, and ends when the caller leaves. Nothing is
    asked when the person leaves it; `event_url` is where a leg's own events go anyhow.
    """
    return _document(
        {
            "action": "conversation",
            "name": name,
            "startOnEnter": person,
            "endOnExit": not person,
            "eventUrl": [event_url],
            "eventMethod": "POST",
        }
    )


def refer(*, number: str, after_url: str) -> str:
    """There is no REFER in an NCCO: the address is dialled."""
    return dial(number=number, timeout_ms=30_000, after_url=after_url, whisper_url=None)


def turn_away() -> str:
    """Keep the person's leg away from the caller: no action hangs up a leg, so it is parked in a conversation
    of its own, which starts for nobody. Whoever holds REST credentials hangs it up (`end_call`).
    """
    park = {"action": "conversation", "name": "turned-away", "startOnEnter": False, "canHear": []}
    return _document({"action": "talk", "text": "Thank you. Good-bye."}, park)


def hang_up() -> str:
    """End the call: a document without actions."""
    return _document()


def apologise(
    *, text: str, number: str | None = None, from_number: str | None = None, after_url: str = ""
) -> str:
    """One honest sentence, then a person where there is one, else the end."""
    if number and after_url:
        ring = _connect(_person(number), after_url, from_number)
        return _document(_talk(text), ring, _notify(after_url, "dial"))
    return _document(*_last(text, number, from_number))


def _last(text: str, number: str | None, from_number: str | None) -> list[dict[str, Any]]:
    """Words, and a person where there is one."""
    person = {"action": "connect", **_from(from_number), "endpoint": [_person(number)]} if number else None
    return [_talk(text), *([person] if person else [])]


def _talk(text: str) -> dict[str, Any]:
    return {"action": "talk", "text": _speakable(text)}


def _document(*actions: Mapping[str, Any]) -> str:
    return json.dumps(actions, ensure_ascii=False)


def _speakable(text: str) -> str:
    """Plain text: Vonage reads `<` as the beginning of SSML, and control characters are no words."""
    kept = "".join(one for one in text if one.isprintable() or one == "\n")
    return kept.replace("<", " ").replace(">", " ")[:1500]


# --- calls we place, and calls under way ---


def place_call(account: Account, placing: Placing) -> HttpOrder:
    """Place a call; machine detection tells its verdict to `event_url` and lets the call go on."""
    order: dict[str, Any] = {
        "to": [_person(placing.number)],
        "from": {"type": "phone", "number": placing.from_number.removeprefix("+")},
        "answer_url": [placing.answer_url],
        "answer_method": "POST",
        "event_url": [placing.event_url],
        "event_method": "POST",
        "ringing_timer": min(120, max(1, placing.ring_ms // 1000)),
    }
    if placing.detect:
        order["advanced_machine_detection"] = {
            "behavior": "continue",
            "mode": "detect",
            "beep_timeout": BEEP_S,
        }
    return _order("POST", "/v1/calls", order)


def read_placed(body: bytes) -> Placed | None:
    """The conversation of a call just placed, and its leg."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    match told:
        case {"conversation_uuid": str(call_id), "uuid": str(leg_id)}:
            return Placed(call_id, leg_id)
    return None


def end_call(account: Account, call_id: str) -> HttpOrder:
    """Hang up a leg: `call_id` is the leg's uuid."""
    return _order("PUT", f"/v1/calls/{call_id}", {"action": "hangup"})


def redirect_call(account: Account, call_id: str, *, url: str, document: str) -> HttpOrder:
    """Make a leg obey another document, sent along: one at an address would be asked for by GET, unsigned."""
    destination = {"type": "ncco", "ncco": json.loads(document)}
    return _order("PUT", f"/v1/calls/{call_id}", {"action": "transfer", "destination": destination})


def authorization(account: Account, now_s: int, nonce: str) -> str:
    """A token of the application, signed with its private key (RS256)."""
    import jwt  # an extra of its own: only Vonage's REST interface needs RSA

    claims = {"application_id": account.account, "iat": now_s, "exp": now_s + 60, "jti": nonce}
    return "Bearer " + jwt.encode(claims, account.secret, algorithm="RS256")


def _order(method: str, path: str, body: Mapping[str, Any]) -> HttpOrder:
    return HttpOrder(method, path, json.dumps(body, ensure_ascii=False).encode(), "application/json")
