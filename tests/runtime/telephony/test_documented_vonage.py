"""Vonage's messages as its documentation shows them; its tokens and documents judged by Vonage's own SDK."""

import hashlib
import json
from base64 import b64decode, b64encode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from vonage_jwt import verify_signature
from vonage_voice.models import ncco as sdk
from vonage_voice.models.connect_endpoints import SipEndpoint
from vonage_voice.models.requests import CreateCallRequest

from runtime.telephony import vonage
from runtime.telephony.base import (
    Account,
    Asked,
    Codec,
    Dialled,
    Dtmf,
    Ignored,
    LineCall,
    Malformed,
    MarkReturned,
    Media,
    Placing,
    StreamStarted,
)
from runtime.telephony.base.signed import sign_claims

CONNECTED = {
    "event": "websocket:connected",
    "content-type": "audio/l16;rate=24000",
    "call_token": "opaque",
    "call_id": "CON-1",
    "account_id": "",
}
FRAME = bytes(range(240)) * 4


def started() -> Codec:
    codec = vonage.open_codec()
    assert isinstance(codec.decode(json.dumps(CONNECTED)), StreamStarted)
    return codec


def test_our_headers_say_which_call_a_stream_is() -> None:
    """The first text message carries what our document put into its headers, at the top level (E12)."""
    assert vonage.open_codec().decode(json.dumps(CONNECTED)) == StreamStarted(
        "", "CON-1", "", "audio/pcm", 24_000, {"call_token": "opaque"}
    )


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"event": "websocket:dtmf", "digit": "5", "duration": 260}, Dtmf("5")),
        ({"event": "websocket:notify", "payload": {"mark": "g1:7"}}, MarkReturned("g1:7")),
        ({"event": "websocket:cleared"}, Ignored("websocket:cleared")),
        ({"event": "websocket:notify", "payload": {"customKey": 1}}, Malformed("bad_notify")),
        ({"event": "websocket:dtmf", "digit": "55"}, Malformed("digit")),
        (CONNECTED | {"content-type": "audio/l16;rate=16000"}, Malformed("audio_format")),
        ([], Malformed("not_a_message")),
    ],
)
def test_each_documented_message_has_its_event(message: object, event: object) -> None:
    """Every text message of the documentation becomes the event it stands for."""
    assert started().decode(json.dumps(message)) == event


def test_frames_are_binary_both_ways() -> None:
    """A frame of 20 ms comes as 960 bytes and goes as 960 bytes; a short last one is filled up."""
    codec = started()
    event = codec.decode(FRAME)
    assert isinstance(event, Media)
    assert b64decode(event.payload) == FRAME
    assert codec.media(event.payload) == FRAME
    assert codec.media(b64encode(b"\1" * 300).decode()) == b"\1" * 300 + b"\0" * 660


@given(
    st.one_of(
        st.text(),
        st.binary(),
        st.recursive(
            st.none() | st.text() | st.integers(),
            lambda inner: st.dictionaries(st.sampled_from(["event", "payload", "mark", "digit"]), inner),
        ).map(json.dumps),
    )
)
def test_nothing_makes_the_codec_raise(message: str | bytes) -> None:
    """Whatever arrives, decoding gives an event."""
    assert started().decode(message) is not None


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100))
def test_a_mark_comes_back_as_it_was_sent(name: str) -> None:
    """A mark is a notify whose payload Vonage gives back."""
    sent = json.loads(started().mark(name))
    assert sent == {"action": "notify", "payload": {"mark": name}}
    back = {"event": "websocket:notify", "payload": sent["payload"]}
    assert started().decode(json.dumps(back)) == MarkReturned(name)


# --- signed webhooks ---

SECRET, APPLICATION, NOW = (
    "a-signature-secret-of-sixty-four-letters-so-that-every-hash-is-fine",
    "app-1",
    1_795_000_000,
)
BODY = json.dumps({"conversation_uuid": "CON-1", "uuid": "leg-1", "from": "15005550006"}).encode()


def claims(**changed: object) -> dict:
    told = {"iss": "Vonage", "iat": NOW, "jti": "j", "application_id": APPLICATION}
    return told | {"payload_hash": hashlib.sha256(BODY).hexdigest()} | changed


