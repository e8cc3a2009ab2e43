"""JSON Schema of arguments and results."""

import pytest

from runtime.outbound.schemas import read_schema

SEATS = {"type": "object", "properties": {"seats": {"type": "integer"}}, "required": ["seats"]}


def test_a_misfit_is_a_place_and_a_rule_without_the_value() -> None:
    """Who reads of a misfit learns where, and nothing private."""
    assert read_schema(SEATS).misfit({"seats": 3}) is None
    assert read_schema(SEATS).misfit({"seats": "4111 1111 1111 1111"}) == "seats: type"
    assert read_schema(SEATS).misfit({}) == "all of it: required"


def test_nothing_is_fetched_for_a_schema() -> None:
    """A reference that leads outside makes the schema useless, and is not followed."""
    remote = read_schema({"$ref": "http://127.0.0.1:9/schema.json"})
    assert remote.misfit({}) == "schema: cannot be used"
    with pytest.raises(ValueError, match="JSON Schema"):
        read_schema({"type": 5})
