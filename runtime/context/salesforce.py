"""Facts from Salesforce: its parameterized search over the telephone fields, by OAuth client credentials.

The REST API as documented: `POST /services/oauth2/token`, then
`POST /services/data/vXX.X/parameterizedSearch` with `in: PHONE`, answered with `searchRecords`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from runtime.context.base import COUNTRY_CODE, Opening, facts_in, one_record
from runtime.numbers import national
from runtime.outbound import Path, Question, exchange, object_of, open_client, read_path, refusal, secret
from runtime.ports import OutsideFailure
from runtime.settings.keys import Key, SettingsError, read_options, read_text, read_url

LONGEST_S: Final = 10.0
MOST: Final = 10  # more people than this behind one number are as ambiguous as two


def _read_fields(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not value or not all(isinstance(name, str) for name in value.values()):
        raise ValueError('a table like { first_name = "FirstName" }')
    return value


def _read_names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value or not all(isinstance(name, str) for name in value):
        raise ValueError('a list like ["Phone", "MobilePhone"]')
    return tuple(value)


KEYS: Final = (
    Key("instance", None, read_url("https", "http"), "your domain, such as https://acme.my.salesforce.com"),
    Key("client_id", None, read_text, "the connected app's key, such as env:SALESFORCE_ID", secret=True),
    Key("client_secret", None, read_text, "its secret, such as env:SALESFORCE_SECRET", secret=True),
    Key("version", None, read_text, "the version of the API", "v63.0"),
    Key("object", None, read_text, "what is looked for", "Contact"),
    Key("number_fields", None, _read_names, "the fields that hold numbers", ("Phone", "MobilePhone")),
    Key("facts", None, _read_fields, 'each fact\'s field: { first_name = "FirstName" }'),
    COUNTRY_CODE,
)


@dataclass(slots=True)
class Salesforce:
    """One search; its token is asked for once and again when it is refused."""

    instance: str
    credentials: Mapping[str, str] = field(repr=False)
    search: str
    wanted: Mapping[str, Any]
    facts: Mapping[str, Path]
    number_paths: tuple[Path, ...]
    country_code: str
    client: httpx2.AsyncClient = field(repr=False)
    _token: str = field(default="", repr=False)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        """The facts of the one contact with this number. Raises OutsideFailure."""
        token = await self._sign_in(refused="")
        try:
            answer = await self._search(caller_number, token)
        except OutsideFailure as failure:
            if failure.reason != "denied":
                raise
            answer = await self._search(caller_number, await self._sign_in(refused=token))
        found = answer.get("searchRecords", [])
        record = one_record(found, caller_number, self.number_paths, self.country_code)
        return None if record is None else facts_in(record, self.facts)

    async def _search(self, number: str, token: str) -> dict[str, Any]:
        question = Question(
            "POST",
            self.instance + self.search,
            {"Authorization": f"Bearer {token}"},
            content={"q": national(number), **self.wanted},
        )
        return object_of(await exchange(self.client, question, LONGEST_S))

    async def _sign_in(self, *, refused: str) -> str:
        """The token, a new one where there is none or this one was refused."""
        async with self._asking:
            if not self._token or self._token == refused:
                question = Question("POST", f"{self.instance}/services/oauth2/token", form=self.credentials)
                answer = object_of(await exchange(self.client, question, LONGEST_S))
                if not isinstance(answer.get("access_token"), str):
                    raise OutsideFailure("bad_answer")
                self._token = answer["access_token"]
            return self._token

    async def close(self) -> None:
        """Let go of every connection."""
        await self.client.aclose()


def open_source(opening: Opening) -> Salesforce:
    """The source a table with `source = "salesforce"` describes. Raises SettingsError."""
    options = read_options(opening.place, opening.options, KEYS)
    why = refusal(opening.reach, options["instance"])
    if why is not None:
        raise SettingsError([f"{opening.place}.instance {why}."])
    fields = dict.fromkeys([*options["facts"].values(), *options["number_fields"]])
    wanted = {
        "in": "PHONE",
        "fields": list(fields),
        "sobjects": [{"name": options["object"]}],
        "defaultLimit": MOST,
    }
    return Salesforce(
        instance=options["instance"],
        credentials={
            "grant_type": "client_credentials",
            "client_id": _secret(opening, options, "client_id"),
            "client_secret": _secret(opening, options, "client_secret"),
        },
        search=f"/services/data/{options['version']}/parameterizedSearch",
        wanted=wanted,
        facts={name: read_path(text) for name, text in options["facts"].items()},
        number_paths=tuple(read_path(name) for name in options["number_fields"]),
        country_code=options["country_code"] or "",
        client=open_client(opening.reach),
    )


def _secret(opening: Opening, options: Mapping[str, Any], name: str) -> str:
    return secret(f"{opening.place}.{name}", options[name], opening.environment)
