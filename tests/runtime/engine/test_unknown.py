"""The answer of an action was lost, or the caller hung up while it ran: what the engine orders."""

import pytest
from msgspec.structs import replace

from runtime.engine import effects as fx
from runtime.engine import events as ev
from tests.runtime.engine.world import Call, flow
from voiceflow_compiler.artifact import Action, Line, Node

CHECKING = Line(say="I'm checking whether that went through.", script="w1")
SORRY = Line(say="I'm sorry, I can't tell yet whether that went through.", script="w2")
ACTIONS = {
    "book": Action("Books.", {}, {"at": "text"}, changes_something=True),
    "cancel": Action("Cancels.", {"at": ["name", "results", "book", "at"]}, {}, changes_something=True),
}
ACT = Node(
    "act",
    action="book",
    on_success="bye",
    on_failure="to_sales",
    while_waiting=Line(say="One moment.", script="w0"),
    while_checking=CHECKING,
    unknown_line=SORRY,
)


def acting(node: Node = ACT) -> tuple[Call, str]:
    """A call in the middle of booking, and the id of that run."""
    call = Call.begin(flow({"n0": node, "n1": Node("tell", line=SORRY, next="bye")}, actions=ACTIONS))
    call.disclose()
    return call, call.runs[-1]


def said(call: Call) -> list[str]:
    """Every exact line that was ordered, the disclosure left out."""
    return [order.text for order in call.effects(fx.PlayScript)][1:]


def nodes(call: Call) -> list[str]:
    return [order.node for order in call.effects(fx.EnterNode)]


def test_a_lost_answer_is_told_and_waited_for() -> None:
    """The caller hears that it is being checked, the call stays where it is, and the truth moves it on."""
    call, run = acting()
    call.send(ev.ActionUnknown, run_id=run, reason="lost")
    assert said(call) == [CHECKING.say]
    assert call.state.node == "n0"
    assert "action_unknown" in [flag.kind for flag in call.effects(fx.Flag)]
    call.send(ev.ActionSucceeded, run_id=run, result={"at": "noon"})
    assert call.state.node == "bye"


def test_the_wait_goes_on_in_the_words_of_checking() -> None:
    """While it is being found out, every few seconds the caller hears that, and no longer the usual words."""
    call, run = acting()
    call.fire("waiting")
    call.send(ev.ActionUnknown, run_id=run, reason="timeout")
    call.fire("waiting")
    assert said(call) == ["One moment.", CHECKING.say, CHECKING.say]


def test_what_nobody_can_tell_is_said_before_the_way_of_a_failure() -> None:
    """Without an `on_unknown` the caller hears that it is not known, and then what the flow does when it
    failed.
    """
    call, run = acting()
    call.send(ev.ActionUnknown, run_id=run, reason="lost", final=True)
    assert said(call) == [SORRY.say]
    call.finish_speech()
    assert nodes(call)[-1] == "to_sales"


def test_a_flow_s_own_way_for_what_nobody_can_tell() -> None:
    """With an `on_unknown` the call goes there, and no word of ours is added."""
    call, run = acting(replace(ACT, on_unknown="n1"))
    call.send(ev.ActionUnknown, run_id=run, reason="lost", final=True)
    assert nodes(call)[-1] == "n1"
    assert said(call) == [SORRY.say]  # what n1 says


def test_the_engine_s_own_net_tells_no_untruth() -> None:
    """When not even the shell answers, what changes something counts as unknown, not as failed."""
    call, _ = acting()
    call.fire("action")
    assert said(call)[-1] == SORRY.say


def test_a_person_asked_for_meanwhile_is_brought() -> None:
    """While it is being checked the caller can ask for a person, and the late answer changes nothing."""
    call, run = acting()
    call.send(ev.ActionUnknown, run_id=run, reason="lost")
    call.turn("wants_person")
    assert nodes(call)[-1] == "to_sales"
    call.send(ev.ActionUnknown, run_id=run, reason="lost", final=True)
    assert nodes(call)[-1] == "to_sales"
    assert SORRY.say not in said(call)


UNDONE = replace(ACT, undo="cancel")


def test_what_a_caller_left_behind_is_taken_back() -> None:
    """The caller hangs up while it runs and it succeeds: the flow's undo runs with what it returned."""
    call, run = acting(UNDONE)
    call.send(ev.CallEnded, reason="caller_hangup")
    effects = call.send(ev.ActionSucceeded, run_id=run, result={"at": "noon"})
    (order,) = [effect for effect in effects if isinstance(effect, fx.RunAction)]
    assert (order.action, order.arguments) == ("cancel", {"at": "noon"})
    call.send(ev.ActionSucceeded, run_id=order.run_id, result={})
    assert [flag.kind for flag in call.effects(fx.Flag)][-1] == "action_undone"


@pytest.mark.parametrize("node", [ACT, UNDONE], ids=["no undo", "failed"])
def test_nothing_is_taken_back_without_need(node: Node) -> None:
    """Without an `undo`, or when the action failed, nothing follows the end."""
    call, run = acting(node)
    call.send(ev.CallEnded, reason="caller_hangup")
    before = len(call.effects(fx.RunAction))
    if node.undo:
        call.send(ev.ActionFailed, run_id=run, reason="refused")
    call.send(ev.ActionSucceeded, run_id=run, result={"at": "noon"})
    assert len(call.effects(fx.RunAction)) == before


def test_an_undo_without_its_values_is_flagged() -> None:
    """The action returned less than it declares: nothing is undone blindly, and the record says so."""
    call, run = acting(UNDONE)
    call.send(ev.CallEnded, reason="caller_hangup")
    effects = call.send(ev.ActionSucceeded, run_id=run, result={})
    assert effects == (fx.Flag(kind="undo_impossible", detail="cancel"),)
