"""The optional parts of this package, and the one line that installs a part that is missing."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Final, Literal

PACKAGE: Final = "voiceflow-compiler"

Extra = Literal["voice", "postgres", "mcp", "fast", "stats", "lsp", "vonage", "seal", "ray"]


def missing(what: str, extra: Extra) -> str:
    """`what` is missing and what installs it, with the Python that runs this and no other.

    pip takes the installed package itself, from a clone or a wheel, and adds what the extra names.
    """
    return f"{what}: {_python()} -m pip install '{PACKAGE}[{extra}]'"


def _python() -> str:
    """The running Python as a person would type it from here."""
    running, here = Path(sys.executable), Path.cwd()
    return shlex.quote(str(running.relative_to(here) if running.is_relative_to(here) else running))
