"""Break the engine on purpose, one law at a time: the law's tests must notice. Run by `make mutants`, not
with the other tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("runtime", "voiceflow_compiler")
TESTS = (
    "tests/conftest.py",
    "tests/runtime/engine/world.py",
    "tests/runtime/engine/test_laws.py",
    "pyproject.toml",
)

# law -> file in runtime/engine, what stands there, what a careless change would put in its place
MUTANTS = {
    "1: a cut disclosure counts as heard": (
        "playback.py",
        'return _again(artifact, state, out, speech, "interrupted")',
        "return follow(artifact, replace(state, speech=None, disclosed=True), out, speech.after)",
    ),
    "1: a placed call speaks before its verdict": (
        "outside.py",
        "if not state.answerer_due and artifact.nodes",
        "if artifact.nodes",
    ),
    "2: the promise is spoken though the package failed": (
        "people.py",
        'return nobody(artifact, state, out, "closed" if closed else "package failed")',
        'return say(artifact, state, out, artifact.handoffs[state.handoff].line, After("transfer"))',
    ),
    "3: nodes may be visited for ever": (
        "nodes.py",
        "if count > artifact.limits.visits:",
        "if count > 10**6:",
    ),
    "3: the overall clock is ignored": (
        "step.py",
        'return reach_limit(artifact, state, out, "call_ms")',
        "return state",
    ),
    "4: any value fills a slot": (
        "turns.py",
        "None if slot is None or slot.by_keypad or slot.secret else slot_value(slot, raw)",
        "raw",
    ),
    "4: an action runs without its arguments": (
        "nodes.py",
        "if None in arguments.values():",
        "if not arguments:",
    ),
    "4: the model may run any action": (
        "hearing.py",
        "if action is None or not action.on_request or action.changes_something:",
        "if action is None:",
    ),
    "5: a person asked for is not brought": (
        "turns.py",
        'if state.heard.family != "escalation":',
        "if True:",
    ),
    "6: a name is drawn by chance": (
        "speaking.py",
        'f"{prefix}{state.serial + 1}"',
        'f"{prefix}{id(state)}"',
    ),
    "7: a strange report raises": (
        "turns.py",
        "given_slots(artifact, raw if isinstance(raw, dict) else {})",
        "given_slots(artifact, raw)",
    ),
}


@pytest.mark.mutants
@pytest.mark.parametrize("law", MUTANTS)
def test_a_broken_law_is_noticed(law: str, tmp_path: Path) -> None:
    """With this law broken its tests fail (or, where the law is that calls end, do not end)."""
    name, stands, instead = MUTANTS[law]
    for each in (*COPIED, *TESTS):
        target = tmp_path / each
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / each).is_dir() else shutil.copy
        copy(ROOT / each, target)
    broken = tmp_path / "runtime/engine" / name
    source = broken.read_text()
    assert source.count(stands) == 1, f"the engine has changed: {stands!r} is not there once"
    broken.write_text(source.replace(stands, instead))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/runtime/engine/test_laws.py",
    ]
    settings = {**os.environ, "CI": "1", "PYTHONPATH": str(tmp_path)}
    try:
        run = subprocess.run(
            command, cwd=tmp_path, env=settings, capture_output=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return
    assert run.returncode == 1, run.stdout.decode()[-2000:]
