import pytest

from runtime.simulate.twiml import Dial, Gather, Hangup, Redirect, Say, Stream, TwimlError, read
from runtime.telephony.twilio import PROVIDER

twilio = PROVIDER


def test_the_answer_to_a_call_is_read() -> None:
    """What our own codec writes for a call is a stream with its parameters and action, then a redirect."""
    text = twilio.connect(media_url="wss://h/media", after_url="https://h/after", token="t")
    stream, redirect = read(text)
    assert stream == Stream("wss://h/media", {"call_token": "t"}, "https://h/after")
    assert redirect == Redirect("https://h/after")


def test_a_dial_is_read() -> None:
    """Number, time-out, whisper and action of a dial are found."""
    text = twilio.dial(number="+15005550006", timeout_ms=20_000, after_url="/after", whisper_url="/whisper")
    assert read(text) == (Dial("+15005550006", 20.0, "/after", "/whisper"),)


def test_a_whisper_is_read() -> None:
    """A whisper is something said, a key waited for, and then the end."""
    gather, hangup = read(twilio.whisper(text="Dana calls.", answer_url="/answer"))
    assert gather == Gather((Say("Dana calls."),), "/answer")
    assert hangup == Hangup()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "<Other/>",
        "<Response><Sing/></Response>",
        "<Response><Connect/></Response>",
        '<Response><Connect><Stream url="https://h/media"/></Connect></Response>',
        '<Response><Connect><Stream url="wss://h/media?x=1"/></Connect></Response>',
    ],
)
def test_what_twilio_would_not_obey_is_an_error(text: str) -> None:
    """A document with an unknown verb, a wrong stream address, or no document at all is refused."""
    with pytest.raises(TwimlError):
        read(text)
