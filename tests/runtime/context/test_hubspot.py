"""Facts from HubSpot, against a server that answers in its documented shapes."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.runtime.context.places import DANA, opened, reason
from tests.runtime.office import Answer, listening

TABLE = """[facts.crm]
source = "hubspot"
base_url = "{url}"
token = "env:CRM_TOKEN"
facts = {{ first_name = "firstname", account_status = "hs_lead_status" }}
country_code = "1"
"""


def found(*contacts: Mapping[str, object]) -> Answer:
    """An answer of the CRM search: a total, and results with their properties."""
    stamp = "2026-01-30T03:30:17.883Z"
    results = [
        {"id": "512", "properties": one, "createdAt": stamp, "updatedAt": stamp, "archived": False}
        for one in contacts
    ]
    return Answer(200, json.dumps({"total": len(results), "results": results}).encode())


CONTACT = {"firstname": "Dana", "hs_lead_status": "customer", "phone": None, "mobilephone": "+1 202-555-0101"}


async def test_a_contact_is_found_by_number(tmp_path: Path) -> None:
    """Every telephone property is searched for every spelling of the number, and the token goes along."""
    async with listening(found(CONTACT)) as office:
        source = opened(tmp_path, TABLE.format(url=office.url))
        assert await source.look_up(DANA) == {"first_name": "Dana", "account_status": "customer"}
        await source.close()
    (search,) = office.requests
    assert (search.method, search.target) == ("POST", "/crm/v3/objects/contacts/search")
    assert search.headers["authorization"] == "Bearer s3cret"
    written = ["+12025550101", "12025550101", "2025550101", "+1 202-555-0101", "(202) 555-0101"]
    assert json.loads(search.body) == {
        "filterGroups": [
            {"filters": [{"propertyName": name, "operator": "IN", "values": written}]}
            for name in ("phone", "mobilephone")
        ],
        "properties": ["firstname", "hs_lead_status", "phone", "mobilephone"],
        "limit": 10,
    }


@pytest.mark.faults
async def test_whose_contact_it_is_must_be_sure(tmp_path: Path) -> None:
    """Nobody found is unknown, two are nobody's, and a limit reached or a broken server is a reason."""
    limit = b'{"status": "error", "errorType": "RATE_LIMIT"}'
    async with listening(found(), found(CONTACT, CONTACT), Answer(429, limit)) as office:
        source = opened(tmp_path, TABLE.format(url=office.url))
        assert await source.look_up(DANA) is None
        assert await reason(source) == "ambiguous"
        assert await reason(source) == "unavailable"
        await source.close()
