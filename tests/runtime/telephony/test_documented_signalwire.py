"""SignalWire's messages as its documentation shows them, its signature judged by Twilio's SDK (the same
algorithm), its documents by the SDK's shapes.
"""

import base64
import json
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from runtime.audio import PCM24, PCMU
from runtime.telephony.base import (
    Account,
    Asked,
    Dtmf,
    Ignored,
    Malformed,
    MarkReturned,
    Media,
    Placing,
    StreamStarted,
    StreamStopped,
    bearer,
)
from runtime.telephony.base.json_stream import StreamCodec
from runtime.telephony.signalwire import PROVIDER

signalwire = PROVIDER

STREAM = "7d56cc11-536d-4a45-b4fb-ed3d55be843b"
ACCOUNT = "b08dacad-2f6c-4de1-93d6-cc732e0c69c5"
CALL = "76ac3c36-56da-4a3e-a0d6-b5f8df6da9ad"
AUDIO = base64.b64encode(b"\0" * 960).decode()

CONNECTED = {"event": "connected", "protocol": "Call", "version": "0.2.0"}
START: dict = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "streamSid": STREAM,
        "accountSid": ACCOUNT,
        "callSid": CALL,
        "tracks": ["inbound"],
        "customParameters": {"call_token": "opaque"},
        "mediaFormat": {"encoding": "audio/x-L16", "sampleRate": 24000, "channels": 1},
    },
}
MEDIA = {
    "event": "media",
    "sequenceNumber": "42",
    "media": {"track": "inbound", "chunk": "1", "timestamp": "0", "payload": AUDIO},
}
DTMF = {
    "event": "dtmf",
    "sequenceNumber": "123",
    "streamSid": STREAM,
    "dtmf": {"digit": "5", "duration": 2000},
}
MARK = {"event": "mark", "streamSid": STREAM, "mark": {"name": "m1"}}
STOP = {"event": "stop", "sequenceNumber": "999"}


def started() -> StreamCodec:
    codec = StreamCodec(PCM24)
    assert isinstance(codec.decode(json.dumps(START)), StreamStarted)
    return codec


def test_a_start_without_a_stream_id_outside_says_which_call_it_is() -> None:
    """The documented start, L16 at 24 kHz with UUIDs, becomes a StreamStarted."""
    assert StreamCodec(PCM24).decode(json.dumps(START)) == StreamStarted(
        STREAM, CALL, ACCOUNT, "audio/pcm", 24_000, {"call_token": "opaque"}
    )


def test_parameters_may_be_missing() -> None:
    """customParameters is there only where some are defined."""
    plain = {name: value for name, value in START["start"].items() if name != "customParameters"}
    event = StreamCodec(PCM24).decode(json.dumps(START | {"start": plain}))
    assert isinstance(event, StreamStarted)
    assert event.parameters == {}


@pytest.mark.parametrize("wanted", [PCMU, PCM24])
def test_the_line_carries_what_was_asked_for(wanted) -> None:
    """mu-law is taken where it was asked for, and refused where L16 was, and the other way round."""
    told = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    event = StreamCodec(wanted).decode(json.dumps(START | {"start": START["start"] | {"mediaFormat": told}}))
    assert isinstance(event, StreamStarted) == (wanted == PCMU)
    assert wanted == PCMU or event == Malformed("audio_format")


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (CONNECTED, Ignored("connected")),
        (MEDIA, Media(AUDIO, 0, 42)),
        (DTMF, Dtmf("5")),
        (MARK, MarkReturned("m1")),
        (STOP, StreamStopped()),
    ],
    ids=lambda value: value.get("event") if isinstance(value, dict) else "",
)
def test_each_documented_message_has_its_event(message: dict, event: object) -> None:
    """Media without a stream id, marks without a sequence and a stop without an object are taken (E13)."""
    assert started().decode(json.dumps(message)) == event


def test_what_goes_out_is_documented() -> None:
    """media, mark and clear name the stream."""
    codec = started()
    assert json.loads(codec.media(AUDIO)) == {
        "event": "media",
        "streamSid": STREAM,
        "media": {"payload": AUDIO},
    }
    assert json.loads(codec.mark("m1")) == MARK
    assert json.loads(codec.clear()) == {"event": "clear", "streamSid": STREAM}


URL = "https://calls.example.com/signalwire/voice"
FIELDS = {"CallSid": CALL, "AccountSid": ACCOUNT, "From": "+15005550006", "To": "+15005550001"}


def asked(**headers: str) -> Asked:
    named = {name.lower(): value for name, value in headers.items()}
    return Asked(URL, named, 0, tuple(FIELDS.items()))


def test_webhooks_are_signed_as_twilio_s_with_another_header() -> None:
    """The signature is Twilio's algorithm with the signing key, under SignalWire's own header."""
    signature = RequestValidator("key").compute_signature(URL, FIELDS)
    genuine = asked(**{"X-SignalWire-Signature": signature})
    assert signalwire.genuine(["key"], genuine, ACCOUNT)
    assert signalwire.genuine(["new", "key"], genuine, None)
    assert not signalwire.genuine(["other"], genuine, None)
    assert not signalwire.genuine(["key"], genuine, "another-account")
    assert not signalwire.genuine(["key"], asked(**{"X-Twilio-Signature": signature}), None)
    assert not signalwire.genuine(["key"], asked(), None)


@given(st.text(max_size=80).filter(lambda text: "Bearer" not in text))
def test_an_upgrade_needs_the_bearer_we_gave(text: str) -> None:
    """The upgrade is let in with the bearer token of our document, and with nothing else."""
    url = "wss://calls.example.com/signalwire/media"
    right = Asked(url, {"authorization": f"Bearer {bearer('key', url)}"}, 0)
    assert signalwire.genuine_stream(["old", "key"], right)
    assert not signalwire.genuine_stream(["other"], right)
    assert not signalwire.genuine_stream([""], Asked(url, {"authorization": f"Bearer {bearer('', url)}"}, 0))
    assert not signalwire.genuine_stream(["key"], Asked(url, {"authorization": text}, 0))
    assert not signalwire.genuine_stream(["key"], Asked(url, {}, 0))


@pytest.mark.parametrize(("wanted", "codec"), [(PCMU, "PCMU@8000h"), (PCM24, "L16@24000h")])
def test_the_answer_asks_for_the_codec_and_the_bearer(wanted, codec: str) -> None:
    """The stream element names codec and bearer token as the documentation's attributes do."""
    document = signalwire.connect(
        media_url="wss://h/m", after_url="https://h/a", token="opaque", bearer="b" * 64, wanted=wanted
    )
    stream = fromstring(document).find("Connect/Stream")
    assert stream is not None
    assert stream.attrib["codec"] == codec
    assert stream.attrib["authBearerToken"] == "b" * 64


def test_a_call_is_placed_at_the_space() -> None:
    """Placing a call is the compatibility interface's form."""
    placing = Placing("+12025550123", "+15005550001", "https://h/answer", "https://h/event", 30_000, True)
    order = signalwire.place_call(Account(ACCOUNT, "token", "acme"), placing)
    assert order.path == f"/api/laml/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    assert b"AsyncAmd=true" in order.body
    assert b"MachineDetection=Enable" in order.body
