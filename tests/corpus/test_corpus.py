"""The corpus: seeded defects are caught where they are, and clean flows are not accused."""

import os
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.compiler.checks.examples import examples, patched
from tests.corpus.corpus import CLEAN, FAMILIES, Defect, defects, findings, is_caught, table
from voiceflow_compiler import checks
from voiceflow_compiler.checks import CHECKS
from voiceflow_compiler.diagnostics import Finding
from voiceflow_compiler.rules import RULES

DEFECTS = tuple(defects())
SHOWN = re.compile(r"(<!-- make corpus -->\n```text\n).*?(```\n)", re.DOTALL)

MISSED: set[str] = set()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda each: f"{each.code}-{each.title}")
def test_a_seeded_defect_is_caught_in_its_place(defect: Defect) -> None:
    """Each defect is found under its code at its line; what is known to be missed is told apart."""
    assert is_caught(defect, _found(defect.text)) == (defect.title not in MISSED)


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_flow_is_not_accused(name: str) -> None:
    """The flows that the defects are put into have no finding."""
    assert _found(CLEAN[name]) == ()


@cache
def _found(text: str) -> tuple[Finding, ...]:
    """What is found in a text, asked once for all tests of this file that break nothing."""
    return findings(text)


def test_the_corpus_is_large_and_even() -> None:
    """At least three defects for every code there is, each another one, and nearly all are caught."""
    codes = Counter(defect.code for defect in DEFECTS)
    assert {rule.code: codes[rule.code] for rule in RULES if codes[rule.code] < 3} == {}
    assert codes.keys() == {rule.code for rule in RULES}
    assert {code[:3] for code in codes} == set(FAMILIES)
    assert len({(defect.code, defect.text) for defect in DEFECTS}) == len(DEFECTS)
    assert len(MISSED) / len(DEFECTS) <= 0.02


@pytest.mark.golden
def test_the_page_shows_the_results() -> None:
    """docs/corpus.md shows what `make corpus` prints first; `make golden` writes it."""
    page = Path(__file__).parents[2] / "docs" / "corpus.md"
    told, share, accused = table(_found)
    text = SHOWN.sub(lambda found: f"{found[1]}{told}{found[2]}", page.read_text(encoding="utf-8"))
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(text, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == text
    assert told in text
    assert (share >= 0.98, accused) == (True, 0)


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


@pytest.mark.mutants
@pytest.mark.parametrize("name", [check.name for check in CHECKS])
def test_a_check_that_is_removed_is_missed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a check its flagged examples and its defects are found by nothing else under its code."""
    check = next(each for each in CHECKS if each.name == name)
    monkeypatch.setattr(checks, "CHECKS", tuple(each for each in CHECKS if each.name != name))
    seeded = [defect for defect in DEFECTS if defect.code == check.code]
    assert seeded
    for defect in seeded:
        assert not is_caught(defect, findings(defect.text))
    for text in examples(check.page, "Flagged"):
        assert check.code not in {each.code for each in findings(patched(text))}
