"""The coverage matrix as a table for a terminal, as Markdown and as JSON."""

import json
from collections.abc import Iterator
from typing import Any, Final

from voiceflow_compiler.coverage import COLUMNS, COVERAGE_VERSION, Coverage, Row

_MARKS: Final = {"own": "own", "inherited": "inh", "missing": "MISSING"}
_SHORT: Final = {"are you human?": "human?", "off-topic": "off-topic"}


def as_text(coverage: Coverage) -> str:
    """A table with a line for each listening node, what is missing, and what is too alike."""
    rows = [["node", *(_SHORT.get(name, name) for name in COLUMNS)]]
    rows += [[_name(row), *(_mark(coverage, row, name) for name in COLUMNS)] for row in coverage.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [
        "  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    table.insert(1, "  ".join("-" * wide for wide in widths))
    return "\n".join([*table, "", *_summary(coverage)]) + "\n"


def as_markdown(coverage: Coverage) -> str:
    """The same, for a page or a pull request."""
    lines = [
        f"| node | {' | '.join(COLUMNS)} |",
        f"|---|{'---|' * len(COLUMNS)}",
        *(
            f"| `{row.node}` | {' | '.join(_bold(coverage, row, name) for name in COLUMNS)} |"
            for row in coverage.rows
        ),
    ]
    return "\n".join([*lines, "", *(f"- {line}" for line in _summary(coverage))]) + "\n"


def as_json(coverage: Coverage, bar: float | None) -> str:
    """Everything known, with a version; `passed` is null without a bar."""
    plain: dict[str, Any] = {
        "version": COVERAGE_VERSION,
        "flow": coverage.flow,
        "percent": round(coverage.percent, 2),
        "bar": bar,
        "passed": None if bar is None else coverage.percent >= bar,
        "counted": list(coverage.counted),
        "nodes": [_plain(row) for row in coverage.rows],
        "alike": [
            {
                "intents": [each.first, each.second],
                "sentences": list(each.sentences),
                "likeness": round(each.likeness, 3),
            }
            for each in coverage.alike
        ],
    }
    return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"


def _summary(coverage: Coverage) -> Iterator[str]:
    cells = list(coverage.cells)
    covered = sum(cell.state != "missing" for _, _, cell in cells)
    of_all = f"{covered} of {len(cells)} cells at {len(coverage.rows)} nodes"
    yield f"{_percent(coverage.percent)} covered: {of_all}"
    for row, name, cell in cells:
        if cell.state == "missing":
            where = f"{row.file}:{row.line}" if row.file else f"line {row.line}"
            yield f'{where}: at "{row.node}" nothing answers {name}{_which(cell.missing, name)}'
    if "keypad" not in coverage.counted:
        yield "keypad is shown, not counted: callers are promised no keys (--keypad counts it)"
    for each in coverage.alike:
        first, second = each.sentences
        yield (
            f"too alike ({each.likeness:.2f}): {each.first} “{first}” and {each.second} “{second}”: "
            "the assistant may take one for the other"
        )


def _percent(value: float) -> str:
    """Never rounded up: 99.96 is not 100."""
    return f"{int(value * 10) / 10:g} %"


def _which(missing: tuple[str, ...], column: str) -> str:
    return f" ({', '.join(missing)})" if missing not in ((), (column,)) else ""


def _name(row: Row) -> str:
    return row.node if row.reachable else f"{row.node} (unreachable)"


def _mark(coverage: Coverage, row: Row, column: str) -> str:
    state = row.cells[column].state
    return "-" if state == "missing" and column not in coverage.counted else _MARKS[state]


def _bold(coverage: Coverage, row: Row, column: str) -> str:
    state = row.cells[column].state
    if state != "missing":
        return state
    return f"**{state}**" if column in coverage.counted else "-"


def _plain(row: Row) -> dict[str, Any]:
    cells = {
        name: {"state": cell.state, "by": list(cell.by), "missing": list(cell.missing)}
        for name, cell in row.cells.items()
    }
    place = {"file": row.file, "line": row.line} if row.file else {"line": row.line}
    return {"node": row.node, **place, "reachable": row.reachable, "cells": cells}
