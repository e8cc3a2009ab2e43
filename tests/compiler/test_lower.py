"""What lowering writes out: answers, ladders, control, scripts, handoffs, limits."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compiler.example import EXAMPLE, convey, go, keyed, ladder, say, stay
from voiceflow_compiler import pipeline
from voiceflow_compiler.artifact import Answer, Artifact, Line, Rung
from voiceflow_compiler.flow import Fallback, Flow, Node
from voiceflow_compiler.lower import lower

CASE = Path(__file__).parents[1] / "cases/compiled/clinic/flow.yaml"
COMPILED = lower(EXAMPLE)
DISCLOSURE = (
    "Hi, I'm an AI assistant from Northwind (Analytics), here to see whether Northwind (Analytics) fits your "
    "team. You can ask for a person."
)


def with_node(node: str, source: Flow = EXAMPLE, **changes) -> Flow:
    """The example with one node changed."""
    return replace(source, nodes={**source.nodes, node: replace(source.nodes[node], **changes)})


def answers(on: Mapping, everywhere: Mapping) -> dict[str, Answer]:
    """The answers of one node for what it and everywhere say."""
    return lower(with_node("email", replace(EXAMPLE, everywhere=everywhere), on=on)).nodes["email"].answers


def target(intent: str, on: Mapping, everywhere: Mapping) -> str | None:
    """Where an intent leads."""
    answer = answers(on, everywhere).get(intent)
    return answer.go if answer else None


@pytest.mark.parametrize(
    ("on", "everywhere", "leads"),
    [
        (("too_expensive", "objection"), ("too_expensive", "objection"), "on too_expensive"),
        (("objection",), ("too_expensive", "objection"), "on objection"),
        ((), ("too_expensive", "objection"), "everywhere too_expensive"),
        ((), ("objection",), "everywhere objection"),
        ((), (), None),
    ],
)
def test_the_nearest_answer_wins(on: tuple, everywhere: tuple, leads: str | None) -> None:
    """A node beats everywhere, and within each an intent beats its family."""
    marked = {
        place: keyed(*(go(key, "bye", say(f"{place} {key}")) for key in keys))
        for place, keys in (("on", on), ("everywhere", everywhere))
    }
    answer = answers(marked["on"], marked["everywhere"]).get("too_expensive")
    assert (answer.line.say if answer and answer.line else None) == leads


def test_a_family_answers_each_of_its_intents() -> None:
    """An answer to a family holds for every intent of it, the built-in denial too."""
    found = answers(keyed(go("objection", "price")), {})
    assert {name for name, answer in found.items() if answer.go == "price"} == {"too_expensive", "denial"}


def test_a_denial_nobody_answers_is_left_to_the_ladder() -> None:
    """Without an answer to the objection family a plain no has no answer of its own."""
    assert "denial" not in answers({}, keyed(go("too_expensive", "price")))


def test_what_callers_always_may_do_is_answered() -> None:
    """Asking for the truth, straying and correcting are answered with a stay that is bounded."""
    found = answers({}, {})
    bounds = {name: (answer.at_most, answer.go, answer.then) for name, answer in found.items()}
    assert bounds == {
        "are_you_human": (3, None, None),
        "digression": (2, None, None),
        "correction": (5, None, None),
    }
    assert all(answer.line and answer.line.convey for answer in found.values())


def test_the_truth_about_being_an_ai_needs_no_designer() -> None:
    """The built-in answer says plainly AI, and offers a person exactly where a handoff exists."""
    with_people = COMPILED.nodes["team"].answers["are_you_human"].line
    alone = lower(replace(EXAMPLE, handoffs={}, triggers=())).everywhere["are_you_human"].line
    assert with_people is not None
    assert alone is not None
    assert "AI assistant" in (with_people.convey or "")
    assert "ask for a person" in (with_people.convey or "")
    assert "AI assistant" in (alone.convey or "")
    assert "ask for a person" not in (alone.convey or "")


def test_a_designer_may_answer_what_is_built_in() -> None:
    """An answer written for a built-in intent replaces the built-in one."""
    own = stay("are_you_human", convey("Say that you are the clinic's AI."), at_most=1, then="person")
    found = answers({}, keyed(own))["are_you_human"]
    assert found == Answer(Line(convey="Say that you are the clinic's AI."), at_most=1, then="person")


def test_a_stay_keeps_its_bound_and_its_way_out() -> None:
    """What a bounded stay does and where its bound leads are in the artifact."""
    answer = COMPILED.nodes["team"].answers["what_is_this"]
    assert answer == Answer(Line(convey="Say it again in simpler words."), go=None, at_most=2, then="person")


def test_a_node_without_ladders_gets_the_flows() -> None:
    """A node that writes no ladder climbs the flow's; one that writes one of the two keeps the other."""
    team, email = COMPILED.nodes["team"], COMPILED.nodes["email"]
    assert email.no_match == team.no_match == COMPILED.no_match
    assert email.no_input == COMPILED.no_input != team.no_input
    assert (email.no_input_after_ms, team.no_input_after_ms) == (6000, 4000)
    assert team.no_input[-1] == Rung(go="bye")


