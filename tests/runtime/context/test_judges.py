"""The vendors' own clients judge our requests: the same question from both is the same on the wire."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import requests
from hubspot.crm.contacts import (
    ApiClient,
    Configuration,
    Filter,
    FilterGroup,
    PublicObjectSearchRequest,
    SearchApi,
)
from simple_salesforce.api import Salesforce
from simple_salesforce.login import SalesforceLogin

from tests.runtime.context import test_hubspot, test_salesforce
from tests.runtime.context.places import DANA, opened
from tests.runtime.office import Asked, listening

# What any client may say differently without another meaning.
FREE = {"host", "user-agent", "connection", "accept", "accept-encoding", "content-length"}


def wire(asked: Asked) -> dict[str, Any]:
    """A request as it counts: method, address, headers with a meaning, and the JSON in it."""
    headers = {name: value for name, value in asked.headers.items() if name not in FREE}
    kind = headers.pop("content-type", "").partition(";")[0]
    return {
        "method": asked.method,
        "target": asked.target,
        "headers": {name: value for name, value in headers.items() if not name.startswith("x-")},
        "kind": kind,
        "body": json.loads(asked.body),
    }


async def test_hubspot_s_client_asks_the_same(tmp_path: Path) -> None:
    """HubSpot's own types make the search we make, property by property, under the same token."""
    async with listening(test_hubspot.found(test_hubspot.CONTACT)) as office:
        source = opened(tmp_path, test_hubspot.TABLE.format(url=office.url))
        await source.look_up(DANA)
        await source.close()
        ours = json.loads(office.requests[0].body)
        groups = [
            FilterGroup(
                filters=[
                    Filter(property_name=one["propertyName"], operator=one["operator"], values=one["values"])
                    for one in group["filters"]
                ]
            )
            for group in ours["filterGroups"]
        ]
        search = PublicObjectSearchRequest(
            filter_groups=groups, properties=ours["properties"], limit=ours["limit"]
        )
        configuration = Configuration(host=office.url)
        configuration.access_token = "s3cret"
        api = SearchApi(ApiClient(configuration))
        told = await asyncio.to_thread(api.do_search, public_object_search_request=search)
    assert told.results[0].properties["firstname"] == "Dana"
    assert wire(office.requests[0]) == wire(office.requests[1])


async def test_salesforce_s_search_is_the_same(tmp_path: Path) -> None:
    """The community's client sends our search to the same place under the same token."""
    answers = (test_salesforce.TOKEN, *[test_salesforce.found(test_salesforce.CONTACT)] * 2)
    async with listening(*answers) as office:
        source = opened(tmp_path, test_salesforce.TABLE.format(url=office.url))
        await source.look_up(DANA)
        await source.close()
        ours = office.requests[1]
        with requests.Session() as session:
            client = Salesforce(
                instance_url=office.url, session_id="00D-token", version="63.0", session=session
            )
            client.base_url = f"{office.url}/services/data/v63.0/"
            told = await asyncio.to_thread(
                client.restful, "parameterizedSearch", method="POST", json=json.loads(ours.body)
            )
    assert told is not None
    assert told["searchRecords"][0]["FirstName"] == "Dana"
    assert wire(ours) == wire(office.requests[2])


class Taken(requests.adapters.BaseAdapter):
    """Takes a request instead of a network, and answers with a token."""

    def __init__(self) -> None:
        super().__init__()
        self.request: requests.PreparedRequest | None = None

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        self.request = request
        answer = requests.Response()
        answer.status_code, answer._content = 200, test_salesforce.TOKEN.body
        return answer

    def close(self) -> None:
        """Nothing is held."""


async def test_salesforce_s_sign_in_is_the_same(tmp_path: Path) -> None:
    """The client credentials flow asks for a token in the same place with the same grant."""
    async with listening(test_salesforce.TOKEN, test_salesforce.found(test_salesforce.CONTACT)) as office:
        source = opened(tmp_path, test_salesforce.TABLE.format(url=office.url))
        await source.look_up(DANA)
        await source.close()
        ours = office.requests[0]
    taken = Taken()
    with requests.Session() as session:
        session.mount("https://", taken)
        SalesforceLogin(consumer_key="3MVG9", consumer_secret="s3cret", domain="acme.my", session=session)
    theirs = taken.request
    assert theirs is not None
    assert (ours.method, ours.target) == (theirs.method, theirs.path_url)
    assert ours.headers["content-type"] == theirs.headers["Content-Type"]
    body = theirs.body.decode() if isinstance(theirs.body, bytes) else str(theirs.body)
    sent, given = parse_qs(ours.body.decode()), parse_qs(body)
    assert sent["grant_type"] == given["grant_type"] == ["client_credentials"]
    # Their client puts the credentials into a Basic header, ours into the form: the guide allows either.
    assert sent.keys() == {"grant_type", "client_id", "client_secret"}
