import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import schemas
from runtime.simulate.profile import Expected, ProfileError, read_profile, unmet

SCHEMA = json.loads((Path(schemas.__file__).parent / "caller.schema.json").read_text(encoding="utf-8"))
GOOD: dict[str, Any] = {
    "name": "Ada",
    "number": "+12025550101",
    "patience_ms": 700,
    "says": [
        {"at": "team", "say": "fifty"},
        {"mumble": True},
        {"key": "12#"},
        {"interrupt_after_ms": 400, "say": "hello"},
        {"silence": True},
        {"hang_up": True},
    ],
    "office": {"book": {"time": "noon"}, "send": {"fails": "down"}},
    "person": "declines",
    "expect": {"outcome": "booked", "ends_at": "goodbye"},
}
BAD: list[dict[str, Any]] = [
    {"says": [{"say": "hello"}]},
    {"name": "Ada"},
    {"name": "Ada", "says": []},
    {"name": "Ada", "says": [{}]},
    {"name": "Ada", "says": [{"say": "a", "mumble": True}]},
    {"name": "Ada", "says": [{"shout": "a"}]},
    {"name": "Ada", "says": [{"key": "x"}]},
    {"name": "Ada", "says": [{"say": "a", "interrupt_after_ms": -1}]},
    {"name": "Ada", "says": [{"say": "a"}], "number": "555"},
    {"name": "Ada", "says": [{"say": "a"}], "person": "sleeps"},
    {"name": "Ada", "says": [{"say": "a"}], "expect": {"mood": "good"}},
    {"name": "Ada", "says": [{"say": "a"}], "patience_ms": "long"},
]


def test_a_whole_caller_is_read() -> None:
    """Every key of a caller's file is read into its place."""
    profile = read_profile(GOOD)
    assert [line.text for line in profile.says] == ["fifty", "(mumbles)", "(presses 12#)", "hello", "", ""]
    assert (profile.person, profile.expect.ends_at) == ("declines", "goodbye")
    jsonschema.Draft202012Validator(SCHEMA).validate(GOOD)


@pytest.mark.parametrize("plain", BAD)
def test_a_wrong_caller_is_refused_in_one_line(plain: dict[str, Any]) -> None:
    """What the schema refuses is refused by the reader too, in one plain line."""
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(plain)
    with pytest.raises(ProfileError) as refused:
        read_profile(plain)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("plain", [None, 3, "text", [1]])
def test_a_file_that_is_no_caller_is_refused(plain: Any) -> None:
    """A file that holds something else altogether is refused, not crashed on."""
    with pytest.raises(ProfileError):
        read_profile(plain)


def test_the_schema_is_a_schema() -> None:
    """The caller's schema is itself valid, and every property is explained."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for part in (SCHEMA, SCHEMA["$defs"]["line"], SCHEMA["properties"]["expect"]):
        assert all({"title", "description"} <= set(one) for one in part["properties"].values())


def test_what_did_not_come_true_is_told() -> None:
    """Only what was expected and is otherwise is told, one sentence each."""
    expect = Expected(outcome="booked", ends_at="goodbye")
    assert unmet(expect, outcome="booked", ends_at="goodbye") == ()
    assert unmet(expect, outcome=None, ends_at="goodbye") == (
        "the outcome should be booked, but it is not set",
    )
    assert unmet(Expected(), outcome="x", ends_at="y") == ()
