import importlib.util

import pytest

from runtime.session.stand_in.prompt import likely_phrases
from runtime.session.stand_in.turns import Entry
from runtime.session.stand_in.wording import normalise
from runtime.simulate.callers import NONSENSE
from runtime.voices import open_voice
from tests.flows.shipped import CALLERS, artifact, caller

DEFAULTS = [(flow, name) for flow, name in CALLERS if caller(flow, name).default]
HEARS = importlib.util.find_spec("pocketsphinx") and importlib.util.find_spec("espeakng_loader")


def expected_at(flow: str, node: str) -> list[str]:
    """What the stand-in is told to expect at a node."""
    compiled = artifact(flow)
    brief = compiled.briefs[node]
    collect = ", ".join(compiled.nodes[node].collect)
    if collect:
        brief = brief.replace("Answers here", f"Find out: {collect}\nAnswers here", 1)
    return likely_phrases({"instructions": compiled.prefix}, [Entry("system", brief)])


@pytest.mark.skipif(not HEARS, reason="the voice extra is not installed")
@pytest.mark.parametrize(("flow", "name"), DEFAULTS)
def test_the_default_caller_can_be_heard(flow: str, name: str) -> None:
    """Each line of the caller of a demo is recognised word for word at its node."""
    assistant, person = open_voice("spoken"), open_voice("spoken", "caller")
    for line in caller(flow, name).says:
        if line.say and line.at:
            heard = assistant.hear(person.speak(line.say), expected_at(flow, line.at))
            assert normalise(heard or "") == normalise(line.say)


@pytest.mark.skipif(not HEARS, reason="the voice extra is not installed")
@pytest.mark.parametrize(
    ("flow", "node"),
    [("lead_qualification", "need"), ("insurance_claim", "incident"), ("appointment_scheduling", "reason")],
)
def test_a_mumble_cannot_be_heard(flow: str, node: str) -> None:
    """What a caller mumbles in the spoken voice is none of the phrases expected at the node."""
    said = open_voice("spoken", "caller").speak(NONSENSE)
    assert open_voice("spoken").hear(said, expected_at(flow, node)) is None
