"""Who is let in: signatures, tokens, sockets and limits, over real sockets."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from runtime.server.tokens import LIFETIME_MS, Tokens, call_of, shared_key
from runtime.telephony.base import LineCall
from runtime.telephony.twilio import sign
from tests.runtime.switchboard import (
    ACCOUNT,
    AUDIO,
    CALL,
    CALLER,
    NUMBER,
    OTHER_CALL,
    OTHER_CALLER,
    PATIENCE_S,
    SECRET,
    Switchboard,
    echo,
    end,
    form,
    media_message,
    open_switchboard,
    read,
    start_message,
    stop_message,
    token_of,
)

FLOW_NAMES = ("lead-qualification", "insurance-claim")
PATHS = (
    "/twilio/voice",
    "/twilio/after-stream",
    "/twilio/after-dial",
    f"/twilio/whisper/{CALL}",
    f"/twilio/whisper/{CALL}/answer",
)


async def refused(board: Switchboard, *messages: str | bytes, **headers: str) -> int:
    """The close code a socket gets for these messages."""
    async with board.socket(**headers) as socket:
        for message in messages:
            await socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(PATIENCE_S):
                await socket.recv()
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code


async def test_a_call_is_answered_with_a_stream_and_carried(tmp_path: Path) -> None:
    """A signed webhook is answered with a stream; the stream reaches the bridge, which hears its end."""
    async with open_switchboard(tmp_path) as board:
        token = await board.answer()
        async with board.stream(token) as socket:
            await socket.send(media_message())
            assert (await read(socket))["mark"]["name"] == CALLER
            await socket.send(stop_message())
            assert await board.over() == "caller_hangup"


@pytest.mark.parametrize("path", PATHS)
async def test_a_request_nobody_signed_is_refused(tmp_path: Path, path: str) -> None:
    """Absent, garbled, foreign and replayed signatures are refused at every address; no call begins."""
    async with open_switchboard(tmp_path) as board:
        url = board.running.url + path
        fields = form().items()
        forged = [
            "",
            "garbage",
            sign("another token", url, fields),
            sign(SECRET, url, []),
            sign(SECRET, url, form(OTHER_CALL).items()),
            sign(SECRET, url + "/", fields),
            sign(SECRET, url.replace("http", "https"), fields),
            sign(SECRET, url.replace("127.0.0.1", "localhost"), fields),
            sign("", url, fields),
        ]
        for signature in forged:
            assert (await board.post(path, signature=signature)).status_code == 403
        assert board.running.calls.live == 0


async def test_a_header_cannot_move_the_signed_address(tmp_path: Path) -> None:
    """What a proxy or an attacker claims about host and scheme is not believed."""
    async with open_switchboard(tmp_path) as board:
        fields = form()
        for header in ("Host", "X-Forwarded-Host", "X-Original-Host"):
            signature = sign(SECRET, "http://evil.example/twilio/voice", fields.items())
            answer = await board.http.post(
                board.running.voice_url,
                data=fields,
                headers={
                    "X-Twilio-Signature": signature,
                    header: "evil.example",
                    "X-Forwarded-Proto": "http",
                },
            )
            assert answer.status_code == 403


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"&&&===", b"CallSid=" + b"A" * 70_000, b"&".join([b"a=1"] * 300)]
)
async def test_a_body_that_is_no_form_of_a_call_is_refused(tmp_path: Path, body: bytes) -> None:
    """Empty, garbled, oversized and overfull bodies are refused, signed or not."""
    async with open_switchboard(tmp_path) as board:
        for signature in (sign(SECRET, board.running.voice_url), "x"):
            headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
            answer = await board.http.post(board.running.voice_url, content=body, headers=headers)
            assert answer.status_code == 403


async def test_calls_of_another_account_are_refused(tmp_path: Path) -> None:
    """With an account in the settings, a signed call of another one is refused."""
    async with open_switchboard(tmp_path, toml=f'[telephony]\naccount = "{ACCOUNT}"') as board:
        assert (
            await board.post("/twilio/voice", form() | {"AccountSid": "AC" + "9" * 32})
        ).status_code == 403
        assert (await board.post("/twilio/voice")).status_code == 200


async def test_the_same_call_asked_twice_is_one_call(tmp_path: Path) -> None:
    """A webhook that is retried or replayed gets the same document, and no second call begins."""
    async with open_switchboard(tmp_path) as board:
        first, again = await board.post("/twilio/voice"), await board.post("/twilio/voice")
        assert first.text == again.text
        assert board.running.calls.live == 1


async def test_a_token_lets_one_stream_in(tmp_path: Path) -> None:
    """The second stream with the same token is refused, and the first goes on."""
    async with open_switchboard(tmp_path) as board:
        token = await board.answer()
        async with board.stream(token) as socket:
            await socket.send(media_message())
            await read(socket)
            assert await refused(board, start_message(token)) == 1008
            await socket.send(media_message(number=2))
            assert (await read(socket))["mark"]["name"] == CALLER


async def test_a_token_is_for_its_own_call_and_account(tmp_path: Path) -> None:
    """A token of one call opens neither another call nor another account, and a forged one opens nothing."""
    async with open_switchboard(tmp_path) as board:
        token = await board.answer()
        other = await board.answer(form(OTHER_CALL, OTHER_CALLER))
        head, _, seal = token.rpartition(".")
        for message in (
            start_message(other),
            start_message(token, OTHER_CALL),
            start_message(token, CALL, "AC" + "9" * 32),
            start_message(f"{head[:-1]}{'A' if head[-1] != 'A' else 'B'}.{seal}"),
            start_message(""),
            start_message("garbage"),
            start_message(".."),
            start_message(token + "x"),
        ):
            assert await refused(board, message) == 1008
        async with board.stream(token) as socket:
            await socket.send(media_message())
            assert (await read(socket))["mark"]["name"] == CALLER


@pytest.mark.parametrize(
    "messages",
    [
        ("garbage",),
        (b"\x00\xff",),
        (media_message(),),
        (stop_message(),),
        ('{"event": "connected"}',) * 10,
        ("x" * 70_000,),
    ],
    ids=["garbage", "binary", "media first", "stop first", "never starts", "too long"],
)
async def test_a_stream_that_does_not_start_is_closed(
    tmp_path: Path, messages: tuple[str | bytes, ...]
) -> None:
    """Whatever comes before a valid start closes the socket, and the waiting call is still there."""
    async with open_switchboard(tmp_path) as board:
        token = await board.answer()
        assert await refused(board, *messages) in (1008, 1009)
        async with board.stream(token) as socket:
            await socket.send(media_message())
            assert (await read(socket))["mark"]["name"] == CALLER


async def test_a_silent_socket_is_closed(tmp_path: Path) -> None:
    """A socket that says nothing is closed once its time to start is over."""
    async with open_switchboard(tmp_path, toml="[limits]\nstart_ms = 50") as board:
        assert await refused(board) == 1008


async def test_an_upgrade_with_a_foreign_signature_is_refused_before_it_is_accepted(tmp_path: Path) -> None:
    """A signature that is there and wrong is refused with 403; without one, the token decides."""
    async with open_switchboard(tmp_path) as board:
        token = await board.answer()
        for signature in ("garbage", sign(SECRET, board.running.voice_url), sign("other", "ws://x")):
            with pytest.raises(InvalidStatus) as told:
                async with board.socket(signature=signature):
                    pass
            assert told.value.response.status_code == 403
        async with board.socket(signature="") as socket:
            await socket.send(start_message(token))
            await socket.send(media_message())
            assert (await read(socket))["mark"]["name"] == CALLER


async def test_a_browser_is_refused(tmp_path: Path) -> None:
    """An upgrade with an Origin comes from a web page, and no web page may open a call's stream."""
    async with open_switchboard(tmp_path) as board:
        with pytest.raises(InvalidStatus) as told:
            async with board.socket(Origin="https://evil.example"):
                pass
        assert told.value.response.status_code == 403