def asked(token: str, now_s: int = NOW, body: bytes = BODY) -> Asked:
    return Asked("https://h/vonage/voice", {"authorization": f"Bearer {token}"}, now_s, (), body)


def test_a_token_of_the_sdk_s_kind_is_genuine() -> None:
    """A token that Vonage's SDK accepts, over this body and just made, is accepted; ours are its too."""
    made = jwt.encode(claims(), SECRET, algorithm="HS256")
    assert verify_signature(made, SECRET)
    assert vonage.genuine(["old", SECRET], asked(made), APPLICATION)
    assert verify_signature(sign_claims(SECRET, claims()), SECRET)


UNSIGNED = "eyJhbGciOiJub25lIn0." + sign_claims(SECRET, claims()).split(".")[1] + "."


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode(claims(), "another-secret-of-more-than-thirty-two-letters", algorithm="HS256"),
        jwt.encode(claims(payload_hash="0" * 64), SECRET, algorithm="HS256"),
        jwt.encode(claims(payload_hash=None), SECRET, algorithm="HS256"),
        jwt.encode(claims(iat=NOW - 3600), SECRET, algorithm="HS256"),
        jwt.encode(claims(iat=NOW + 3600), SECRET, algorithm="HS256"),
        jwt.encode(claims(iat=True), SECRET, algorithm="HS256"),
        jwt.encode(claims(application_id="app-2"), SECRET, algorithm="HS256"),
        jwt.encode(claims(), SECRET, algorithm="HS512"),
        UNSIGNED,
        "",
        "a.b.c",
        "é",
        "." * 9000,
    ],
)
def test_any_other_token_is_refused(token: str) -> None:
    """Another key, body, hour, application or algorithm is refused, and garbage does not raise."""
    assert not vonage.genuine([SECRET, ""], asked(token), APPLICATION)


@given(st.text(max_size=200))
def test_garbage_is_refused(text: str) -> None:
    """No text that was not signed is accepted."""
    assert not vonage.genuine([SECRET], asked(text), None)


# --- webhooks and documents ---


def test_a_call_is_its_conversation() -> None:
    """All legs share the conversation's id; numbers come without a plus."""
    form = {"conversation_uuid": "CON-1", "uuid": "leg", "from": "15005550006", "to": "anonymous"}
    assert vonage.read_call(form) == LineCall("CON-1", "", "+15005550006", None, leg_id="leg")
    assert vonage.read_call({"uuid": "leg"}) is None
    for direction, ended in (("inbound", True), ("outbound", False)):
        over = vonage.read_call(form | {"status": "completed", "direction": direction})
        assert over is not None
        assert over.ended == ended  # a person's leg that is over does not end the caller's call


@pytest.mark.parametrize(
    ("form", "wants"),
    [
        ({}, True),
        ({"payload.after": "stream"}, True),
        ({"status": "disconnected"}, True),
        ({"status": "timeout"}, True),
        ({"status": "started"}, False),
        ({"status": "answered"}, False),
        ({"status": "completed"}, False),
        ({"status": "human"}, False),
    ],
)
def test_most_events_only_tell(form: dict, wants: bool) -> None:
    """Only an answer webhook, a notify and the ends of a synchronous connect ask for a document."""
    assert vonage.wants_document(form) == wants


@pytest.mark.parametrize(
    ("form", "dialled"),
    [
        ({"status": "busy"}, Dialled("unanswered", "busy")),
        ({"status": "timeout"}, Dialled("unanswered", "no_answer")),
        ({"status": "rejected"}, Dialled("unanswered", "failed")),
        ({"payload.after": "dial"}, Dialled("answered", "")),
        ({}, Dialled("unanswered", "failed")),
    ],
)
def test_how_dialling_went_is_read(form: dict, dialled: Dialled) -> None:
    """Every status has a result, and what is not known is a failure."""
    assert vonage.read_dialled(form) == dialled


