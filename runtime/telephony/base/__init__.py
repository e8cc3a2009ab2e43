"""What every telephony provider looks like: the events of a line, the codec, the documents of a call.

A codec is pure: text or bytes in, events out, and back. It never sends, never waits, never raises for what
a provider can send. So is everything else of a provider: what it asks comes in as `Asked`, what it is asked
goes out as `HttpOrder`, and documents are text.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from msgspec import Struct

from runtime.audio import Format

AudioFormat = Literal["audio/pcmu", "audio/pcma", "audio/pcm"]


@dataclass(frozen=True, slots=True)
class StreamStarted:
    stream_id: str
    call_id: str
    account_id: str
    audio_format: AudioFormat
    sample_rate_hz: int
    parameters: Mapping[str, str] = field(default_factory=dict)


class Media(Struct, frozen=True, gc=False):
    """One frame of the caller's audio. `payload` is checked base64 text as it came (spliced on, not decoded).

    `timestamp_ms` counts from the start of the stream. A struct: fifty a second are made for each call, and a
    frozen dataclass costs five times as much to make.
    """

    payload: str
    timestamp_ms: int
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Dtmf:
    digit: str


@dataclass(frozen=True, slots=True)
class MarkReturned:
    """A mark came back: played to here, or cleared (the ledger knows which by its generation)."""

    name: str


@dataclass(frozen=True, slots=True)
class StreamStopped:
    pass


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something a correct provider does not send. `reason` is of a closed set and quotes nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something correct that the bridge has no use for (connected, an unknown event)."""

    event: str


LineEvent = StreamStarted | Media | Dtmf | MarkReturned | StreamStopped | Malformed | Ignored


class Codec(Protocol):
    """One media stream's codec. Made per stream; `decode` learns the stream id from the start message.

    `audio`: what the line carries. `frame_bytes`: how long each audio message must be, 0 where any length
    goes. `at_close`: what a socket means that closed without a stop.
    """

    @property
    def audio(self) -> Format: ...

    @property
    def frame_bytes(self) -> int: ...

    @property
    def at_close(self) -> Literal["line_lost", "caller_hangup"]: ...

    def decode(self, message: str | bytes) -> LineEvent: ...

    def media(self, payload: str) -> str | bytes:
        """A message that queues audio (base64 of the stream's format) on the line."""
        ...

    def mark(self, name: str) -> str: ...

    def clear(self) -> str: ...


class MediaSocket(Protocol):
    """The media WebSocket as the bridge sees it. Nothing here waits.

    `full`: the carrier takes nothing at the moment; what is sent all the same waits in front of it.
    """

    @property
    def full(self) -> bool: ...

    def listen(self, take: Callable[[str | bytes | None], None], flow: Callable[[], None]) -> None:
        """`take` has every message as it comes, None once the line is gone; `flow` is called when a carrier
        that took nothing takes again.
        """
        ...

    def send(self, message: str | bytes) -> None: ...

    def close(self, code: int = 1000) -> None: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a provider, as it came: the address it asked by our public name, header names in small
    letters, the fields of its form or JSON (`a.b` for a field of a field), and the body they were read from.
    """

    url: str
    headers: Mapping[str, str]
    now_s: int
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpOrder:
    """A request to the provider's REST interface. `path` is below the interface's address; whoever sends it
    adds the authorization.
    """

    method: str
    path: str
    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class LineCall:
    """The call a webhook speaks of. Numbers are E.164, or None when withheld; `ended`: the call is over.

    `leg_id` names the caller's leg where the provider tells legs and calls apart. `cut`: the media socket was
    cut, though the call goes on.
    """

    call_id: str
    account_id: str
    caller_number: str | None
    called_number: str | None
    direction: Literal["inbound", "outbound"] = "inbound"
    ended: bool = False
    leg_id: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Dialled:
    """How dialling a person went. `reason` is busy, no_answer, failed, or "" when it was answered."""

    result: Literal["answered", "unanswered"]
    reason: str


Answerer = Literal["person", "machine", "unknown"]
ConferenceEvent = Literal["began", "over", "entered", "left"]


@dataclass(frozen=True, slots=True)
class Placed:
    """A call just placed: the id webhooks give it, and the one its leg has towards the REST interface."""

    call_id: str
    leg_id: str


@dataclass(frozen=True, slots=True)
class Placing:
    """A call to be placed: whom, from which of our numbers, and where the provider asks and tells of it."""

    number: str
    from_number: str
    answer_url: str
    event_url: str
    ring_ms: int
    detect: bool


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks the REST interface: the account (or application), its secret, and its `space` if any."""

    account: str
    secret: str = field(repr=False)
    space: str = ""


