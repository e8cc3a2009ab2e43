"""The Twilio codec, signature and documents, judged by Twilio's own SDK and its documentation's messages."""

import base64
import json
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Connect, Dial, VoiceResponse

from runtime.telephony.base import (
    Dialled,
    Dtmf,
    Ignored,
    Malformed,
    MarkReturned,
    Media,
    StreamStarted,
    StreamStopped,
)
from runtime.telephony.base.json_stream import StreamCodec
from runtime.telephony.twilio import PROVIDER

twilio = PROVIDER

STREAM, CALL, ACCOUNT = "MZ" + "0" * 32, "CA" + "0" * 32, "AC" + "0" * 32
AUDIO = base64.b64encode(b"\xff" * 160).decode()

START: dict = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "accountSid": ACCOUNT,
        "streamSid": STREAM,
        "callSid": CALL,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"call_token": "opaque"},
    },
    "streamSid": STREAM,
}
MEDIA: dict = {
    "event": "media",
    "sequenceNumber": "4",
    "media": {"track": "inbound", "chunk": "2", "timestamp": "25", "payload": AUDIO},
    "streamSid": STREAM,
}
DTMF = {
    "event": "dtmf",
    "streamSid": STREAM,
    "sequenceNumber": "5",
    "dtmf": {"track": "inbound_track", "digit": "1"},
}
MARK = {"event": "mark", "sequenceNumber": "4", "streamSid": STREAM, "mark": {"name": "g1:item_abc:1280"}}
STOP = {
    "event": "stop",
    "sequenceNumber": "5",
    "stop": {"accountSid": ACCOUNT, "callSid": CALL},
    "streamSid": STREAM,
}
CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}


def started() -> StreamCodec:
    """A codec that has read its start message."""
    codec = StreamCodec()
    assert isinstance(codec.decode(json.dumps(START)), StreamStarted)
    return codec


def test_a_start_message_says_which_call_it_belongs_to() -> None:
    """The start message of the documentation becomes a StreamStarted with its parameters and format."""
    assert StreamCodec().decode(json.dumps(START)) == StreamStarted(
        stream_id=STREAM,
        call_id=CALL,
        account_id=ACCOUNT,
        audio_format="audio/pcmu",
        sample_rate_hz=8000,
        parameters={"call_token": "opaque"},
    )


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (CONNECTED, Ignored("connected")),
        (MEDIA, Media(AUDIO, 25, 4)),
        (DTMF, Dtmf("1")),
        (MARK, MarkReturned("g1:item_abc:1280")),
        (STOP, StreamStopped()),
        ({"event": "something-new", "streamSid": STREAM}, Ignored("something-new")),
        ({"event": "stop"}, StreamStopped()),
    ],
    ids=lambda value: value.get("event") if isinstance(value, dict) else "",
)
def test_each_documented_message_has_its_event(message: dict, event: object) -> None:
    """Every message of the documentation, and one it does not have yet, becomes the event it stands for."""
    assert started().decode(json.dumps(message)) == event
    assert started().decode(json.dumps(message).encode()) == event


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        ("\ud800", "not_json"),
        ("[" * 60_000, "not_a_message"),
        ("x" * 70_000, "too_long"),
        ("[]", "not_a_message"),
        ('{"event": 5}', "not_a_message"),
        (json.dumps({"event": "media", "streamSid": STREAM}), "bad_media"),
        (json.dumps(MEDIA | {"media": {"payload": 'A"},{"', "timestamp": "1"}}), "payload"),
        (json.dumps(MEDIA | {"media": {"payload": "AAA", "timestamp": "1"}}), "payload"),
        (json.dumps(MEDIA | {"media": {"payload": "", "timestamp": "1"}}), "bad_media"),
        (json.dumps(MEDIA | {"media": {"payload": "A" * 40_000, "timestamp": "1"}}), "bad_media"),
        (json.dumps(MEDIA | {"media": {"payload": AUDIO, "timestamp": "-1"}}), "bad_media"),
        (json.dumps(MEDIA | {"media": {"payload": AUDIO, "timestamp": "soon"}}), "bad_media"),
        (json.dumps(MEDIA | {"streamSid": "MZother"}), "other_stream"),
        (json.dumps(DTMF | {"dtmf": {"digit": "12"}}), "digit"),
        (json.dumps(MARK | {"mark": {"name": ""}}), "bad_mark"),
        (json.dumps(START | {"start": START["start"] | {"streamSid": 'a"b'}}), "bad_start"),
        (
            json.dumps(
                START
                | {
                    "start": START["start"]
                    | {"mediaFormat": {"encoding": "audio/x-L16", "sampleRate": 16000, "channels": 1}}
                }
            ),
            "audio_format",
        ),
    ],
)
def test_what_twilio_does_not_send_is_malformed(message: str, reason: str) -> None:
    """A message out of shape becomes Malformed with a reason that holds nothing of its content."""
    assert started().decode(message) == Malformed(reason)


