import os
from pathlib import Path

import pytest

from voiceflow_compiler import pipeline
from voiceflow_compiler.checks import CHECKS

CASES = Path(__file__).parents[2] / "cases" / "checks"


@pytest.mark.golden
def test_a_broken_flow_is_told_everything_at_once() -> None:
    """Every fault is found at its place in one go, each once, with the caller's route where one shows it."""
    findings = pipeline.check(str(CASES / "broken.yaml")).findings
    told = "".join(
        f"{finding.span.line}:{finding.span.column} {finding.severity} {finding.code} {finding.name}: "
        f"{finding.message}\n"
        + "".join(f"    {each.span.line}:{each.span.column} {each.text}\n" for each in finding.related)
        + (f"    way: {' > '.join(finding.route)}\n" if finding.route else "")
        + f"    tip: {finding.tip}\n"
        for finding in findings
    )
    expected = CASES / "broken.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")


def test_the_broken_flow_has_most_faults() -> None:
    """Faults that hide one another, and those of wording, are missing: tests/corpus has them all."""
    found = {finding.name for finding in pipeline.check(str(CASES / "broken.yaml")).findings}
    assert len(found & {check.name for check in CHECKS}) > len(CHECKS) / 2
