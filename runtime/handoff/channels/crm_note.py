"""A note in a CRM: an HTTP request whose fields are taken from the package by the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.handoff.channels.base import WITHIN_S, Delivery, in_words
from runtime.handoff.package import check_package
from runtime.outbound import (
    KEY_HEADER,
    Endpoint,
    Path,
    Question,
    exchange,
    open_endpoint,
    reach_of,
    read_path,
    read_secrets,
)
from runtime.outbound import KEYS as HTTP_KEYS
from runtime.ports import OutsideFailure
from runtime.settings import Settings
from runtime.settings.keys import Key, SettingsError, Table, read_options

WORDS: Final = "words"  # beside the package's own fields: all of it as plain text


def _read_fields(value: Any) -> dict[str, str]:
    texts = isinstance(value, Mapping) and all(isinstance(path, str) for path in value.values())
    if not texts or not value:
        raise ValueError('a table like { note = "words", phone = "callback_number" }')
    return dict(value)


def _read_table(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError('a table like { type = "call" }')
    return dict(value)


def _read_receipt(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a path such as id")
    return value


KEYS: Final = (
    *HTTP_KEYS,
    Key("fields", None, _read_fields, 'what each field is taken from, such as { note = "words" }'),
    Key("fixed", None, _read_table, "fields that are always the same", {}),
    Key("receipt", None, _read_receipt, "where the answer names the note, such as id", ""),
)


@dataclass(frozen=True, slots=True)
class CrmNote:
    """Implements Channel."""

    endpoint: Endpoint
    fields: Mapping[str, Path]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    receipt: Path | None = None
    lasting: bool = True

    async def deliver(self, delivery: Delivery) -> str:
        """Write the note; the receipt is its name in the CRM, where the settings say how to find it."""
        known = {**delivery.package, WORDS: in_words(check_package(delivery.package))}
        content = {**self.fixed, **{name: path.find(known) for name, path in self.fields.items()}}
        headers = {**self.endpoint.headers, KEY_HEADER: delivery.key}
        question = Question(self.endpoint.method, self.endpoint.url, headers, content=content)
        reply = await exchange(self.endpoint.client, question, WITHIN_S)
        reply.require_success()
        if self.receipt is None:
            return ""
        found = self.receipt.find(reply.value())
        if found is None:
            raise OutsideFailure("bad_answer")
        return str(found)[:200]

    async def close(self) -> None:
        """Let go of the connection."""
        await self.endpoint.client.aclose()


def open_channel(place: str, table: Table, settings: Settings) -> CrmNote:
    """A CRM by its settings. Raises SettingsError."""
    options = read_options(place, table, KEYS)
    headers = read_secrets(place, options["headers"], settings.environment)
    try:
        fields = {name: read_path(text) for name, text in options["fields"].items()}
        receipt = read_path(options["receipt"]) if options["receipt"] else None
    except ValueError as wrong:
        raise SettingsError([f"{place}.fields must be paths into the package: {wrong}."]) from None
    reach = reach_of(settings)
    endpoint = open_endpoint(f"{place}.url", options["url"], options["method"], headers, reach)
    return CrmNote(endpoint, fields, options["fixed"], receipt)