def test_the_answer_is_the_sdk_s_document() -> None:
    """The answer is what Vonage's SDK would write: one WebSocket with its headers, then the second net."""
    after = "https://h.example/after"
    call = LineCall("CON-1", "", None, None)
    ours = json.loads(
        vonage.connect(media_url="wss://h.example/m", after_url=after, token="t", call=call, bearer="b")
    )
    endpoint = {
        "type": "websocket",
        "uri": "wss://h.example/m",
        "content-type": "audio/l16;rate=24000",
        "headers": {"call_token": "t", "call_id": "CON-1", "account_id": ""},
        "authorization": {"type": "custom", "value": "Bearer b"},
    }
    assert ours[0]["endpoint"] == [endpoint]
    judged(ours)
    assert len(json.dumps(endpoint["headers"])) < 512


def judged(actions: list[dict]) -> None:
    """Let the SDK read our document: every field must be one of its models', with the same value."""
    kinds = {
        "connect": sdk.Connect,
        "talk": sdk.Talk,
        "input": sdk.Input,
        "notify": sdk.Notify,
        "conversation": sdk.Conversation,
    }
    for action in actions:
        if action["action"] == "connect" and action["endpoint"][0]["type"] == "sip":
            SipEndpoint(**action["endpoint"][0])  # the SDK takes any endpoint with a uri for a WebSocket
            continue
        if "endpoint" in action and "content-type" in action["endpoint"][0]:
            # The SDK's model is filled by its own name for this field and writes it by Vonage's.
            named = action["endpoint"][0] | {"contentType": action["endpoint"][0]["content-type"]}
            action = action | {"endpoint": [named]}
        model = kinds[action["action"]](**{name: one for name, one in action.items() if name != "action"})
        read_back = model.model_dump(by_alias=True, exclude_none=True)
        for name, value in action.items():
            if name != "endpoint":
                assert read_back[name] == value, name
            else:
                value[0].pop("contentType", None)
                assert_within(value[0], read_back[name][0])


def assert_within(ours: dict, theirs: dict) -> None:
    for name, value in ours.items():
        known = theirs.get(name, theirs.get(name.replace("-", "_")))
        if isinstance(value, dict) and isinstance(known, dict):
            assert_within(value, known)
        else:
            assert known == value, name


@pytest.mark.parametrize("number", ["+15005550009", "sip:desk@example.com"])
def test_every_other_document_is_one_the_sdk_knows(number: str) -> None:
    """Dialling, whispering, turning away and apologising use the SDK's actions and fields only."""
    dial = vonage.dial(number=number, timeout_ms=30_000, after_url="https://h/a", whisper_url="https://h/w")
    documents = [
        dial
        if not number.startswith("sip:")
        else vonage.dial(number=number, timeout_ms=1, after_url="https://h/a", whisper_url=None),
        vonage.whisper(text="Dana <1> calls", answer_url="https://h/a"),
        vonage.turn_away(),
        vonage.apologise(text="Sorry.", number=number),
    ]
    for document in documents:
        judged(json.loads(document))
    assert json.loads(vonage.join()) == json.loads(vonage.hang_up()) == []


def test_a_call_is_placed_as_the_sdk_places_it() -> None:
    """The order of a call is one that the SDK's model reads back unchanged."""
    placing = Placing("+12025550123", "+15005550001", "https://h/answer", "https://h/event", 30_000, True)
    order = vonage.place_call(Account(APPLICATION, "key"), placing)
    body = json.loads(order.body)
    theirs = CreateCallRequest(**body | {"from_": body["from"]}).model_dump(by_alias=True, exclude_none=True)
    assert (order.method, order.path) == ("POST", "/v1/calls")
    assert_within({name: body[name] for name in body if name not in ("to",)}, theirs)


def test_an_application_s_token_is_rs256() -> None:
    """The REST interface is asked with a token of the application, signed with its private key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    header = vonage.authorization(Account(APPLICATION, pem), NOW, "nonce")
    told = jwt.decode(
        header.removeprefix("Bearer "),
        key.public_key(),
        algorithms=["RS256"],
        options={"verify_exp": False, "verify_iat": False},
    )
    assert told["application_id"] == APPLICATION
    assert told["exp"] - told["iat"] <= 60
