from typing import Any

from runtime.engine.events import CallEnded, TimerFired
from runtime.simulate.engine_level import result_of, simulate
from runtime.simulate.profile import Line, Profile
from tests.flows.shipped import artifact, caller, facts

FLOW = "lead_qualification"


def made(*says: Line, **more: Any) -> Any:
    return simulate(artifact(FLOW), Profile(name="Ada", says=says, **more), None)


def test_the_same_call_twice_is_the_same() -> None:
    """Nothing in a simulated call depends on time or chance."""
    one = caller(FLOW, "objects")
    first, second = (simulate(artifact(FLOW), one, facts(FLOW, one.number)) for _ in range(2))
    assert first == second


def test_a_silent_caller_meets_the_no_input_ladder() -> None:
    """Silence fires the engine's own timer again and again until the ladder ends the call."""
    call = made(Line(silence=True))
    fired = [event for event in call.events if isinstance(event, TimerFired) and event.timer == "no_input"]
    assert len(fired) == 3
    assert call.outcome == "no_answer"


def test_the_lines_are_in_the_order_they_were_heard() -> None:
    """Assistant and caller take turns in the conversation, and time only grows."""
    call = made(Line(at="need", say="monthly reports"), Line(at="team", say="twenty people"))
    assert [line.who for line in call.spoken[:5]] == [
        "assistant",
        "assistant",
        "caller",
        "assistant",
        "caller",
    ]
    assert sorted(call.spoken, key=lambda line: line.at_ms) == list(call.spoken)


def test_facts_reach_the_call() -> None:
    """What the CRM holds decides the way of the call."""
    one = caller(FLOW, "has_an_account")
    assert "customer_reason" in simulate(artifact(FLOW), one, facts(FLOW, one.number)).nodes
    assert "customer_reason" not in simulate(artifact(FLOW), one, None).nodes


def test_a_hang_up_is_the_last_event() -> None:
    """Nothing happens after the caller hung up."""
    call = made(Line(hang_up=True))
    assert isinstance(call.events[-1], CallEnded)
    assert call.events[-1].reason == "caller_hangup"


def test_the_office_answers_what_the_caller_s_file_says() -> None:
    """An action returns the caller's own result, fails when told to, and else gives values of the right
    types.
    """
    told = Profile(name="Ada", says=(Line(silence=True),), office={"book_demo": {"time": "noon"}})
    fails = Profile(name="Ada", says=(Line(silence=True),), office={"book_demo": {"fails": "down"}})
    plain = Profile(name="Ada", says=(Line(silence=True),))
    assert result_of(artifact(FLOW), told, "book_demo") == {"time": "noon"}
    assert result_of(artifact(FLOW), fails, "book_demo") == "down"
    assert result_of(artifact("insurance_claim"), plain, "order_tow") == {"minutes": 1}
