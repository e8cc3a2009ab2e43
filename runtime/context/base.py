"""What a fact source is opened with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.ports import FactSource


@dataclass(frozen=True, slots=True)
class Opening:
    """One source's table of the settings: its place in them (`facts.crm`), its options, what paths are
    relative to.
    """

    place: str
    options: Mapping[str, Any] = field(repr=False)
    folder: Path


OpenSource = Callable[[Opening], FactSource]
