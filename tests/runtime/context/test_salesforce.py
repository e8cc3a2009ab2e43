"""Facts from Salesforce, against a server that answers in its documented shapes."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tests.runtime.context.places import DANA, opened, problem, reason
from tests.runtime.office import Answer, listening

TABLE = """[facts.crm]
source = "salesforce"
instance = "{url}"
client_id = "3MVG9"
client_secret = "env:CRM_TOKEN"
facts = {{ first_name = "FirstName", account_status = "Status__c" }}
country_code = "1"
"""
# The shapes of the REST API's guide: the token of the client credentials flow, and a parameterized search.
TOKEN = Answer(
    200,
    b'{"access_token": "00D-token", "instance_url": "https://acme.my.salesforce.com", "token_type": "Bearer",'
    b' "id": "https://login.salesforce.com/id/00D/005", "issued_at": "1700000000000", "signature": "x"}',
)
EXPIRED = Answer(401, b'[{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]')


def found(*records: Mapping[str, object]) -> Answer:
    """An answer of the search."""
    attributes = {"type": "Contact", "url": "/services/data/v63.0/sobjects/Contact/003"}
    told = {"searchRecords": [{"attributes": attributes, **record} for record in records]}
    return Answer(200, json.dumps(told).encode())


CONTACT = {"FirstName": "Dana", "Status__c": "customer", "Phone": "(202) 555-0101", "MobilePhone": None}


async def test_a_contact_is_found_by_number(tmp_path: Path) -> None:
    """The token is asked for once; the search names the fields, the object and the telephone fields."""
    async with listening(TOKEN, found(CONTACT), found(CONTACT)) as office:
        source = opened(tmp_path, TABLE.format(url=office.url))
        for _ in range(2):
            assert await source.look_up(DANA) == {"first_name": "Dana", "account_status": "customer"}
        await source.close()
    token, search, _ = office.requests
    assert token.target == "/services/oauth2/token"
    assert parse_qs(token.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["3MVG9"],
        "client_secret": ["s3cret"],
    }
    assert (search.method, search.target) == ("POST", "/services/data/v63.0/parameterizedSearch")
    assert search.headers["authorization"] == "Bearer 00D-token"
    assert json.loads(search.body) == {
        "q": "2025550101",
        "in": "PHONE",
        "fields": ["FirstName", "Status__c", "Phone", "MobilePhone"],
        "sobjects": [{"name": "Contact"}],
        "defaultLimit": 10,
    }


async def test_an_expired_token_is_renewed_once(tmp_path: Path) -> None:
    """A refused token is replaced and the search asked again; a second refusal is told."""
    async with listening(TOKEN, EXPIRED, TOKEN, found(CONTACT), EXPIRED, TOKEN, EXPIRED) as office:
        source = opened(tmp_path, TABLE.format(url=office.url))
        assert await source.look_up(DANA) is not None
        assert await reason(source) == "denied"
        await source.close()
    assert len(office.requests) == 7


@pytest.mark.faults
async def test_whose_contact_it_is_must_be_sure(tmp_path: Path) -> None:
    """Nobody found is unknown; a contact with another number, or two with this one, are nobody's."""
    stranger = CONTACT | {"Phone": "+12025550199"}
    answers = (TOKEN, found(), found(stranger), found(CONTACT, CONTACT))
    async with listening(*answers) as office:
        source = opened(tmp_path, TABLE.format(url=office.url))
        assert await source.look_up(DANA) is None
        assert await reason(source) == "ambiguous"
        assert await reason(source) == "ambiguous"
        await source.close()


def test_a_missing_secret_is_told_by_its_variable(tmp_path: Path) -> None:
    """The variable is named, and no value."""
    toml = TABLE.format(url="https://acme.my.salesforce.com").replace("CRM_TOKEN", "SALESFORCE_SECRET")
    assert "set the environment variable SALESFORCE_SECRET" in problem(tmp_path, toml)
