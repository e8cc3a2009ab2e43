"""Facts over HTTP: one question with the caller's number, and paths to the facts in its answer.

Everything stands in the settings: `{number}` (E.164), `{digits}` and `{national}` are filled into the path,
the query and the body, and encoded there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx2

from runtime.context.base import COUNTRY_CODE, Opening, facts_in, one_record
from runtime.numbers import national
from runtime.outbound import (
    Path,
    Question,
    exchange,
    open_client,
    read_headers,
    read_path,
    read_paths,
    read_secrets,
    refusal,
)
from runtime.settings.keys import Key, SettingsError, read_options, read_url

LONGEST_S: Final = 10.0
_PLACE = re.compile(r"\{(number|digits|national)\}")


def _read_method(value: Any) -> str:
    if value not in ("GET", "POST"):
        raise ValueError("GET or POST")
    return str(value)


def _read_table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError('a table like { phone = "{number}" }')
    return value


def _read_paths_of_number(value: Any) -> tuple[Path, ...]:
    return tuple(read_path(one) for one in (value if isinstance(value, list) else [value]))


KEYS: Final = (
    Key(
        "url",
        None,
        read_url("https", "http"),
        "where to ask, such as https://crm.example.com/people/{number}",
    ),
    Key("method", None, _read_method, "how to ask", "GET"),
    Key("headers", None, read_headers, "headers, with secrets by variable: env:NAME", {}, secret=True),
    Key("query", None, _read_table, "the query", {}),
    Key("body", None, _read_table, "the JSON to send with a POST", {}),
    Key("find", None, read_path, "the path to the record, or to the list of them", "@"),
    Key("number", None, _read_paths_of_number, "the path (or paths) of the number in a record", []),
    Key("facts", None, read_paths, "each fact's path in a record", {}),
    COUNTRY_CODE,
)


@dataclass(frozen=True, slots=True)
class Http:
    """One question to another system, and how its answer is read."""

    question: Question
    find: Path
    number_paths: tuple[Path, ...]
    facts: Mapping[str, Path]
    country_code: str
    client: httpx2.AsyncClient = field(repr=False)

    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        """The facts of the caller's record; None where there is none (or a 404). Raises OutsideFailure."""
        reply = await exchange(self.client, filled(self.question, caller_number), LONGEST_S)
        if reply.status == 404:
            return None
        reply.require_success()
        found = self.find.find(reply.value())
        record = one_record(found, caller_number, self.number_paths, self.country_code)
        return None if record is None else facts_in(record, self.facts)

    async def close(self) -> None:
        """Let go of every connection."""
        await self.client.aclose()


def filled(question: Question, number: str) -> Question:
    """The question about this number."""
    known = {"number": number, "digits": number.lstrip("+"), "national": national(number)}
    return Question(
        question.method,
        _PLACE.sub(lambda found: quote(known[found.group(1)], safe=""), question.url),
        question.headers,
        {name: str(_fill(text, known)) for name, text in question.query.items()},
        _fill(question.content, known) if question.method == "POST" else None,
    )


def _fill(value: Any, known: Mapping[str, str]) -> Any:
    match value:
        case str():
            return _PLACE.sub(lambda found: known[found.group(1)], value)
        case dict():
            return {name: _fill(one, known) for name, one in value.items()}
        case list():
            return [_fill(one, known) for one in value]
        case _:
            return value


def open_source(opening: Opening) -> Http:
    """The source a table with `source = "http"` describes. Raises SettingsError."""
    options = read_options(opening.place, opening.options, KEYS)
    headers = read_secrets(opening.place, options["headers"], opening.environment)
    question = Question(options["method"], options["url"], headers, options["query"], options["body"])
    why = refusal(opening.reach, filled(question, "+15005550006").url)
    if why is not None:
        raise SettingsError([f"{opening.place}.url {why}."])
    return Http(
        question,
        options["find"],
        options["number"],
        options["facts"],
        options["country_code"] or "",
        open_client(opening.reach),
    )
