"""The session of OpenAI's Realtime API: `session.json` for `session.update`, and `tools.json`.

Model and transcription are the deployment's choice and are not in it. Responses and interruption are off at
the server: the bridge alone decides when to speak and when to stop (docs/prompting.md).
"""

import json
from typing import Any

from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.targets import base


def emit(artifact: Artifact) -> dict[str, str]:
    """`session.json`, the session object, and `tools.json`, its tools alone."""
    return {"session.json": _json(session(artifact)), "tools.json": _json(tools(artifact))}


def session(artifact: Artifact) -> dict[str, Any]:
    """The session object, mu-law both ways, for a caller without a record."""
    telephone = {"type": "audio/pcmu"}
    return {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": base.instructions(artifact),
        "tools": tools(artifact),
        "tool_choice": "auto",
        "audio": {
            "input": {"format": telephone, "turn_detection": turn_detection(artifact)},
            "output": {"format": telephone, "voice": artifact.voice, "speed": artifact.speed},
        },
    }


def turn_detection(artifact: Artifact) -> dict[str, Any]:
    """When the caller's turn ends, by the flow's settings."""
    turns = artifact.turns
    ours = {"create_response": False, "interrupt_response": False}
    if turns.vad == "semantic":
        return {"type": "semantic_vad", "eagerness": turns.eagerness, **ours}
    spoken = {"threshold": turns.threshold, "silence_duration_ms": turns.silence_ms}
    return {"type": "server_vad", **spoken, **ours}


def tools(artifact: Artifact) -> list[dict[str, Any]]:
    """Every tool, as the API takes them."""
    return [
        {
            "type": "function",
            "name": each.name,
            "description": each.description,
            "parameters": each.parameters,
        }
        for each in artifact.tools
    ]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
