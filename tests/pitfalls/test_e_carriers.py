"""Pitfalls E1 to E15 and F1 to F3: carriers and the law. Tests are named as in docs/pitfalls.md."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from runtime import context
from runtime.telephony import PROVIDERS
from runtime.telephony.base import LineCall
from tests.flows.shipped import FLOWS, artifact
from tests.runtime import test_server, test_server_transfer
from tests.runtime.call import test_pace
from tests.runtime.engine import test_overlap
from tests.runtime.telephony import test_conference_orders, test_documented_signalwire
from voiceflow_compiler.checks import CHECKS

ROOT = Path(__file__).parents[2]
test_E2_an_unsigned_upgrade_is_refused = (
    test_server.test_an_upgrade_with_a_foreign_signature_is_refused_before_it_is_accepted
)
test_E3_a_proxy_s_headers_move_nothing = test_server.test_a_header_cannot_move_the_signed_address
test_E5_a_stream_that_ends_for_a_transfer = (
    test_server_transfer.test_a_transfer_given_up_still_brings_the_caller_back
)
test_E6_a_stream_is_known_by_our_own_token = test_server.test_a_token_lets_one_stream_in
test_E9_two_callers_do_not_mix = test_server.test_two_calls_at_once_do_not_mix
test_E10_nothing_is_said_before_the_verdict = test_overlap.test_nothing_is_said_before_the_verdict
test_E11_a_conference_ends_with_either_side = test_conference_orders.test_the_room_is_twilio_s_conference
test_E12_a_small_buffer_is_not_overrun = test_pace.test_no_more_is_sent_than_the_carrier_may_hold
test_E13_no_stream_id_is_demanded = (
    test_documented_signalwire.test_a_start_without_a_stream_id_outside_says_which_call_it_is
)


def answer() -> Any:
    """The document that opens a Twilio stream."""
    provider = PROVIDERS["twilio"]
    call = provider.read_call(
        {"CallSid": "CA" + "1" * 32, "AccountSid": "AC" + "1" * 32, "Direction": "inbound"}
    )
    assert isinstance(call, LineCall)
    document = provider.connect(
        media_url="wss://calls.example.com/twilio/media",
        after_url="https://calls.example.com/twilio/after-stream",
        token="secret-token",
        call=call,
        bearer="",
        wanted=provider.FORMATS[0],
    )
    return fromstring(document)


def test_E1_the_token_is_a_parameter() -> None:
    """The stream's address has no query; the token travels as a Parameter."""
    stream = answer().find("Connect/Stream")
    assert "?" not in stream.attrib["url"]
    assert stream.find("Parameter").attrib["value"] == "secret-token"


def test_E4_the_carrier_asks_when_the_stream_is_over() -> None:
    """Connect names an action of ours: whatever ends the stream, the caller is not left alone."""
    assert answer().find("Connect").attrib["action"] == "https://calls.example.com/twilio/after-stream"


async def test_E7_the_answer_does_not_wait_for_the_crm() -> None:
    """A look-up is begun and not waited for, also where the source never answers."""

    class Never:
        async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
            await asyncio.get_running_loop().create_future()
            raise AssertionError

    begun = context.begin(Never(), "+15005550006")
    assert not begun.task.done()
    begun.task.cancel()
    await asyncio.gather(begun.task, return_exceptions=True)


def test_E15_audioop_comes_from_elsewhere_where_python_has_none() -> None:
    """On 3.13 and later the module that left the standard library is a dependency."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert [one for one in wanted if one.startswith("audioop-lts") and "python_version >= '3.13'" in one]


@pytest.mark.parametrize("flow", FLOWS)
def test_F1_the_disclosure_is_not_left_to_the_model(flow: str) -> None:
    """What is disclosed are exact words, prepared as audio before the first call."""
    compiled = artifact(flow)
    first = [node for node in compiled.nodes.values() if node.kind == "disclosure"]
    assert first
    assert all(node.line and node.line.say and node.line.script in compiled.scripts for node in first)


@pytest.mark.parametrize("flow", FLOWS)
def test_F2_are_you_human_is_answered_truthfully(flow: str) -> None:
    """The session's instructions are ours, say first what the assistant is, and replace the server's
    own; a flow that claims otherwise does not compile.
    """
    assert artifact(flow).prefix.startswith("# Role\nYou are the AI assistant of ")
    assert {"human-claim", "law-honest-answer"} <= {check.name for check in CHECKS}
