"""JSON Schema of what goes out and what comes back. Nothing is fetched: a `$ref` stays inside its schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema that was read."""

    _validator: Draft202012Validator = field(repr=False)

    def misfit(self, value: Any) -> str | None:
        """Where a value does not fit: a place and a rule, never the value (`seats: type`). None: it fits."""
        try:
            error = next(iter(self._validator.iter_errors(value)), None)
        except (Unresolvable, RecursionError):
            return "schema: cannot be used"
        if error is None:
            return None
        place = ".".join(str(part) for part in error.absolute_path) or "all of it"
        return f"{place}: {error.validator}"


def read_schema(schema: Mapping[str, Any]) -> Schema:
    """A schema ready for use. Raises ValueError, in words, for one that is none."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        raise ValueError("a JSON Schema") from None
    return Schema(Draft202012Validator(schema, registry=Registry()))
