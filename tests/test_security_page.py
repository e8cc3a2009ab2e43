"""The page on security names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)(?:::(test_[a-z0-9_]+))?`")


def test_every_test_the_page_names_is_there() -> None:
    """Each row of docs/security.md names a test file, and tests in it, that exist."""
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = NAMED.findall(page)
    assert len(named) >= 25
    for file, test in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not test or re.search(rf"def {test}\(", text), (file, test)
