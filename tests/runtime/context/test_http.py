"""Facts over HTTP: what is asked, how an answer is read, and every way a CRM can misbehave."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runtime.context import Source, look_up
from tests.runtime.context.places import DANA, opened, problem, reason
from tests.runtime.office import Answer, Office, listening

TABLE = """[facts.crm]
source = "http"
url = "{url}/people/{{number}}"
headers = {{ Authorization = "env:CRM_TOKEN" }}
find = "people"
number = ["phone", "mobile"]
facts = {{ first_name = "name.first", open_tickets = "length(tickets)" }}
country_code = "1"
"""
PERSON = {"name": {"first": "Dana"}, "phone": "(202) 555-0101", "tickets": [1, 2]}


def answer(*people: object) -> Answer:
    """A CRM's answer with these people."""
    return Answer(200, json.dumps({"people": list(people)}).encode())


@asynccontextmanager
async def asked(folder: Path, *answers: Answer, toml: str = TABLE) -> AsyncIterator[tuple[Source, Office]]:
    """The source, and the CRM it asks."""
    async with listening(*answers) as office:
        source = opened(folder, toml.format(url=office.url))
        yield source, office
        await source.close()


async def test_facts_are_found_by_their_paths(tmp_path: Path) -> None:
    """The number goes encoded into the path, the secret into the header, and paths find the facts."""
    async with asked(tmp_path, answer(PERSON)) as (source, office):
        assert await source.look_up(DANA) == {"first_name": "Dana", "open_tickets": 2}
    (one,) = office.requests
    assert (one.method, one.target) == ("GET", "/people/%2B12025550101")
    assert one.headers["authorization"] == "s3cret"


async def test_a_question_may_be_posted(tmp_path: Path) -> None:
    """Number, digits and national number go into query and body, at any depth."""
    toml = """[facts.crm]
source = "http"
url = "{url}/find"
method = "POST"
query = {{ n = "{{national}}" }}
body = {{ where = [{{ phone = "{{digits}}" }}], limit = 2 }}
"""
    async with asked(tmp_path, Answer(200, b'{"first_name": "Dana", "tags": []}'), toml=toml) as (
        source,
        office,
    ):
        assert await source.look_up(DANA) == {"first_name": "Dana"}
    (one,) = office.requests
    assert one.target == "/find?n=2025550101"
    assert json.loads(one.body) == {"where": [{"phone": "12025550101"}], "limit": 2}


@pytest.mark.parametrize("answers", [answer(), Answer(404, b""), Answer(200, b""), Answer(200, b"{}")])
async def test_nobody_there_is_an_unknown_caller(tmp_path: Path, answers: Answer) -> None:
    """An empty list, a 404 and an empty answer mean that nobody has this number."""
    async with asked(tmp_path, answers) as (source, _):
        assert await source.look_up(DANA) is None


@pytest.mark.faults
@pytest.mark.parametrize(
    "people",
    [
        [PERSON, PERSON],
        [PERSON | {"phone": "+12025550199"}],
        [PERSON | {"phone": None}],
        [PERSON | {"phone": {"x": 1}}],
        [{"name": {"first": "Canary"}}],
    ],
    ids=["two", "another's", "no number", "odd number", "number missing"],
)
async def test_the_wrong_person_s_facts_are_nobody_s(tmp_path: Path, people: list[object]) -> None:
    """Two records, and a record whose number is not the caller's, are ambiguous: nothing is spoken."""
    async with asked(tmp_path, answer(*people)) as (source, _):
        assert await reason(source) == "ambiguous"


async def test_one_of_several_records_with_the_number_is_the_caller_s(tmp_path: Path) -> None:
    """A search that finds more than was asked for is narrowed by the number in the records."""
    other = PERSON | {"phone": "+12025550199", "name": {"first": "Ann"}}
    async with asked(tmp_path, answer(other, PERSON | {"phone": "", "mobile": "2025550101"})) as (source, _):
        assert await source.look_up(DANA) == {"first_name": "Dana", "open_tickets": 2}


@pytest.mark.faults
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (Answer(500, b""), "broken"),
        (Answer(401, b""), "denied"),
        (Answer(302, b""), "broken"),
        (Answer(200, b"<html>"), "bad_answer"),
        (Answer(200, b'{"people": "x"}'), "bad_answer"),
        (Answer(200, b'{"people": [[1]]}'), "bad_answer"),
        (Answer(200, b'{"people": ["' + b"x" * 5_000_000 + b'"]}'), "bad_answer"),
        (Answer(200, b"[" * 200_000), "bad_answer"),
        (Answer(0, b"", drop=True), "lost"),
    ],
    ids=["500", "401", "redirect", "page", "text", "lists", "5 MB", "deep", "drops"],
)
async def test_a_crm_that_misbehaves_is_a_reason(tmp_path: Path, bad: Answer, why: str) -> None:
    """Every wrong answer is a failure with a reason; nothing of it is a fact."""
    async with asked(tmp_path, bad) as (source, _):
        assert await reason(source) == why


@pytest.mark.faults
async def test_a_crm_that_never_answers_is_left(tmp_path: Path) -> None:
    """Whoever stops waiting leaves nothing behind: the connection is closed with the look-up."""
    async with asked(tmp_path, Answer(0, b"", hang=True)) as (source, office):
        asking = asyncio.create_task(look_up(source, DANA))
        async with asyncio.timeout(60):
            while not office.requests:  # noqa: ASYNC110 - the office tells nobody
                await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert len(office.requests) == 1


def test_an_address_that_may_not_be_asked_is_told(tmp_path: Path) -> None:
    """A private address that nobody listed is refused before the first call."""
    toml = TABLE.format(url="https://10.0.0.5")
    assert problem(tmp_path, toml).startswith("facts.crm.url leads to 10.0.0.5, which is private")
