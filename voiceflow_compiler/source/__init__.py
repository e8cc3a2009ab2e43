"""YAML text to plain data with the place of every key and value.

Laws
1. Any text ends in data, findings, or both: never an exception, never more memory than a small multiple of
   the budgets.
2. Scalars are read as YAML 1.2 would, and narrower: `true`, `false`, `null`, `~`, nothing, whole numbers and
   decimals have
   their meaning; everything else is text (`on`, `no`, `01234`, `12:30`, `0x10`, `1e5`, `+49 30 1234`). Keys
   are always text.
3. What cannot be taken is left out and its path is in `lost`, so that later passes do not call it missing.
"""

from voiceflow_compiler.source.characters import BREAK, check_characters
from voiceflow_compiler.source.reader import (
    MAX_DEPTH,
    MAX_EVENTS,
    MAX_FILE_BYTES,
    MAX_TEXT,
    MAX_TOTAL_BYTES,
    Budget,
    Read,
    Reader,
    nowhere,
)

__all__ = [
    "BREAK",
    "MAX_DEPTH",
    "MAX_EVENTS",
    "MAX_FILE_BYTES",
    "MAX_TEXT",
    "MAX_TOTAL_BYTES",
    "Budget",
    "Read",
    "nowhere",
    "parse",
]


def parse(text: str, result: Read, budget: Budget) -> None:
    """Read YAML text into `result`."""
    result.text = text
    safe, tabs = check_characters(text, result.file, result.findings)
    Reader(result, budget, quiet=tabs).run(safe)
