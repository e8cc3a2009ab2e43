"""A scenario as a designer writes one (schemas/scenario.schema.json), typed.

The file is read by whoever may read YAML; this module only makes values of plain data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from runtime.simulate.drive.moves import Person
from runtime.simulate.profile import Scalar

Path = tuple[str | int, ...]
Texts = str | tuple[str, ...]
Results = dict[str, Scalar] | tuple[dict[str, Scalar], ...]


class ScenarioError(Exception):
    """A scenario file that cannot be used. `path` is where in its data."""

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.path = path


class Must(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What must be true after a turn, or of the whole call. Every field that is not set asks for nothing."""

    node: Texts | None = None
    passes: tuple[str, ...] = ()
    said: Texts = ()
    not_said: Texts = ()
    slots: dict[str, Scalar | None] = {}
    action: str | dict[str, dict[str, Scalar | None]] | None = None
    no_action: bool | Texts = False
    handoff: str | None = None
    transferred: bool | None = None
    package: dict[str, Any] = {}
    outcome: str | None = None
    ended: bool | None = None
    step: dict[str, int] = {}
    within_ms: Annotated[int, Meta(ge=0)] | None = None


class Line(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One turn of the caller, or none (the opening), and what must be true once the call rests again."""

    say: str | None = None
    intent: str | None = None
    slots: dict[str, Scalar] = {}
    confidence: Annotated[float, Meta(ge=0, le=1)] | None = None
    sentiment: str | None = None
    mumble: bool = False
    silence: bool = False
    key: Annotated[str, Meta(pattern="^[0-9*#]+$")] | None = None
    hang_up: bool = False
    lose_model: bool = False
    interrupt_after_ms: Annotated[int, Meta(ge=0, le=60_000)] | None = None
    must: Must = Must()

    def __post_init__(self) -> None:
        told = self.intent is not None or bool(self.slots)
        deeds = [
            bool(self.say),
            told,
            self.mumble,
            self.silence,
            bool(self.key),
            self.hang_up,
            self.lose_model,
        ]
        if deeds.count(True) > 1:
            raise ValueError("a turn is one thing: say, intent (with slots), mumble, silence, key or hang_up")

    @property
    def opening(self) -> bool:
        """Whether the caller does nothing in it: it only looks at how the call begins."""
        return not (
            self.say
            or self.intent
            or self.slots
            or self.mumble
            or self.silence
            or self.key
            or self.hang_up
            or self.lose_model
        )


class Scenario(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A call as it must go. `facts` is what the CRM holds about the caller; `office` what actions return,
    call by call where it is a list; `person` what people do when their telephone rings; `locale` the
    language of the call, None for the flow's own.
    """

    scenario: str
    turns: Annotated[tuple[Line, ...], Meta(min_length=1)]
    about: str = ""
    number: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{4,14}$")] | None = None
    facts: dict[str, Scalar] | None = None
    office: dict[str, Results] = {}
    person: Person | tuple[Person, ...] = "accepts"
    locale: str | None = None
    ends: Must = Must()


class Many(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of many scenarios."""

    scenarios: tuple[Scenario, ...]
    flow: str = ""


def read_scenarios(plain: Any) -> Iterator[tuple[Scenario, Path]]:
    """The scenarios of a file's plain data, each with its path in it. Raises ScenarioError."""
    if isinstance(plain, list):
        raise ScenarioError("this is a list: write it below `scenarios:`")
    many = isinstance(plain, Mapping) and "scenarios" in plain
    try:
        if many:
            whole = msgspec.convert(plain, type=Many)
            yield from ((one, ("scenarios", at)) for at, one in enumerate(whole.scenarios))
        else:
            yield msgspec.convert(plain, type=Scenario), ()
    except msgspec.ValidationError as error:
        message, path = _told(str(error))
        raise ScenarioError(message, path) from None


_AT = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+)\]")


_KINDS = {
    "object": "a map",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}
_WRONG = re.compile(r"Expected `([^`]*)`(?:, got `([^`]*)`)?")


def _in_words(found: re.Match[str]) -> str:
    wanted, got = (
        " or ".join(_KINDS.get(kind, kind) for kind in (each or "").split(" | ")) for each in found.groups()
    )
    return f"this must be {wanted}" + (f", not {got}" if got else "")


def _told(message: str) -> tuple[str, Path]:
    """What a validation error says, and the path it says it of."""
    found = _AT.search(message)
    steps = _STEP.findall(found.group(1)) if found else []
    path = tuple(name or int(number) for name, number in steps)
    plain = _WRONG.sub(_in_words, _AT.sub("", message)).replace(
        "Object contains unknown field", "there is no field"
    )
    plain = plain.replace("Object missing required field", "this needs the field").replace("`", "'")
    return plain, path


def texts(value: Texts) -> tuple[str, ...]:
    """One or many texts as many."""
    return (value,) if isinstance(value, str) else value
