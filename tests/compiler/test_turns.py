"""`turns` and `on_overlap`, from YAML to the artifact and the session target."""

import json
from pathlib import Path

import pytest

from voiceflow_compiler.artifact import Turns
from voiceflow_compiler.pipeline import compile as compile_flow
from voiceflow_compiler.targets.openai_realtime import emit

FLOW = (Path(__file__).parents[2] / "flows" / "lead_qualification" / "flow.yaml").read_text(encoding="utf-8")


def compiled(tmp_path: Path, turns: str):
    path = tmp_path / "flow.yaml"
    path.write_text(f"{FLOW}\n{turns}\n", encoding="utf-8")
    return compile_flow(str(path))


@pytest.mark.parametrize(
    ("written", "turns"),
    [
        ("", Turns()),
        ("turns: {silence_ms: 700, threshold: 0.8}", Turns(silence_ms=700, threshold=0.8)),
        ("turns: {vad: semantic, eagerness: low}", Turns(vad="semantic", eagerness="low")),
        ("turns: {least_speech_ms: 250}", Turns(least_speech_ms=250)),
        (
            "turns: {backchannel: ignore, backchannel_words: [Okay]}",
            Turns(least_speech_ms=400, backchannel=("okay",)),
        ),
        ("turns: {backchannel: heard, backchannel_words: [okay]}", Turns()),
    ],
)
def test_turn_settings_reach_the_artifact(tmp_path: Path, written: str, turns: Turns) -> None:
    """What a flow says about turns stands in the artifact, with defaults for the rest."""
    made = compiled(tmp_path, written).artifact
    assert made is not None
    assert made.turns == turns


def test_ignoring_backchannel_brings_the_usual_sounds(tmp_path: Path) -> None:
    """The usual sounds are murmurs; words that may be answers are not among them."""
    made = compiled(tmp_path, "turns: {backchannel: ignore}").artifact
    assert made is not None
    assert "uh-huh" in made.turns.backchannel
    assert not {"yes", "no", "right", "okay"} & set(made.turns.backchannel)


def test_the_session_target_follows(tmp_path: Path) -> None:
    """The emitted session detects turns as the flow says, and never answers by itself."""
    made = compiled(tmp_path, "turns: {vad: semantic, eagerness: high}").artifact
    assert made is not None
    session = json.loads(emit(made)["session.json"])
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "high",
        "create_response": False,
        "interrupt_response": False,
    }


@pytest.mark.parametrize("written", ["turns: {silence_ms: 5}", "turns: {vad: loud}", "turns: {patience: 3}"])
def test_wrong_turn_settings_are_told(tmp_path: Path, written: str) -> None:
    """A setting that does not exist or cannot be is a finding."""
    assert compiled(tmp_path, written).artifact is None
