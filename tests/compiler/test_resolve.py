"""The typed flow: what is bound, defaulted and left out."""

from pathlib import Path

import pytest

from voiceflow_compiler.flow import Flow, misplaced_braces, placeholders
from voiceflow_compiler.pipeline import load

CLEAN = Path(__file__).parent.parent / "cases" / "clean" / "lead" / "flow.yaml"


@pytest.fixture
def lead() -> Flow:
    """The example flow."""
    flow = load(str(CLEAN)).flow
    assert flow is not None
    return flow


def test_a_whole_flow_is_whole(lead: Flow) -> None:
    """Nothing of the example is left out."""
    assert lead.whole
    assert list(lead.nodes)[:3] == ["greeting", "team", "price"]
    assert (lead.name, lead.start, lead.currency, lead.control) == (
        "lead-qualification",
        "greeting",
        "USD",
        "guided",
    )


def test_built_in_intents_are_added(lead: Flow) -> None:
    """Every flow knows what any caller may mean."""
    built_in = [name for name, intent in lead.intents.items() if intent.built_in]
    assert built_in == ["answer", "correction", "denial", "are_you_human", "digression", "unclear"]
    assert lead.intents["denial"].family == "objection"


def test_defaults_are_filled(lead: Flow) -> None:
    """What a designer left out has the value the language gives it."""
    assert (lead.limits.turns, lead.limits.minutes, lead.limits.visits) == (60, 15, 6)
    assert (lead.confidence, lead.unsure_below, lead.recorded) == (0.5, 0.8, True)
    assert lead.slots["team_size"].confirm == "when_unsure"
    assert lead.triggers[0].reason == "asked for a person"


def test_plain_text_is_exact_words(lead: Flow) -> None:
    """Where a line is the only thing written, plain text means `say`."""
    waiting = lead.nodes["book"].while_waiting
    assert waiting is not None
    assert waiting.say == "One moment while I find a time."
    ladder = lead.fallback.no_input
    assert ladder is not None
    assert ladder.rungs[0].line is not None
    assert ladder.rungs[0].line.say == "Are you still there?"
    assert lead.handoffs["success"].unanswered_line is not None


def test_a_choice_is_always_said_by_its_own_name(lead: Flow) -> None:
    """The phrases of a choice begin with its value, read out."""
    assert lead.slots["timeline"].phrases["this_quarter"] == ("this quarter", "as soon as possible")
    assert lead.slots["timeline"].choices == ("this_quarter", "this_year", "later")


def test_what_an_action_takes_is_a_name_or_a_literal(lead: Flow) -> None:
    """Names are bound, quoted text and numbers are themselves."""
    takes = lead.actions["book_demo"].takes
    assert takes["email"].expr == ["name", "slots", "email"]
    assert takes["plan"].expr == ["value", "demo"]


def test_a_keypad_key_is_text(lead: Flow) -> None:
    """The key 0 needs no quotes."""
    assert lead.nodes["team"].keys["0"].go == "to_sales"


def test_what_is_broken_is_left_out_and_the_rest_is_kept(tmp_path: Path) -> None:
    """A node without a kind, and an answer that leads nowhere, are absent; their neighbours are not."""
    text = CLEAN.read_text(encoding="utf-8")
    text = text.replace("  to_success: {kind: handoff, to: success}", "  to_success: {to: success}")
    text = text.replace("not_now: {go: goodbye_no}}", "not_now: {}}")
    flow_file = tmp_path / "flow.yaml"
    flow_file.write_text(text, encoding="utf-8")
    loaded = load(str(flow_file))
    assert loaded.flow is not None
    assert not loaded.flow.whole
    assert "to_success" not in loaded.flow.nodes
    assert list(loaded.flow.nodes["price"].on) == ["agreement", "too_expensive"]
    assert {finding.code for finding in loaded.findings} == {"VF102", "VF109"}


def test_placeholders_have_their_columns() -> None:
    """Names in braces are given with where they stand; other braces are told apart."""
    text = "Hi {first_name}, {book.time} { x } {}"
    assert [(name, text[start:end]) for name, start, end in placeholders(text)] == [
        ("first_name", "{first_name}"),
        ("book.time", "{book.time}"),
    ]
    assert list(misplaced_braces(text)) == [
        text.index("{ x"),
        text.index("x }") + 2,
        len(text) - 2,
        len(text) - 1,
    ]
