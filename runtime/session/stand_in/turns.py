"""What a policy is shown and what it may answer: the model's side of one response, without any protocol
around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One conversation item as a model would read it.

    `text` is what was said or written; for a call its arguments, for an output the output. Caller audio
    appears as the words that were made out, "" when there were none.
    """

    kind: Literal["system", "user", "assistant", "call", "output"]
    text: str
    name: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request for a response: the effective prompt, tools and choice, and the items it may look at,
    oldest first."""

    instructions: str
    tools: tuple[Json, ...]
    tool_choice: str | Json
    entries: tuple[Entry, ...]
    output_modality: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Say:
    """Speak (or write, if the response is text) these words as one item."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """Call a tool. `arguments` is the JSON text; a policy that plays a broken model may put anything
    there."""

    name: str
    arguments: str


Output = Say | Call
Policy = Callable[[Turn], Sequence[Output]]
