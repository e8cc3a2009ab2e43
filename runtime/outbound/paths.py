"""Paths into JSON (JMESPath): where in an answer a fact or a field is found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from runtime.ports import OutsideFailure


@dataclass(frozen=True, slots=True)
class Path:
    """One path, read once."""

    text: str
    _compiled: Any = field(repr=False, compare=False)

    def find(self, value: Any) -> Any:
        """What stands there; None where nothing does. Raises OutsideFailure("bad_answer") for a value the
        path cannot be walked in.
        """
        try:
            return self._compiled.search(value)
        except JMESPathError:
            raise OutsideFailure("bad_answer") from None


def read_path(value: Any) -> Path:
    """A reader of a path in the settings. Raises ValueError, in words."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError('a path such as "contact.name"')
    try:
        return Path(value, jmespath.compile(value))
    except JMESPathError:
        raise ValueError('a path such as "contact.name" (JMESPath)') from None


def read_paths(value: Any) -> Mapping[str, Path]:
    """A reader of a table of paths by name. Raises ValueError, in words."""
    if not isinstance(value, dict):
        raise ValueError('a table like { first_name = "contact.name" }')
    return {name: read_path(text) for name, text in value.items()}
