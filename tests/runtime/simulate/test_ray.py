"""The same calls on a Ray cluster: run where the extra `ray` is installed."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
WITHOUT = importlib.util.find_spec("ray") is None
COMMAND = (
    "-m",
    "runtime",
    "simulate",
    "flows/lead_qualification",
    "--calls",
    "1000",
    "--seed",
    "5",
    "--format",
    "json",
)


def said(*more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *COMMAND, *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        env={**os.environ, **environment},
    )


def counted(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What was told, without how long it took."""
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return {name: value for name, value in told.items() if name not in ("seconds", "calls_per_second")}


@pytest.mark.skipif(WITHOUT, reason="Ray is not installed: pip install 'voiceflow-compiler[ray]'")
def test_a_ray_cluster_gives_the_same_result() -> None:
    """A thousand calls on a local cluster are told with the same figures as here."""
    assert counted(said("--engine", "ray")) == counted(said())


@pytest.mark.skipif(WITHOUT, reason="Ray is not installed: pip install 'voiceflow-compiler[ray]'")
def test_a_cluster_that_is_not_there_is_said() -> None:
    """A cluster nobody answers for ends the command with one line."""
    ran = said("--engine", "ray", RAY_ADDRESS="127.0.0.1:9")
    assert (ran.returncode, ran.stderr.splitlines()[-1].startswith("vfc: nothing answers")) == (2, True), (
        ran.stderr
    )


@pytest.mark.skipif(not WITHOUT, reason="Ray is installed")
def test_without_ray_one_line_says_what_to_install() -> None:
    """Where Ray is missing the command ends with the line that installs it."""
    ran = said("--engine", "ray")
    assert ran.returncode == 2
    assert ran.stderr.strip().endswith("-m pip install 'voiceflow-compiler[ray]'")
