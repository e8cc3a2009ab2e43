"""The steps of a rollout: what may follow what, and what every decision leaves behind."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.rollout.stages import STAGES, Rollout
from runtime.rollout.steps import Refused, advance, begin, guarded, hold, resume, rollback
from tests.runtime.rollout.places import ARTIFACT, FLOW, KEY, TERMS, begun, guard, verdict, why

STEPS: dict[str, Callable[[Rollout], Rollout]] = {
    "passed": lambda state: advance(state, verdict(state), why()),
    "not_yet": lambda state: advance(state, verdict(state, "not_yet"), why()),
    "hold": lambda state: hold(state, why()),
    "resume": lambda state: resume(state, why()),
    "rollback": lambda state: rollback(state, why()),
    "slow": lambda state: guarded(state, [guard()], 5),
    "broken": lambda state: guarded(state, [guard("session_success", "rollback")], 5),
    "start": lambda state: begin(state, FLOW, ARTIFACT, "another key", TERMS, 10, why()),
}


def test_a_rollout_goes_through_every_stage() -> None:
    """Five passes lead from the pilot to every caller, in order and one stage at a time."""
    state = begun()
    percents = [state.percent]
    while state.stage != "100":
        state = advance(state, verdict(state), why())
        percents.append(state.percent)
    assert percents == [5, 10, 25, 50, 100]


@given(st.lists(st.sampled_from(list(STEPS)), max_size=30))
def test_whatever_is_asked_the_share_moves_by_one_stage(asked: list[str]) -> None:
    """Any order of steps: each changes the stage by one at most, upwards only by a pass or a new start, and
    adds exactly one decision with the next version, a reason and what was before.
    """
    state = begun()
    for name in asked:
        try:
            after = STEPS[name](state)
        except Refused:
            continue
        moved = STAGES.index(after.stage) - STAGES.index(state.stage)
        assert abs(moved) <= 1 or name == "start"
        assert moved <= 0 or name in ("passed", "start")
        assert moved <= 0 or state.held is None or name == "start"
        if after == state:
            continue
        made = after.decisions[-1]
        assert after.decisions[:-1] == state.decisions
        assert (made.version, made.before, made.after) == (state.version + 1, state.stage, after.stage)
        assert made.reason
        assert after.key == state.key
        state = after
    versions = [decision.version for decision in state.decisions]
    assert all(later == earlier + 1 for earlier, later in pairwise(versions))
    assert msgspec.convert(msgspec.to_builtins(state), Rollout) == state


def test_a_stage_is_judged_by_its_own_calls() -> None:
    """After an advance the looks begin anew, and the old verdict moves nothing any more."""
    state = begun()
    old = verdict(advance(state, verdict(state, "not_yet"), why()))
    looked = advance(state, verdict(state, "not_yet"), why())
    later = advance(looked, old, why(2000))
    assert (later.looks, later.since_ms) == ((), 2000)
    with pytest.raises(Refused, match="another stage"):
        advance(looked, verdict(begun()), why())


def test_a_held_rollout_does_not_advance() -> None:
    """A hold refuses the gate's pass and names its reason, until a person resumes."""
    held = hold(begun(), why(reason="the calendar is down"))
    with pytest.raises(Refused, match="the calendar is down"):
        advance(held, verdict(held), why())
    assert advance(resume(held, why()), verdict(held), why()).stage == "10"


def test_a_hold_is_no_way_to_new_looks() -> None:
    """Holding and resuming keeps the looks taken and the calls counted; only the guards begin anew."""
    looked = advance(begun(), verdict(begun(), "not_yet"), why(2000))
    again = resume(hold(looked, why(3000)), why(4000))
    assert (again.looks, again.since_ms, again.guarded_ms) == (looked.looks, 1000, 4000)


def test_the_worst_guard_acts() -> None:
    """With one guard that holds and one that rolls back, the rollout goes back, and both are named."""
    state = advance(begun(), verdict(begun()), why())
    after = guarded(state, [guard(), guard("session_success", "rollback")], 9000)
    assert (after.stage, after.decisions[-1].act, after.decisions[-1].by) == ("pilot", "rollback", "guard")
    assert "latency_p95_ms" in (after.held or "")
    assert "session_success" in (after.held or "")


def test_guards_that_hold_or_know_too_little_change_nothing() -> None:
    """No broken guard, one already held for, or nobody calling: the same state."""
    state = begun()
    assert guarded(state, [guard(state="holds"), guard(state="too_few")], 5) is state
    held = guarded(state, [guard()], 5)
    assert guarded(held, [guard()], 6) is held
    off = rollback(state, why())
    assert guarded(off, [guard("session_success", "rollback")], 7) is off


def test_a_pilot_is_small() -> None:
    """A pilot outside 5 to 10 percent is refused."""
    for percent in (0, 4, 11, 100):
        with pytest.raises(Refused):
            begin(None, FLOW, ARTIFACT, KEY, TERMS, percent, why())


def test_a_changed_flow_begins_again() -> None:
    """A new version starts at the pilot with the callers' places kept; the same one may not start twice."""
    state = advance(begun(), verdict(begun()), why())
    with pytest.raises(Refused, match="already"):
        begin(state, FLOW, ARTIFACT, KEY, TERMS, 5, why())
    fresh = begin(state, FLOW, "d" * 64, "another", TERMS, 5, why())
    assert (fresh.stage, fresh.key, len(fresh.decisions)) == ("pilot", KEY, 3)


def test_the_key_is_never_shown() -> None:
    """A state's repr holds no key."""
    assert KEY not in repr(begun())
