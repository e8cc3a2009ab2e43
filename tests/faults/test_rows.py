"""The list of faults, its tests and its page agree."""

import os

import pytest

from tests.faults.rows import ELSEWHERE, OWED, ROOT, ROWS, functions, proofs, table

PAGE = ROOT / "docs" / "faults.md"
BEGIN, END = "<!-- rows -->\n", "<!-- end of rows -->"


def test_every_row_has_a_test() -> None:
    """No row of the list is without a test, but for those that are openly owed."""
    assert {number for number, tests in proofs().items() if not tests} <= OWED
    assert set(proofs()) <= set(ROWS), "a test is of a row that is not in the list"


def test_every_test_named_for_a_row_exists() -> None:
    """What the list names elsewhere is there."""
    for tests in ELSEWHERE.values():
        for one in tests:
            path, _, name = one.partition("::")
            assert name in functions(ROOT / path), one


@pytest.mark.golden
def test_the_page_holds_every_row() -> None:
    """docs/faults.md has the table of tests/faults/rows.py; `make golden` writes it."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    whole = head + BEGIN + table() + END + rest.partition(END)[2]
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(whole, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == whole
