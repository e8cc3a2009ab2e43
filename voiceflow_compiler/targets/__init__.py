"""What an artifact can be turned into: one file and one line here per target.

A target is `emit(artifact) -> {filename: text}`. It sees the artifact and nothing else; equal artifacts give
equal text. File names are relative, with forward slashes.
"""

from collections.abc import Callable, Mapping
from typing import Final

from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.targets import (
    listing,
    mermaid,
    openai_realtime,
    openai_realtime_focused,
    picture,
    prompts,
)

TARGETS: Final[Mapping[str, Callable[[Artifact], dict[str, str]]]] = {
    "openai_realtime": openai_realtime.emit,
    "openai_realtime_focused": openai_realtime_focused.emit,
    "prompts": prompts.emit,
    "mermaid": mermaid.emit,
    "picture": picture.emit,
    "listing": listing.emit,
}
