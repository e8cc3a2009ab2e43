"""The context package in its type, as schemas/handoff.schema.json has it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from runtime.engine.events import Scalar
from runtime.ports import OutsideFailure

Text = Annotated[str, Meta(max_length=20_000)]


class SlotHeld(Struct, frozen=True, forbid_unknown_fields=True):
    name: Text
    value: Scalar
    meaning: Text = ""
    sure: bool = False
    confidence: Annotated[float, Meta(ge=0, le=1)] = 1.0


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    who: Literal["assistant", "caller"]
    text: Text
    at_ms: Annotated[int, Meta(ge=0)] = 0


class Package(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person is told before they speak to the caller; which of the optional fields are there, the
    flow says.
    """

    handoff: Text
    call_id: Text
    flow: Text
    flow_version: Text
    reason: Text | None = None
    summary: Text | None = None
    slots: list[SlotHeld] | None = None
    facts: dict[str, Scalar | None] | None = None
    transcript: list[Line] | None = None
    sentiment: Literal["positive", "neutral", "negative"] | None = None
    callback_number: Annotated[str, Meta(max_length=64)] | None = None


def check_package(package: Mapping[str, Any]) -> Package:
    """The package in its type. Raises OutsideFailure("bad_package"), which quotes nothing of it."""
    try:
        return msgspec.convert(package, Package)
    except msgspec.ValidationError:
        raise OutsideFailure("bad_package") from None
