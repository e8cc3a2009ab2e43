"""Facts from a database: one statement that is asked with the caller's number, SQLite or PostgreSQL.

The statement stands in the settings; the number goes in as a bound parameter (`:number`, `:digits` without
the plus sign, `:national` without the country). The database is opened for reading only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.context.base import Opening
from runtime.database import Database, open_database, parameters, read_url
from runtime.numbers import national
from runtime.outbound import secret
from runtime.ports import OutsideFailure
from runtime.settings.keys import Key, SettingsError, read_options, read_text

PARAMETERS: Final = ("number", "digits", "national")
MOST_ROWS: Final = 2  # one is the caller's; two are nobody's


def _read_query(value: Any) -> str:
    query = read_text(value)
    if not re.search(rf"(?<!:):({'|'.join(PARAMETERS)})\b", query):
        raise ValueError("a statement that asks with :number, :digits or :national")
    return query


KEYS: Final = (
    Key("url", None, read_text, "the database, such as env:CRM_URL or sqlite:///crm.db", secret=True),
    Key("query", None, _read_query, "a statement such as SELECT name FROM people WHERE phone = :number"),
)


@dataclass(frozen=True, slots=True)
class Sql:
    """One statement on one database."""

    database: Database = field(repr=False)
    query: str
    names: frozenset[str]

    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        """The columns of the caller's row, None for no row. Raises OutsideFailure."""
        known = {
            "number": caller_number,
            "digits": caller_number.lstrip("+"),
            "national": national(caller_number),
        }
        rows = await self.database.rows(
            self.query, {name: known[name] for name in self.names}, most=MOST_ROWS
        )
        if len(rows) > 1:
            raise OutsideFailure("ambiguous")
        return {name: value for name, value in rows[0].items() if value is not None} if rows else None

    async def close(self) -> None:
        """Let go of every connection."""
        await self.database.close()


def open_source(opening: Opening) -> Sql:
    """The source a table with `source = "sql"` describes. Raises SettingsError."""
    options = read_options(opening.place, opening.options, KEYS)
    address = secret(f"{opening.place}.url", options["url"], opening.environment)
    try:
        database = open_database(read_url(address, opening.folder), read_only=True)
    except ValueError as wrong:
        raise SettingsError([f"{opening.place}.url must be {wrong}."]) from None
    query = options["query"]
    if parameters(query) - {*PARAMETERS}:
        raise SettingsError([f"{opening.place}.query knows only :{', :'.join(PARAMETERS)}."])
    return Sql(database, query, parameters(query))
