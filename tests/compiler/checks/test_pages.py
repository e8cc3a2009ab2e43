import os
from pathlib import Path

import pytest

from voiceflow_compiler.checks import CHECKS
from voiceflow_compiler.checks.base import document
from voiceflow_compiler.resolve.pages import PAGES

ROOT = Path(__file__).parents[3]


@pytest.mark.golden
def test_the_checks_document_holds_every_page() -> None:
    """docs/checks.md is what the checks' docstrings say; `make golden` writes it."""
    path = ROOT / "docs" / "checks.md"
    text = document(
        ((check.code, check.name, check.severity, check.page) for check in CHECKS),
        ((code, page.name, page.text) for code, page in PAGES.items()),
    )
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
