"""What every fault is judged by, whatever else its test looks at."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from runtime.session.stand_in import StandIn
from tests.faults import bed as beds
from tests.faults.laws import broken

Open = Callable[..., AbstractAsyncContextManager[beds.Bed]]


@pytest.fixture(autouse=True)
def log_lines() -> Iterator[list[Any]]:
    """Every log line of the test."""
    before = structlog.get_config()
    capture = LogCapture()
    structlog.configure(processors=[capture])
    yield capture.entries
    structlog.configure(**before)


@pytest.fixture(autouse=True)
def made() -> Iterator[list[beds.Bed]]:
    """Every bed the test made; afterwards none of them may have broken an invariant."""
    made: list[beds.Bed] = []
    yield made
    told = [
        line for bed in made for line in broken(bed.folder, bed.evidence, bed.lines, [beds.KEY, beds.NUMBER])
    ]
    assert not told


@pytest.fixture
def bed(tmp_path: Path, made: list[beds.Bed], log_lines: list[Any]) -> Open:
    """Makes a bed; see `beds.open_bed`."""

    @asynccontextmanager
    async def opened(stand_in: StandIn | None = None, **options: Any) -> AsyncIterator[beds.Bed]:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        async with beds.open_bed(folder, stand_in, **options) as one:
            one.lines = log_lines
            made.append(one)
            yield one

    return opened
