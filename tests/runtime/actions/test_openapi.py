"""Operations of OpenAPI documents, and the requests that come of them."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from runtime.actions.openapi import OpenApiError, import_operation
from tests.runtime.actions.desk import opened, order, problem, reason
from tests.runtime.office import Answer, listening

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "CRM", "version": "1"},
    "servers": [{"url": "https://crm.example.com/v1/"}],
    "paths": {
        "/people/{email}/demos": {
            "parameters": [{"$ref": "#/components/parameters/Email"}],
            "post": {
                "operationId": "bookDemo",
                "parameters": [
                    {"name": "lang", "in": "query", "schema": {"type": "string"}},
                    {"name": "X-Idempotency-Key", "in": "header", "schema": {"type": "string"}},
                ],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Demo"}}}
                },
                "responses": {
                    "201": {
                        "description": "booked",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Booked"}}},
                    }
                },
            },
        }
    },
    "components": {
        "parameters": {
            "Email": {"name": "email", "in": "path", "required": True, "schema": {"type": "string"}}
        },
        "schemas": {
            "Demo": {
                "type": "object",
                "required": ["seats"],
                "properties": {
                    "id": {"type": "string", "readOnly": True},
                    "seats": {"type": "integer", "minimum": 1},
                    "note": {"type": "string", "nullable": True},
                },
            },
            "Booked": {
                "type": "object",
                "required": ["slot"],
                "properties": {"slot": {"type": "object", "properties": {"start": {"type": "string"}}}},
            },
        },
    },
}


def test_an_operation_is_described_whole() -> None:
    """Path, query, key header and body are told apart, and every reference is written out."""
    described = import_operation(DOCUMENT, "bookDemo")
    assert (described["method"], described["url"]) == (
        "POST",
        "https://crm.example.com/v1/people/{email}/demos",
    )
    assert (described["query"], described["key_header"]) == (["lang"], "X-Idempotency-Key")
    assert set(described["arguments"]["properties"]) == {"email", "lang", "seats", "note"}
    assert described["arguments"]["required"] == ["email", "seats"]
    assert described["arguments"]["properties"]["note"]["type"] == ["string", "null"]
    assert "$ref" not in json.dumps(described)


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("openapi",), "2.0", "no OpenAPI 3 document"),
        (("servers",), [{"url": "/v1"}], "no whole server address"),
        (("components", "schemas", "Demo"), {"$ref": "#/components/schemas/Demo"}, "refer to themselves"),
        (("components", "schemas", "Demo"), {"$ref": "http://x/y.json"}, "leads out of the document"),
        (("components", "schemas", "Demo"), {"type": "string"}, "no object with fields"),
        (("components", "parameters"), {}, "is not in the document"),
    ],
)
def test_a_document_that_cannot_be_used_is_told(path: tuple[str, ...], value: Any, line: str) -> None:
    """Each problem is one plain line; nothing is fetched and nothing goes round for ever."""
    document = copy.deepcopy(DOCUMENT)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(OpenApiError, match=line):
        import_operation(document, "bookDemo")
    with pytest.raises(OpenApiError, match="there are bookDemo"):
        import_operation(DOCUMENT, "bookDemoo")


def described(folder: Path, server: str) -> str:
    """The file of the operation on this server, and its table."""
    content = import_operation(DOCUMENT, "bookDemo", server=server)
    (folder / "book.json").write_text(json.dumps(content))
    table = 'executor = "http"\noperation = "book.json"\nresult = { time = "slot.start" }\n'
    return table + 'headers = { Authorization = "env:CRM_TOKEN" }'


async def test_each_argument_goes_to_its_place(tmp_path: Path) -> None:
    """Path and query are encoded, the rest is the body, the key is in the header the API names."""
    async with (
        listening(Answer(201, b'{"slot": {"start": "3 pm"}}')) as office,
        opened(tmp_path, described(tmp_path, office.url)) as actions,
    ):
        given = {"email": "a/b?c@x", "seats": 3, "lang": "en&x=1", "note": None}
        result = await actions.run(order(arguments=given))
    assert result["time"] == "3 pm"
    (asked,) = office.requests
    assert asked.target == "/people/a%2Fb%3Fc%40x/demos?lang=en%26x%3D1"
    assert json.loads(asked.body) == {"seats": 3}
    assert (asked.headers["x-idempotency-key"], asked.headers["authorization"]) == ("k1", "s3cret")


@pytest.mark.faults
@pytest.mark.parametrize(
    "given",
    [
        {"email": "a@x"},
        {"seats": 3},
        {"email": "a@x", "seats": "three"},
        {"email": "a@x", "seats": 0},
        {"email": "..", "seats": 3},
        {"email": "", "seats": 3},
    ],
)
async def test_arguments_that_do_not_fit_are_never_sent(tmp_path: Path, given: dict[str, Any]) -> None:
    """Missing, mistyped and climbing arguments reach no server."""
    async with (
        listening(Answer(201, b'{"slot": {}}')) as office,
        opened(tmp_path, described(tmp_path, office.url)) as actions,
    ):
        assert await reason(actions, order(arguments=given)) == "bad_arguments"
    assert office.requests == []


@pytest.mark.faults
async def test_a_result_that_does_not_fit_is_a_bad_answer(tmp_path: Path) -> None:
    """What the description does not promise is no result."""
    async with (
        listening(Answer(201, b'{"slot": "3 pm"}')) as office,
        opened(tmp_path, described(tmp_path, office.url)) as actions,
    ):
        given = {"email": "a@x", "seats": 3}
        assert await reason(actions, order(arguments=given)) == "bad_answer"


def test_a_described_server_that_may_not_be_reached_is_told(tmp_path: Path) -> None:
    """A document cannot lead into our own network."""
    line = problem(tmp_path, described(tmp_path, "https://169.254.169.254"))
    assert line.startswith("actions.book.operation leads to 169.254.169.254")
    (tmp_path / "book.json").write_text("{}")
    table = 'executor = "http"\noperation = "book.json"'
    assert "is no file of `vfc action import`" in problem(tmp_path, table)


def test_an_independent_validator_judges_the_documents_we_import() -> None:
    """What is imported here is OpenAPI by another's judgement, and what that refuses we refuse too."""
    validate(DOCUMENT)
    for spoil in (
        lambda document: document.pop("openapi"),
        lambda document: document.pop("paths"),
        lambda document: document.__setitem__("openapi", "2.0"),
    ):
        broken = copy.deepcopy(DOCUMENT)
        spoil(broken)
        with pytest.raises(Exception, match=r".*"):
            validate(broken)
        with pytest.raises(OpenApiError):
            import_operation(broken, "bookDemo")