@given(
    st.one_of(
        st.text(),
        st.binary(),
        st.recursive(
            st.none() | st.text() | st.integers() | st.floats(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(["event", "media", "start", "payload", "mark", "name"]) | st.text(), inner
                )
            ),
        ).map(json.dumps),
    )
)
def test_nothing_makes_the_codec_raise(message: str | bytes) -> None:
    """Whatever arrives, decoding gives an event."""
    assert started().decode(message) is not None


def test_a_payload_is_passed_on_as_it_came() -> None:
    """What is queued on the line is exactly the message Twilio documents, around the untouched payload."""
    assert json.loads(started().media(AUDIO)) == {
        "event": "media",
        "streamSid": STREAM,
        "media": {"payload": AUDIO},
    }


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_a_mark_comes_back_as_it_was_sent(name: str) -> None:
    """Any mark name survives the way to Twilio and back."""
    sent = json.loads(started().mark(name))
    assert sent == {"event": "mark", "streamSid": STREAM, "mark": {"name": name}}
    assert started().decode(json.dumps(sent)) == MarkReturned(name)


def test_clear_is_the_documented_message() -> None:
    """Throwing away what is queued is the message Twilio documents."""
    assert json.loads(started().clear()) == {"event": "clear", "streamSid": STREAM}


def test_a_second_stream_of_the_same_call_takes_over() -> None:
    """After a transfer nobody answered a new stream starts, and messages go to it."""
    codec = started()
    codec.decode(
        json.dumps(START | {"start": START["start"] | {"streamSid": "MZsecond"}, "streamSid": "MZsecond"})
    )
    assert json.loads(codec.clear())["streamSid"] == "MZsecond"
    assert codec.decode(json.dumps(MARK)) == Malformed("other_stream")


URL = "https://calls.example.com/twilio/voice"
FIELDS = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=5)


@given(st.text(min_size=1), FIELDS)
def test_our_signature_is_the_sdk_s(token: str, fields: dict[str, str]) -> None:
    """Twilio's validator accepts what we sign, and we accept what it computes."""
    try:
        token.encode(), "".join([*fields, *fields.values()]).encode()
    except UnicodeEncodeError:
        return
    judge = RequestValidator(token)
    assert judge.validate(URL, fields, twilio.sign(token, URL, fields.items()))
    assert twilio.verify([token], URL, fields.items(), judge.compute_signature(URL, fields))


@pytest.mark.parametrize("signature", [None, "", "garbage", "=", "\udcff", "é", twilio.sign("other", URL)])
def test_a_signature_that_is_not_ours_is_refused(signature: str | None) -> None:
    """Absent, garbled and foreign signatures are refused without an exception."""
    assert not twilio.verify(["secret"], URL, [], signature)


def test_no_secret_accepts_nothing() -> None:
    """Without a token, not even the signature an empty token makes is accepted."""
    assert not twilio.verify([""], URL, [], twilio.sign("", URL))
    assert not twilio.verify([], URL, [], twilio.sign("", URL))


@pytest.mark.parametrize(
    "changed",
    [
        "http://calls.example.com/twilio/voice",
        "https://calls.example.com/twilio/voice/",
        "https://CALLS.example.com/twilio/voice",
        "https://evil.example.com/twilio/voice",
        "https://calls.example.com:8443/twilio/voice",
        "https://calls.example.com/twilio/voice?x=1",
    ],
)
def test_a_signature_holds_for_one_address_only(changed: str) -> None:
    """A signature made over another scheme, host, port, path or query is refused."""
    assert not twilio.verify(["secret"], URL, [], twilio.sign("secret", changed))


@pytest.mark.parametrize("url", ["wss://calls.example.com/twilio/media", URL])
def test_the_standard_port_may_be_signed_along(url: str) -> None:
    """Twilio signs some addresses with their standard port; both forms are accepted."""
    ported = url.replace("example.com", "example.com:443")
    assert twilio.verify(["secret"], url, [], twilio.sign("secret", ported))
    assert twilio.verify(["secret"], ported, [], twilio.sign("secret", url))


