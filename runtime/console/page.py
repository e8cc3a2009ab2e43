"""What every page of ours is served with: headers that let it load nothing from elsewhere, and its files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


def ours(request: Request) -> bool:
    """Whether a request comes from our own page: browsers say so; nothing else brings a cookie unasked."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def given(name: str, kind: str, package: str = "runtime.console") -> Callable[[Request], Awaitable[Response]]:
    """The address of one of a page's files."""

    async def answer(request: Request) -> Response:
        return Response(read(name, package), media_type=kind, headers=HEADERS)

    return answer


def read(name: str, package: str = "runtime.console") -> bytes:
    """A page's file as it lies in its package."""
    return files(package).joinpath(name).read_bytes()


async def body(request: Request, most: int) -> bytes:
    """The body of a request; an empty one instead of one that is longer than `most` bytes."""
    taken = bytearray()
    async for piece in request.stream():
        taken += piece
        if len(taken) > most:
            return b""
    return bytes(taken)
