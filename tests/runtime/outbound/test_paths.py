"""Paths into JSON."""

import pytest

from runtime.outbound import read_path, read_paths
from runtime.ports import OutsideFailure


def test_a_path_finds_what_stands_there() -> None:
    """A path is walked; where nothing stands it finds nothing."""
    assert read_path("people[0].name").find({"people": [{"name": "Dana"}]}) == "Dana"
    assert read_path("a.b").find({"a": 3}) is None


def test_a_path_that_is_none_is_told() -> None:
    """What cannot be a path is refused when the settings are read."""
    for wrong in ("a..b", "", 3, "[", "length("):
        with pytest.raises(ValueError, match="a path such as"):
            read_path(wrong)
    with pytest.raises(ValueError, match="a table"):
        read_paths("x")


def test_a_value_that_a_path_cannot_be_walked_in_is_a_bad_answer() -> None:
    """A function over the wrong type is the answer's fault."""
    with pytest.raises(OutsideFailure, match="bad_answer"):
        read_path("length(@)").find(3)
