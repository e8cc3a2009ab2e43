"""One operation of an OpenAPI document (3.0, 3.1), as the file an HTTP action is described by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

METHODS: Final = ("get", "post", "put", "patch", "delete")
DEEPEST: Final = 12
MOST_PARTS: Final = 5000
KEY_HEADERS: Final = ("idempotency-key", "x-idempotency-key")
JSON: Final = "application/json"
VERSION: Final = 1


class OpenApiError(Exception):
    """A document or an operation that cannot be imported; the message is one plain line."""


def import_operation(document: Any, operation_id: str, *, server: str = "") -> dict[str, Any]:
    """The description of one operation: method, address, where each argument goes, and both schemas.

    Raises OpenApiError.
    """
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise OpenApiError("this is no OpenAPI 3 document")
    path, method, item, operation = _find(document, operation_id)
    parts = _Parts(document)
    described = [
        parts.resolve(one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))
    ]
    arguments: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
    places: dict[str, list[str]] = {"path": [], "query": [], "header": []}
    key_header = "Idempotency-Key"
    for one in described:
        if one.get("in") == "header" and str(one.get("name", "")).lower() in KEY_HEADERS:
            key_header = one["name"]
        elif one.get("in") in places:
            _add(arguments, one["name"], one.get("schema", {}), required=bool(one.get("required")))
            places[one["in"]].append(one["name"])
    body = _body(parts, operation, arguments)
    return {
        "operation": VERSION,
        "name": operation_id,
        "method": method.upper(),
        "url": _server(document, server) + path,
        "query": places["query"],
        "header": places["header"],
        "body": body,
        "key_header": key_header,
        "arguments": arguments,
        "result": _result(parts, operation),
    }


def _find(document: Mapping[str, Any], operation_id: str) -> tuple[str, str, Any, Any]:
    known = []
    for path, item in (document.get("paths") or {}).items():
        for method in METHODS:
            operation = item.get(method)
            if isinstance(operation, dict):
                if operation.get("operationId") == operation_id:
                    return path, method, item, operation
                known.append(str(operation.get("operationId", f"{method} {path}")))
    raise OpenApiError(f"there is no operation {operation_id!r}; there are {', '.join(known[:20]) or 'none'}")


def _server(document: Mapping[str, Any], server: str) -> str:
    told = [one.get("url", "") for one in document.get("servers") or () if isinstance(one, dict)]
    url = str(server or next(iter(told), ""))
    if urlsplit(url).scheme not in ("https", "http") or "{" in url:
        raise OpenApiError("the document names no whole server address: give it with --server")
    return url.rstrip("/")


def _body(parts: _Parts, operation: Mapping[str, Any], arguments: dict[str, Any]) -> bool:
    """Adds the body's fields to the arguments; whether there is a body."""
    body = parts.resolve(operation.get("requestBody") or {})
    if not body:
        return False
    content = body.get("content", {})
    if JSON not in content:
        raise OpenApiError(f"the body of the operation is not {JSON}")
    schema = content[JSON].get("schema", {})
    fields = list(_fields(schema))
    if not fields:
        raise OpenApiError("the body of the operation is no object with fields")
    for name, one, required in fields:
        if name in arguments["properties"]:
            raise OpenApiError(f"{name!r} stands in the body and elsewhere too")
        _add(arguments, name, one, required=required)
    return True


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    for part in schema.get("allOf", ()):
        yield from _fields(part)
    required = schema.get("required", ())
    for name, one in (schema.get("properties") or {}).items():
        if not one.get("readOnly"):
            yield name, one, name in required


def _add(arguments: dict[str, Any], name: str, schema: Any, *, required: bool) -> None:
    arguments["properties"][name] = schema
    if required:
        arguments["required"].append(name)


def _result(parts: _Parts, operation: Mapping[str, Any]) -> dict[str, Any] | None:
    for status, answer in sorted((operation.get("responses") or {}).items(), key=lambda one: str(one[0])):
        if str(status).startswith("2"):
            schema = parts.resolve(answer).get("content", {}).get(JSON, {}).get("schema")
            return schema if isinstance(schema, dict) else None
    return None


class _Parts:
    """The document's parts with every reference written out, so that the file needs nothing else."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._count = 0

    def resolve(self, part: Any, depth: int = 0) -> Any:
        """A part without references. Raises OpenApiError for one that leads outside, or never ends."""
        self._count += 1
        if depth > DEEPEST or self._count > MOST_PARTS:
            raise OpenApiError("the operation's schemas are too deep, or refer to themselves")
        if isinstance(part, dict):
            if "$ref" in part:
                return self.resolve(self._target(str(part["$ref"])), depth + 1)
            written = {name: self.resolve(one, depth + 1) for name, one in part.items()}
            return _nullable(written)
        if isinstance(part, list):
            return [self.resolve(one, depth + 1) for one in part]
        return part

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise OpenApiError("a reference leads out of the document: bundle it into one file first")
        found: Any = self._document
        for step in reference[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) else None
        if found is None:
            raise OpenApiError(f"{reference} is not in the document")
        return found


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0 writes `nullable: true` where JSON Schema has the type null."""
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        rest = {name: one for name, one in schema.items() if name != "nullable"}
        return {**rest, "type": [schema["type"], "null"]}
    return schema
