"""A synthetic caller as a designer writes one (schemas/caller.schema.json), typed.

The file is read by whoever may read YAML; this module only makes values of plain data.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Scalar = str | int | float | bool
Person = Literal["accepts", "declines", "busy", "no_answer", "voicemail", "drops"]


class ProfileError(Exception):
    """A caller file that cannot be used; the message is one plain line that says where and why."""


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing the caller does: exactly one of `say`, `silence`, `pause`, `mumble`, `key` and
    `hang_up` is set.

    `at` keeps the line for a node; `interrupt_after_ms` does it while the assistant speaks.
    """

    at: str | None = None
    say: str | None = None
    silence: bool = False
    pause: bool = False
    mumble: bool = False
    key: Annotated[str, Meta(pattern="^[0-9*#]+$")] | None = None
    hang_up: bool = False
    interrupt_after_ms: Annotated[int, Meta(ge=0, le=60_000)] | None = None

    def __post_init__(self) -> None:
        if [bool(self.say), self.silence, self.pause, self.mumble, bool(self.key), self.hang_up].count(
            True
        ) != 1:
            raise ValueError("a line does one thing: say, silence, pause, mumble, key or hang_up")

    @property
    def text(self) -> str:
        """What the caller does, for a transcript."""
        if self.say:
            return self.say
        return "(mumbles)" if self.mumble else f"(presses {self.key})" if self.key else ""


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    outcome: str | None = None
    ends_at: str | None = None


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """A caller: who they are, what they say in order, how the firm behaves on this call, and how it should
    end.
    """

    name: str
    says: Annotated[tuple[Line, ...], Meta(min_length=1)]
    about: str = ""
    number: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{4,14}$")] | None = None
    default: bool = False
    patience_ms: Annotated[int, Meta(ge=100, le=10_000)] = 600
    office: dict[str, dict[str, Scalar]] = {}
    person: Person = "accepts"
    locale: str | None = None  # the language they call in
    expect: Expected = Expected()


def read_profile(plain: Any) -> Profile:
    """A caller from the plain data of its file. Raises ProfileError."""
    try:
        return msgspec.convert(plain, type=Profile)
    except msgspec.ValidationError as error:
        raise ProfileError(str(error).replace("`$.", "`").replace("`$`", "the caller")) from None


def unmet(expect: Expected, *, outcome: str | None, ends_at: str | None) -> tuple[str, ...]:
    """What was expected of the end of a call and did not come true, as plain sentences."""
    wanted = (("outcome", expect.outcome, outcome), ("last node", expect.ends_at, ends_at))
    return tuple(
        f"the {what} should be {want}, but it is {have or 'not set'}"
        for what, want, have in wanted
        if want is not None and want != have
    )
