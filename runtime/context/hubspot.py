"""Facts from HubSpot: its CRM search over the telephone properties of contacts, by a private app's token.

The API as documented: `POST /crm/v3/objects/contacts/search` with filter groups (any of them may match),
answered with `results`, each with its `properties`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from runtime.context.base import COUNTRY_CODE, Opening, facts_in, one_record
from runtime.numbers import spellings
from runtime.outbound import Path, Question, exchange, object_of, open_client, read_path, refusal, secret
from runtime.settings.keys import Key, SettingsError, read_options, read_text, read_url

LONGEST_S: Final = 10.0
MOST: Final = 10
SEARCH: Final = "/crm/v3/objects/contacts/search"


def _read_properties(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not value or not all(isinstance(name, str) for name in value.values()):
        raise ValueError('a table like { first_name = "firstname" }')
    return value


def _read_names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value or not all(isinstance(name, str) for name in value):
        raise ValueError('a list like ["phone", "mobilephone"]')
    return tuple(value)


KEYS: Final = (
    Key("token", None, read_text, "the private app's token, such as env:HUBSPOT_TOKEN", secret=True),
    Key("base_url", None, read_url("https", "http"), "where HubSpot answers", "https://api.hubapi.com"),
    Key("number_properties", None, _read_names, "what holds numbers", ("phone", "mobilephone")),
    Key("facts", None, _read_properties, 'each fact\'s property: { first_name = "firstname" }'),
    COUNTRY_CODE,
)


@dataclass(frozen=True, slots=True)
class HubSpot:
    """One search."""

    url: str
    token: str = field(repr=False)
    number_properties: tuple[str, ...]
    facts: Mapping[str, Path]
    wanted: tuple[str, ...]
    country_code: str
    client: httpx2.AsyncClient = field(repr=False)

    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        """The facts of the one contact with this number. Raises OutsideFailure."""
        question = Question(
            "POST", self.url, {"Authorization": f"Bearer {self.token}"}, content=self._search(caller_number)
        )
        answer = object_of(await exchange(self.client, question, LONGEST_S))
        paths = tuple(read_path(f"properties.{name}") for name in self.number_properties)
        record = one_record(answer.get("results", []), caller_number, paths, self.country_code)
        return None if record is None else facts_in(record, self.facts)

    def _search(self, number: str) -> dict[str, Any]:
        # Numbers are kept as people typed them; "IN" wants texts in lower case, which digits are.
        written = list(spellings(number))
        groups = [
            {"filters": [{"propertyName": name, "operator": "IN", "values": written}]}
            for name in self.number_properties
        ]
        return {"filterGroups": groups, "properties": list(self.wanted), "limit": MOST}

    async def close(self) -> None:
        """Let go of every connection."""
        await self.client.aclose()


def open_source(opening: Opening) -> HubSpot:
    """The source a table with `source = "hubspot"` describes. Raises SettingsError."""
    options = read_options(opening.place, opening.options, KEYS)
    why = refusal(opening.reach, options["base_url"])
    if why is not None:
        raise SettingsError([f"{opening.place}.base_url {why}."])
    numbers = options["number_properties"]
    return HubSpot(
        url=options["base_url"] + SEARCH,
        token=secret(f"{opening.place}.token", options["token"], opening.environment),
        number_properties=numbers,
        facts={name: read_path(f"properties.{text}") for name, text in options["facts"].items()},
        wanted=tuple(dict.fromkeys([*options["facts"].values(), *numbers])),
        country_code=options["country_code"] or "",
        client=open_client(opening.reach),
    )
