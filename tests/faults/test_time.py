"""Row 52: the clock of the wall leaps, and no call notices."""

import ast
from pathlib import Path

import pytest

from tests.faults.rows import ROOT

pytestmark = pytest.mark.faults
# What carries a live call. The wall's clock may be read where something is signed, dated or priced.
LIVE = ("runtime/call", "runtime/engine", "runtime/session", "runtime/telephony", "runtime/websocket.py")
WALL = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}


def modules() -> list[Path]:
    """Every module a live call runs through, but for the emulators."""
    found: list[Path] = []
    for name in LIVE:
        path = ROOT / name
        found += (
            [path] if path.is_file() else [one for one in path.rglob("*.py") if "stand_in" not in one.parts]
        )
    return found


def test_row_52_no_timer_of_a_call_reads_the_wall_clock() -> None:
    """Nothing a live call runs through reads the clock of the wall, so that an hour added or taken away,
    a leap second or another time zone fires no timer and stops none: all of them are the loop's, which is
    monotonic.
    """
    read = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                of = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                if (of, node.attr) in WALL:
                    read.append(f"{path.name}:{node.lineno}")
    assert len(modules()) > 40
    assert not read
