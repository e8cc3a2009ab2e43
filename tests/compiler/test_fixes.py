"""Fixes: what is safe to write is written, and nothing else changes."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.compiler.checks.examples import BASE, examples, patched
from voiceflow_compiler import fixes, pipeline
from voiceflow_compiler.checks import CHECKS
from voiceflow_compiler.cli import app
from voiceflow_compiler.diagnostics import Edit, Span

RUN = CliRunner()

# what a designer wrote -> what stands there instead of the base flow's words -> after the fix
SLIPS = [
    ("filled: offer", "filled: ofer", "filled: offer"),
    ("collect: [team_size]", "collect: [team_sise]", "collect: [team_size]"),
    ("agreement: {go: email}", '"agrement": {go: email}', "agreement: {go: email}"),
    ("{go: to_sales}", "{go: 'to_sale'}", "{go: to_sales}"),
    ("to: sales}", "to: salse}", "to: sales}"),
    ("action: book_demo", "action: book_dmo", "action: book_demo"),
    ("    collect: [email]", "    colect: [email]", "    collect: [email]"),
    ("from {company}", "from {compny}", "from {company}"),
    ("stay: true, at_most: 2", "stay: true", "at_most: 2, stay: true"),
    ("package: [reason, summary, slots]", "package: [slots]", "package: [reason, summary, slots]"),
    (
        "package: [reason, summary, slots]",
        "package: [reason, sumary, slots]",
        "package: [reason, summary, slots]",
    ),
    (
        "turn.negative_in_a_row >= 3",
        "turn.negative_in_row >= 3",
        "turn.negative_in_a_row >= 3",
    ),
    (
        "    while_waiting: One moment, I'm booking it.\n",
        "",
        "    while_waiting: One moment, please.\n",
    ),
]


@pytest.mark.parametrize(("whole", "slip", "mended"), SLIPS, ids=[slip[1] or slip[0] for slip in SLIPS])
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_slip_is_mended_and_nothing_else(
    whole: str, slip: str, mended: str, ending: str, tmp_path: Path
) -> None:
    """After --fix the flow is clean, and every byte outside the slip is as it was, line endings included."""
    broken, after = BASE.replace(whole, slip, 1), BASE.replace(whole, mended, 1)
    if mended.endswith("please.\n"):
        after = BASE.replace(whole, "", 1).replace(
            "    action: book_demo\n", mended + "    action: book_demo\n", 1
        )
    path = tmp_path / "flow.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + broken.replace("\n", ending).encode())
    result = RUN.invoke(app, ["check", "--fix", "--strict", str(path)])
    assert path.read_bytes() == b"\xef\xbb\xbf" + after.replace("\n", ending).encode()
    assert result.exit_code == 0


def test_a_dry_run_shows_and_writes_nothing(tmp_path: Path) -> None:
    """--diff prints a unified diff, exits with 1 while there is something to fix; the file stays as it is."""
    path = tmp_path / "flow.yaml"
    path.write_text(BASE.replace("filled: offer", "filled: ofer"), encoding="utf-8")
    before = path.read_bytes()
    result = RUN.invoke(app, ["check", "--diff", str(path)])
    assert "-    filled: ofer\n+    filled: offer\n" in result.stdout
    assert result.exit_code == 1
    assert path.read_bytes() == before
    assert RUN.invoke(app, ["check", "--fix", str(path)]).exit_code == 0
    assert RUN.invoke(app, ["check", "--diff", str(path)]).stdout == ""


def test_block_style_stays_block_style(tmp_path: Path) -> None:
    """A new entry of a map in lines of its own gets a line of its own."""
    answer = "  what_is_this:\n    convey: Say it in simpler words.\n    stay: true\n"
    slip = patched("everywhere:\n" + answer)
    path = tmp_path / "flow.yaml"
    path.write_text(slip, encoding="utf-8")
    RUN.invoke(app, ["check", "--fix", str(path)])
    assert path.read_text(encoding="utf-8") == slip.replace(
        "    stay: true\n", "    at_most: 2\n    stay: true\n"
    )


def test_edits_that_touch_are_not_applied_together() -> None:
    """Of two fixes for one place the first is taken; places apart are both."""
    text = "one two\r\nthree"
    first, last = Edit(Span("f", 1, 1, 1, 4), "1"), Edit(Span("f", 2, 1, 2, 6), "3")
    assert fixes.edited(text, [first, last]) == "1 two\r\n3"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_s_fixes_take_its_findings_away(check, tmp_path: Path) -> None:
    """What a check offers to write ends its finding, and brings no error with it."""
    path = tmp_path / "flow.yaml"
    for text in examples(check.page, "Flagged"):
        path.write_text(patched(text), encoding="utf-8")
        before = pipeline.check(str(path)).findings
        fixable = [each for each in before if each.code == check.code and each.fix]
        if fixable:
            path.write_text(fixes.edited(patched(text), fixable[0].fix), encoding="utf-8")
            after = pipeline.check(str(path)).findings
            assert len([each for each in after if each.code == check.code]) < len(
                [each for each in before if each.code == check.code]
            )
            assert sum(each.severity == "error" for each in after) <= sum(
                each.severity == "error" for each in before
            )
