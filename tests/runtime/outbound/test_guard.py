"""Where a request may go: every way round the guard that is known, and a trap that nobody may reach."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.outbound import Question, Reach, exchange, open_client, refusal
from runtime.outbound.guard import allowed
from runtime.ports import OutsideFailure
from tests.runtime.office import Answer, listening

pytestmark = pytest.mark.faults

OPEN = Reach()
STRICT = Reach(frozenset({"crm.example.com"}))
LOCAL = Reach(private_hosts=frozenset({"127.0.0.1", "crm.internal"}))

INSIDE = [
    "127.0.0.1",
    "127.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.9.9",
    "192.168.0.1",
    "100.64.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "fe80::1%eth0",
]
NEVER = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "fd00:ec2::254",
    "168.63.129.16",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "fe80::1",
]
HOSTS = [
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "2130706433",
    "127.0.0.1.",
    "127.0.0.01",
    "169.254.43518",
    "0xa9fea9fe",
    "2852039166",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
    "[fe80::1%25eth0]",
    "127.0.0.1%00.example.com",
    "localhost%2eexample",
    "1.1.1",
    "999.1.1.1",
    "-a.example",
    "a..example",
]
URLS = (
    *(f"https://{host}/x" for host in HOSTS),
    "file:///etc/passwd",
    "gopher://example.com/_x",
    "ftp://example.com/",
    "dict://example.com:11211/",
    "data:text/plain,x",
    "//example.com/x",
    "example.com",
    "https://",
    "https:///x",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1#@example.com/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com/\r\nHost: 127.0.0.1",
    "https://example.com/a b",
    "https://exa\tmple.com/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://[::1",
    "http://example.com/",
)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_refused(address: str) -> None:
    """Private, loopback, link-local, reserved and metadata addresses in every spelling are not reached."""
    assert not allowed(address, private=False)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_reached(address: str) -> None:
    """Being on the list of private hosts opens no way to metadata, link-local or unspecified addresses."""
    assert not allowed(address, private=True)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_the_open_internet_is_reached(address: str) -> None:
    """A global address is allowed."""
    assert allowed(address, private=False)


@given(st.ip_addresses())
def test_what_is_not_global_is_allowed_only_to_private_hosts(address: object) -> None:
    """Whatever the address: without the operator's word only a global one is connected to."""
    if allowed(str(address), private=False):
        assert getattr(address, "is_global", False) or str(address).startswith(
            ("::", "64:", "2002:", "2001:")
        )


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("reach", [OPEN, STRICT], ids=["open", "strict"])
def test_an_odd_address_is_refused_when_it_is_read(url: str, reach: Reach) -> None:
    """Numbers in disguise, other schemes, names before an @, control characters: refused with a reason."""
    assert refusal(reach, url) is not None


@pytest.mark.parametrize("url", [url for url in URLS if " " not in url])  # a space is encoded by then
async def test_an_odd_address_is_refused_when_it_is_asked(url: str) -> None:
    """The same addresses are refused again at the request, before any name is resolved."""
    asked: list[str] = []

    async def resolver(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    client = open_client(OPEN, resolver=resolver)
    with pytest.raises(OutsideFailure):
        await exchange(client, Question("GET", url), 5)
    await client.aclose()
    assert asked == []


def test_only_listed_hosts_are_asked_where_there_is_a_list() -> None:
    """With `outbound.hosts` any other host is refused, also a longer or a shorter name."""
    assert refusal(STRICT, "https://crm.example.com/x") is None
    for host in ("example.com", "crm.example.com.evil.example", "xcrm.example.com", "8.8.8.8"):
        assert refusal(STRICT, f"https://{host}/x") is not None


def test_plain_http_is_for_private_hosts() -> None:
    """A listed private host may be asked without TLS; a public one may not."""
    assert refusal(LOCAL, "http://crm.internal:8080/x") is None
    assert refusal(LOCAL, "http://crm.example.com/x") is not None


@asynccontextmanager
async def resolved_to(*addresses: str, reach: Reach = OPEN) -> AsyncIterator[httpx2.AsyncClient]:
    """A client whose resolver says these addresses, one answer after the other."""
    answers = [address.split(",") for address in addresses]

    async def resolver(host: str, port: int) -> Sequence[str]:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    client = open_client(reach, resolver=resolver)
    try:
        yield client
    finally:
        await client.aclose()


async def why(client: httpx2.AsyncClient, url: str) -> str:
    """The reason a question fails for."""
    with pytest.raises(OutsideFailure) as told:
        await exchange(client, Question("GET", url), 5)
    return told.value.reason


@pytest.mark.parametrize("address", INSIDE)
async def test_a_name_that_leads_inside_reaches_nothing(address: str) -> None:
    """An honest name that resolves to an address inside is refused, and the trap there is never asked."""
    async with listening(Answer(200, b"{}")) as trap, resolved_to(address) as client:
        port = trap.url.rpartition(":")[2]
        assert await why(client, f"https://crm.example.com:{port}/") == "forbidden"
    assert trap.requests == []


async def test_one_bad_address_among_good_ones_spoils_the_name() -> None:
    """A name with a public and a private address is bent by somebody; neither is connected to."""
    async with resolved_to("93.184.216.34,127.0.0.1") as client:
        assert await why(client, "https://crm.example.com/") == "forbidden"


async def test_a_name_that_changes_between_questions_is_judged_each_time() -> None:
    """DNS rebinding: allowed once as a private host, then pointed at the metadata address: refused."""
    async with listening(Answer(200, b"{}")) as office:
        reach = Reach(private_hosts=frozenset({"crm.internal"}))
        port = office.url.rpartition(":")[2]
        async with resolved_to("127.0.0.1", "169.254.169.254", reach=reach) as client:
            url = f"http://crm.internal:{port}/"
            assert (await exchange(client, Question("GET", url), 5)).status == 200
            assert await why(client, url) == "forbidden"
    assert office.requests[0].headers["host"] == f"crm.internal:{port}"


async def test_a_redirect_is_not_followed() -> None:
    """An answer that sends elsewhere is an answer like any other failure; the other place is not asked."""
    async with listening(Answer(302, b"")) as office:
        client = open_client(LOCAL)
        reply = await exchange(client, Question("GET", office.url), 5)
        await client.aclose()
    assert reply.status == 302
    with pytest.raises(OutsideFailure, match="broken"):
        reply.require_success()
    assert len(office.requests) == 1


async def test_an_answer_that_drips_ends_at_its_time() -> None:
    """A byte every moment does not keep a question alive past its time."""

    left = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.005)
        except ConnectionError:
            writer.close()
            left.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    client = open_client(LOCAL)
    with pytest.raises(OutsideFailure, match="timeout"):
        await exchange(client, Question("GET", url), 0.1)
    await client.aclose()
    await left.wait()  # the connection is closed with the question, not some time later
    server.close()
    await server.wait_closed()
