"""The server as an editor meets it: over standard input and output."""

from pathlib import Path

import pytest

from tests.compiler.lsp.editor import Refusal, applied, editor, position

CASES = Path(__file__).parents[2] / "cases"
CLEAN = (CASES / "clean" / "lead" / "flow.yaml").read_text(encoding="utf-8")


def codes(diagnostics):
    """The codes of diagnostics."""
    return [each["code"] for each in diagnostics]


async def test_a_finding_is_told_while_typing(tmp_path: Path) -> None:
    """A clean text has no diagnostics, one misspelt node has one at its exact place, and mending it none."""
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", CLEAN)
        assert await it.diagnostics(uri) == []
        line, column = position(CLEAN, "go: price", 4)
        at = {"line": line, "character": column}
        it.change(uri, {"range": {"start": at, "end": at}, "text": "x"})
        (told,) = [each for each in await it.diagnostics(uri) if each["severity"] == 1]
        assert told["code"] == "VF120"
        assert told["range"]["start"] == {"line": line, "character": column}
        assert "Did you mean `price`?" in told["message"]
        it.change(uri, {"range": {"start": at, "end": {"line": line, "character": column + 1}}, "text": ""})
        assert await it.diagnostics(uri) == []
        assert await it.stop() == 0
