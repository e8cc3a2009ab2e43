from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from runtime.simulate.again import had, play, without_persons
from runtime.simulate.drive.call import DrivenCall, Outside
from runtime.simulate.drive.moves import Move, Turn
from runtime.simulate.parting import part
from runtime.simulate.scenario.form import Line, Must, Scenario, ScenarioError, read_scenarios
from runtime.simulate.scenario.run import Verdict, run
from runtime.simulate.scenario.write import as_yaml, scenario_of
from tests.flows.shipped import FLOWS, ROOT, artifact, facts, read_yaml

FLOW = "lead_qualification"
FILES = sorted(ROOT.glob("flows/*/scenarios/*.yaml"))


NOTHING = Must()


def ran(*turns: Line, ends: Must = NOTHING, **fields: Any) -> Verdict:
    return run(artifact(FLOW), Scenario(scenario="s", turns=turns, ends=ends, **fields), None)


def told(verdict: Verdict) -> list[tuple[str, str, str]]:
    return [(failure.what, failure.expected, failure.found) for failure in verdict.failures]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_a_shipped_scenario_holds_and_meets_its_schema(path: Path) -> None:
    """Every scenario beside a shipped flow is in the form of its schema, and what it asks for is true."""
    plain = read_yaml(path)
    jsonschema.Draft202012Validator(read_yaml(ROOT / "schemas" / "scenario.schema.json")).validate(plain)
    flow = path.parents[1].name
    for scenario, _ in read_scenarios(plain):
        spoken = artifact(flow, scenario.locale)
        assert told(run(spoken, scenario, facts(flow, scenario.number))) == []


def test_every_shipped_flow_has_scenarios() -> None:
    """Each flow is shipped with a few scenarios of its own."""
    assert {path.parents[1].name for path in FILES} == set(FLOWS)


def test_text_is_understood_as_the_stand_in_would() -> None:
    """Words of the flow bring the value and the node they mean."""
    assert (
        told(ran(Line(say="sales dashboards", must=Must(node="team", slots={"main_need": "dashboards"}))))
        == []
    )


def test_a_failure_says_what_must_be_and_what_is() -> None:
    """An expectation that is not met names both sides, and its path leads to its place in the file."""
    verdict = ran(Line(must=Must(node="need")), Line(intent="too_expensive", must=Must(node="callback")))
    assert told(verdict) == [("node", "callback", "price")]
    assert verdict.failures[0].path == ("turns", 1, "must", "node")


def test_each_expectation_can_fail() -> None:
    """Every kind of expectation notices when it is not met."""
    wrong = Must(
        node="x",
        passes=("x",),
        said="x-x",
        not_said="how many people",
        slots={"main_need": "reports"},
        action="book_demo",
        handoff="sales",
        transferred=True,
        package={"reason": "x"},
        outcome="x",
        ended=True,
        step={"no_match": 2},
    )
    found = [what for what, _, _ in told(ran(Line(say="sales dashboards", must=wrong)))]
    kinds = ["node", "passes", "said", "not said", "slot main_need", "action", "handoff", "transferred"]
    assert found == [*kinds, "package", "outcome", "ended", "step of no_match"]


def test_a_name_the_flow_does_not_have_is_no_expectation() -> None:
    """A misspelt name is told as such, also where it would have held for ever: an action that must not run, a
    slot that must not be known.
    """
    wrong = Must(node="teem", slots={"size": None}, no_action=("book_demoo",), passes=("need", "teem"))
    found = told(ran(Line(say="sales dashboards", must=wrong)))
    assert [(what, have) for what, _, have in found] == [
        ("node", "the flow has no node of that name"),
        ("passes", "the flow has no node of that name"),
        ("passes", "team"),
        ("slot size", "the flow has no slot of that name"),
        ("no action", "the flow has no action of that name"),
    ]


def test_an_interruption_waits_for_a_protected_line() -> None:
    """What is said into the disclosure is heard after it, and the disclosure is said whole."""
    line = Line(say="which company is this", interrupt_after_ms=700, must=Must(node="need", said="recorded"))
    assert told(ran(line)) == []


def test_an_interruption_cuts_an_ordinary_line() -> None:
    """What is said into a question stops it: the question is not heard to its end."""
    verdict = ran(
        Line(say="sales dashboards"),
        Line(say="twenty people", interrupt_after_ms=300, must=Must(node="timeline")),
        ends=Must(not_said="how many people would use it"),
    )
    assert told(verdict) == []


