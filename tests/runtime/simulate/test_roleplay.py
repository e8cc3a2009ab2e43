"""A person plays the caller."""

from runtime.simulate.drive.call import Outside
from runtime.simulate.roleplay import Roleplay
from runtime.simulate.scenario.run import run
from tests.flows.shipped import artifact

FLOW = "lead_qualification"


def game() -> Roleplay:
    return Roleplay(artifact(FLOW), None, Outside())


def shown(play: Roleplay, typed: str) -> list[str]:
    """The lines a terminal shows for a line typed."""
    return [str(told) for told in play.take(typed)]


def test_what_was_heard_and_where_it_leads_is_shown() -> None:
    """A typed line shows its intent, its values, the answer and the node."""
    lines = shown(game(), "sales dashboards")
    assert lines[0].strip() == "heard: answer (0.90) main_need=dashboards"
    assert lines[-1] == "[team] main_need=dashboards"


def test_a_turn_can_be_taken_back() -> None:
    """After :back the call stands where it stood, with what it knew then."""
    play = game()
    shown(play, "sales dashboards")
    shown(play, "twenty people")
    assert shown(play, ":back")[-1] == "[team] main_need=dashboards"


def test_commands_play_what_text_cannot() -> None:
    """Keys, silence, intents and hanging up are moves like any other."""
    play = game()
    assert shown(play, ":silence")[-1] == "[need]"
    assert shown(play, ":intent too_expensive")[-1] == "[price]"
    assert "there are" in shown(play, ":intent nonsense")[0]
    assert "the call is over" in shown(play, ":hangup")[-1]


def test_a_role_play_becomes_a_scenario() -> None:
    """What happened in a role-play is what must happen from then on."""
    play = game()
    for line in ("sales dashboards", "twenty people", ":intent not_now"):
        shown(play, line)
    assert run(artifact(FLOW), play.scenario("kept"), None).failures == ()


def test_a_scene_is_the_call_and_nothing_of_what_was_taken_back() -> None:
    """Whoever shows a role-play at once sees what a terminal tells line by line, without turns taken back."""
    play = game()
    lines = [str(told) for told in play.opening()]
    lines += ["caller: sales dashboards", *shown(play, "sales dashboards")]
    shown(play, "twenty people")
    shown(play, ":back")
    scene = play.scene()
    assert [str(told) for told in scene.transcript] == [line for line in lines if not line.startswith("[")]
    assert (scene.node, scene.over, scene.moves) == ("team", False, 1)
    assert [(slot.name, slot.value, slot.sure) for slot in scene.slots] == [("main_need", "dashboards", True)]
    assert f"  came to {scene.came[-1][0]}: {scene.came[-1][1]}" in shown(play, ":why")
    assert [f"  {line}" for line in scene.brief] == shown(play, ":brief")
