"""Encryption at rest: what calls leave on the disk and in the store, sealed by keys the operator holds.

Fernet (AES-128-CBC with HMAC-SHA256) by `cryptography`. The first key seals, any of them opens: to rotate,
put the new key in front and take the old one away once nothing sealed by it is kept any more.

Sealed are the lines of records, packages, sounds, and the arguments and results of deeds. Not sealed are the
index of calls (who called when), names of files, and sizes. Whoever can read the process's environment or
memory can read everything.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from voiceflow_compiler.extras import missing

KEYS: Final = "VFC_SEAL_KEYS"
KEYS_FILE: Final = "VFC_SEAL_KEYS_FILE"
# What every Fernet token begins with: version 0x80 and a time whose first bytes are zero until the year 2106.
_MARK: Final = b"gAAAAA"


class SealError(Exception):
    """Something sealed that no key opens, keys that are none, or no library to open it with."""


@dataclass(frozen=True, slots=True)
class Seals:
    """The keys of this deployment."""

    _fernet: Any = field(repr=False)

    def seal(self, content: bytes) -> bytes:
        """The content, for nobody without a key: URL-safe text, about a third longer."""
        token: bytes = self._fernet.encrypt(content)
        return token


def sealed(content: bytes, seals: Seals | None) -> bytes:
    """The content, sealed where there are keys."""
    return content if seals is None else seals.seal(content)


def is_sealed(content: bytes) -> bool:
    """Whether this was sealed."""
    return content.startswith(_MARK)


def opened(content: bytes, seals: Seals | None) -> bytes:
    """What was sealed; content that was not is itself. Raises SealError."""
    if not is_sealed(content):
        return content
    if seals is None:
        raise SealError(f"this is sealed, and no key is set: set {KEYS} or {KEYS_FILE}")
    from cryptography.fernet import InvalidToken

    try:
        plain: bytes = seals._fernet.decrypt(content)
    except InvalidToken:
        raise SealError(f"no key of {KEYS} opens this, or it was changed") from None
    return plain


def new_key() -> str:
    """A key for VFC_SEAL_KEYS. Raises SealError without the library."""
    return str(_library().Fernet.generate_key().decode())


def seals_of(environment: Mapping[str, str]) -> Seals | None:
    """The seals by these variables; None: nothing is sealed. Raises SealError for keys that are none."""
    text = environment.get(KEYS, "")
    if not text and environment.get(KEYS_FILE):
        try:
            text = Path(environment[KEYS_FILE]).read_text(encoding="ascii")
        except (OSError, ValueError):
            raise SealError(f"{KEYS_FILE} names no file that can be read") from None
    keys = text.replace(",", " ").split()
    if not keys:
        return None
    library = _library()
    try:
        return Seals(library.MultiFernet([library.Fernet(key) for key in keys]))
    except ValueError:
        raise SealError(f"a key of {KEYS} is none: make one with `vfc store key`") from None


@cache
def of_process() -> Seals | None:
    """The seals of this process's own environment."""
    return seals_of(os.environ)


def _library() -> Any:
    try:
        from cryptography import fernet
    except ImportError:
        raise SealError(missing("what seals is not installed", "seal")) from None
    return fernet