async def test_too_many_sockets_that_never_start_are_turned_away(tmp_path: Path) -> None:
    """Sockets that wait to start are bounded, so that they cannot exhaust the process."""
    async with (
        open_switchboard(tmp_path, toml="[limits]\ncalls = 1") as board,
        board.socket(),
        board.socket(),
    ):
        with pytest.raises(InvalidStatus) as told:
            async with board.socket():
                pass
        assert told.value.response.status_code == 503


async def test_two_calls_at_once_do_not_mix(tmp_path: Path) -> None:
    """Each of two calls that run together hears only its own side."""
    async with open_switchboard(tmp_path) as board:
        one, two = await board.answer(), await board.answer(form(OTHER_CALL, OTHER_CALLER))
        async with board.stream(one) as first, board.stream(two, OTHER_CALL) as second:
            for number in range(1, 20):
                await first.send(media_message(CALL, number))
                await second.send(media_message(OTHER_CALL, number))
                assert (await read(first))["mark"]["name"] == CALLER
                assert (await read(second))["mark"]["name"] == OTHER_CALLER
            await first.send(stop_message())
            assert await board.over() == "caller_hangup"
            await second.send(media_message(OTHER_CALL, 20))
            assert (await read(second))["streamSid"] == "MZ" + OTHER_CALL[2:]


