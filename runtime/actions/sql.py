"""Actions by a statement on a database: the arguments are bound parameters, the first row is the result.

A statement that changes something runs in one transaction with a row in `vfc_done`, so that one key is done
once even when the process dies at the worst moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.actions.base import Opened, Opening
from runtime.database import Database, open_database, parameters, read_url
from runtime.engine.effects import RunAction
from runtime.outbound import secret
from runtime.ports import OutsideFailure
from runtime.settings.keys import Key, SettingsError, read_options, read_text

KEY: Final = "idempotency_key"
KEYS: Final = (
    Key("url", None, read_text, "the database, such as env:CRM_URL or sqlite:///crm.db", secret=True),
    Key("statement", None, read_text, "a statement such as INSERT INTO demos (email) VALUES (:email)"),
)


@dataclass(frozen=True, slots=True)
class Sql:
    """One statement on one database."""

    database: Database = field(repr=False)
    statement: str
    names: frozenset[str]
    changes: bool
    repeatable: bool = True

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Run the statement, once for the order's key. Raises OutsideFailure."""
        given = {**order.arguments, KEY: order.idempotency_key}
        if not self.names <= given.keys():
            raise OutsideFailure("bad_arguments")
        values = {name: given[name] for name in self.names}
        if self.changes:
            return await self.database.do_once(self.statement, values, order.idempotency_key)
        return next(iter(await self.database.rows(self.statement, values, most=1)), {})

    async def close(self) -> None:
        await self.database.close()


def open_executor(opening: Opening) -> Opened:
    """The executor a table with `executor = "sql"` describes. Raises SettingsError."""
    options = read_options(opening.place, opening.options, KEYS)
    address = secret(f"{opening.place}.url", options["url"], opening.environment)
    try:
        database = open_database(read_url(address, opening.folder), read_only=not opening.changes)
    except ValueError as wrong:
        raise SettingsError([f"{opening.place}.url must be {wrong}."]) from None
    statement = options["statement"]
    return Opened(Sql(database, statement, parameters(statement), opening.changes))
