"""What a check proves is what happens on calls: clean flows keep the laws, planted defects show."""

from collections.abc import Callable

import pytest

from runtime.engine import effects as fx
from runtime.engine import events as ev
from tests.corpus.attack import attack, goes_round_alone
from tests.corpus.calls import broken_laws, called, prove, unagreed_changes, unheard_requests
from tests.corpus.corpus import CLEAN, artifact_of, defects
from tests.runtime.engine.world import Call
from voiceflow_compiler import checks

CALLS = 150
DEFECTS = {(defect.code, defect.title): defect for defect in defects()}


def test_generated_flows_keep_every_law() -> None:
    """Flows right by construction have no finding, and no random caller breaks a law.

    `make corpus` does this with 500 flows and 10,000 calls.
    """
    made, told = prove(flows=40, calls=6)
    assert made == 240
    assert told == []


def test_no_flow_that_passes_fails_a_caller() -> None:
    """Flows broken by chance either have an error or keep every law; `make corpus` tries 1,500."""
    passed, told = attack(range(60))
    assert passed > 10
    assert told == []


def test_the_attack_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the checks some of the same flows fail a caller."""
    monkeypatch.setattr(checks, "CHECKS", ())
    assert attack(range(20))[1]


@pytest.mark.parametrize("name", CLEAN)
def test_the_clean_flows_keep_every_law(name: str) -> None:
    """The flows that the defects are put into hold against the same callers."""
    artifact = artifact_of(CLEAN[name])
    for seed in range(CALLS):
        assert list(broken_laws(called(artifact, seed, hostile=seed % 2 == 0))) == []


def is_dropped(call: Call) -> bool:
    """The call ends before a word: the engine says nothing ahead of the disclosure."""
    return call.ended and not call.effects(fx.PlayScript) and not call.effects(fx.Respond)


def comes_again(call: Call) -> bool:
    """A caller who says one thing only comes to a node three times."""
    entered = [effect.node for effect in call.effects(fx.EnterNode)]
    return any(entered.count(node) >= 3 for node in entered)


def asks_in_vain(call: Call) -> bool:
    """The call is over, a person was asked for, and none was called."""
    asked = any(
        isinstance(event, ev.TurnReported) and event.arguments.get("intent") == "wants_person"
        for event, _, _ in call.trace
    )
    return asked and call.ended and not call.effects(fx.DeliverPackage) and not call.effects(fx.Transfer)


def asks_four_times(call: Call) -> bool:
    """A person was asked for a fourth time in vain."""
    return bool(unheard_requests(call))


def only_a_limit_ends_it(call: Call) -> bool:
    """A caller who says one thing only is led out by the limits of the call, and by nothing before them."""
    return call.state.limited


def is_cut_off(call: Call) -> bool:
    """A limit was reached, and a second one hangs up without a goodbye."""
    return call.state.limited and any(each.reason == "limit_reached" for each in call.effects(fx.EndCall))


def changes_unasked(call: Call) -> bool:
    """Something is changed for a caller who agreed to nothing."""
    return bool(unagreed_changes(call))


def claims_a_booking(call: Call) -> bool:
    """ "Booked" is heard though no action has succeeded."""
    for event, effects, _ in call.trace:
        if isinstance(event, ev.ActionSucceeded):
            return False
        if any(isinstance(effect, fx.PlayScript) and "booked" in effect.text for effect in effects):
            return True
    return False


def connects_nobody(call: Call) -> bool:
    """ "I'll transfer you" is heard, and the call ends without a transfer."""
    heard = any("transfer you" in effect.text for effect in call.effects(fx.PlayScript))
    return heard and call.ended and not call.effects(fx.Transfer)


def speaks_of_nothing(call: Call) -> bool:
    """The model is told to say a sentence with a gap, where a value should be."""
    told = [effect.text for effect in call.effects(fx.Brief)]
    told += [effect.output for effect in call.effects(fx.AnswerTool)]
    return any("the invitation goes to ." in text for text in told)


def is_never_taken_down(call: Call) -> bool:
    """An address is given three times and is not known."""
    given = sum(
        isinstance(event, ev.TurnReported) and event.arguments.get("slots", {}).get("email") == "a@b.example"
        for event, _, _ in call.trace
    )
    return given >= 3 and "email" not in call.state.slots


def never(node: str) -> Callable[[Call], bool]:
    """The call does not come to a node."""
    return lambda call: node not in {effect.node for effect in call.effects(fx.EnterNode)}


# code, title -> what the caller says (None: anything), and what one of these calls shows
SHOWN = {
    ("VF401", "a known customer is not told"): (None, is_dropped),
    ("VF401", "the call begins with a question"): (None, is_dropped),
    ("VF203", "a question that agreeing and refusing both repeat"): (None, comes_again),
    ("VF204", "a failed booking tries again by itself"): (None, goes_round_alone),
    ("VF205", "an objection that leads round and round"): ("too_expensive", comes_again),
    ("VF206", "a confusion that is answered for ever"): ("what_is_this", only_a_limit_ends_it),
    ("VF502", "a ladder that ends in another question"): ("unclear", only_a_limit_ends_it),
    ("VF506", "a limit that leads to a question behind an announcement"): (None, is_cut_off),
    ("VF507", "a limit that ends the call before its ladder does"): ("unclear", only_a_limit_ends_it),
    ("VF601", "a request for a person ends in a goodbye"): ("wants_person", asks_in_vain),
    ("VF607", "a person after five requests"): ("wants_person", asks_four_times),
    ("VF604", "nobody answers, and the caller is put through again"): ("wants_person", goes_round_alone),
    ("VF608", "the goodbye puts a caller through"): ("too_expensive", connects_nobody),
    ("VF701", "a value is spoken before it is asked for"): (None, speaks_of_nothing),
    ("VF704", "silence books"): (None, changes_unasked),
    ("VF704", "an address is taken for a yes"): (None, changes_unasked),
    ("VF709", "a goodbye says that it is booked"): (None, claims_a_booking),
    ("VF712", "a secret that a caller should say aloud"): (None, is_never_taken_down),
}


@pytest.mark.parametrize("planted", SHOWN, ids=lambda each: f"{each[0]}-{each[1]}")
def test_a_planted_defect_fails_a_call(planted: tuple[str, str]) -> None:
    """Some random call shows the defect, and no such call at the clean flow does."""
    defect = DEFECTS[planted]
    says, shows = SHOWN[planted]
    broken, clean = artifact_of(defect.text), artifact_of(CLEAN[defect.flow])
    assert any(shows(called(broken, seed, hostile=False, says=says)) for seed in range(CALLS))
    assert not any(shows(called(clean, seed, hostile=False, says=says)) for seed in range(CALLS))


@pytest.mark.parametrize(
    ("planted", "node"),
    [
        (("VF201", "a node that nothing leads to"), "old_offer"),
        (("VF210", "an otherwise after all the choices"), "someday"),
        (("VF210", "an otherwise after cases that take everybody"), "no_number"),
    ],
)
def test_no_call_comes_to_a_node_for_nobody(planted: tuple[str, str], node: str) -> None:
    """Where the checker says that no caller comes, no random caller comes."""
    artifact = artifact_of(DEFECTS[planted].text)
    assert all(never(node)(called(artifact, seed)) for seed in range(CALLS))
