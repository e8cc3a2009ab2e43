"""A rollout under kill -9: at each point of a step, the step is made whole or not at all, and never twice."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from runtime.cli import app
from runtime.rollout.stages import Rollout
from runtime.rollout.steps import advance as advanced
from tests.runtime.rollout.folder import artifact, good_calls, kept, lay_out, put
from tests.runtime.rollout.places import FLOW, begun, verdict, why

ROOT = Path(__file__).parents[3]
POINTS = {"before_read": 0, "after_read": 0, "before_change": 0, "before_commit": 0, "after_commit": 1}

pytestmark = pytest.mark.faults


def ours(state: Rollout) -> Rollout:
    return replace(state, artifact=artifact().content_hash)


def keep_in(folder: Path, url: str) -> None:
    """Let the deployment's store be this one: SQLite and PostgreSQL alike."""
    with (folder / "vfc.toml").open("a") as settings:
        settings.write(f'[store]\nurl = "{url}"\n')


def killed(folder: Path, point: str, *command: str) -> None:
    """Run the command line until it kills itself at that point."""
    program = [sys.executable, "-m", "tests.runtime.rollout.killed", point, "rollout", *command]
    ran = subprocess.run(
        [*program, "--settings", str(folder / "vfc.toml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr + ran.stdout


def again(folder: Path, *command: str) -> None:
    CliRunner().invoke(app, ["rollout", *command, "--settings", str(folder / "vfc.toml")])


@pytest.mark.parametrize(("point", "made"), POINTS.items())
def test_an_advance_killed_anywhere_is_made_once(
    tmp_path: Path, database_url: str, point: str, made: int
) -> None:
    """Killed before its commit an advance has not happened, after it it has; asked again, one."""
    flow = str(lay_out(tmp_path))
    keep_in(tmp_path, database_url)
    put(tmp_path, ours(begun()))
    good_calls(tmp_path)
    killed(tmp_path, point, "advance", flow)
    state = kept(tmp_path, FLOW)
    assert (state.stage, state.version) == (("pilot", "10")[made], 1 + made)
    again(tmp_path, "advance", flow)
    again(tmp_path, "advance", flow)
    state = kept(tmp_path, FLOW)
    assert state.stage == "10"
    assert [decision.act for decision in state.decisions] == ["start", "advance"]


@pytest.mark.parametrize(("point", "made"), POINTS.items())
def test_a_rollback_said_again_after_a_kill_is_made_once(
    tmp_path: Path, database_url: str, point: str, made: int
) -> None:
    """A rollback from a stated version, killed anywhere and said again, goes back by one stage."""
    lay_out(tmp_path)
    keep_in(tmp_path, database_url)
    state = begun()
    for _ in range(3):
        state = advanced(state, verdict(state), why())
    put(tmp_path, replace(ours(state), decisions=state.decisions[:1]))
    command = ("rollback", FLOW, "--reason", "a complaint", "--at", "1")
    killed(tmp_path, point, *command)
    assert kept(tmp_path, FLOW).stage == ("50", "25")[made]
    again(tmp_path, *command)
    state = kept(tmp_path, FLOW)
    assert state.stage == "25"
    assert [decision.act for decision in state.decisions] == ["start", "rollback"]
