"""Actions by a function another package offers."""

import sys
from pathlib import Path

import pytest

from tests.runtime.actions.desk import opened, order, problem, reason

MODULE = """
import asyncio, time
done = []
def book(email, seats, note, idempotency_key):
    done.append(idempotency_key)
    return {"time": "3 pm", "key": idempotency_key}
async def slow(**arguments):
    await asyncio.sleep(60)
def stuck(**arguments):
    time.sleep(0.5)
def broken(**arguments):
    raise ValueError("quotes dana@example.com")
def odd(**arguments):
    return [1]
def nothing(**arguments):
    return None
"""
NAMES = ("book", "slow", "stuck", "broken", "odd", "nothing")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is installed for the time of a test."""
    site = tmp_path / "site"
    about = site / "crm_actions-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "crm_actions.py").write_text(MODULE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: crm-actions\nVersion: 1.0\n")
    points = "".join(f"{name} = crm_actions:{name}\n" for name in (*NAMES, "gone"))
    (about / "entry_points.txt").write_text(f"[vfc.actions]\n{points}")
    monkeypatch.syspath_prepend(str(site))
    sys.modules.pop("crm_actions", None)


def table(name: str, more: str = "") -> str:
    """A table of an action by this function."""
    return f'executor = "python"\nentry_point = "{name}"\n{more}'


@pytest.mark.usefixtures("package")
async def test_a_function_gets_its_arguments_and_the_key(tmp_path: Path) -> None:
    """Arguments go by name; a function that takes the key gets it; its mapping is the result."""
    async with opened(tmp_path, table("book")) as actions:
        assert await actions.run(order()) == {"time": "3 pm", "key": "k1"}
    async with opened(tmp_path, table("nothing")) as actions:
        assert await actions.run(order()) == {}


@pytest.mark.faults
@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "why"), [("slow", "timeout"), ("stuck", "timeout"), ("broken", "broken"), ("odd", "bad_answer")]
)
async def test_a_function_that_misbehaves_is_a_reason(
    tmp_path: Path, name: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Slow, raising and odd functions are failures; what they raise is not shown, since it may quote the
    caller, and nothing is asked twice.
    """
    async with opened(tmp_path, table(name)) as actions:
        assert await reason(actions, order(within_ms=100, retries=2)) == why
    assert "dana@example.com" not in capsys.readouterr().out


@pytest.mark.usefixtures("package")
def test_a_function_that_is_not_there_is_told(tmp_path: Path) -> None:
    """An unknown name lists those there are; one that cannot be loaded says so."""
    assert "there is book, broken, gone" in problem(tmp_path, table("bok"))
    assert "crm_actions:gone cannot be loaded (AttributeError)" in problem(tmp_path, table("gone"))
