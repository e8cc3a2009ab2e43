"""The short form of `make fuzz`: some broken files for every reader."""

from pathlib import Path
from random import Random

import pytest

from tests.fuzz.targets import TARGETS

FILES = 6


@pytest.mark.faults
@pytest.mark.parametrize("name", TARGETS)
def test_broken_files_end_in_an_answer(name: str, tmp_path: Path) -> None:
    """Whatever a hand or a machine did to a file, each reader answers: no traceback."""
    for seed in range(FILES):
        TARGETS[name](Random(seed), tmp_path / str(seed))


# What the long form has found, so that it stays mended.
FOUND = (("editor", 89), ("diff", 50557), ("settings", 50559), ("editor", 51983))


@pytest.mark.faults
@pytest.mark.parametrize(("name", "seed"), FOUND)
def test_what_was_found_stays_mended(name: str, seed: int, tmp_path: Path) -> None:
    """A file that once gave a traceback is answered."""
    TARGETS[name](Random(seed), tmp_path)
