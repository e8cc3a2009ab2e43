"""Where a request may go, decided twice: when its address is read, and when a connection is made.

Laws
1. A name is resolved once for a connection, every address it has is judged, and the connection goes to one of
   those that were judged. TLS still asks for the certificate of the name.
2. Only addresses of the open internet are reached. A host of `outbound.private_hosts` may be private or this
   machine; link-local addresses and the places where clouds keep their machines' secrets are never reached.
3. Plain http is for private hosts. No redirect is followed and no proxy of the environment is asked, since
   either would take the decision out of our hands.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore2
import httpx2

from runtime.ports import OutsideFailure
from runtime.settings import Settings

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
)
_ODD: Final = re.compile(r"[^\x21-\x7e]|[\\<>\"^`|]")
_METADATA: Final = frozenset(
    ip_address(text) for text in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_THIS_NETWORK: Final = ip_network("0.0.0.0/8")


@dataclass(frozen=True, slots=True)
class Reach:
    """Where requests may go. `hosts` empty: wherever the settings name; else only these and the private."""

    hosts: frozenset[str] = frozenset()
    private_hosts: frozenset[str] = frozenset()


def reach_of(settings: Settings) -> Reach:
    """What the settings allow."""
    outbound = settings.outbound
    return Reach(frozenset(outbound.hosts), frozenset(outbound.private_hosts))


def refusal(reach: Reach, url: str) -> str | None:
    """Why this address may not be asked, in words for an operator; None when it may."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is no address"
    if _ODD.search(url) or "@" in parts.netloc or port == 0:
        return "holds characters, a name or a port that no address needs"
    if parts.scheme not in ("https", "http"):
        return "must start with https://"
    if not _is_plain(host):
        return "must name its host plainly: a name, or an address in its usual form"
    if reach.hosts and host not in reach.hosts | reach.private_hosts:
        return f"leads to {host}, which is not in outbound.hosts"
    private = host in reach.private_hosts
    if parts.scheme == "http" and not private:
        return f"must start with https://, or {host} must be in outbound.private_hosts"
    if _is_address(host) and not allowed(host, private=private):
        return f"leads to {host}, which is private: list it in outbound.private_hosts, if it may be reached"
    return None


def allowed(address: str, *, private: bool) -> bool:
    """Whether an address may be connected to; `private`: its host is one of the private ones."""
    found = _plainest(ip_address(address.partition("%")[0]))
    if found in _METADATA or found in _THIS_NETWORK:
        return False
    if found.is_link_local or found.is_multicast or found.is_unspecified:
        return False
    return found.is_global or (private and (found.is_private or found.is_loopback))


def _plainest(address: Address) -> Address:
    """The IPv4 address an IPv6 one stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    compatible = IPv4Address(int(address)) if 1 < int(address) < 2**32 else None
    return address.ipv4_mapped or address.sixtofour or teredo or compatible or address


def _is_plain(host: str) -> bool:
    """A DNS name that is no number in disguise (127.1, 0x7f000001, 2130706433), or a whole address."""
    return _is_address(host) or _NAME.fullmatch(host) is not None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


# --- connections ---


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, by the system's resolver. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Pinned(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were judged, and to nothing else."""

    def __init__(self, reach: Reach, resolver: Resolve) -> None:
        self._reach, self._resolve = reach, resolver
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await self._judged(host.strip("[]").lower(), port)
        failure: Exception = httpcore2.ConnectError("no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _judged(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except OSError:
            raise httpcore2.ConnectError("no such host") from None
        private = host in self._reach.private_hosts
        # One bad address among good ones is a name that somebody bends: none of them is trusted.
        if not all(allowed(address, private=private) for address in addresses):
            raise OutsideFailure("forbidden")
        return addresses

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise OutsideFailure("forbidden")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Transport(httpx2.AsyncBaseTransport):
    """httpx2's transport over a pool of pinned connections; each request's address is judged again."""

    def __init__(self, reach: Reach, resolver: Resolve, tls: ssl.SSLContext | None) -> None:
        self._reach = reach
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls or _tls(),
            max_connections=50,
            max_keepalive_connections=10,
            keepalive_expiry=30.0,
            network_backend=_Pinned(reach, resolver),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        if refusal(self._reach, str(url)) is not None:
            raise OutsideFailure("forbidden")
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        try:
            answer = await self._pool.handle_async_request(
                httpcore2.Request(
                    method=request.method,
                    url=target,
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.PoolTimeout) as error:
            raise httpx2.ConnectError(type(error).__name__, request=request) from None
        except _BROKEN as error:
            raise httpx2.ReadError(type(error).__name__, request=request) from None
        return httpx2.Response(
            status_code=answer.status, headers=answer.headers, stream=_Stream(answer.stream)
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


_BROKEN: Final = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError)


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, inner: Any) -> None:
        self._inner: AsyncIterable[bytes] = inner

    async def __aiter__(self) -> Any:
        try:
            async for piece in self._inner:
                yield piece
        except _BROKEN as error:
            raise httpx2.ReadError(type(error).__name__) from None

    async def aclose(self) -> None:
        close = getattr(self._inner, "aclose", None)
        if close is not None:
            await close()


def open_client(
    reach: Reach, *, resolver: Resolve = resolve, tls: ssl.SSLContext | None = None
) -> httpx2.AsyncClient:
    """A client that reaches only what it may. Raises OutsideFailure("forbidden") from its requests. `tls`:
    whom it trusts, if not the machine's own authorities.
    """
    return httpx2.AsyncClient(
        transport=_Transport(reach, resolver, tls), trust_env=False, follow_redirects=False, timeout=None
    )


@cache
def _tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context(trust_env=True)  # SSL_CERT_FILE and SSL_CERT_DIR, as everywhere