async def test_a_call_past_the_cap_is_told_and_rings_a_person(tmp_path: Path) -> None:
    """With every place taken, a further caller hears one sentence and a person is rung."""
    toml = '[limits]\ncalls = 1\n[telephony]\nfallback_number = "+15005550009"'
    async with open_switchboard(tmp_path, toml=toml) as board:
        await board.answer()
        document = await board.ask("/twilio/voice", form(OTHER_CALL))
        assert "busy" in (document.findtext("Say") or "")
        assert document.findtext("Dial/Number") == "+15005550009"
        ready = await board.http.get(board.running.url + "/readyz")
        assert (ready.status_code, ready.json()) == (503, {"ready": False, "calls": 1})


async def test_each_number_has_its_flow(tmp_path: Path) -> None:
    """With two flows the called number decides, and a number nobody listed is declined in a sentence."""
    toml = f'[numbers]\n"{NUMBER}" = "{FLOW_NAMES[1]}"'
    async with open_switchboard(tmp_path, toml=toml, flows=FLOW_NAMES) as board:
        await board.answer()
        live = board.running.calls.find(CALL)
        assert live is not None
        assert live.deployment.artifact.flow == FLOW_NAMES[1]
        declined = await board.ask("/twilio/voice", form(OTHER_CALL) | {"To": "+15005550099"})
        assert "not in service" in (declined.findtext("Say") or "")


async def test_a_crash_in_one_call_is_that_call_s_alone(tmp_path: Path) -> None:
    """A bridge that raises ends its call with an apology and a person; another call goes on."""

    async def fragile(caller, outside):
        if caller.call_id == CALL:
            raise RuntimeError("the text of this must not be logged")
        return await echo(caller, outside)

    toml = '[telephony]\nfallback_number = "+15005550009"'
    async with open_switchboard(tmp_path, carry=fragile, toml=toml) as board:
        one, two = await board.answer(), await board.answer(form(OTHER_CALL, OTHER_CALLER))
        async with board.stream(one), board.stream(two, OTHER_CALL) as second:
            assert await board.over() == "internal_error"
            document = await board.ask("/twilio/after-stream")
            assert document.findtext("Dial/Number") == "+15005550009"
            await second.send(media_message(OTHER_CALL))
            assert (await read(second))["mark"]["name"] == OTHER_CALLER


@pytest.mark.parametrize(
    ("call_id", "status", "said"),
    [
        (CALL, "in-progress", "went wrong"),
        (OTHER_CALL, "in-progress", "went wrong"),
        (CALL, "completed", None),
    ],
)
async def test_a_stream_that_ended_unplanned_is_not_hidden(
    tmp_path: Path, call_id: str, status: str, said: str | None
) -> None:
    """A lost line and a call of another process are apologised for; a call that is over is hung up."""
    async with open_switchboard(tmp_path) as board:
        token = await board.answer()
        async with board.stream(token) as socket:
            await socket.send(media_message())
            await read(socket)
        assert await board.over() == "line_lost"
        document = await board.ask("/twilio/after-stream", form(call_id, CallStatus=status))
        assert (said is None) == (document.find("Say") is None)
        assert said is None or said in (document.findtext("Say") or "")


async def test_a_planned_end_is_a_hang_up(tmp_path: Path) -> None:
    """When the assistant ended the call, the provider is told to hang up and nothing more is said."""

    async def goodbye(caller, outside):
        return await end(outside, "assistant_hangup")

    async with open_switchboard(tmp_path, carry=goodbye) as board:
        token = await board.answer()
        async with board.stream(token):
            assert await board.over() == "assistant_hangup"
        assert [verb.tag for verb in await board.ask("/twilio/after-stream")] == ["Hangup"]


