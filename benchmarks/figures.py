"""What a benchmark tells: figures with their floor and goal, and the machine they were measured on."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final, Literal

Unit = Literal["s", "ms", "us", "per_s", "times", "count"]
LIBRARIES: Final = ("msgspec", "openai", "websockets", "starlette", "uvicorn", "pyyaml")


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that could be done with the same libraries, measured in the same run, in the figure's
    unit.
    """

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for `value` or for `ratio`: at most, or at least."""

    of: Literal["value", "ratio"]
    bound: Literal["at_most", "at_least"]
    number: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `name` says what of what; `floor` and `goal` may be absent."""

    name: str
    value: float
    unit: Unit
    floor: Floor | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the floor, in cost: above 1 is worse than the floor, also for a rate."""
        if self.floor is None or not self.floor.value or not self.value:
            return None
        if self.unit == "per_s":
            return self.floor.value / self.value
        return self.value / self.floor.value

    @property
    def met(self) -> bool | None:
        """Whether the goal was reached; None without a goal."""
        if self.goal is None:
            return None
        got = self.value if self.goal.of == "value" else self.ratio
        if got is None:
            return False
        return got <= self.goal.number if self.goal.bound == "at_most" else got >= self.goal.number


def cpu_seconds(act: Callable[[], object], repeats: int) -> float:
    """The median CPU time of `act` in this process, over `repeats` runs after one that is not counted."""
    act()
    taken = []
    for _ in range(repeats):
        began = process_time()
        act()
        taken.append(process_time() - began)
    return median(taken)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and when. `load` is the load average of the last minute; above the count of cores the machine
    was busy.
    """

    date: str
    processor: str
    cores: int
    load: float
    python: str
    system: str
    libraries: dict[str, str]

    @property
    def line(self) -> str:
        """All of it on one line."""
        libraries = ", ".join(f"{name} {number}" for name, number in self.libraries.items())
        return (
            f"{self.date}, {self.processor}, {self.cores} cores, load {self.load:.1f}, {self.python},"
            f" {self.system}; {libraries}"
        )


def machine() -> Machine:
    """The machine now."""
    return Machine(
        date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        load=os.getloadavg()[0],
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.machine()}",
        libraries={name: version(name) for name in LIBRARIES},
    )


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.exists():
        for line in told.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "processor unknown"


def as_plain(figure: Figure) -> dict[str, Any]:
    """A figure as JSON holds it."""
    return {**asdict(figure), "ratio": figure.ratio, "met": figure.met}


def as_row(figure: Figure) -> tuple[str, str, str, str, str]:
    """A figure as a row of a table: what, value, floor, ratio, goal."""
    floor, goal, ratio = figure.floor, figure.goal, figure.ratio
    return (
        figure.name,
        written(figure.value, figure.unit),
        f"{written(floor.value, figure.unit)} ({floor.name})" if floor else "",
        f"{ratio:.2f}" if ratio is not None else "",
        f"{_bound(goal, figure.unit)}: {'yes' if figure.met else '**no**'}" if goal else "",
    )


def _bound(goal: Goal, unit: Unit) -> str:
    sign = "≤" if goal.bound == "at_most" else "≥"
    return f"{sign} {written(goal.number, unit if goal.of == 'value' else 'times')}"


def written(value: float, unit: Unit) -> str:
    """A number with its unit, in about three figures."""
    match unit:
        case "per_s":
            return f"{value:,.0f}/s"
        case "count":
            return f"{value:,.0f}"
        case "times":
            return f"{value:.2f}×"
        case "us":
            return f"{value:.1f} µs"
        case _:
            digits = 0 if value >= 100 else 1 if value >= 10 else 2
            return f"{value:.{digits}f} {unit}"
