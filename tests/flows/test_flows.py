import json
from functools import cache

import jsonschema
import pytest

from runtime.engine.effects import DeliverPackage, EnterNode, PlayScript, Respond, RunAction, Transfer
from runtime.engine.events import CallStarted, PackageDelivered, PlaybackFinished
from runtime.engine.step import start, step
from runtime.session.stand_in.wording import normalise
from runtime.simulate.engine_level import CallMade, simulate
from runtime.simulate.profile import unmet
from tests.flows.shipped import CALLERS, FLOWS, ROOT, artifact, caller, facts, phrases, plain_caller

KINDS_OF_CALLER = (
    "agrees",
    "objects",
    "is_confused",
    "escalates",
    "is_silent",
    "mumbles",
    "talks_over",
    "hangs_up",
)
each_caller = pytest.mark.parametrize(("flow", "name"), CALLERS)
each_flow = pytest.mark.parametrize("flow", FLOWS)


@cache
def made(flow: str, name: str) -> CallMade:
    profile = caller(flow, name)
    return simulate(artifact(flow, profile.locale), profile, facts(flow, profile.number))


@each_caller
def test_a_caller_ends_where_the_design_says(flow: str, name: str) -> None:
    """Each caller of each flow ends with the outcome and at the node that the caller's file expects."""
    call = made(flow, name)
    assert unmet(caller(flow, name).expect, outcome=call.outcome, ends_at=call.ends_at) == ()


@each_caller
def test_a_caller_says_all_lines(flow: str, name: str) -> None:
    """Every line of a caller is said on the call, once: nothing in the design makes them repeat or swallow
    one.
    """
    said = [line.text for line in made(flow, name).spoken if line.who == "caller"]
    assert sorted(said) == sorted(line.text for line in caller(flow, name).says if line.text)


@each_caller
def test_a_caller_uses_the_flow_s_own_phrases(flow: str, name: str) -> None:
    """What a caller says is an example of an intent or a slot, or a phrase for a choice: what a recogniser
    can know.
    """
    known = {normalise(phrase) for phrase in phrases(flow)}
    assert {normalise(line.say) for line in caller(flow, name).says if line.say} <= known


@each_caller
def test_a_caller_file_meets_its_schema(flow: str, name: str) -> None:
    """A caller's file is what schemas/caller.schema.json says it is."""
    schema = json.loads((ROOT / "schemas" / "caller.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(plain_caller(flow, name))


@each_flow
def test_a_flow_has_every_kind_of_caller(flow: str) -> None:
    """Every flow is tried by callers who agree, object, are confused, escalate, keep silent, mumble, talk
    over and hang up.
    """
    assert set(KINDS_OF_CALLER) <= {name for of, name in CALLERS if of == flow}


@each_flow
def test_exactly_one_caller_is_the_default(flow: str) -> None:
    """One caller of each flow calls when none is named."""
    assert [caller(of, name).default for of, name in CALLERS if of == flow].count(True) == 1


@each_flow
def test_the_callers_reach_most_of_the_flow(flow: str) -> None:
    """Together the callers of a flow stand at nine of ten of its nodes."""
    visited = {node for of, name in CALLERS if of == flow for node in made(flow, name).nodes}
    nodes = set(artifact(flow).nodes)
    assert len(nodes & visited) >= 0.9 * len(nodes), sorted(nodes - visited)


@each_caller
def test_nothing_is_ordered_before_the_disclosure_was_heard(flow: str, name: str) -> None:
    """Until the disclosure's end was heard no other speech, action or transfer is ordered."""
    call = made(flow, name)
    for event, ordered in zip(call.events, call.effects, strict=True):
        if isinstance(event, PlaybackFinished):
            return
        spoken = [effect for effect in ordered if isinstance(effect, PlayScript)]
        assert all(effect.protected for effect in spoken)
        assert not any(
            isinstance(effect, Respond | RunAction | Transfer | DeliverPackage) for effect in ordered
        )


@each_caller
def test_a_package_is_acknowledged_before_the_transfer(flow: str, name: str) -> None:
    """Each transfer comes after the package of the same handoff was delivered."""
    delivered: set[str] = set()
    call = made(flow, name)
    for event, ordered in zip(call.events, call.effects, strict=True):
        if isinstance(event, PackageDelivered):
            delivered.add(event.handoff_id)
        assert {effect.handoff_id for effect in ordered if isinstance(effect, Transfer)} <= delivered


@each_caller
def test_an_action_is_ordered_once(flow: str, name: str) -> None:
    """No action is run twice with the same key on one call."""
    keys = [
        effect.idempotency_key
        for ordered in made(flow, name).effects
        for effect in ordered
        if isinstance(effect, RunAction)
    ]
    assert len(keys) == len(set(keys))


@each_caller
def test_a_call_replays(flow: str, name: str) -> None:
    """The events of a call, fed again, give the same effects."""
    call = made(flow, name)
    begun = call.events[0]
    assert isinstance(begun, CallStarted)
    design = artifact(flow, caller(flow, name).locale)
    state, ordered = start(design, begun)
    again = [ordered]
    for event in call.events[1:]:
        state, ordered = step(design, state, event)
        again.append(ordered)
    assert tuple(again) == call.effects


@each_caller
def test_where_a_call_stands_is_told(flow: str, name: str) -> None:
    """The nodes of a call are the nodes of the flow, beginning at its start."""
    call = made(flow, name)
    entered = [effect.node for ordered in call.effects for effect in ordered if isinstance(effect, EnterNode)]
    assert tuple(entered) == call.nodes
    assert call.nodes[0] == artifact(flow).start
