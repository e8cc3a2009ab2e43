"""The corpus: seeded defects are caught where they are, and clean flows are not accused."""

from collections import Counter

import pytest

from tests.compiler.checks.examples import examples, patched
from tests.corpus.corpus import CLEAN, FAMILIES, Defect, defects, findings, is_caught
from voiceflow_compiler import checks
from voiceflow_compiler.checks import CHECKS

DEFECTS = tuple(defects())

# a quote closed by another kind of quote runs on to the next one: the reader points there
MISSED = {"a quote is closed with another one"}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda each: f"{each.code}-{each.title}")
def test_a_seeded_defect_is_caught_in_its_place(defect: Defect) -> None:
    """Each defect is found under its code at its line; what is known to be missed is told apart."""
    assert is_caught(defect, findings(defect.text)) == (defect.title not in MISSED)


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_flow_is_not_accused(name: str) -> None:
    """The flows that the defects are put into have no finding."""
    assert findings(CLEAN[name]) == ()


def test_the_corpus_is_large_and_even() -> None:
    """At least 120 defects, three or more in every family, one or more for every check, nearly all caught."""
    families = Counter(defect.code[:3] for defect in DEFECTS)
    assert len(DEFECTS) >= 120
    assert all(families[family] >= 3 for family in FAMILIES)
    assert {check.code for check in CHECKS} <= {defect.code for defect in DEFECTS} | ELSEWHERE
    assert len(MISSED) / len(DEFECTS) <= 0.02


# a brief of two thousand characters is no small difference; its page has the example
ELSEWHERE = {"VF804"}


@pytest.mark.mutants
@pytest.mark.parametrize("name", [check.name for check in CHECKS])
def test_a_check_that_is_removed_is_missed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a check its flagged examples and its defects are found by nothing else under its code."""
    check = next(each for each in CHECKS if each.name == name)
    monkeypatch.setattr(checks, "CHECKS", tuple(each for each in CHECKS if each.name != name))
    seeded = [defect for defect in DEFECTS if defect.code == check.code]
    assert seeded or check.code in ELSEWHERE
    for defect in seeded:
        assert not is_caught(defect, findings(defect.text))
    for text in examples(check.page, "Flagged"):
        assert check.code not in {each.code for each in findings(patched(text))}
