"""`python -m benchmarks.side_by_side [NAME...] [--peers PYTHON]`: measure, and print a table or JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from dataclasses import asdict
from statistics import median
from typing import Final

import uvloop

from benchmarks.figures import machine
from benchmarks.side_by_side.run import LEVELS, MOST_MS, QUICK, Plan, Told, measure

OURS: Final = ("ours", "bare_picows", "bare_websockets")
PEERS: Final = ("sample", "agents_sdk", "pipecat")


def main() -> int:
    """Measure the bridges asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*OURS, *PEERS, []], help="all without")
    parser.add_argument("--peers", default="", help="a Python that has the peers (requirements.txt here)")
    parser.add_argument("--levels", type=lambda text: tuple(map(int, text.split(","))), default=LEVELS)
    parser.add_argument("--quick", action="store_true", help="a smoke run: real but rough figures")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    chosen = parser.parse_args()
    names = chosen.names or (*OURS, *(PEERS if chosen.peers else ()))
    where = machine()
    os.sched_setaffinity(0, {1 % (os.cpu_count() or 1)})
    plan = QUICK if chosen.quick else Plan(chosen.levels)
    told = [_measured(name, chosen.peers, plan) for name in names]
    if chosen.format == "json":
        print(json.dumps({"machine": asdict(where), "bridges": [asdict(one) for one in told]}, indent=2))
    else:
        print(where.line, *_table(told), sep="\n")
    return 0


def _measured(name: str, peers: str, plan: Plan) -> Told:
    print(f"measuring {name} ...", file=sys.stderr, flush=True)
    python = peers if name in PEERS else sys.executable
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measure(name, python, plan))


def _table(told: list[Told]) -> list[str]:
    head = (
        *("Bridge", "Calls on one core", "ended by", "CPU a call-second", "round trip p50 / p99 there"),
        *("memory a call", "first audio", "clear after", "truncation error", "stale messages"),
    )
    rows = [head, ("---",) * len(head)]
    for one in told:
        best = one.best
        rows.append(
            (
                one.name,
                str(best.calls) if best else f"none of {one.levels[0].calls}",
                one.limit,
                f"{1000 * best.cpu / best.calls:.2f} ms" if best else "",
                f"{best.round_p50_ms:.1f} / {best.round_p99_ms:.1f} ms (goal {MOST_MS:.0f})" if best else "",
                f"{best.mb_a_call:.2f} MB" if best else "",
                _middle([m.first_audio for m in one.manners], "ms"),
                _middle([m.clear for m in one.manners], "ms"),
                _middle(
                    [None if m.truncation_error is None else abs(m.truncation_error) for m in one.manners],
                    "ms",
                ),
                str(max((m.stale for m in one.manners), default=0)),
            )
        )
    return ["", *("| " + " | ".join(row) + " |" for row in rows)]


def _middle(values: list[float | None], unit: str) -> str:
    there = [abs(value) for value in values if value is not None]
    return f"{median(there):.1f} {unit} (most {max(there):.0f})" if there else "never"


if __name__ == "__main__":
    raise SystemExit(main())