def test_a_ladder_nobody_wrote_leads_out_of_the_call() -> None:
    """Where no ladder exists at all the node still leads somewhere, to where the limits lead."""
    bare = replace(EXAMPLE, fallback=replace(EXAMPLE.fallback, no_match=None, no_input=None))
    assert lower(bare).nodes["email"].no_match == (Rung(go="person"),)


def test_only_listening_nodes_have_answers_and_ladders() -> None:
    """A node that does not listen has nothing to answer."""
    for node in COMPILED.nodes.values():
        if node.kind != "ask":
            assert (node.answers, node.no_match, node.no_input) == ({}, (), ())


@pytest.mark.parametrize(
    ("change", "control"),
    [
        ({}, "guided"),
        ({"filled": "book"}, "strict"),
        ({"filled": "route"}, "strict"),
        ({"filled": "price", "on": keyed(go("agreement", "person"))}, "strict"),
        ({"keys": keyed(go("1", "book"))}, "strict"),
        ({"on": keyed(stay("agreement", convey("Ask again."), then="person"))}, "strict"),
        ({"collect": ("email",)}, "strict"),
        ({"filled": "book", "control": "guided"}, "guided"),
        ({"control": "strict"}, "strict"),
    ],
)
def test_control_is_strict_where_a_turn_weighs(change: dict, control: str) -> None:
    """A turn that may at once act, call a person or settle a read-back value is reported before speech."""
    plain = with_node("team", on={}, keys={}, filled="price", collect=("timeline",))
    assert lower(with_node("team", plain, **change)).nodes["team"].control == control


def test_what_leads_to_a_person_everywhere_makes_no_node_strict() -> None:
    """Answers everywhere and ladders lead to a person from all nodes, so they make none of them strict."""
    flow = with_node("team", on={}, keys={}, filled="price", collect=("timeline",))
    assert flow.everywhere["escalation"].go == "person"
    assert lower(flow).nodes["team"].control == "guided"


def test_a_strict_flow_is_strict_where_no_node_says_otherwise() -> None:
    """The flow's control holds at every listening node without one of its own."""
    nodes = lower(replace(EXAMPLE, control="strict")).nodes
    assert {name: node.control for name, node in nodes.items() if node.kind == "ask"} == {
        "team": "strict",
        "price": "guided",
        "email": "strict",
    }


def test_every_exact_line_is_a_script() -> None:
    """Exact words that need nothing from the call are scripts, wherever they stand; others are not."""
    assert set(COMPILED.scripts.values()) == {
        DISCLOSURE,
        "I'm checking whether that went through.",
        "I'm still trying to reach someone for you. Thank you for waiting.",
        "I'm sorry, I can't tell yet whether that went through.",
        "Hello?",
        "Are you still there?",
        "Goodbye for now.",
        "Plans start at forty dollars. Shall we go on?",
        "One moment.",
        "I am connecting you with a colleague now.",
        "I am having trouble. One moment.",
        "Nobody is free.",
    }


def test_the_disclosure_has_its_script() -> None:
    """What a caller must hear first can be made before any call."""
    flow = pipeline.load(str(CASE)).flow
    assert flow is not None
    compiled = lower(flow)
    line = compiled.nodes["greeting"].line
    assert line is not None
    assert line.script is not None
    assert compiled.scripts[line.script] == line.say


def test_words_that_need_the_call_are_no_script() -> None:
    """A line with a value from the call is spoken by the model, so it has no audio made beforehand."""
    line = COMPILED.nodes["bye_booked"].line
    assert line == Line(say="Booked for {book_demo.time}.")


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_script_is_named_by_its_words(one: str, other: str) -> None:
    """Two lines share a script exactly when they are the same words on one line."""
    flows = [with_node("book", while_waiting=say(f"Well {text}")) for text in (one, other)]
    first, second = (lower(flow).nodes["book"].while_waiting for flow in flows)
    assert first is not None
    assert second is not None
    if first.script and second.script:
        assert (first.script == second.script) == (first.say == second.say)