async def test_the_server_says_that_it_is_alive_and_ready(tmp_path: Path) -> None:
    """Health and readiness are plain answers without anything private."""
    async with open_switchboard(tmp_path) as board:
        assert (await board.http.get(board.running.url + "/healthz")).text == "ok\n"
        ready = await board.http.get(board.running.url + "/readyz")
        assert ready.json() == {"ready": True, "calls": 0}


CALLED = LineCall(CALL, ACCOUNT, CALLER, NUMBER, leg_id=CALL)


def test_a_token_expires_and_is_bound() -> None:
    """A token is good for its call and account until its time is over, where its key is known."""
    tokens = Tokens()
    token = tokens.make(CALLED, 1000, flow="lead", artifact="abc")
    opens = tokens.read(token, CALL, ACCOUNT, 1000 + LIFETIME_MS)
    assert opens is not None
    assert (opens.flow, opens.artifact, call_of(opens, CALL, ACCOUNT)) == ("lead", "abc", CALLED)
    assert not tokens.read(token, CALL, ACCOUNT, 1001 + LIFETIME_MS)
    assert not tokens.read(token, OTHER_CALL, ACCOUNT, 1000)
    assert not Tokens().read(token, CALL, ACCOUNT, 1000)
    assert token != tokens.make(CALLED, 1000)


def test_a_clock_that_is_set_ends_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """On one machine a token's time is told by a clock nobody sets; another machine has only the wall's."""
    key = shared_key(SECRET)
    here, there = Tokens(key), Tokens(key, boot="elsewhere")
    token = here.make(CALLED, 1000)
    assert there.read(token, CALL, ACCOUNT, 1000)
    monkeypatch.setattr(time, "time_ns", lambda: time.monotonic_ns())
    assert here.read(token, CALL, ACCOUNT, 2000)
    assert not there.read(token, CALL, ACCOUNT, 2000)


def test_a_token_fits_where_providers_take_it() -> None:
    """Vonage bounds the headers of a socket to 512 bytes, all together."""
    call = LineCall("CON-" + "f" * 36, "", CALLER, NUMBER, leg_id="f" * 36)
    token = Tokens().make(call, 1000, flow="appointment-scheduling", artifact="0" * 16)
    assert len(json.dumps({"call_token": token, "call_id": call.call_id, "account_id": ""})) <= 512


def test_tokens_are_not_shown() -> None:
    """The key that makes tokens is in no repr."""
    tokens = Tokens(b"k" * 32)
    assert "kkk" not in repr(tokens)


@pytest.mark.parametrize("kept", [True, False])
async def test_sound_is_kept_where_the_settings_say_so(tmp_path: Path, kept: bool) -> None:
    """With `keep_sound` a stereo WAV lies beside the record; without it no sound is on the disk."""

    async def talk(caller, outside):
        outside.recording.caller(0, AUDIO)
        return await end(outside, "assistant_hangup")

    (tmp_path / "records").mkdir()
    async with open_switchboard(tmp_path, carry=talk, head=f"keep_sound = {str(kept).lower()}") as board:
        token = await board.answer()
        async with board.stream(token):
            await board.over()
    assert [path.suffix for path in sorted((tmp_path / "records" / "calls").iterdir())] == [
        ".jsonl",
        *([".wav"] if kept else []),
    ]


async def test_a_stream_that_could_not_reach_us_is_tried_again_and_told(tmp_path: Path) -> None:
    """When the provider asks what next before any stream came it tries once more; after that the caller hears
    that it went wrong, and the call is let go."""
    async with open_switchboard(tmp_path) as board:
        token = await board.answer()
        assert token_of(await board.ask("/twilio/after-stream")) == token
        assert "went wrong" in ((await board.ask("/twilio/after-stream")).findtext("Say") or "")
        assert board.running.calls.live == 0


async def test_a_call_that_ends_before_its_stream_is_let_go(tmp_path: Path) -> None:
    """A signed event that the call is over frees its place at once; a forged one and one under way do not."""
    async with open_switchboard(tmp_path) as board:
        await board.answer()
        over = form() | {"CallStatus": "completed"}
        assert (await board.post("/twilio/events", over, signature="")).status_code == 403
        assert (await board.post("/twilio/events", form())).status_code == 204
        assert board.running.calls.live == 1
        assert (await board.post("/twilio/events", over)).status_code == 204
        assert await board.over() == "never_started"
