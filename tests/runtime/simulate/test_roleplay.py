"""A person plays the caller."""

from runtime.simulate.drive.call import Outside
from runtime.simulate.roleplay import Roleplay
from runtime.simulate.scenario.run import run
from tests.flows.shipped import artifact

FLOW = "lead_qualification"


def game() -> Roleplay:
    return Roleplay(artifact(FLOW), None, Outside())


def test_what_was_heard_and_where_it_leads_is_shown() -> None:
    """A typed line shows its intent, its values, the answer and the node."""
    lines = list(game().take("sales dashboards"))
    assert lines[0].strip() == "heard: answer (0.90) main_need=dashboards"
    assert lines[-1] == "[team] main_need=dashboards"


def test_a_turn_can_be_taken_back() -> None:
    """After :back the call stands where it stood, with what it knew then."""
    play = game()
    list(play.take("sales dashboards"))
    list(play.take("twenty people"))
    assert list(play.take(":back"))[-1] == "[team] main_need=dashboards"


def test_commands_play_what_text_cannot() -> None:
    """Keys, silence, intents and hanging up are moves like any other."""
    play = game()
    assert list(play.take(":silence"))[-1] == "[need]"
    assert list(play.take(":intent too_expensive"))[-1] == "[price]"
    assert "there are" in next(iter(play.take(":intent nonsense")))
    assert "the call is over" in list(play.take(":hangup"))[-1]


def test_a_role_play_becomes_a_scenario() -> None:
    """What happened in a role-play is what must happen from then on."""
    play = game()
    for line in ("sales dashboards", "twenty people", ":intent not_now"):
        list(play.take(line))
    assert run(artifact(FLOW), play.scenario("kept"), None).failures == ()