def test_a_slow_action_is_late() -> None:
    """An answer that waits for an action is judged by the time the action took."""
    turns = [Line(slots={"call_reason": "x"})]
    turns = [
        Line(slots={"main_need": "reports"}),
        Line(slots={"team_size": 3}),
        Line(slots={"timeline": "later"}),
        Line(intent="agreement"),
        Line(slots={"email": "dana@example.com"}),
        Line(intent="agreement", must=Must(action="send_trial_link", within_ms=1000)),
    ]
    assert told(ran(*turns)) == []
    slow = told(ran(*turns, office={"send_trial_link": {"takes_ms": 3500}}))
    assert slow == []  # the line that fills the wait is an answer
    turns[-1] = Line(intent="agreement", must=Must(within_ms=500))
    late = told(ran(*turns, office={"send_trial_link": {"takes_ms": 900}}))
    assert late == [("within", "an answer within 500 ms", "after 900 ms")]


def test_how_surely_a_turn_was_heard_is_told_only_where_it_matters() -> None:
    """A recorded turn that was heard clearly becomes one that any voice can say."""
    call = DrivenCall(artifact(FLOW), None, Outside())
    moves: list[Move] = [Turn("too_expensive", confidence=0.9), Turn("denial", confidence=0.61)]
    for move in moves:
        call.do(move)
    call.rest()
    lines = scenario_of(artifact(FLOW), "s", None, moves, call.segments).turns[1:]
    assert [line.confidence for line in lines] == [None, 0.61]


def test_a_turn_after_the_end_is_a_failure() -> None:
    """A caller who has more to say than the call had room for is told so."""
    verdict = ran(Line(intent="not_interested"), Line(intent="agreement"))
    assert told(verdict)[0][2] == "the call was over at goodbye_no"


@pytest.mark.parametrize(
    ("plain", "path"),
    [
        ({"scenario": "s", "turns": [{"say": "a", "key": "1"}]}, ("turns", 0)),
        ({"scenario": "s", "turns": [{"say": "a", "must": {"nod": "x"}}]}, ("turns", 0, "must")),
        ({"scenarios": [{"scenario": "s", "turns": []}]}, ("scenarios", 0, "turns")),
    ],
)
def test_a_wrong_file_is_told_with_its_place(plain: Any, path: tuple[Any, ...]) -> None:
    """What is wrong with a scenario's form is told with the path to it."""
    with pytest.raises(ScenarioError) as told:
        list(read_scenarios(plain))
    assert told.value.path == path


def test_a_call_written_as_a_scenario_holds() -> None:
    """A call becomes a scenario that is read back and holds."""
    first = ran(Line(intent="too_expensive"), Line(intent="agreement"), Line(silence=True))
    moves = had_of(first).moves
    again = play(artifact(FLOW), had_of(first))
    written = as_yaml(scenario_of(artifact(FLOW), "again", None, moves, again.segments))
    back = [scenario for scenario, _ in read_scenarios(yaml.safe_load(written))]
    assert told(run(artifact(FLOW), back[0], None)) == []


def had_of(verdict: Verdict) -> Any:
    """The moves of a call, told from what its record would hold."""
    import msgspec

    return had(artifact(FLOW), [{"event": msgspec.to_builtins(moment.event)} for moment in verdict.moments])


def test_personal_values_do_not_enter_a_scenario() -> None:
    """A scenario made of a live record holds a made-up address in place of the caller's."""
    call = had_of(ran(Line(intent="answer", slots={"main_need": "reports", "email": "ann@private.example"})))
    assert "private" in str(call.moves)
    assert "private" not in str(without_persons(artifact(FLOW), call).moves)


def test_the_same_design_parts_nowhere() -> None:
    """Held against the flow it was made with, a call takes the same way."""
    assert part(artifact(FLOW), had_of(ran(Line(intent="too_expensive"), Line(intent="denial")))).same


def test_another_design_parts_where_it_differs() -> None:
    """Held against a flow that leads elsewhere, the parting names both ways and what it means."""
    from msgspec.structs import replace

    old = artifact(FLOW)
    price = old.nodes["price"]
    answers = {**price.answers, "agreement": replace(price.answers["agreement"], go="goodbye_no")}
    new = replace(old, nodes={**old.nodes, "price": replace(price, answers=answers)})
    happened = ran(Line(intent="too_expensive"), Line(intent="agreement"), Line(intent="wants_person"))
    parting = part(new, had_of(happened))
    assert parting.before.nodes[parting.at :] == ("need", "to_sales")
    assert parting.after.nodes[parting.at :] == ("goodbye_no",)
