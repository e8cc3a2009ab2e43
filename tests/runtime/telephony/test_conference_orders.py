"""The documents and REST orders of a warm transfer, each judged by the provider's own SDK: what its client
would send, and what its types read back.
"""

import json
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import fromstring

import pytest
from twilio.http.http_client import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.twiml.voice_response import Dial, Refer, VoiceResponse
from vonage_http_client.auth import Auth
from vonage_http_client.http_client import HttpClient as VonageHttp
from vonage_voice.models.ncco import Conversation
from vonage_voice.models.requests import CreateCallRequest
from vonage_voice.voice import Voice

from runtime.telephony import vonage
from runtime.telephony.base import Account, HttpOrder, Placed, Placing
from runtime.telephony.signalwire import PROVIDER as SIGNALWIRE
from runtime.telephony.twilio import PROVIDER as TWILIO
from tests.runtime.jumping import rsa_key
from tests.runtime.telephony.test_twilio import same

ACCOUNT, CALL = "AC" + "0" * 32, "CA" + "1" * 32
ABOUT = "https://h.example/twilio/person/CA1/secret"
PLACING = Placing("+15005550009", "+15005550001", ABOUT, ABOUT + "/event", 30_000, False)
LEG = "63f61863-4a51-4f6b-86e1-46edebcf9356"


class Kept(HttpClient):  # type: ignore[misc]  # ships no types
    """Keeps what Twilio's client would send."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any], Any]] = []

    def request(self, method: str, url: str, params=None, data=None, headers=None, auth=None, **more: Any):
        self.asked.append((method, url, {k: v for k, v in (data or {}).items() if v is not None}, auth))
        return Response(201, json.dumps({"sid": CALL, "account_sid": ACCOUNT}))


def sent(order: HttpOrder, host: str) -> tuple[str, str, dict[str, str]]:
    """Our order as the client's request would be kept."""
    return order.method, host + order.path, dict(parse_qsl(order.body.decode()))


@pytest.mark.parametrize("number", ["+15005550009", "sip:desk@example.com"])
def test_twilio_is_ordered_as_its_client_orders(number: str) -> None:
    """Placing, moving and ending a call are the requests of Twilio's own client, field by field."""
    kept, host, us = Kept(), TWILIO.API_URL, Account(ACCOUNT, "token")
    client = Client(ACCOUNT, "token", http_client=kept)
    client.calls.create(
        to=number,
        from_=PLACING.from_number,
        url=ABOUT,
        method="POST",
        timeout=30,
        status_callback=ABOUT + "/event",
        status_callback_method="POST",
        status_callback_event=["completed"],
    )
    client.calls(CALL).update(url=ABOUT + "/caller", method="POST")
    client.calls(CALL).update(status="completed")
    placing = Placing(number, PLACING.from_number, ABOUT, ABOUT + "/event", 30_000, False)
    ours = [
        TWILIO.place_call(us, placing),
        TWILIO.redirect_call(us, CALL, url=ABOUT + "/caller", document="<Response/>"),
        TWILIO.end_call(us, CALL),
    ]
    for order, (method, url, data, auth) in zip(ours, kept.asked, strict=True):
        plain = {name: str(one[0] if isinstance(one, list) else one) for name, one in data.items()}
        assert sent(order, host) == (method, url, plain)
        assert auth == (ACCOUNT, "token")


def test_the_room_is_twilio_s_conference() -> None:
    """Both documents are what Twilio's SDK writes: the person begins the room, and either one's leaving ends
    it.
    """
    for person in (True, False):
        expected = VoiceResponse()
        verb = Dial(action=ABOUT + "/back", method="POST")
        verb.conference(
            "handoff-secret",
            beep="false",
            start_conference_on_enter=person,
            end_conference_on_exit=True,
            status_callback=ABOUT + "/room",
            status_callback_event="start end join leave",
        )
        expected.append(verb)
        expected.redirect(ABOUT + "/back", method="POST")
        ours = TWILIO.conference(
            name="handoff-secret", after_url=ABOUT + "/back", event_url=ABOUT + "/room", person=person
        )
        assert same(ours, expected)


def test_a_caller_sent_on_by_sip_is_twilio_s_refer() -> None:
    """A blind transfer by REFER is the document of the SDK, and its result is read."""
    expected = VoiceResponse()
    refer = Refer(action="https://h/a", method="POST")
    refer.sip("sip:desk@example.com")
    expected.append(refer)
    assert same(TWILIO.refer(number="sip:desk@example.com", after_url="https://h/a"), expected)
    good = {"ReferCallStatus": "completed", "NotifySipResponseCode": "200"}
    assert TWILIO.read_dialled(good).result == "answered"
    assert TWILIO.read_dialled({"ReferCallStatus": "failed"}).result == "unanswered"
    assert TWILIO.read_dialled(good | {"NotifySipResponseCode": "486"}).result == "unanswered"


def test_signalwire_is_ordered_by_documented_fields_only() -> None:
    """A leg is updated by Url, Method and Status alone: its documentation has no inline document."""
    us, host = Account("project", "token", "acme"), "https://acme.signalwire.com"
    assert sent(SIGNALWIRE.redirect_call(us, LEG, url=ABOUT, document="<Response/>"), host) == (
        "POST",
        f"{host}/api/laml/2010-04-01/Accounts/project/Calls/{LEG}.json",
        {"Url": ABOUT, "Method": "POST"},
    )
    room = fromstring(SIGNALWIRE.conference(name="r", after_url="https://h/a", event_url="e", person=True))
    documented = {
        *("muted", "beep", "startConferenceOnEnter", "endConferenceOnExit", "waitUrl", "waitMethod"),
        *("maxParticipants", "record", "trim", "coach", "statusCallbackEvent", "statusCallback"),
        *("statusCallbackMethod", "recordingStatusCallback", "eventCallbackUrl"),
    }
    conference = room.find("Dial/Conference")
    assert conference is not None
    assert set(conference.attrib) <= documented


