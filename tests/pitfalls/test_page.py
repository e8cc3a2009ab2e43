"""docs/pitfalls.md names every trap once, and for each a test that exists or why it cannot occur."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
COUNTS = {"A": 12, "B": 13, "C": 14, "D": 11, "E": 15, "F": 3}


def rows() -> dict[str, list[str]]:
    """The cells of each trap's row."""
    page = (ROOT / "docs" / "pitfalls.md").read_text(encoding="utf-8")
    cells = [
        [one.strip() for one in line.strip("|").split("|")] for line in page.splitlines() if line[:3] in ROWS
    ]
    return {row[0]: row[1:] for row in cells}


ROWS = {f"| {letter}" for letter in COUNTS}


def named() -> set[str]:
    """The names pytest finds in this folder."""
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found.add(node.targets[0].id)
    return found


def test_every_trap_has_its_row() -> None:
    """The page has all 68."""
    assert list(rows()) == [
        f"{letter}{number}" for letter, most in COUNTS.items() for number in range(1, most + 1)
    ]


def test_every_trap_has_a_test_of_its_name_or_cannot_occur() -> None:
    """The test that a row names exists and is named after it; a row without one says why it cannot occur."""
    known = named()
    for name, (_, here, shown) in rows().items():
        if shown:
            assert re.fullmatch(rf"`test_{name}_\w+`", shown), name
            assert shown.strip("`") in known, shown
        else:
            assert here.startswith("cannot occur"), name
