"""Violations of a schema in plain words, each at its exact place.

Laws
1. The schema is the judge: there is a finding here exactly when jsonschema finds a violation.
2. jsonschema sees only what is not surely right already (`sure`): it is exact, and slow.
3. No reference leaves the schema's own file, and nothing is fetched.
"""

import json
from functools import cache
from itertools import islice
from typing import Any, Final

import schemas
from voiceflow_compiler.diagnostics import Finding
from voiceflow_compiler.include import Source
from voiceflow_compiler.schema.sure import Test, sure
from voiceflow_compiler.schema.words import findings

MAX_FINDINGS: Final = 200


# Named parts that were surely right when last looked at, by key and name; a part counts as long as it is the
# same object.
Right = dict[tuple[str, str], Any]


def violations(source: Source, right: Right | None = None, schema: str = "flow") -> list[Finding]:
    """Every violation of a schema in a source, up to a bound, without what its reading has told already.

    `right` remembers what was right: an editor asks again after every key.
    """
    found: list[Finding] = []
    suspects = _suspects(source.data, {} if right is None else right, schema)
    if not _tests(schema)[()](suspects):
        for error in islice(_judge(schema).iter_errors(suspects), MAX_FINDINGS):
            found.extend(findings(error, source))
    return found[:MAX_FINDINGS]


def _suspects(data: Any, right: Right, schema: str) -> Any:
    """The data without the named parts that are surely right; one is kept, for a map must not look empty."""
    if not isinstance(data, dict):
        return data
    suspects, fresh = {}, {}
    for key, value in data.items():
        test = _tests(schema).get((key,))
        if test is not None and isinstance(value, dict):
            kept: dict[str, Any] = {}
            for name, part in value.items():
                if right.get((key, name), _tests) is part or test({name: part}):
                    fresh[key, name] = part
                if not kept or (key, name) not in fresh:
                    kept[name] = part
            value = kept
        suspects[key] = value
    right.clear()
    right.update(fresh)
    return suspects


@cache
def _schema(name: str) -> Any:
    return json.loads(schemas.read(name))


@cache
def _tests(name: str) -> dict[tuple[str, ...], Test]:
    """What is surely right: a whole flow under (), each of its maps with one entry under the map's key."""
    schema = _schema(name)
    tests: dict[tuple[str, ...], Test] = {(): sure(schema, schema["$defs"])}
    for key, part in schema["properties"].items():
        if part.get("type") == "object" and isinstance(part.get("additionalProperties"), dict):
            entry = {word: part[word] for word in ("propertyNames", "additionalProperties") if word in part}
            tests[(key,)] = sure(entry, schema["$defs"])
    return tests


@cache
def _judge(name: str) -> Any:
    import jsonschema  # noqa: TID251 - this package is its doorway; here, because most flows never need it

    return jsonschema.Draft202012Validator(_schema(name))
