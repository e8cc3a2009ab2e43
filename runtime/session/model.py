"""The speech model as the call sees it: what can be asked of a session, and what a session tells.

A session is one call's connection to a speech model. It keeps itself alive (one owner of response.create,
a watchdog, one
reconnection with replayed history); the call only ever sees the events below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from msgspec import Struct

from runtime.engine.effects import Respond
from runtime.session.door import Door


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """When a caller's turn ends; every field is sent, since the documented and the actual defaults differ."""

    kind: Literal["server", "semantic"] = "server"
    eagerness: str = "auto"
    threshold: float = 0.6
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the session waits before it calls something lost. Milliseconds."""

    connect_ms: int = 4000
    configure_ms: int = 3000
    stall_ms: int = 2200
    retry_ms: int = 200
    silence_ms: int = 750
    attempts: int = 3
    # The server ends a session after 60 minutes: ours moves to a new one before, when nobody speaks.
    session_ms: int = 50 * 60_000
    move_by_ms: int = 58 * 60_000


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What one session is opened with; `tools` are the artifact's, as plain JSON."""

    base_url: str
    api_key: str = field(repr=False)
    model: str
    voice: str
    speed: float
    tools: Sequence[Mapping[str, Any]]
    language: str = "en"
    audio_format: str = "audio/pcmu"
    transcription_model: str = "gpt-transcribe"
    max_output_tokens: int = 1024
    turns: TurnDetection = field(default_factory=TurnDetection)
    patience: Patience = field(default_factory=Patience)
    door: Door = field(default_factory=Door)


@dataclass(frozen=True, slots=True)
class Ready:
    """The session is configured: prefix, tools and voice are in place (also after a reconnection)."""


@dataclass(frozen=True, slots=True)
class Lost:
    reason: str
    final: bool


@dataclass(frozen=True, slots=True)
class Speaking:
    """The caller began to speak."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller stopped speaking. `detection_ms`: how much audio went in between the end of speech and
    this verdict.
    """

    turn_id: str
    detection_ms: int


@dataclass(frozen=True, slots=True)
class CallerSilent:
    """The model's side noticed silence by itself."""


@dataclass(frozen=True, slots=True)
class Transcript:
    turn_id: str
    text: str


class Audio(Struct, frozen=True, gc=False):
    """A piece of the speech `speech_id`: base64 in the session's format."""

    speech_id: str
    item_id: str
    content_index: int
    payload: str


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of the words of that speech."""

    speech_id: str
    text: str


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """No more audio of this speech will come. `reason` is empty when it was completed, `unspoken` when
    nothing was to be said.
    """

    speech_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Called:
    """The model called a tool, completely. `turn_id` is the turn asked about; `beside`: out of the
    conversation.
    """

    name: str
    call_id: str
    turn_id: str | None
    arguments: Mapping[str, Any]
    parsed: bool
    beside: bool


@dataclass(frozen=True, slots=True)
class Unreported:
    turn_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """response.create went out."""

    purpose: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A response is over. `usage` is the provider's own count; `turn_id` the turn it was about, if any."""

    purpose: str
    status: str
    usage: Mapping[str, Any] | None
    turn_id: str | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth a note in the record: a benign error, a malformed message, a response nobody asked
    for.
    """

    kind: str
    detail: str


SessionEvent = (
    Ready
    | Lost
    | Speaking
    | TurnEnded
    | CallerSilent
    | Transcript
    | Audio
    | Words
    | SpeechEnded
    | Called
    | Unreported
    | Asked
    | Answered
    | Noted
)


@dataclass(frozen=True, slots=True)
class Cut:
    """What a stop takes from the model's memory: heard parts are truncated, unheard items deleted."""

    truncations: tuple[tuple[str, int, int], ...] = ()
    deletions: tuple[str, ...] = ()


class ModelSession(Protocol):
    """One call's session. Every order returns at once; nothing is lost before the session is ready, only
    kept. `playing`: the caller hears something now, as the call knows; a session that must move to a new
    connection does so while they do not.
    """

    playing: bool

    @property
    def held(self) -> int:
        """How many bytes of this call it holds: what waits to be sent, and what was said."""
        ...

    @property
    def dropped(self) -> int:
        """How many frames of the caller's audio the model did not take in time; they were never sent."""
        ...

    def connect(self) -> None:
        """Begin to connect."""
        ...

    def open(self, instructions: str) -> None:
        """Configure the session with the stable prefix, as soon as it is connected."""
        ...

    def hear(self, payload: str) -> None:
        """20 ms of the caller's audio, base64. Before Ready the newest three seconds are kept; after it,
        while the model takes nothing, the newest 400 ms.
        """
        ...

    def brief(self, text: str) -> None: ...

    def said(self, text: str) -> None:
        """Tell the model what the caller heard from a script."""
        ...

    def heard(self, text: str) -> None:
        """Remember, for a reconnection, what the caller heard of the model's own speech."""
        ...

    def answer(self, call_id: str, output: str) -> None: ...

    def respond(self, order: Respond) -> None:
        """Queue a response; it is asked for at the next `flush` that finds none active."""
        ...

    def flush(self) -> None:
        """Send what was ordered: first everything said and answered, then at most one response."""
        ...

    def stop(self, cut: Cut) -> None:
        """Cancel speech being made or queued and correct the model's memory."""
        ...

    def listen(self, take: Callable[[SessionEvent | None], None]) -> None:
        """From now on `take` has every event, and None once the session is closed. It never runs inside an
        order, and must not raise.
        """
        ...

    async def close(self) -> None: ...
