"""The flow that the examples change, and how a test asks what is found in a text."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.compiler.checks.examples import BASE
from voiceflow_compiler import pipeline
from voiceflow_compiler.diagnostics import Finding

Find = Callable[[str], tuple[Finding, ...]]


@pytest.fixture
def find(tmp_path: Path) -> Find:
    def found_in(text: str) -> tuple[Finding, ...]:
        path = tmp_path / "flow.yaml"
        path.write_text(text, encoding="utf-8")
        return pipeline.check(str(path)).findings

    return found_in


def test_the_base_flow_is_clean(find: Find) -> None:
    """The flow that the examples change has no finding."""
    assert find(BASE) == ()
