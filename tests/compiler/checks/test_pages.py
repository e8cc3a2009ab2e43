"""The pages under docs/ are what the rules' files say; `make golden` writes them."""

import os
import re
from pathlib import Path

import pytest

from voiceflow_compiler.rules import RULES
from voiceflow_compiler.rules.pages import index, page

DOCS = Path(__file__).parents[3] / "docs"
LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")


def pages() -> dict[str, str]:
    """Every generated page by its path below docs/."""
    beside = zip(RULES, (None, *RULES[:-1]), (*RULES[1:], None), strict=True)
    written = {f"checks/{rule.code}.md": page(rule, before, after) for rule, before, after in beside}
    return {"checks.md": index(RULES), **written}


@pytest.mark.golden
def test_the_documents_hold_every_rule() -> None:
    """docs/checks.md lists the rules, docs/checks/ has a page for each, and nothing else stands there."""
    made = pages()
    if os.environ.get("UPDATE_GOLDEN"):
        (DOCS / "checks").mkdir(exist_ok=True)
        for path in (DOCS / "checks").iterdir():
            path.unlink()
        for name, text in made.items():
            (DOCS / name).write_text(text, encoding="utf-8")
    assert {f"checks/{path.name}" for path in (DOCS / "checks").iterdir()} == made.keys() - {"checks.md"}
    for name, text in made.items():
        assert (DOCS / name).read_text(encoding="utf-8") == text


def test_every_link_of_the_pages_leads_somewhere() -> None:
    """A link leads to a file that is there, and one with a heading to a heading of that file."""
    for name, text in pages().items():
        for target, anchor in LINK.findall(text):
            path = (DOCS / name).parent / target if target else DOCS / name
            assert path.exists(), (name, target)
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            known = {re.sub(r"[^a-z0-9-]", "", each.lower().replace(" ", "-")) for each in headings}
            assert not anchor or anchor in known, (name, anchor)
