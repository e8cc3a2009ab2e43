"""Facts kept for a stated time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runtime.context import open_source
from runtime.context.cache import MOST, Cached
from runtime.ports import OutsideFailure
from tests.runtime.context.places import DANA, settings


class Counting:
    """A source that counts how often it is asked, and fails when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.failing = False

    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        self.asked += 1
        if self.failing:
            raise OutsideFailure("timeout")
        return {"asked": self.asked} if caller_number == DANA else None

    async def close(self) -> None:
        """Nothing is open."""


async def test_an_answer_is_told_again_until_it_is_too_old() -> None:
    """Within its time a known and an unknown caller are told from memory; at its end they are asked for."""
    now = 100.0
    source = Counting()
    cached = Cached(source, 60, lambda: now)
    assert await cached.look_up(DANA) == await cached.look_up(DANA) == {"asked": 1}
    assert await cached.look_up("+1") is None
    assert await cached.look_up("+1") is None
    assert source.asked == 2
    now += 60
    assert await cached.look_up(DANA) == {"asked": 3}


async def test_a_failure_is_not_kept() -> None:
    """After a failure the next look-up asks again."""
    source = Counting()
    cached = Cached(source, 60, lambda: 0.0)
    source.failing = True
    with pytest.raises(OutsideFailure):
        await cached.look_up(DANA)
    source.failing = False
    assert await cached.look_up(DANA) == {"asked": 2}


async def test_memory_is_bounded() -> None:
    """More callers than are kept push out the oldest."""
    cached = Cached(Counting(), 60, lambda: 0.0)
    for number in range(MOST + 10):
        await cached.look_up(f"+{number}")
    assert len(cached._kept) == MOST


async def test_how_long_is_a_setting(tmp_path: Path) -> None:
    """`cache_s` of any source says for how long its answers are kept; 0, the default, keeps none."""
    (tmp_path / "crm.csv").write_text("phone,first_name\n+12025550101,Dana\n")
    table = '[facts.crm]\nsource = "csv_file"\npath = "crm.csv"\n'
    assert not isinstance(open_source("crm", settings(tmp_path, table)), Cached)
    cached = open_source("crm", settings(tmp_path, table + "cache_s = 30\n"))
    assert isinstance(cached, Cached)
    assert cached.for_s == 30
