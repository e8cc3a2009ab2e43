"""The benchmarks run and tell sane figures. No time is judged here: a test machine is busy."""

import asyncio
import json
import os
import sys
from functools import cache

import pytest
import uvloop

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.figures import Figure, Floor, Goal, as_row, percentile
from benchmarks.side_by_side import run as side_by_side


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_tells_figures_beside_a_floor(name: str) -> None:
    """In quick mode every figure of a benchmark is positive and stands beside a positive, named floor."""
    assert _measured(name)
    for figure in _measured(name):
        assert figure.value > 0
        assert figure.floor is not None
        assert figure.floor.value > 0
        assert figure.floor.name


def test_the_bridge_and_the_relay_carry_the_same_sound() -> None:
    """The callers of the bridge and of the bare relay hear as much, so their costs may be compared."""
    heard = _measured("bridge")[-1]
    assert heard.name == "frames heard by all callers"
    assert heard.ratio is not None
    assert 0.8 < heard.ratio < 1.25


def test_json_names_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON output has a version, the machine, its load and the measured libraries."""
    main(["compile", "--quick", "--format", "json"])
    told = json.loads(capsys.readouterr().out)
    assert told["version"] == 1
    assert told["machine"]["cores"] == os.cpu_count()
    assert told["machine"]["load"] >= 0
    assert "msgspec" in told["machine"]["libraries"]


def test_text_is_a_table_for_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    """Text output is one line about the machine and a Markdown table."""
    main(["compile", "--quick"])
    machine, empty, head, rule, *rows = capsys.readouterr().out.splitlines()
    assert "cores" in machine
    assert empty == ""
    assert head.count("|") == rule.count("|") == 6
    assert len(rows) == 2


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is no benchmark ends with 2 and a line that names those there are."""
    with pytest.raises(SystemExit) as stopped:
        main(["speed"])
    assert stopped.value.code == 2
    assert "first_audio" in capsys.readouterr().err


def test_a_ratio_is_a_cost_also_of_a_rate() -> None:
    """Half as many a second as the floor, and twice as long as the floor, are both twice its cost."""
    assert Figure("steps", 50, "per_s", Floor("bare", 100)).ratio == 2
    assert Figure("time", 2, "s", Floor("bare", 1)).ratio == 2


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (1.2, Goal("value", "at_most", 1.5), True),
        (1.6, Goal("value", "at_most", 1.5), False),
        (2.0, Goal("value", "at_least", 2.0), True),
        (3.0, Goal("ratio", "at_most", 1.5), True),
        (3.2, Goal("ratio", "at_most", 1.5), False),
    ],
)
def test_a_goal_bounds_a_value_or_a_ratio(value: float, goal: Goal, met: bool) -> None:
    """A goal is met at its number and on its right side."""
    figure = Figure("time", value, "s", Floor("bare", 2.0), goal)
    assert figure.met is met
    assert as_row(figure)[-1].endswith("yes" if met else "**no**")


def test_a_percentile_is_one_of_the_values() -> None:
    """The 99th percentile of a hundred values is the second largest, of thirty the largest."""
    assert percentile(list(range(100)), 0.99) == 98
    assert percentile(list(range(30)), 0.99) == 29
    assert percentile([5.0], 0.5) == 5.0


@cache
def _measured(name: str) -> tuple[Figure, ...]:
    """Each benchmark runs once, whoever asks."""
    return BENCHMARKS[name](quick=True)


def test_bridges_are_measured_by_one_load() -> None:
    """Calls are carried whole; an interruption reaches caller and model, and nothing stale is heard."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        told = runner.run(side_by_side.measure("ours", sys.executable, side_by_side.QUICK))
    assert [level.calls for level in told.levels] == [2]
    assert told.levels[0].lost_ms <= side_by_side.LOST_MS
    assert told.manners[0].clear is not None
    assert told.manners[0].truncation_error is not None
    assert told.manners[0].stale == 0