class Provider(Protocol):
    """One provider: a module or a value with these names, all pure. Documents are text to answer a webhook
    with.

    SIGNS_WITH_ACCOUNT: the secret that signs webhooks opens the REST interface, too. CONFERENCE_RETURNS:
    whoever is left when a conference ends asks what to do next; otherwise we must order it. REFERS: a caller
    who came by SIP can be sent on (REFER). TURNING_AWAY_ENDS: the document that turns a person away ends
    their leg; otherwise it must be ordered.
    """

    @property
    def DOCUMENT_TYPE(self) -> str: ...  # noqa: N802
    @property
    def TOKEN_PARAMETER(self) -> str: ...  # noqa: N802
    @property
    def FORMATS(self) -> tuple[Format, ...]: ...  # noqa: N802
    @property
    def API_URL(self) -> str: ...  # noqa: N802
    @property
    def SIGNS_WITH_ACCOUNT(self) -> bool: ...  # noqa: N802
    @property
    def CONFERENCE_RETURNS(self) -> bool: ...  # noqa: N802
    @property
    def REFERS(self) -> bool: ...  # noqa: N802
    @property
    def TURNING_AWAY_ENDS(self) -> bool: ...  # noqa: N802

    def open_codec(self, wanted: Format = ...) -> Codec: ...

    def genuine(self, secrets: Iterable[str], asked: Asked, account: str | None) -> bool:
        """Whether one of our secrets signed this webhook, for this account (None: any)."""
        ...

    def replay_key(self, secrets: Iterable[str], asked: Asked) -> str | None:
        """What names this very request, where a provider puts that on it: who comes with it twice replays."""
        ...

    def genuine_stream(self, secrets: Iterable[str], asked: Asked) -> bool:
        """Whether a media socket's upgrade may go on."""
        ...

    def read_call(self, form: Mapping[str, str]) -> LineCall | None: ...

    def wants_document(self, form: Mapping[str, str]) -> bool:
        """Whether this asks what to do next, rather than telling how things stand."""
        ...

    def read_dialled(self, form: Mapping[str, str]) -> Dialled: ...

    def read_digit(self, form: Mapping[str, str]) -> str: ...

    def read_answerer(self, form: Mapping[str, str]) -> Answerer | None: ...

    def read_over(self, form: Mapping[str, str]) -> bool:
        """Whether the leg a status speaks of is over, however it ended."""
        ...

    def read_conference(self, form: Mapping[str, str]) -> ConferenceEvent | None: ...

    def read_unanswered(self, form: Mapping[str, str]) -> str | None:
        """Why a call that was placed came to nothing; None while that is not known."""
        ...

    def connect(
        self,
        *,
        media_url: str,
        after_url: str,
        token: str,
        call: LineCall | None = None,
        bearer: str = "",
        wanted: Format = ...,
        say: str = "",
        last_words: str = "",
        person: str | None = None,
    ) -> str:
        """`say`: spoken before the stream. `last_words`, and then `person`: where nobody answers `after_url`
        and the provider goes on in the document.
        """
        ...

    def dial(
        self,
        *,
        number: str,
        timeout_ms: int,
        after_url: str,
        whisper_url: str | None,
        from_number: str | None = None,
    ) -> str:
        """`from_number`: our number the call came to, where the network wants to know who rings."""
        ...

    def conference(self, *, name: str, after_url: str, event_url: str, person: bool) -> str:
        """Enter a conference, as the person or as the caller. It never holds one of them alone for long."""
        ...

    def refer(self, *, number: str, after_url: str) -> str:
        """Send a caller who came by SIP on to another address."""
        ...

    def whisper(self, *, text: str, answer_url: str) -> str: ...

    def join(self) -> str: ...

    def turn_away(self) -> str:
        """End the leg of a person who did not take the call."""
        ...

    def hang_up(self) -> str: ...

    def apologise(
        self, *, text: str, number: str | None = None, from_number: str | None = None, after_url: str = ""
    ) -> str:
        """`after_url`: asked when ringing the number is over, where somebody will answer that."""
        ...

    def place_call(self, account: Account, placing: Placing) -> HttpOrder: ...

    def read_placed(self, body: bytes) -> Placed | None:
        """The call just placed, from the interface's answer."""
        ...

    def end_call(self, account: Account, call_id: str) -> HttpOrder: ...

    def redirect_call(self, account: Account, call_id: str, *, url: str, document: str) -> HttpOrder:
        """Make a leg under way obey another document: `document`, or what `url` answers with, whichever the
        interface takes.
        """
        ...

    def authorization(self, account: Account, now_s: int, nonce: str) -> str:
        """The Authorization header of a request."""
        ...


def bearer(secret: str, media_url: str) -> str:
    """What a provider that signs no upgrades must bring instead: bound to our secret and the address."""
    return hmac.new(secret.encode(), b"media\0" + media_url.encode(), hashlib.sha256).hexdigest()


def has_bearer(secrets: Iterable[str], asked: Asked) -> bool:
    """Whether a request brings the bearer token of its address, made with one of our secrets."""
    sent = asked.headers.get("authorization", "").encode(errors="surrogatepass")
    made = [b"Bearer " + bearer(secret, asked.url).encode() for secret in secrets if secret]
    matches = [hmac.compare_digest(one, sent) for one in made]  # all of them: no early way out
    return any(matches)
