"""`python -m benchmarks [NAME...] [--quick] [--format text|json]`: measure, and print a table or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final, Protocol

from benchmarks import (
    at_once,
    bridge,
    compiling,
    editor,
    engine,
    first_audio,
    lookups,
    rechecking,
    starting,
    trial,
)
from benchmarks.figures import Figure, Machine, as_plain, as_row, machine


class Measure(Protocol):
    """One benchmark. `quick` is a smoke run: the figures are real but rough."""

    def __call__(self, *, quick: bool) -> tuple[Figure, ...]: ...


BENCHMARKS: Final[Mapping[str, Measure]] = {
    "compile": compiling.measure,
    "recheck": rechecking.measure,
    "editor": editor.measure,
    "engine": engine.measure,
    "bridge": bridge.measure,
    "first_audio": first_audio.measure,
    "lookups": lookups.measure,
    "start": starting.measure,
    "trial": trial.measure,
    "at_once": at_once.measure,
}
HEAD: Final = ("What", "Measured", "Floor", "Ratio", "Goal")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks asked for; 0, or 2 for a name that is none."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all without")
    parser.add_argument("--quick", action="store_true", help="a smoke run: real but rough figures")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="Markdown or JSON")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    where = machine()  # before the work, which is a load of its own
    measured = {name: _measure(name, quick=chosen.quick) for name in chosen.names or BENCHMARKS}
    print(_json(where, measured) if chosen.format == "json" else _table(where, measured))
    return 0


def _measure(name: str, *, quick: bool) -> tuple[Figure, ...]:
    print(f"measuring {name} ...", file=sys.stderr, flush=True)
    return BENCHMARKS[name](quick=quick)


def _json(where: Machine, measured: dict[str, tuple[Figure, ...]]) -> str:
    told = {name: [as_plain(figure) for figure in figures] for name, figures in measured.items()}
    return json.dumps({"version": 1, "machine": asdict(where), "benchmarks": told}, indent=2)


def _table(where: Machine, measured: dict[str, tuple[Figure, ...]]) -> str:
    rows = [HEAD, ("---",) * len(HEAD)]
    rows += [as_row(figure) for figures in measured.values() for figure in figures]
    return "\n".join([where.line, "", *("| " + " | ".join(row) + " |" for row in rows)])


if __name__ == "__main__":
    raise SystemExit(main())
