"""One question and its answer: what is sent, and which failures mean that nothing was done."""

import json

import pytest

from runtime.outbound import Question, Reach, exchange, object_of, open_client, open_endpoint, read_secrets
from runtime.ports import OutsideFailure
from runtime.settings.keys import SettingsError
from tests.runtime.office import Answer, listening

LOCAL = Reach(private_hosts=frozenset({"127.0.0.1"}))


async def test_a_question_carries_its_query_and_its_json() -> None:
    """The query is encoded, the content is JSON, and nothing compressed is asked for."""
    async with listening(Answer(200, b'{"a": 1}')) as office:
        client = open_client(LOCAL)
        question = Question("POST", f"{office.url}/x", {"X-A": "b"}, {"q": "a&b=c"}, {"name": "<é>"})
        assert object_of(await exchange(client, question, 5)) == {"a": 1}
        await client.aclose()
    (asked,) = office.requests
    assert asked.target == "/x?q=a%26b%3Dc"
    assert json.loads(asked.body) == {"name": "<é>"}
    assert asked.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "denied"),
        (403, "denied"),
        (404, "refused"),
        (429, "unavailable"),
        (500, "broken"),
        (302, "broken"),
    ],
)
async def test_a_status_is_a_reason(status: int, reason: str) -> None:
    """Every status but a success is a failure with a reason of its own kind."""
    async with listening(Answer(status, b"")) as office:
        client = open_client(LOCAL)
        reply = await exchange(client, Question("GET", office.url), 5)
        await client.aclose()
    with pytest.raises(OutsideFailure, match=reason):
        object_of(reply)


async def test_a_connection_that_breaks_after_the_question_is_lost_not_unreachable() -> None:
    """Who did not answer may have acted; who could not be reached has not."""
    client = open_client(LOCAL)
    async with listening(Answer(0, b"", drop=True)) as office:
        with pytest.raises(OutsideFailure, match="lost"):
            await exchange(client, Question("GET", office.url), 5)
    with pytest.raises(OutsideFailure, match="unreachable"):
        await exchange(client, Question("GET", office.url), 5)
    await client.aclose()


@pytest.mark.parametrize("content", [b"[1]", b"<html>", b'"' + b"x" * 300_000 + b'"', b"[" * 100_000, b"NaN"])
async def test_what_is_no_small_json_object_is_a_bad_answer(content: bytes) -> None:
    """Lists, pages, deep and huge documents are refused."""
    async with listening(Answer(200, content)) as office:
        client = open_client(LOCAL)
        with pytest.raises(OutsideFailure, match="bad_answer"):
            object_of(await exchange(client, Question("GET", office.url), 5))
        await client.aclose()


def test_a_secret_that_is_not_set_is_told_by_its_variable() -> None:
    """A header names its variable; the line of a missing one holds no value."""
    assert read_secrets("actions.x", {"A": "env:T", "B": "plain"}, {"T": "s"}) == {"A": "s", "B": "plain"}
    with pytest.raises(SettingsError) as told:
        read_secrets("actions.x", {"A": "env:T"}, {})
    assert told.value.problems == ("actions.x.headers.A is missing: set the environment variable T.",)


def test_an_endpoint_that_may_not_be_reached_is_told_when_it_is_opened() -> None:
    """The setting is named, and what to do about it."""
    with pytest.raises(SettingsError, match=r"handoffs\.sales\.webhook leads to 10\.0\.0\.1"):
        open_endpoint("handoffs.sales.webhook", "https://10.0.0.1/x", "POST", {}, Reach())
