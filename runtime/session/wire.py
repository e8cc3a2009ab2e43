"""The Realtime protocol as values: server JSON in, client JSON out, nothing else.

Laws
1. `decode` never raises: what is not understood is Unknown or Malformed.
2. Audio is never decoded: base64 from the carrier is spliced into a message, base64 of the model is handed
   on as it came. Only two pieces that must become one, the first of them ending inside a group, are.
3. Only the fields the bridge needs are read; a wrong type in any other field harms nothing.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

Json = dict[str, Any]


class _Told(Struct, frozen=True, tag_field="type"):
    """What a server tells; `tag` is its type on the wire."""


class SessionCreated(_Told, frozen=True, tag="session.created"):
    pass


class SessionUpdated(_Told, frozen=True, tag="session.updated"):
    pass


class CallerSpeaking(_Told, frozen=True, tag="input_audio_buffer.speech_started"):
    item_id: str
    audio_start_ms: float = 0


class CallerSilent(_Told, frozen=True, tag="input_audio_buffer.speech_stopped"):
    item_id: str
    audio_end_ms: float = 0


class Committed(_Told, frozen=True, tag="input_audio_buffer.committed"):
    item_id: str


class TimedOut(_Told, frozen=True, tag="input_audio_buffer.timeout_triggered"):
    item_id: str


class Transcribed(_Told, frozen=True, tag="conversation.item.input_audio_transcription.completed"):
    item_id: str
    transcript: str


class Item(Struct, frozen=True):
    id: str = ""
    type: str = ""
    status: str = ""
    name: str = ""
    call_id: str = ""
    arguments: str = ""


class ProtocolError(Struct, frozen=True):
    """The `error` object of the protocol; `message` may quote private text and is never logged."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    event_id: str | None = None


class StatusDetails(Struct, frozen=True):
    type: str | None = None
    reason: str | None = None
    error: ProtocolError | None = None


class Response(Struct, frozen=True):
    id: str
    status: str = ""
    status_details: StatusDetails | None = None
    metadata: dict[str, Any] | None = None
    usage: Json | None = None
    output: list[Item] = []


class ResponseCreated(_Told, frozen=True, tag="response.created"):
    response: Response


class ResponseDone(_Told, frozen=True, tag="response.done"):
    response: Response


class ItemDone(_Told, frozen=True, tag="response.output_item.done"):
    """One output item of a response is complete (response.output_item.done)."""

    response_id: str
    item: Item


class AudioDelta(_Told, frozen=True, gc=False, tag="response.output_audio.delta"):
    response_id: str
    item_id: str
    delta: str
    content_index: int = 0


class TranscriptDelta(_Told, frozen=True, tag="response.output_audio_transcript.delta"):
    response_id: str
    item_id: str
    delta: str
    content_index: int = 0


class ErrorReported(_Told, frozen=True, tag="error"):
    error: ProtocolError


class Unknown(Struct, frozen=True):
    """A type the bridge has no use for, or does not know."""

    type: str


class Malformed(Struct, frozen=True):
    """Not what a Realtime server sends. `reason`: not_json, no_type, wrong_fields, too_deep."""

    reason: str


Told = (
    SessionCreated
    | SessionUpdated
    | CallerSpeaking
    | CallerSilent
    | Committed
    | TimedOut
    | Transcribed
    | ResponseCreated
    | ResponseDone
    | ItemDone
    | AudioDelta
    | TranscriptDelta
    | ErrorReported
)
ServerEvent = Told | Unknown | Malformed

TYPES: Final[Mapping[str, type[Any]]] = {str(kind.__struct_config__.tag): kind for kind in Told.__args__}


class _Typed(Struct):
    type: str


_type_of: Final[Callable[[bytes | str], _Typed]] = msgspec.json.Decoder(_Typed).decode
_read: Final[Callable[[bytes | str], Told]] = msgspec.json.Decoder(Told).decode


def decode(message: bytes | str) -> ServerEvent:
    """One server message as an event; never raises. What is known is read in one go."""
    try:
        try:
            return _read(message)
        except msgspec.ValidationError:
            name = _type_of(message).type
            return Malformed("wrong_fields") if name in TYPES else Unknown(name[:64])
    except msgspec.ValidationError:
        return Malformed("wrong_fields")
    except (msgspec.DecodeError, ValueError):
        return Malformed("not_json")
    except RecursionError:
        return Malformed("too_deep")


def append_audio(payload: str) -> str:
    """input_audio_buffer.append with a payload that passed `audio.is_base64`, spliced."""
    return f'{{"type":"input_audio_buffer.append","audio":"{payload}"}}'


def _text(event: Json) -> str:
    return msgspec.json.encode(event).decode()


def update_session(session: Json, event_id: str) -> str:
    return _text({"type": "session.update", "event_id": event_id, "session": session})


def message_item(role: str, text: str, item_id: str | None = None) -> str:
    """conversation.item.create with one text message. Assistant items are output_text: audio cannot be
    replayed.
    """
    kind = "output_text" if role == "assistant" else "input_text"
    item: Json = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
    if item_id is not None:
        item["id"] = item_id
    return _text({"type": "conversation.item.create", "item": item})


def tool_output(call_id: str, output: str) -> str:
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    return _text({"type": "conversation.item.create", "item": item})


def create_response(response: Json, event_id: str) -> str:
    return _text({"type": "response.create", "event_id": event_id, "response": response})


def cancel_response(response_id: str | None, event_id: str) -> str:
    event = {"type": "response.cancel", "event_id": event_id}
    return _text(event if response_id is None else {**event, "response_id": response_id})


def truncate_item(item_id: str, content_index: int, audio_end_ms: int) -> str:
    return _text(
        {
            "type": "conversation.item.truncate",
            "item_id": item_id,
            "content_index": content_index,
            "audio_end_ms": audio_end_ms,
        }
    )


def delete_item(item_id: str) -> str:
    return _text({"type": "conversation.item.delete", "item_id": item_id})


def arguments_of(text: str) -> tuple[Json, bool]:
    """A tool call's arguments as a dict, and whether they were one; JSON in a JSON string is opened once."""
    for _ in range(2):
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return {}, False
        if isinstance(value, dict):
            return value, True
        if not isinstance(value, str):
            return {}, False
        text = value
    return {}, False


def calls_of(response: Response, seen: Sequence[Item]) -> list[Item]:
    """The completed function calls of a response: those seen as done items, and those only its last event
    lists.
    """
    known = {item.call_id for item in seen}
    late = [item for item in response.output if response.status == "completed" and item.call_id not in known]
    return [
        item for item in [*seen, *late] if item.type == "function_call" and item.status in ("completed", "")
    ]


def joined(rest: str, payload: str) -> str:
    """Two pieces of base64 as one; only a piece that ends inside a group must be decoded for it."""
    if rest.endswith("="):
        return b64encode(b64decode(rest) + b64decode(payload)).decode()
    return rest + payload
