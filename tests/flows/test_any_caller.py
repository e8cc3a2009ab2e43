"""Callers nobody wrote: any lines in any order, at every shipped flow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.effects import DeliverPackage, PlayScript, Respond, RunAction, Transfer
from runtime.engine.events import CallEnded, PackageDelivered, PlaybackFinished
from runtime.session.stand_in import hostile_policy
from runtime.simulate.engine_level import MOST_EVENTS, CallMade, simulate
from runtime.simulate.profile import Line, Person, Profile
from tests.flows.shipped import FLOWS, artifact, crm, phrases

each_flow = pytest.mark.parametrize("flow", FLOWS)


def lines(flow: str) -> st.SearchStrategy[Line]:
    """Anything a caller may do, with the phrases of this flow."""
    wait = st.one_of(st.none(), st.integers(min_value=0, max_value=8000))
    return st.one_of(
        st.builds(Line, say=st.sampled_from(phrases(flow)), interrupt_after_ms=wait),
        st.builds(Line, key=st.text("0123456789*#", min_size=1, max_size=7)),
        st.just(Line(mumble=True)),
    )


def last(flow: str) -> st.SearchStrategy[Line]:
    """How a caller's list ends: in silence, by hanging up, or saying one thing again and again."""
    return st.one_of(st.just(Line(silence=True)), st.just(Line(hang_up=True)), lines(flow))


@st.composite
def callers(draw: st.DrawFn, flow: str) -> Profile:
    """A caller with a random list of lines, known to the CRM or not."""
    says = (*draw(st.lists(lines(flow), max_size=25)), draw(last(flow)))
    people: list[Person] = ["accepts", "declines", "busy", "no_answer"]
    number = draw(st.sampled_from([None, *crm(flow)]))
    return Profile(name="Any", says=says, number=number, person=draw(st.sampled_from(people)))


def hold(call: CallMade) -> None:
    """The laws that hold on every call."""
    assert isinstance(call.events[-1], CallEnded)
    assert len(call.events) < MOST_EVENTS
    disclosed, delivered, keys = False, set[str](), []
    for event, ordered in zip(call.events, call.effects, strict=True):
        disclosed = disclosed or isinstance(event, PlaybackFinished)
        if isinstance(event, PackageDelivered):
            delivered.add(event.handoff_id)
        for effect in ordered:
            match effect:
                case Respond() | RunAction() | DeliverPackage() if not disclosed:
                    pytest.fail(f"{type(effect).__name__} before the disclosure was heard")
                case PlayScript(protected=False) if not disclosed:
                    pytest.fail("another speech before the disclosure was heard")
                case Transfer(handoff_id=handoff_id):
                    assert handoff_id in delivered
                case RunAction(idempotency_key=key):
                    keys.append(key)
    assert len(keys) == len(set(keys))


@each_flow
@given(choices=st.data())
def test_any_caller_s_call_ends_by_the_laws(flow: str, choices: st.DataObject) -> None:
    """Whatever a caller says, keys, mumbles or leaves unsaid, the call ends and the laws hold."""
    caller = choices.draw(callers(flow))
    hold(simulate(artifact(flow), caller, crm(flow).get(caller.number or "")))


@each_flow
@given(choices=st.data())
def test_no_model_breaks_the_laws(flow: str, choices: st.DataObject) -> None:
    """A model that calls anything with anything, and talks or is silent at random, changes none of that."""
    caller = choices.draw(callers(flow))
    policy = hostile_policy(choices.draw(st.integers(min_value=0, max_value=2**16)))
    hold(simulate(artifact(flow), caller, crm(flow).get(caller.number or ""), policy=policy))
