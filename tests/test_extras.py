"""The optional parts of the package."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args

from voiceflow_compiler.extras import PACKAGE, Extra, missing

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_extra_that_is_named_is_declared() -> None:
    """What a user is told to install is declared, and every declared extra can be told."""
    assert PROJECT["name"] == PACKAGE
    assert set(get_args(Extra)) == set(PROJECT["optional-dependencies"]) - {"dev"}


def test_every_extra_but_the_largest_is_locked() -> None:
    """The lock holds every extra except Ray."""
    line = next(
        line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "LOCKED :=" in line
    )
    assert set(line.partition(":=")[2].split()) == set(PROJECT["optional-dependencies"]) - {"ray"}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not any(one.startswith("ray==") for one in lock.splitlines())


def test_the_line_that_is_told_works_where_it_is_told() -> None:
    """The Python that runs takes the line as it is: pip finds the installed package and its extra."""
    line = missing("speech is not installed", "fast").partition(": ")[2]
    ran = subprocess.run(
        f"{line} --dry-run --quiet --no-deps --no-index",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert line.startswith((sys.executable, ".venv")), line
