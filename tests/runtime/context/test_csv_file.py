"""Facts from a CSV file: whose row it is, and when nobody can say."""

from pathlib import Path

import pytest

from runtime.context import open_source
from runtime.ports import FactSource, OutsideFailure
from runtime.settings import Settings, load
from runtime.settings.keys import SettingsError

ROWS = """phone,first_name,account_status
+15005550006,Dana,trial
(500) 555-0007,Ingrid,
0049 30 1234567,Uwe,customer
+15005550008,Ann,customer
+1 500 555 0008,Bob,trial
,Nobody,trial
"""


def settings(folder: Path, table: str) -> Settings:
    """Settings with this [facts.crm] table."""
    (folder / "vfc.toml").write_text(f"[facts.crm]\n{table}\n")
    environment = {"VFC_PUBLIC_URL": "https://c.example", "OPENAI_API_KEY": "k", "TWILIO_AUTH_TOKEN": "t"}
    return load(folder / "vfc.toml", environment)


def source(folder: Path, rows: str = ROWS) -> FactSource:
    """The CSV source over these rows."""
    (folder / "crm.csv").write_text(rows)
    return open_source("crm", settings(folder, 'source = "csv_file"\npath = "crm.csv"\ncountry_code = "1"'))


def told(folder: Path, table: str, name: str = "crm") -> str:
    """The one line an operator reads about this table."""
    with pytest.raises(SettingsError) as error:
        open_source(name, settings(folder, table))
    (line,) = error.value.problems
    return line


@pytest.mark.parametrize(
    ("number", "first_name"), [("+15005550006", "Dana"), ("+15005550007", "Ingrid"), ("+49301234567", "Uwe")]
)
async def test_a_caller_is_found_however_the_number_was_written(
    tmp_path: Path, number: str, first_name: str
) -> None:
    """Numbers are compared as E.164, so spaces, brackets and a missing country do not hide a row."""
    facts = await source(tmp_path).look_up(number)
    assert facts is not None
    assert facts["first_name"] == first_name


async def test_an_empty_cell_is_a_fact_nobody_knows(tmp_path: Path) -> None:
    """A cell without text is left out, and so is the number itself."""
    assert await source(tmp_path).look_up("+15005550007") == {"first_name": "Ingrid"}


@pytest.mark.parametrize("number", ["+15005550099", "", "anonymous"])
async def test_an_unknown_or_withheld_number_has_no_facts(tmp_path: Path, number: str) -> None:
    """A number in no row, and no number, have no facts; the row without a number is nobody's."""
    assert await source(tmp_path).look_up(number) is None


async def test_a_shared_number_is_nobody_s(tmp_path: Path) -> None:
    """A number in two rows is ambiguous: neither row's facts may be spoken."""
    with pytest.raises(OutsideFailure, match="ambiguous"):
        await source(tmp_path).look_up("+15005550008")


async def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """A row added while the server runs is found."""
    crm = source(tmp_path)
    assert await crm.look_up("+15005550050") is None
    (tmp_path / "crm.csv").write_text(ROWS + "+15005550050,Eve,trial\n")
    facts = await crm.look_up("+15005550050")
    assert facts is not None
    assert facts["first_name"] == "Eve"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00phone"], ids=["gone", "not text"])
async def test_a_file_that_cannot_be_read_is_a_failure(tmp_path: Path, content: bytes | None) -> None:
    """A file that vanished or turned to rubbish is told as unreadable, and not as an unknown caller."""
    crm = source(tmp_path)
    (tmp_path / "crm.csv").unlink()
    if content is not None:
        (tmp_path / "crm.csv").write_bytes(content)
    with pytest.raises(OutsideFailure, match="unreadable"):
        await crm.look_up("+15005550006")


def test_a_source_that_is_not_described_is_told_to_the_operator(tmp_path: Path) -> None:
    """A flow's source without a table is one line that says what to write."""
    line = told(tmp_path, 'source = "csv_file"\npath = "x"', name="billing")
    assert line.startswith("facts.billing is missing: write [facts.billing] in vfc.toml")


def test_a_misspelt_kind_is_suggested(tmp_path: Path) -> None:
    """An unknown kind of source names the near one."""
    assert told(tmp_path, 'source = "csv-file"') == (
        "facts.crm.source is no source of facts: did you mean csv_file?"
    )


def test_a_missing_column_is_told_with_those_there_are(tmp_path: Path) -> None:
    """A number column the file does not have is told before the first call."""
    (tmp_path / "crm.csv").write_text("number,first_name\n")
    line = told(tmp_path, 'source = "csv_file"\npath = "crm.csv"')
    assert "has no column 'phone'; it has number, first_name" in line


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A file that is not there is told before the first call."""
    assert "cannot be read as CSV" in told(tmp_path, 'source = "csv_file"\npath = "gone.csv"')
