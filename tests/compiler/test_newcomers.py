"""What a newcomer writes first: each slip is told once, in plain words, at its place, with what to write."""

from pathlib import Path

import pytest

from tests.compiler.checks.examples import BASE
from voiceflow_compiler import pipeline

# What was written instead of what, the line's text the finding stands in, its message and its tip.
SLIPS = [
    (
        "    collect: [email]\n",
        "     collect: [email]\n",
        "collect: [email]",
        "this line is indented deeper than the one above it",
        "Give it the same indentation: 4 spaces.",
    ),
    ("    kind: act\n", "    kind act\n", "kind act", "`kind` has no colon after it", "Write `kind: act`."),
    (
        "say: Are you still there?",
        "say: 'I'm still here'",
        "say: 'I'm still here'",
        "the text ends at this apostrophe",
        'Put the text in double quotes: "I\'m still here".',
    ),
    (
        "  wants_person: {go: to_sales}",
        "  wants_person: to_sales",
        "wants_person: to_sales",
        "the answer `wants_person` must be a map (`key: value` lines), and this is text",
        "Write `{go: to_sales}` to lead there.",
    ),
    (
        "  wants_person: {go: to_sales}",
        "  wants_person: {goto: to_sales}",
        "wants_person: {goto",
        "the answer `wants_person` has no key `goto`",
        "Did you mean `go`?",
    ),
    (
        "    on:\n      agreement: {go: email}\n",
        "    on:\n      - agreement: {go: email}\n",
        "on:",
        "`on` must be a map (`key: value` lines), and this is a list",
        "Take away the `- ` before each key: `key: value` lines, one below the other.",
    ),
    (
        "  to_sales: {kind: handoff, to: sales}",
        "  to_sales: {to: sales}",
        "to_sales: {to",
        "the node `to_sales` lacks `kind`",
        "Write `kind: ...`. It is one of: disclosure, tell, ask, decide, act, handoff, end, flow.",
    ),
    (
        "assistant from {company}",
        "assistant from {{company}}",
        "assistant from {{company}}",
        "a name stands in one brace on each side here",
        "Write `{company}`.",
    ),
]


@pytest.mark.parametrize(
    ("good", "written", "line", "message", "tip"), SLIPS, ids=[slip[1] for slip in SLIPS]
)
def test_a_slip_is_told_once_in_plain_words(
    good: str, written: str, line: str, message: str, tip: str, tmp_path: Path
) -> None:
    """One slip of the hand is one finding: at its line, saying what is wrong and what to write instead."""
    assert good in BASE
    text = BASE.replace(good, written, 1)
    (tmp_path / "flow.yaml").write_text(text, encoding="utf-8")
    (found,) = pipeline.check(str(tmp_path / "flow.yaml")).findings
    assert (found.message, found.tip) == (message, tip)
    assert line in text.split("\n")[found.span.line - 1]
