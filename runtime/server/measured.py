"""The page of numbers: who may read it, and what it is answered with.

With a token whoever sends it may read them. Without one only this machine may, and only where the server's
public address is this machine's too: behind a proxy every request comes from the proxy's own address.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runtime.alerts import Alerts
from runtime.metrics import TEXT
from runtime.server.place import Place
from runtime.settings import is_loopback, is_loopback_url


@dataclass(frozen=True, slots=True)
class Measured:
    """`GET /metrics`, for those who may."""

    alerts: Alerts
    place: Place
    token: str = field(repr=False)

    def route(self) -> Route:
        return Route("/metrics", self.page, methods=["GET"])

    async def page(self, request: Request) -> Response:
        """The numbers, or 404: nobody else need know that there are any."""
        if not self._may(request):
            self.alerts("security.page_refused", detail="metrics")
            return PlainTextResponse("Not Found", status_code=404)
        return Response(self.alerts.metrics.text(), media_type=TEXT)

    def _may(self, request: Request) -> bool:
        if self.token:
            sent = request.headers.get("authorization", "").encode()
            return hmac.compare_digest(sent, f"Bearer {self.token}".encode())
        here = request.client is not None and is_loopback(request.client.host)
        return here and is_loopback_url(self.place.public_url)
