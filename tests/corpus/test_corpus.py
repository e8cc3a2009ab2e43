"""The corpus: seeded defects are caught where they are, and clean flows are not accused."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.compiler.checks.examples import examples, patched
from tests.corpus.corpus import CLEAN, FAMILIES, Defect, defects, findings, is_caught
from voiceflow_compiler import checks
from voiceflow_compiler.checks import CHECKS
from voiceflow_compiler.rules import RULES

DEFECTS = tuple(defects())
CODE = re.compile(r"VF\d{3}")

MISSED: set[str] = set()


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


# Kinds of defect that published validators are compared on (docs/corpus.md) -> the code that finds each.
KINDS = {
    "livelock": "VF205",
    "zero-turn loop": "VF204",
    "contradictory condition": "VF207",
    "shadowed condition": "VF208",
    "branch on a value never set on that path": "VF708",
    "unreachable node": "VF201",
    "dead end": "VF202",
    "duplicate key": "VF007",
    "undefined prompt variable": "VF126",
    "way to an unknown node": "VF120",
    "no way to an end or a person": "VF203",
    "intent that a node leaves unanswered": "VF301",
    "one sentence under two intents": "VF302",
    "disclosure gone round": "VF401",
    "ladder without an end": "VF502",
    "request for a person that brings none": "VF601",
    "promise that the package cannot keep": "VF603",
    "value spoken before it is known": "VF701",
}


def test_the_eighteen_kinds_are_in_the_corpus() -> None:
    """Every kind of defect that validators are compared on is seeded, and found under its code."""
    assert len(KINDS) == 18
    assert set(KINDS.values()) <= {defect.code for defect in DEFECTS}


def test_every_code_is_asked_for_by_a_test() -> None:
    """No finding can be lost unseen: each code is seeded, or stands in what another test expects."""
    folder = Path(__file__).parents[1] / "compiler"
    expecting = [*folder.rglob("*.py"), *(folder.parent / "cases" / "reading").rglob("*.txt")]
    asked = {code for path in expecting for code in CODE.findall(path.read_text(encoding="utf-8"))}
    seeded = {defect.code for defect in DEFECTS}
    assert {rule.code for rule in RULES} - ELSEWHERE <= asked | seeded
    assert {check.code for check in CHECKS} - ELSEWHERE <= seeded


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
