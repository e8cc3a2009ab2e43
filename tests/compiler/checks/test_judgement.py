"""Flows at the edge of a check: those that must be found out, and the innocent ones beside them."""

from pathlib import Path

import pytest

from tests.compiler.checks.examples import patched
from tests.compiler.checks.test_checks import Find, find

__all__ = ["find"]

# A file for each code. A document is what it shows and its changes to the base flow; lines that end in
# `# flagged` are found, no others.
JUDGED = [
    (path.stem, *document.split("\n", 1))
    for path in sorted((Path(__file__).parents[2] / "cases" / "judgement").glob("*.yaml"))
    for document in path.read_text(encoding="utf-8").split("--- # ")[1:]
]


@pytest.mark.parametrize(
    ("code", "changes"),
    [pytest.param(code, changes, id=f"{code}-{shows}") for code, shows, changes in JUDGED],
)
def test_a_check_judges_well(code: str, changes: str, find: Find) -> None:
    """What a check finds at its edges is what is marked, and innocent flows have no finding at all."""
    whole = patched(changes)
    findings = find(whole)
    marked = [at for at, line in enumerate(whole.splitlines(), start=1) if line.endswith("# flagged")]
    assert [finding.span.line for finding in findings if finding.code == code] == marked
    assert marked or findings == ()


FOLDED = """
nodes:
  greeting:
    kind: disclosure
    say: >-
      Hi, I'm the AI of {company}. Ask
      for a person, {account}. This call is recorded.
    next: team
"""


@pytest.mark.parametrize(
    ("code", "changes", "name"),
    [
        ("VF701", "nodes:\n  offer: {kind: tell, say: 'We''ll write to {email}.', next: email}\n", "{email}"),
        ("VF402", FOLDED, "{account}"),
    ],
)
def test_a_placeholder_is_found_at_its_own_column(code: str, changes: str, name: str, find: Find) -> None:
    """Quotes and folded lines do not shift the place."""
    whole = patched(changes)
    (finding,) = [finding for finding in find(whole) if finding.code == code]
    line = whole.splitlines()[finding.span.line - 1]
    assert line[finding.span.column - 1 : finding.span.end_column - 1] == name


def test_a_finding_shows_the_callers_way(find: Find) -> None:
    """The route is a way on which the value is not collected; each step past the disclosure has a place."""
    changes = "nodes:\n  goodbye: {kind: end, say: 'We write to {email}. Goodbye.', outcome: done}\n"
    (finding,) = find(patched(changes))
    assert finding.route == ("greeting", "team", "goodbye")
    first = "{kind: decide, cases: [{if: turn.number > 1, go: team}], otherwise: greeting}"
    (finding,) = find(patched(f"start: first\nnodes:\n  first: {first}\n"))
    assert finding.route == ("first", "team")
    assert [each.text for each in finding.related] == ["first -> team (turn.number > 1)"]
