from collections.abc import Callable
from pathlib import Path

import pytest

from tests.compiler.checks.examples import BASE, examples, patched
from voiceflow_compiler import pipeline
from voiceflow_compiler.checks import CHECKS
from voiceflow_compiler.checks.base import Check
from voiceflow_compiler.diagnostics import Finding

EXAMPLES = [
    pytest.param(check, kind, text, id=f"{check.name}-{kind}-{at}")
    for check in CHECKS
    for kind in ("Flagged", "Clean")
    for at, text in enumerate(examples(check.page, kind))
]

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


def test_codes_and_names_are_unique() -> None:
    """No two checks share a code or a name."""
    assert len({check.code for check in CHECKS}) == len(CHECKS)
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_page_tells_all(check: Check) -> None:
    """Every page says what it finds in one paragraph, then why, shows both examples, and gives a tip."""
    assert check.page.split("\n\n")[1].startswith("Why: ")
    assert examples(check.page, "Flagged")
    assert examples(check.page, "Clean")
    assert "\nTip: " in check.page


def test_the_checks_stand_in_the_order_of_their_codes() -> None:
    """CHECKS is sorted by code, so that nobody takes a code twice unseen."""
    codes = [check.code for check in CHECKS]
    assert codes == sorted(codes)


@pytest.mark.parametrize(("check", "kind", "text"), EXAMPLES)
def test_an_example_does_what_its_page_says(check: Check, kind: str, text: str, find: Find) -> None:
    """A flagged example gives the check's code at the marked lines only; a clean one gives nothing at all."""
    whole = patched(text)
    findings = find(whole)
    marked = [at for at, line in enumerate(whole.splitlines(), start=1) if line.endswith("# flagged")]
    assert bool(marked) == (kind == "Flagged")
    if kind == "Clean":
        assert findings == ()
    else:
        assert [finding.span.line for finding in findings if finding.code == check.code] == marked
