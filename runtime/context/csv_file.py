"""Facts from a CSV file: one row per caller, found by telephone number.

A number that stands in two rows is nobody's: whose facts to read aloud cannot be known. The file is read
again when it changed. Values are text; the engine gives them their types.
"""

import asyncio
import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from runtime.context.base import COUNTRY_CODE, Opening
from runtime.numbers import normalise
from runtime.ports import OutsideFailure
from runtime.settings.keys import Key, SettingsError, read_options, read_text

MAX_BYTES: Final = 64 * 1024 * 1024
KEYS: Final = (
    Key("path", None, read_text, "the CSV file, relative to the settings file"),
    Key("number_column", None, read_text, "the column that holds the telephone number", "phone"),
    COUNTRY_CODE,
)

Row = Mapping[str, str]


@dataclass(slots=True)
class CsvFile:
    """The rows of a CSV file by E.164 number; None where several rows share it."""

    path: Path
    number_column: str
    country_code: str
    _rows: Mapping[str, Row | None] = field(default_factory=dict, repr=False)
    _stamp: tuple[int, int] = (0, 0)

    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        """The row of this number, None for a number in no row.

        Raises OutsideFailure: unreadable, ambiguous.
        """
        number = normalise(caller_number, self.country_code)
        if number is None:
            return None
        rows = await asyncio.to_thread(self._read)
        if number in rows and rows[number] is None:
            raise OutsideFailure("ambiguous")
        return rows.get(number)

    async def close(self) -> None:
        """Nothing is open between two look-ups."""

    def _read(self) -> Mapping[str, Row | None]:
        try:
            found = self.path.stat()
            if (found.st_mtime_ns, found.st_size) != self._stamp:
                if found.st_size > MAX_BYTES:
                    raise OutsideFailure("too_large")
                with self.path.open(newline="", encoding="utf-8-sig") as lines:
                    self._rows = index(csv.DictReader(lines), self.number_column, self.country_code)
                self._stamp = (found.st_mtime_ns, found.st_size)
        except (OSError, UnicodeDecodeError, csv.Error):
            raise OutsideFailure("unreadable") from None
        return self._rows


def open_source(opening: Opening) -> CsvFile:
    """The source a `[facts.NAME]` table with `source = "csv_file"` describes. Raises SettingsError."""
    options = read_options(opening.place, opening.options, KEYS)
    path = opening.folder / options["path"]
    column, country = options["number_column"], (options["country_code"] or "").lstrip("+")
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            columns = csv.DictReader(lines).fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error):
        raise SettingsError([f"{opening.place}.path: {path} cannot be read as CSV."]) from None
    if column not in columns:
        has = ", ".join(columns[:12])
        raise SettingsError(
            [f"{opening.place}.number_column: {path} has no column {column!r}; it has {has}."]
        )
    return CsvFile(path, column, country)


def index(
    rows: Iterable[Mapping[str | None, Any]], number_column: str, country_code: str
) -> dict[str, Row | None]:
    """The rows by number. Cells that are empty are facts nobody knows, so they are left out."""
    found: dict[str, Row | None] = {}
    for row in rows:
        number = normalise(row.get(number_column) or "", country_code)
        if number is not None:
            found[number] = None if number in found else _facts(row, number_column)
    return found


def _facts(row: Mapping[str | None, Any], number_column: str) -> Row:
    return {
        name: value.strip()
        for name, value in row.items()
        if name and name != number_column and isinstance(value, str) and value.strip()
    }
