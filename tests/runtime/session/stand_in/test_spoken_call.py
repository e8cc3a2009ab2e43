"""A client that really speaks: synthetic speech in, recognised against the compiled prompt, synthetic speech
out."""

from __future__ import annotations

import json
from typing import Any

from runtime import audio
from runtime.session.stand_in import StandIn
from runtime.voices import open_voice

PREFIX = """# What a caller may mean
- agreement (agreement): accepts. Examples: "yes please", "sure, go ahead"
- wants_person (escalation): wants a person. Examples: "let me talk to a person"
- answer (answer): gives something the brief is trying to find out.
- unclear (unclear): cannot be understood.

# What you find out
- team_size (integer): people who would use the product. Examples: "about fifty", "twenty people"
"""
REPORT: Any = {
    "type": "function",
    "name": "take_turn",
    "parameters": {
        "type": "object",
        "properties": {
            "intent": {"type": "string", "enum": ["agreement", "wants_person", "answer", "unclear"]},
            "slots": {"type": "object", "properties": {"team_size": {"type": "integer"}}},
        },
    },
}


async def test_spoken_call(connect: Any) -> None:
    """Spoken turns are reported as what they mean; speech that fits nothing is unclear; the brief is spoken
    aloud."""
    caller = open_voice("spoken", "caller")
    async with StandIn(voice="spoken") as stand_in, connect(stand_in) as peer:
        await peer.telephone(type="server_vad", silence_duration_ms=500, create_response=False)
        await peer.update(instructions=PREFIX, tools=[REPORT])
        await peer.write('Now at: team\nSay exactly: "How many people?"\nFind out: team_size', role="system")
        said = await peer.respond(tool_choice="none")
        assert said["output"][0]["content"][0]["transcript"] == "How many people?"
        assert audio.mulaw_rms(peer.audio_of(said["output"][0]["id"])) > 500
        for words, intent, slots in (
            ("about fifty", "answer", {"team_size": 50}),
            ("let me talk to a person", "wants_person", {}),
            ("my dog ran away with the cable", "unclear", {}),
        ):
            await peer.play(audio.silence(200) + caller.speak(words) + audio.silence(900))
            await peer.until("conversation.item.input_audio_transcription.completed")
            report = await peer.respond(tool_choice={"type": "function", "name": "take_turn"})
            arguments = json.loads(report["output"][0]["arguments"])
            assert (arguments["intent"], arguments["slots"]) == (intent, slots)