def test_the_old_secret_still_holds_while_it_is_rotated() -> None:
    """A signature by any of the accepted tokens is accepted."""
    assert twilio.verify(["new", "old"], URL, [], twilio.sign("old", URL))


FORM = {
    "CallSid": CALL,
    "AccountSid": ACCOUNT,
    "From": "+15005550006",
    "To": "+15005550001",
    "Direction": "inbound",
}


@pytest.mark.parametrize(
    ("form", "caller"),
    [
        (FORM, "+15005550006"),
        (FORM | {"From": "anonymous"}, None),
        (FORM | {"From": "+266696687"}, None),
        (FORM | {"From": ""}, None),
        (FORM | {"From": "client:alice"}, None),
    ],
)
def test_a_withheld_number_is_no_number(form: dict[str, str], caller: str | None) -> None:
    """Only an E.164 number that means a caller is taken as the caller's number."""
    call = twilio.read_call(form)
    assert call is not None
    assert call.caller_number == caller


@pytest.mark.parametrize("bad", ["", "CA/../x", "CA" + "0" * 80, "XX00"])
def test_a_webhook_without_a_call_is_not_read(bad: str) -> None:
    """A call id out of shape is no call."""
    assert twilio.read_call(FORM | {"CallSid": bad}) is None


def same(ours: str, theirs: object) -> bool:
    """Whether two documents say the same, whatever the order of attributes."""

    def shape(node):
        return node.tag, dict(node.attrib), (node.text or "").strip(), [shape(child) for child in node]

    return bool(shape(fromstring(ours)) == shape(fromstring(str(theirs))))


def test_the_answer_is_the_sdk_s_document() -> None:
    """The answer to a call is what Twilio's SDK would write: one stream, its token, and the second net."""
    after = "https://h.example/twilio/after-stream"
    expected = VoiceResponse()
    connect = Connect(action=after, method="POST")
    connect.stream(name="assistant", url="wss://h.example/twilio/media").parameter("call_token", 'a<&"b')
    expected.append(connect)
    expected.redirect(after, method="POST")
    ours = twilio.connect(media_url="wss://h.example/twilio/media", after_url=after, token='a<&"b')
    assert same(ours, expected)


@pytest.mark.parametrize("number", ["+15005550009", "sip:desk@example.com"])
def test_dialling_a_person_is_the_sdk_s_document(number: str) -> None:
    """A transfer rings the person, whispers to them alone, and comes back to us when it is over."""
    expected = VoiceResponse()
    verb = Dial(answer_on_bridge=True, timeout=30, action="https://h.example/after", method="POST")
    add = verb.sip if number.startswith("sip:") else verb.number
    add(number, url="https://h.example/whisper", method="POST")
    expected.append(verb)
    ours = twilio.dial(
        number=number,
        timeout_ms=30_000,
        after_url="https://h.example/after",
        whisper_url="https://h.example/whisper",
    )
    assert same(ours, expected)


def test_whispers_and_apologies_are_the_sdk_s_documents() -> None:
    """What a person hears before the call, and a caller when we fail, is written as the SDK writes it."""
    expected = VoiceResponse()
    expected.gather(
        num_digits=1, timeout=10, action="https://h.example/a", method="POST", action_on_empty_result=True
    ).say("R&D <1>")
    expected.hangup()
    assert same(twilio.whisper(text="R&D\x00 <1>", answer_url="https://h.example/a"), expected)
    sorry = VoiceResponse()
    sorry.say("Sorry.")
    sorry.append(Dial(answer_on_bridge=True))
    sorry.verbs[-1].number("+15005550009")
    sorry.hangup()
    assert same(twilio.apologise(text="Sorry.", number="+15005550009"), sorry)
    assert same(twilio.join(), VoiceResponse())


@pytest.mark.parametrize(
    ("status", "dialled"),
    [
        ("completed", Dialled("answered", "")),
        ("busy", Dialled("unanswered", "busy")),
        ("no-answer", Dialled("unanswered", "no_answer")),
        ("canceled", Dialled("unanswered", "failed")),
        ("", Dialled("unanswered", "failed")),
    ],
)
def test_how_dialling_went_is_read(status: str, dialled: Dialled) -> None:
    """Every dial status has a result, and what is not known is a failure."""
    assert twilio.read_dialled({"DialCallStatus": status}) == dialled
