"""`vfc latency`: how long callers waited for an answer, and where the time went."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from runtime.commands.base import record_files, stop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FORMAT_VERSION: Final = 1
DEFAULT: Final = Path("records/calls")
LINE_MS: Final = 300
PERCENTILES: Final = (50, 90, 95, 99)
PARTS: Final = ("total", "detection", "model", "bridge", "answer")


class Report(StrEnum):
    """How it is told."""

    TEXT = "text"
    JSON = "json"


def latency(
    where: Annotated[
        Path, typer.Argument(help="A record or a folder of records.", metavar="RECORDS")
    ] = DEFAULT,
    form: Annotated[Report, typer.Option("--format", help="How it is told.")] = Report.TEXT,
) -> None:
    """Tell the percentiles of callers' waits, from the end of their speech to the first audio of the answer.

    `answer` is model and bridge together, the part software controls; its line is 300 ms. Dead air is silence
    while it was the assistant's turn.
    """
    files = record_files(where)
    notes = [note for path in files for note in _notes(path)]
    silences = sorted((note["ms"] for note in notes if note["kind"] == "dead_air"), reverse=True)
    told = measured([note for note in notes if note["kind"] == "latency"]) | {
        "version": FORMAT_VERSION,
        "records": len(files),
        "dead_air_ms": silences,
    }
    print(json.dumps(told, indent=2) if form is Report.JSON else _text(told))


def measured(turns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Percentiles in milliseconds of each part over latency notes, and how many answers kept to the line."""
    parts = {name: sorted(_part(turn, name) for turn in turns) for name in PARTS}
    return {
        "turns": len(turns),
        "parts": {
            name: {f"p{share}": _rank(values, share) for share in PERCENTILES} | {"most": values[-1]}
            for name, values in parts.items()
            if values
        },
        "line_ms": LINE_MS,
        "within_line": sum(value <= LINE_MS for value in parts["answer"]),
    }


def _part(turn: Mapping[str, Any], name: str) -> int:
    return int(turn["model_ms"] + turn["bridge_ms"] if name == "answer" else turn[f"{name}_ms"])


def _rank(values: Sequence[int], share: int) -> int:
    """The smallest value that at least `share` of 100 do not exceed (nearest rank)."""
    return values[max(0, -(-len(values) * share // 100) - 1)]


def _notes(path: Path) -> Iterable[Mapping[str, Any]]:
    from runtime.record import RecordError, read

    try:
        lines = read(path).lines
    except RecordError as error:
        stop(f"{path}: {error}")
    except OSError as error:
        stop(f"{path}: {(error.strerror or 'cannot be read').lower()}")
    return [line["note"] for line in lines if line.get("note", {}).get("kind") in ("latency", "dead_air")]


def _text(told: Mapping[str, Any]) -> str:
    if not told["turns"]:
        return f"{told['records']} records, no answered turn"
    heads = [f"p{share}" for share in PERCENTILES] + ["most"]
    rows = ["ms".ljust(10) + "".join(head.rjust(8) for head in heads)]
    rows += [
        name.ljust(10) + "".join(str(values[head]).rjust(8) for head in heads)
        for name, values in told["parts"].items()
    ]
    share = 100 * told["within_line"] / told["turns"]
    rows.append(
        f"{told['turns']} answers in {told['records']} records;"
        f" model and bridge within {LINE_MS} ms in {share:.0f} of 100"
    )
    silences = told["dead_air_ms"]
    rows.append(
        f"dead air of three seconds or longer: {len(silences)}"
        + (f", the longest {silences[0] / 1000:.1f} s" if silences else "")
    )
    return "\n".join(rows)
