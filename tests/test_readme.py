"""The README's commands are what a newcomer types first: what they name is there."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from runtime.cli import app

ROOT = Path(__file__).parents[1]
COMMANDS = [
    shlex.split(line, comments=True)[1:]
    for line in re.findall(r"^\.venv/bin/vfc .*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_of_the_readme_can_be_typed(words: list[str]) -> None:
    """The command, its options, its flows and its callers exist."""
    name, *rest = words
    command = get_command(app).commands[name]  # type: ignore[attr-defined]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("-")} <= options
    flows = [ROOT / word for word in rest if word.startswith("flows")]
    assert all(flow.is_dir() for flow in flows)
    if "--caller" in rest:
        assert (flows[0] / "callers" / f"{rest[rest.index('--caller') + 1]}.yaml").is_file()


def test_the_readme_shows_commands() -> None:
    """There are commands to check at all."""
    assert len(COMMANDS) >= 6