def test_a_trigger_leads_to_a_node() -> None:
    """A trigger leads to the first node of its handoff, or to one made for it; its reason is never empty."""
    ways = [(trigger.go, trigger.reason) for trigger in COMPILED.triggers]
    assert ways == [
        ("person", "intent.family == 'escalation'"),
        ("handoff:success", "several open tickets"),
    ]
    made = COMPILED.nodes["handoff:success"]
    assert (made.kind, made.handoff) == ("handoff", "success")
    assert "handoff:sales" not in COMPILED.nodes


def test_the_first_of_several_handoff_nodes_is_taken() -> None:
    """Where several nodes lead to one handoff a trigger takes the first the designer wrote."""
    second = Node("person_too", ("nodes", "person_too"), "handoff", to="sales")
    flow = replace(EXAMPLE, nodes={**EXAMPLE.nodes, "person_too": second})
    assert lower(flow).triggers[0].go == "person"


def test_nobody_answering_is_never_silent() -> None:
    """A handoff that says nothing for the case that nobody answers still has words for it."""
    assert COMPILED.handoffs["success"].unanswered_line == Line(
        say="Nobody is free.", script=script_of("Nobody is free.", COMPILED)
    )
    spoken = COMPILED.handoffs["sales"].unanswered_line
    assert spoken is not None
    assert spoken.convey


def test_a_waiting_caller_always_hears_words_that_are_there() -> None:
    """While it rings the flow's own line is said, or ours: exact in English, its meaning elsewhere."""
    own = replace(EXAMPLE.handoffs["sales"], hold_line=say("Still ringing."))
    lines = lower(replace(EXAMPLE, handoffs={**EXAMPLE.handoffs, "sales": own})).handoffs
    assert lines["sales"].hold_line is not None
    assert lines["sales"].hold_line.say == "Still ringing."
    assert lines["success"].hold_line is not None
    assert lines["success"].hold_line.say
    german = lower(replace(EXAMPLE, locale="de-DE")).handoffs["sales"].hold_line
    assert german is not None
    assert (german.say, bool(german.convey)) == (None, True)


def script_of(text: str, compiled: Artifact) -> str:
    """The name of the script with these words."""
    return next(name for name, words in compiled.scripts.items() if words == text)


def test_the_limits_lead_where_a_lost_model_leads() -> None:
    """Without a way of their own the limits lead where a lost model leads; minutes become milliseconds."""
    assert (COMPILED.limits.go, COMPILED.limits.call_ms) == ("person", 450_000)
    own = replace(EXAMPLE, limits=replace(EXAMPLE.limits, go="bye"))
    assert lower(own).limits.go == "bye"


def test_compile_time_names_are_filled_and_no_others() -> None:
    """The company and the purpose are words in the artifact; facts, slots and results wait for the call."""
    lines = [COMPILED.nodes[name].line for name in ("greeting", "team", "bye_booked")]
    texts = [line.say or line.convey or "" for line in lines if line]
    assert "{company}" not in "".join(texts)
    assert "{purpose}" not in "".join(texts)
    assert "{first_name}" in texts[1]
    assert "{book_demo.time}" in texts[2]


@pytest.mark.parametrize(
    "flow",
    [
        replace(EXAMPLE, fallback=replace(EXAMPLE.fallback, lost_model=None)),
        replace(
            EXAMPLE,
            handoffs={**EXAMPLE.handoffs, "sales": replace(EXAMPLE.handoffs["sales"], if_unanswered=None)},
        ),
        replace(EXAMPLE, facts={"x": replace(EXAMPLE.facts["first_name"], otherwise=None)}),
        replace(
            EXAMPLE,
            triggers=(replace(EXAMPLE.triggers[0], when=replace(EXAMPLE.triggers[0].when, expr=None)),),
        ),
    ],
    ids=["lost_model", "if_unanswered", "otherwise", "condition"],
)
def test_a_flow_with_errors_is_not_lowered(flow: Flow) -> None:
    """A flow that lacks what every call needs raises ValueError, which says to check it first."""
    with pytest.raises(ValueError, match="check the flow"):
        lower(flow)


def test_the_hold_line_is_ready_beforehand() -> None:
    """What a caller hears while a lost model returns is a script, because no model is there to speak it."""
    held = Fallback(("fallback",), lost_model=EXAMPLE.fallback.lost_model, hold=say("Hold on."))
    compiled = lower(replace(EXAMPLE, fallback=replace(held, no_match=ladder((None, "bye")))))
    assert compiled.hold is not None
    assert compiled.scripts[compiled.hold.script or ""] == "Hold on."