def test_twilio_s_client_asks_the_same_for_who_answered() -> None:
    """With detection a call is placed as Twilio's client does it, field by field."""
    kept = Kept()
    Client(ACCOUNT, "token", http_client=kept).calls.create(
        to=PLACING.number,
        from_=PLACING.from_number,
        url=ABOUT,
        method="POST",
        timeout=30,
        status_callback=ABOUT + "/event",
        status_callback_method="POST",
        status_callback_event=["completed"],
        machine_detection="Enable",
        async_amd="true",
        async_amd_status_callback=ABOUT + "/event",
        async_amd_status_callback_method="POST",
    )
    placing = Placing(PLACING.number, PLACING.from_number, ABOUT, ABOUT + "/event", 30_000, True)
    ((method, url, data, _),) = kept.asked
    plain = {name: str(one[0] if isinstance(one, list) else one) for name, one in data.items()}
    order = TWILIO.place_call(Account(ACCOUNT, "token"), placing)
    assert sent(order, TWILIO.API_URL) == (method, url, plain)


@pytest.mark.parametrize("detect", [False, True])
def test_signalwire_takes_the_orders_that_twilio_s_client_makes(detect: bool) -> None:
    """Its interface is Twilio's at another address: what Twilio's client judges is what it is sent, word for
    word, to its own space."""
    us, theirs = Account("project", "token", "acme"), Account(ACCOUNT, "token")
    placing = Placing("+15005550009", PLACING.from_number, ABOUT, ABOUT + "/event", 30_000, detect)
    pairs = [
        (SIGNALWIRE.place_call(us, placing), TWILIO.place_call(theirs, placing)),
        (
            SIGNALWIRE.redirect_call(us, CALL, url=ABOUT, document=""),
            TWILIO.redirect_call(theirs, CALL, url=ABOUT, document=""),
        ),
        (SIGNALWIRE.end_call(us, CALL), TWILIO.end_call(theirs, CALL)),
    ]
    for order, twilios in pairs:
        assert (order.method, order.content_type, order.body) == (
            twilios.method,
            twilios.content_type,
            twilios.body,
        )
        assert order.path == "/api/laml" + twilios.path.replace(ACCOUNT, "project")


class VonageKept(VonageHttp):  # type: ignore[misc]  # ships no types
    """Keeps what Vonage's client would send."""

    def __init__(self) -> None:
        super().__init__(Auth(application_id=LEG, private_key=rsa_key()))
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def put(self, host, request_path="", params=None, *args, **more):
        self.asked.append(("PUT", request_path, params))

    def post(self, host, request_path="", params=None, *args, **more):
        self.asked.append(("POST", request_path, params))
        return {"uuid": LEG, "conversation_uuid": "CON-1", "status": "started", "direction": "outbound"}


@pytest.mark.parametrize("number", ["+15005550009", "sip:desk@example.com"])
def test_vonage_is_ordered_as_its_client_orders(number: str) -> None:
    """Placing, moving and ending a leg are the requests of Vonage's own client."""
    kept = VonageKept()
    voice, us = Voice(kept), Account(LEG, "key")
    sip = number.startswith("sip:")
    to = {"type": "sip", "uri": number} if sip else {"type": "phone", "number": number[1:]}
    request = CreateCallRequest(
        to=[to],
        from_={"type": "phone", "number": "15005550001"},
        answer_url=[ABOUT],
        answer_method="POST",
        event_url=[ABOUT + "/event"],
        event_method="POST",
        ringing_timer=30,
    )
    voice.create_call(request)
    room = Conversation(
        name="handoff-secret", startOnEnter=False, endOnExit=True, eventUrl=[ABOUT], eventMethod="POST"
    )
    voice.transfer_call_ncco(LEG, [room])
    voice.hangup(LEG)
    document = vonage.conference(name="handoff-secret", after_url="", event_url=ABOUT, person=False)
    placing = Placing(number, PLACING.from_number, ABOUT, ABOUT + "/event", 30_000, False)
    ours = [
        vonage.place_call(us, placing),
        vonage.redirect_call(us, LEG, url="", document=document),
        vonage.end_call(us, LEG),
    ]
    for order, (method, path, params) in zip(ours, kept.asked, strict=True):
        assert (order.method, order.path) == (method, path)
        assert json.loads(order.body) == json.loads(json.dumps(params))


def test_what_the_interfaces_answer_is_read() -> None:
    """A call just placed is known by the id webhooks will give it and by its leg's."""
    told = {"uuid": LEG, "conversation_uuid": "CON-1", "status": "started"}
    assert vonage.read_placed(json.dumps(told).encode()) == Placed("CON-1", LEG)
    assert TWILIO.read_placed(json.dumps({"sid": CALL}).encode()) == Placed(CALL, CALL)
    for broken in (b"", b"[]", b"{}", b"[" * 100_000, b'{"sid": 7}'):
        assert TWILIO.read_placed(broken) is None
        assert vonage.read_placed(broken) is None
