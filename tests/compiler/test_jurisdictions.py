"""The facts about the law of places, and how they are shown."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.compiler.checks.examples import BASE
from voiceflow_compiler import pipeline
from voiceflow_compiler.cli import app
from voiceflow_compiler.jurisdictions import held_to, packs

RUN = CliRunner()
DUTIES = {
    "ai_at_start",
    "honest_when_asked",
    "recording_notice",
    "recording_consent",
    "not_human_at_start",
    "transcription_notice",
}
RULES = [rule for pack in packs().values() for rule in pack.rules]


def test_every_rule_says_how_sure_it_is_and_from_where() -> None:
    """Each fact has a source, a certainty and a status; rules have names of their own."""
    assert all(rule.sources and rule.certainty and rule.status and rule.requires for rule in RULES)
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_a_rule_asks_only_for_duties_that_are_checked() -> None:
    """No duty is written that nothing looks for, and none is both asked for and only advised."""
    for rule in RULES:
        assert {*rule.asks, *rule.advises} <= DUTIES
        assert not set(rule.asks) & set(rule.advises)


def test_what_does_not_bind_inbound_calls_asks_for_nothing() -> None:
    """A rule for outbound calls or for web sites is shown, and no flow is held to it by an error."""
    assert all("inbound" in rule.applies_to for rule in RULES if rule.asks)


def test_the_statute_wins_over_what_is_often_said() -> None:
    """California's bot law asks for nothing on calls; telling at the start is advised as best practice."""
    (bots,) = [rule for rule in RULES if rule.id == "us-ca-bpc-17941"]
    assert bots.asks == ()
    assert "ai_at_start" in bots.advises
    assert held_to(("us-ca",), "honest_when_asked", advised=False) == []


@pytest.mark.parametrize("key", packs())
def test_a_pack_is_explained_with_its_warning(key: str) -> None:
    """Whoever reads the notes reads that they are no legal advice, with every source."""
    shown = " ".join(RUN.invoke(app, ["explain", key.upper()]).stdout.split())
    assert "Not legal advice" in shown
    for rule in packs()[key].rules:
        for source in rule.sources:
            assert " ".join(source.split()) in shown


def test_a_finding_of_law_says_that_it_is_no_advice(tmp_path: Path) -> None:
    """Every message of the checks of law carries the warning, and names the law."""
    text = BASE.replace("recorded: true", f"locale: de-DE\njurisdictions: [{', '.join(packs())}]")
    text = re.sub(r"say: I'm an AI assistant.*", "say: Guten Tag von {company}.", text)
    path = tmp_path / "flow.yaml"
    path.write_text(text, encoding="utf-8")
    law = [each for each in pipeline.check(str(path)).findings if each.code.startswith("VF45")]
    assert {each.code for each in law} == {"VF451", "VF453", "VF454", "VF455"}
    assert all("not legal advice" in each.message for each in law)
