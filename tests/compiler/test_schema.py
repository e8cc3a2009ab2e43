"""The schema: its own quality, and the quick test that stands before jsonschema."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from voiceflow_compiler.include import Source, open_flow
from voiceflow_compiler.schema import violations
from voiceflow_compiler.schema.sure import sure

CLEAN = Path(__file__).parent.parent / "cases" / "clean" / "lead" / "flow.yaml"
SCHEMA = json.loads(schemas.read("flow"))
JUDGE = jsonschema.Draft202012Validator(SCHEMA)
SOURCE = open_flow(str(CLEAN))
SURE = sure(SCHEMA, SCHEMA["$defs"])


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every property a designer can write, with its schema, references followed."""
    if isinstance(schema, dict):
        for key, part in schema.get("properties", {}).items():
            if isinstance(part, dict) and part.keys() != {"const"}:
                yield f"{path}/{key}", part
        for key, part in schema.items():
            if key != "examples":
                yield from properties(part, f"{path}/{key}")
    elif isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from properties(part, f"{path}/{number}")


def test_the_schema_is_a_schema() -> None:
    """The schema holds to JSON Schema 2020-12 and refers to nothing outside itself."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    text = json.dumps(SCHEMA)
    assert text.count('"$ref"') == text.count('"$ref": "#/$defs/')


def test_every_property_explains_itself() -> None:
    """Editors can show a title, a description and an example for every key."""
    found = list(properties(SCHEMA))
    assert len(found) > 100
    silent = [path for path, part in found if not {"title", "description", "examples"} <= part.keys()]
    assert silent == []


def test_every_example_is_valid() -> None:
    """An example that an editor shows may be copied as it is."""
    for path, part in [*properties(SCHEMA), *SCHEMA["$defs"].items()]:
        judge = jsonschema.Draft202012Validator({"$defs": SCHEMA["$defs"], **part})
        for example in part.get("examples", ()):
            assert list(judge.iter_errors(example)) == [], path


def test_a_whole_flow_is_surely_right() -> None:
    """The quick test accepts a good flow, so that jsonschema is not needed for it."""
    assert SURE(SOURCE.data)
    assert violations(SOURCE) == []


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part of plain data."""
    if path:
        yield path
    for key, part in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from spots(part, (*path, key))


SPOTS = list(spots(SOURCE.data))
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        -1,
        1.0,
        1.5,
        10**9,
        "",
        "x",
        "No Name",
        "ask",
        "y" * 5000,
        [],
        {},
        ["a", "a"],
        [1],
        {"say": "a", "convey": "b"},
        {"go": "team", "stay": True},
        {"kind": "ask"},
        {"": {}},
        {"Bad-Key": {"go": "a"}},
    ]
)


@settings(max_examples=400)
@given(
    st.lists(st.tuples(st.sampled_from(SPOTS), ODD), min_size=1, max_size=3),
    st.sampled_from(["put", "delete", "add"]),
)
def test_there_is_a_finding_exactly_when_jsonschema_finds_one(
    changes: list[tuple[Any, Any]], way: str
) -> None:
    """However a flow is broken, the quick test hides no violation, and a flow without one has no finding."""
    data = copy.deepcopy(SOURCE.data)
    for path, odd in changes:
        holder = data
        try:
            for step in path[:-1]:
                holder = holder[step]
            if way == "delete":
                del holder[path[-1]]
            elif way == "add" and isinstance(holder, dict):
                holder["Added-Key"] = odd
            elif isinstance(holder, dict) == isinstance(path[-1], str):  # keys are text, as they are read
                holder[path[-1]] = odd
        except (KeyError, IndexError, TypeError):
            continue
    broken = Source(SOURCE.file, data, SOURCE.places, (), frozenset())
    assert bool(violations(broken)) == (not JUDGE.is_valid(data))
    if SURE(data):
        assert JUDGE.is_valid(data)


def test_a_keyword_the_quick_test_does_not_know_makes_nothing_sure() -> None:
    """A schema that grows beyond the quick test is judged by jsonschema alone."""
    assert not sure({"type": "string", "format": "email"}, {})("a@b.de")
