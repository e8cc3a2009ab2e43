"""The pages on coverage, diff and cost show what the commands print."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOWN = re.compile(r"<!-- (tests/cases/\S+) -->\n```text\n(.*?)```\n", re.DOTALL)


@pytest.mark.golden
@pytest.mark.parametrize("page", ["coverage", "diff", "cost"])
def test_a_page_shows_real_output(page: str) -> None:
    """What stands on a page under a file's name is that file, which a test holds equal to the output."""
    path = ROOT / "docs" / f"{page}.md"
    text = path.read_text(encoding="utf-8")
    assert SHOWN.search(text)
    if os.environ.get("UPDATE_GOLDEN"):
        text = SHOWN.sub(
            lambda found: (
                f"<!-- {found[1]} -->\n```text\n{(ROOT / found[1]).read_text(encoding='utf-8')}```\n"
            ),
            text,
        )
        path.write_text(text, encoding="utf-8")
    for file, shown in SHOWN.findall(text):
        assert shown == (ROOT / file).read_text(encoding="utf-8")
