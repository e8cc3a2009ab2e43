# ruff: noqa: E501  # pieces of a flow stand as they are in it
"""Defects in a design that no static check can see: the set generated from the good design finds them."""

from functools import cache
from pathlib import Path

import pytest

from runtime.simulate.cover.suite import generate
from runtime.simulate.scenario.form import Scenario
from runtime.simulate.scenario.generated import scenarios
from runtime.simulate.scenario.run import run
from tests.flows.shipped import ROOT, artifact
from voiceflow_compiler.pipeline import check
from voiceflow_compiler.pipeline import compile as compile_flow

pytestmark = pytest.mark.mutants
FLOW = "lead_qualification"
SOURCE = ROOT / "flows" / FLOW / "flow.yaml"
DEFECTS = {
    "condition boundary moved": (
        "slots.team_size >= 50 and",
        "slots.team_size > 50 and",
    ),
    "condition inverted or->and etc": (
        'slots.team_size < 5"',
        'slots.team_size <= 5"',
    ),
    "wrong choice in condition": (
        "slots.timeline == 'this_quarter'\"",
        "slots.timeline == 'this_year'\"",
    ),
    "fact condition wrong value": (
        "facts.account_status == 'churned'\"",
        "facts.account_status == 'trial'\"",
    ),
    "branches swapped": (
        "      - {if: \"slots.call_reason == 'existing_account'\", go: to_success}\n    otherwise: need",
        "      - {if: \"slots.call_reason == 'existing_account'\", go: need}\n    otherwise: to_success",
    ),
    "answer leads elsewhere": (
        "      denial: {go: offer_demo}",
        "      denial: {go: offer_trial}",
    ),
    "keys swapped": (
        '      "1": {go: demo_email}\n      "2": {go: goodbye_no}',
        '      "1": {go: goodbye_no}\n      "2": {go: demo_email}',
    ),
    "wrong outcome": (
        "    outcome: trial_started",
        "    outcome: qualified_lead",
    ),
    "wrong handoff": (
        "  to_success: {kind: handoff, to: success}",
        "  to_success: {kind: handoff, to: sales}",
    ),
    "package field lost": (
        '    package: [reason, summary, slots, facts, transcript, sentiment]\n    if_unanswered: goodbye_nobody\n    promises: ["bring',
        '    package: [reason, summary, facts, transcript, sentiment]\n    if_unanswered: goodbye_nobody\n    promises: ["bring',
    ),
    "trigger threshold": (
        "facts.open_tickets >= 3 and",
        "facts.open_tickets >= 4 and",
    ),
    "trigger to the wrong person": (
        "family == 'escalation'\", to: sales",
        "family == 'escalation'\", to: success",
    ),
    "stay bound changed": (
        "        sample: Trying it costs nothing for two weeks. Shall we go on?\n        stay: true\n        at_most: 1",
        "        sample: Trying it costs nothing for two weeks. Shall we go on?\n        stay: true\n        at_most: 2",
    ),
    "bound leads elsewhere": (
        "        stay: true\n        at_most: 1\n        then: callback",
        "        stay: true\n        at_most: 1\n        then: goodbye_no",
    ),
    "ladder step lost": (
        "      - say: Are you still there?\n      - say: I didn't hear anything. Take your time.\n",
        "      - say: Are you still there?\n",
    ),
    "confirmation dropped": (
        "confirm: always",
        "confirm: never",
    ),
    "argument taken from elsewhere": (
        "takes: {day: slots.callback_day}",
        "takes: {day: facts.account_status}",
    ),
    "question skipped": (
        "    collect: [team_size]\n    filled: timeline",
        "    collect: [team_size]\n    filled: route",
    ),
    "act leads elsewhere when it fails": (
        "    on_success: goodbye_trial\n    on_failure: booking_failed",
        "    on_success: goodbye_trial\n    on_failure: goodbye_nobody",
    ),
    "nobody answers": (
        '    package: [reason, summary, slots, facts, transcript, sentiment]\n    if_unanswered: goodbye_nobody\n    promises: ["bring',
        '    package: [reason, summary, slots, facts, transcript, sentiment]\n    if_unanswered: goodbye_no\n    promises: ["bring',
    ),
}


@cache
def suite() -> tuple[Scenario, ...]:
    return tuple(scenarios(artifact(FLOW), generate(artifact(FLOW))))


def test_there_are_twenty_kinds() -> None:
    """Each defect is a kind of its own, and there are enough of them."""
    assert len(DEFECTS) >= 20


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(name: str, tmp_path: Path) -> None:
    """A defect that adds no finding of the checker fails a generated scenario."""
    good, bad = DEFECTS[name]
    text = SOURCE.read_text(encoding="utf-8")
    assert good in text
    path = tmp_path / "flow.yaml"
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    known = {(finding.code, finding.message) for finding in check(str(SOURCE)).findings}
    compiled = compile_flow(str(path))
    assert {(finding.code, finding.message) for finding in compiled.findings} <= known
    assert compiled.artifact is not None
    assert any(run(compiled.artifact, scenario, None).failures for scenario in suite())
