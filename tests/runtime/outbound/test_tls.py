"""A connection to a judged address still asks for the certificate of the name."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runtime.outbound import Question, Reach, exchange, open_client
from runtime.ports import OutsideFailure

pytestmark = pytest.mark.faults
NAME = "crm.internal"


def certificate(folder: Path, name: str) -> Path:
    """A certificate for this name, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    plain = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path = folder / f"{name}.pem"
    path.write_bytes(plain + made.public_bytes(serialization.Encoding.PEM))
    return path


@dataclass
class Server:
    """A TLS server: its port, the names it was asked for, and the requests that got through."""

    port: int = 0
    names: list[str | None] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def serving(pem: Path) -> AsyncIterator[Server]:
    """A server on loopback that shows this certificate."""
    here = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.sni_callback = lambda _, name, __: here.names.append(name)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
        await server.wait_closed()


async def asked(server: Server, trusted: Path) -> int:
    """Ask the name, whose address is this machine, of a client that trusts this certificate."""

    async def resolver(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    tls = ssl.create_default_context(cafile=trusted)
    client = open_client(Reach(private_hosts=frozenset({NAME})), resolver=resolver, tls=tls)
    try:
        return (await exchange(client, Question("GET", f"https://{NAME}:{server.port}/x"), 10)).status
    finally:
        await client.aclose()


async def test_the_certificate_is_that_of_the_name(tmp_path: Path) -> None:
    """The connection goes to the address that was judged, and names the host it wants."""
    pem = certificate(tmp_path, NAME)
    async with serving(pem) as server:
        assert await asked(server, pem) == 200
    assert server.names == [NAME]
    assert b"Host: crm.internal" in server.requests[0] or b"host: crm.internal" in server.requests[0]


async def test_another_name_s_certificate_is_refused(tmp_path: Path) -> None:
    """A trusted certificate of another name, or of the address, ends the connection before a byte is sent."""
    for name in ("other.example", "127.0.0.1", "crm.internal.evil.example", "internal"):
        pem = certificate(tmp_path, name)
        async with serving(pem) as server:
            with pytest.raises(OutsideFailure, match="unreachable"):
                await asked(server, pem)
        assert server.requests == []


async def test_a_certificate_nobody_trusts_is_refused(tmp_path: Path) -> None:
    """The right name signed by a stranger is no proof."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    trusted, shown = certificate(tmp_path, NAME), certificate(stranger, NAME)
    async with serving(shown) as server:
        with pytest.raises(OutsideFailure, match="unreachable"):
            await asked(server, trusted)
    assert server.requests == []
