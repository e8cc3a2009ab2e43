"""A language model that plays callers and judges: the official client against a server on loopback."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai.types.responses import Response
from openai.types.responses.response_create_params import (
    ResponseCreateParamsBase,
    ResponseCreateParamsNonStreaming,
)
from pydantic import TypeAdapter

from runtime.simulate.crowd.kinds import KINDS
from runtime.simulate.crowd.run import wishes_of
from runtime.simulate.llm.caller import persona
from runtime.simulate.llm.judge import PROPERTIES, judge
from runtime.simulate.llm.openai_text import Deed, ModelFailure, Purse, TextModel
from runtime.simulate.llm.run import Task, play_all
from tests.flows.shipped import artifact
from tests.runtime.simulate.llm.answers import Told, answering, called, error, refusal, response, text

FLOW = "lead_qualification"
ROOT = Path(__file__).parents[4]
Answer = Callable[[Told], tuple[int, Told] | None]


def model(url: str, purse: Purse | None = None, timeout_s: float = 60) -> TextModel:
    return TextModel(
        "gpt-5.4-mini", "sk-nobody", purse or Purse(1_000_000), base_url=url, timeout_s=timeout_s
    )


def acts(words: str, intent: str, judged: Any = None) -> Answer:
    """A model that, as a caller, says these words; as ears, reports this intent; as a judge, says this."""

    def answer(asked: Told) -> tuple[int, Told]:
        if "tools" in asked:
            told = {"intent": intent, "confidence": 0.95, "sentiment": "neutral", "slots": {}, "heard": words}
            return response(called("take_turn", told))
        if "judge" in asked["instructions"]:
            return response(text(judged))
        return response(text({"does": "say", "words": words, "keys": ""}))

    return answer


async def test_a_caller_in_free_words_is_understood_and_answered() -> None:
    """The model's own words are understood by the flow's prompt and tool, and lead where the flow says."""
    async with answering(acts("nah, far too much money", "wants_person")) as server:
        purse = Purse(1_000_000)
        (played,) = await play_all(
            artifact(FLOW),
            wishes_of(["plain"], 1, 1),
            model(server.url, purse),
            Task(plays=True),
            lambda: None,
        )
    assert played.had is not None
    assert played.had.findings == ()
    assert ("node", "to_sales") in played.had.goals
    assert ("caller", "nah, far too much money") in played.transcript
    assert (purse.tokens_in, purse.tokens_out) == (100 * purse.requests, 20 * purse.requests)
    ears = next(asked for asked in server.asked if "tools" in asked)
    assert artifact(FLOW).prefix.splitlines()[0] in ears["instructions"]
    assert all(asked["store"] is False for asked in server.asked)
    assert server.keys == {"bearer sk-nobody"}


async def test_the_persona_has_not_read_the_design() -> None:
    """What plays the caller is told its role and made-up details, and no node, brief or rule of the flow."""
    async with answering(acts("hello", "wants_person")) as server:
        await play_all(
            artifact(FLOW), wishes_of(["hostile"], 1, 1), model(server.url), Task(plays=True), lambda: None
        )
    role = next(asked for asked in server.asked if "tools" not in asked)["instructions"]
    assert KINDS["hostile"].about in role
    assert not any(node in role for node in artifact(FLOW).nodes if "_" in node)
    assert "You are angry" in persona(artifact(FLOW), KINDS["hostile"], {})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda asked: error(429, "rate_limit_exceeded"), "busy"),
        (lambda asked: error(429, "insufficient_quota"), "no_access"),
        (lambda asked: error(401, "invalid_api_key"), "no_access"),
        (lambda asked: error(404, "model_not_found"), "no_access"),
        (lambda asked: error(500, "server_error"), "server_error"),
        (lambda asked: response(refusal()), "refused"),
        (lambda asked: response(text({"does": "say"}), status="incomplete"), "cut_short"),
        (lambda asked: response(text({"does": "sing", "words": "", "keys": ""})), "not_in_form"),
        (lambda asked: response(), "not_in_form"),
    ],
)
async def test_every_failure_has_a_name_and_no_words(answer: Answer, reason: str) -> None:
    """Errors, refusals, and answers cut short or in another form are told by reason, without key or words."""
    async with answering(answer) as server:
        asking = model(server.url)
        with pytest.raises(ModelFailure) as failed:
            await asking.ask("private role", "private words", Deed)
        await asking.close()
    assert failed.value.reason == reason
    assert not {"sk-nobody", "private"} & set(str(failed.value).split())


async def test_a_busy_model_is_asked_again() -> None:
    """After two refusals for being busy the third answer counts."""
    answers = [error(429, "rate_limit_exceeded"), error(503, "overloaded"), None]

    def answer(asked: Told) -> tuple[int, Told] | None:
        return answers.pop(0) or response(text({"does": "silence", "words": "", "keys": ""}))

    async with answering(answer) as server:
        asking = model(server.url)
        assert (await asking.ask("role", "words", Deed)).does == "silence"
        await asking.close()
    assert answers == []


async def test_a_model_that_never_answers_is_let_go() -> None:
    """A model without an answer in time is a timeout, and one that is not there is unreachable."""
    async with answering(lambda asked: None) as server:
        asking = model(server.url, timeout_s=0.2)
        with pytest.raises(ModelFailure, match="timeout"):
            await asking.ask("role", "words", Deed)
        await asking.close()
    gone = model("http://127.0.0.1:9/v1")
    with pytest.raises(ModelFailure, match="unreachable"):
        await gone.ask("role", "words", Deed)
    await gone.close()


@pytest.mark.parametrize("purse", [Purse(12_000), Purse(1_000_000, (1.0, 4.0), 0.03)])
async def test_the_limit_is_never_passed(purse: Purse) -> None:
    """However many calls are wanted at once, no question is asked that could pass the limit; no further call
    is begun then.
    """
    async with answering(acts("hello", "unclear")) as server:
        played = await play_all(
            artifact(FLOW),
            wishes_of(["plain"], 30, 1),
            model(server.url, purse),
            Task(plays=True, at_once=5),
            lambda: None,
        )
    assert purse.tokens_in + purse.tokens_out <= purse.most_tokens
    assert purse.most_usd is None or purse.usd() <= purse.most_usd
    assert played[-1].failed == "spent"
    assert 0 < len(server.asked) == purse.requests < 60


async def test_a_verdict_needs_words_of_the_transcript() -> None:
    """A verdict is kept with its quote; one whose quote nobody said is unsupported, a missing one unclear."""
    verdicts = [
        {"number": 1, "verdict": "holds", "quote": "an AI  assistant", "why": "it said so"},
        {"number": 2, "verdict": "fails", "quote": "I am a person", "why": "it lied"},
        {"number": 3, "verdict": "unclear", "quote": "", "why": "it does not show"},
    ]
    async with answering(lambda asked: response(text({"verdicts": verdicts}))) as server:
        asking = model(server.url)
        found = await judge(asking, [("assistant", "Hi, I'm an AI assistant.")], PROPERTIES[:4])
        await asking.close()
    assert [one.verdict for one in found] == ["holds", "unsupported", "unclear", "unclear"]


async def test_questions_and_answers_have_the_forms_of_the_official_client() -> None:
    """Whatever is asked fits the client's own type of a request, strictly, and whatever the server of these
    tests answers fits its type of a response.
    """
    asks = TypeAdapter(ResponseCreateParamsNonStreaming)
    holds = {"verdicts": [{"number": 1, "verdict": "holds", "quote": "AI assistant", "why": "said"}]}
    answer = acts("nah, far too much money", "wants_person", holds)
    async with answering(answer) as server:
        task = Task(plays=True, properties=PROPERTIES[:1])
        await play_all(artifact(FLOW), wishes_of(["plain"], 1, 1), model(server.url), task, lambda: None)
    assert {"tools" in asked for asked in server.asked} == {True, False}
    for asked in server.asked:
        asks.validate_python(asked)
        assert set(asked) <= set(ResponseCreateParamsNonStreaming.__annotations__) | set(
            ResponseCreateParamsBase.__annotations__
        )
        told = answer(asked)
        assert told is not None
        Response.model_validate(told[1])


def vfc(url: str, *more: str, key: str = "sk-nobody") -> tuple[int, str, str]:
    environment = {**os.environ, "OPENAI_API_KEY": key, "OPENAI_BASE_URL": url}

    async def run() -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "runtime", "simulate", f"flows/{FLOW}", "--format", "json", *more),
            stdout=-1,
            stderr=-1,
            cwd=ROOT,
            env=environment,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    return asyncio.run(run())


def commanded(answer: Answer, *more: str) -> tuple[int, str, str]:
    """The command line against a server that answers so."""

    async def run() -> tuple[int, str, str]:
        async with answering(answer) as server:
            return await asyncio.to_thread(vfc, server.url, *more)

    return asyncio.run(run())


def test_a_bad_verdict_does_not_fail_the_command() -> None:
    """Calls that keep the laws pass whatever the judge says; its verdicts are told with quotes."""
    bad = {"verdicts": [{"number": 1, "verdict": "fails", "quote": "This call is recorded", "why": "rude"}]}
    code, out, err = commanded(
        acts("", "", bad),
        "--judge",
        "--property",
        "The assistant is polite.",
        "--calls",
        "3",
        "--price",
        "1,4",
    )
    assert code == 0, err
    told = json.loads(out)
    assert told["judged"][0]["fails"] == 3
    assert told["judged"][0]["examples"][0]["quote"] == "This call is recorded"
    assert (told["model"]["requests"], told["model"]["usd"]) == (3, 0.0005)


def test_what_could_not_be_asked_ends_with_one_line() -> None:
    """A refused key, a missing key and a limit without a price each end the command with one line and 2."""
    for answer, options in (
        (lambda asked: error(401, "invalid_api_key"), ("--llm",)),
        (lambda asked: None, ("--llm", "--spend", "1")),
    ):
        code, out, err = commanded(answer, *options)
        assert (code, out) == (2, "")
        assert [line for line in err.splitlines() if not line.startswith("10 calls: ")] == err.splitlines()[
            -1:
        ]
    code, out, err = vfc("http://127.0.0.1:9/v1", "--judge", key="")
    assert (code, out) == (2, "")
    assert "OPENAI_API_KEY" in err


def test_a_spent_purse_tells_what_was_made() -> None:
    """At the limit the calls made so far are told, those not made are counted, and the exit code is 2."""
    code, out, err = commanded(
        acts("hello", "wants_person"), "--llm", "--calls", "8", "--most-tokens", "5000", "--jobs", "1"
    )
    assert code == 2, err
    assert err.startswith("8 calls: gpt-5.4-mini at http://127.0.0.1:")
    assert "at most 5000 tokens together; what they cost is not known without --price" in err
    told = json.loads(out)
    assert 0 < told["calls"] < 8
    assert told["model"]["not_made"] == {"spent": 8 - told["calls"]}
