"""A quick test built from a JSON Schema: what it accepts is surely valid; what it does not, jsonschema must
judge.

Laws
1. A value the test accepts satisfies the schema. The other way round need not hold: an unknown keyword
   accepts nothing.
2. Values are plain data as the reader makes it: dict with text keys, list, str, int, float, bool, None.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Test = Callable[[Any], bool]
Definitions = Mapping[str, Any]

_CLASSES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_REMARKS: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "then", "else"})
_OF_OBJECTS: Final = frozenset(
    {
        "properties",
        "additionalProperties",
        "required",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "dependentRequired",
    }
)
_OF_LISTS: Final = frozenset({"items", "minItems", "maxItems", "uniqueItems"})
_OF_TEXT: Final = frozenset({"minLength", "maxLength", "pattern"})
_OF_NUMBERS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum"})


def sure(schema: Any, definitions: Definitions) -> Test:
    """The test of a schema. References are to `definitions`, and must not go round."""
    tests = [build(schema, definitions) for keywords, build in _BUILDERS if keywords & schema.keys()]
    known = _REMARKS.union(*(keywords for keywords, _ in _BUILDERS))
    if not schema.keys() <= known:
        return _never
    return _every(tests)


def _every(tests: list[Test]) -> Test:
    """One test for all; written out for two, because a large flow calls it a hundred thousand times."""
    match tests:
        case [only]:
            return only
        case [first, second]:
            return lambda value: first(value) and second(value)

    def every(value: Any) -> bool:
        for test in tests:  # noqa: SIM110 - a generator takes twice as long
            if not test(value):
                return False
        return True

    return every


def _never(_: Any) -> bool:
    return False


def _reference(schema: Any, definitions: Definitions) -> Test:
    return sure(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)


def _type(schema: Any, _: Definitions) -> Test:
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    classes = frozenset(each for name in names for each in _CLASSES.get(name, ()))
    return lambda value: type(value) in classes


def _enum(schema: Any, _: Definitions) -> Test:
    allowed = frozenset(value for value in schema["enum"] if isinstance(value, str))
    return lambda value: type(value) is str and value in allowed


def _const(schema: Any, _: Definitions) -> Test:
    wanted = schema["const"]
    return lambda value: type(value) is type(wanted) and value == wanted


def _object(schema: Any, definitions: Definitions) -> Test:
    properties = {key: sure(part, definitions) for key, part in schema.get("properties", {}).items()}
    others = schema.get("additionalProperties", True)
    other: Test | None = (
        None if others is False else (lambda _: True) if others is True else sure(others, definitions)
    )
    names = sure(schema["propertyNames"], definitions) if "propertyNames" in schema else None
    required = frozenset(schema.get("required", ()))
    least, most = schema.get("minProperties", 0), schema.get("maxProperties", float("inf"))
    needs = schema.get("dependentRequired", {})

    def test(value: Any) -> bool:
        if type(value) is not dict:
            return True
        if not (required <= value.keys() and least <= len(value) <= most):
            return False
        for key, part in value.items():
            accepts = properties.get(key, other)
            if accepts is None or not accepts(part) or (names is not None and not names(key)):
                return False
        return not needs or all(
            key not in value or all(need in value for need in needed) for key, needed in needs.items()
        )

    return test


def _list(schema: Any, definitions: Definitions) -> Test:
    item = sure(schema["items"], definitions) if "items" in schema else None
    least, most = schema.get("minItems", 0), schema.get("maxItems", float("inf"))
    unique = schema.get("uniqueItems", False)

    def test(value: Any) -> bool:
        if type(value) is not list:
            return True
        if not least <= len(value) <= most:
            return False
        if unique and not (all(type(each) is str for each in value) and len(set(value)) == len(value)):
            return False
        return item is None or all(item(each) for each in value)

    return test


def _text(schema: Any, _: Definitions) -> Test:
    least, most = schema.get("minLength", 0), schema.get("maxLength", float("inf"))
    search = re.compile(schema.get("pattern", "")).search
    return lambda value: type(value) is not str or (least <= len(value) <= most and search(value) is not None)


def _number(schema: Any, _: Definitions) -> Test:
    least, most = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
    above = schema.get("exclusiveMinimum", float("-inf"))
    return lambda value: type(value) not in (int, float) or (least <= value <= most and value > above)


def _all_of(schema: Any, definitions: Definitions) -> Test:
    return _every([sure(part, definitions) for part in schema["allOf"]])


def _any_of(schema: Any, definitions: Definitions) -> Test:
    tests = [sure(part, definitions) for part in schema["anyOf"]]
    return lambda value: any(test(value) for test in tests)


def _if(schema: Any, definitions: Definitions) -> Test:
    holds = _exactly(schema["if"])
    if holds is None:
        return _never
    then, otherwise = (sure(schema.get(key, {}), definitions) for key in ("then", "else"))
    return lambda value: then(value) if holds(value) else otherwise(value)


def _not(schema: Any, _: Definitions) -> Test:
    holds = _exactly(schema["not"])
    return _never if holds is None else lambda value: type(value) is dict and not holds(value)


def _exactly(schema: Any) -> Test | None:
    """The test of a condition, true exactly when it holds; None when it is not one of the few forms known
    here.
    """
    if schema in ({"type": "object"}, {"type": "array"}):
        wanted = _CLASSES[schema["type"]]
        return lambda value: type(value) in wanted
    if schema.keys() == {"pattern"}:
        search = re.compile(schema["pattern"]).search
        return lambda value: type(value) is not str or search(value) is not None
    required = schema.get("required")
    constants = {
        key: part.get("const")
        for key, part in schema.get("properties", {}).items()
        if part.keys() == {"const"}
    }
    if (
        not required
        or not schema.keys() <= {"required", "properties"}
        or constants.keys() != schema.get("properties", {}).keys()
    ):
        return None
    if not all(isinstance(constant, str | bool) for constant in constants.values()):
        return None
    return lambda value: (
        type(value) is not dict
        or (
            all(key in value for key in required)
            and all(
                type(value[key]) is type(wanted) and value[key] == wanted
                for key, wanted in constants.items()
                if key in value
            )
        )
    )


_BUILDERS: Final[tuple[tuple[frozenset[str], Callable[[Any, Definitions], Test]], ...]] = (
    (frozenset({"$ref"}), _reference),
    (frozenset({"type"}), _type),
    (frozenset({"enum"}), _enum),
    (frozenset({"const"}), _const),
    (_OF_TEXT, _text),
    (_OF_NUMBERS, _number),
    (frozenset({"if"}), _if),
    (_OF_OBJECTS, _object),
    (_OF_LISTS, _list),
    (frozenset({"not"}), _not),
    (frozenset({"anyOf"}), _any_of),
    (frozenset({"allOf"}), _all_of),
)
