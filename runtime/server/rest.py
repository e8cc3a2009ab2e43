"""Orders to the provider's REST interface, by the account of the settings.

A request is given a bounded time. One whose answer never came may have been obeyed all the same: whoever asks
again must bear that it is done twice.
"""

from __future__ import annotations

import secrets
import time
from typing import Final, Literal

import httpx2
import structlog

from runtime.settings import Settings
from runtime.telephony.base import Account, HttpOrder, Provider

log = structlog.get_logger()

WITHIN_S: Final = 2.5
ATTEMPTS: Final = 2
TRANSIENT: Final = frozenset({408, 425, 429})


class RestFailed(Exception):
    """The interface did not do it. `why`: unsure (it may have been done), busy (ask again), refused."""

    def __init__(self, why: Literal["unsure", "busy", "refused"], status: int = 0) -> None:
        super().__init__(why)
        self.why, self.status = why, status


class Rest:
    """One deployment's way to the interface. `transport`: how requests are carried, for whoever plays it."""

    def __init__(
        self, settings: Settings, provider: Provider, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self.account = account_of(settings)
        self.provider = provider
        has_secret = bool(settings.dialling.secret) or provider.SIGNS_WITH_ACCOUNT
        self.usable = bool(self.account.account and self.account.secret and has_secret)
        self._base = settings.dialling.api_url or provider.API_URL.format(space=self.account.space)
        self._http = httpx2.AsyncClient(trust_env=False, transport=transport)

    async def send(self, order: HttpOrder, within_s: float = WITHIN_S) -> bytes:
        """Have an order carried out once; the body of the answer. Raises RestFailed."""
        try:
            headers = {"Authorization": self._authorization(), "Content-Type": order.content_type}
            answer = await self._http.request(
                order.method, self._base + order.path, content=order.body, headers=headers, timeout=within_s
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise RestFailed("busy") from None
        except httpx2.HTTPError:
            raise RestFailed("unsure") from None
        except (ImportError, ValueError):  # no library, or no key, to sign with
            log.error("rest.cannot_sign", alert=True)
            raise RestFailed("refused", 401) from None
        if answer.status_code < 300:
            return answer.content
        log.info("rest.refused", status=answer.status_code)
        if answer.status_code in TRANSIENT:
            raise RestFailed("busy", answer.status_code)
        raise RestFailed("unsure" if answer.status_code >= 500 else "refused", answer.status_code)

    async def insist(self, order: HttpOrder, attempts: int = ATTEMPTS) -> bytes:
        """The same, asked again while there is hope. Only for what may be done twice. Raises RestFailed."""
        for left in reversed(range(attempts)):
            try:
                return await self.send(order)
            except RestFailed as failure:
                if failure.why == "refused" or not left:
                    raise
        raise AssertionError("unreachable")

    async def try_to(self, order: HttpOrder, attempts: int = ATTEMPTS) -> bool:
        """The same; whether it was done."""
        try:
            await self.insist(order, attempts)
        except RestFailed:
            return False
        return True

    async def aclose(self) -> None:
        """Let go of every connection."""
        await self._http.aclose()

    def _authorization(self) -> str:
        return self.provider.authorization(self.account, int(time.time()), secrets.token_hex(16))


def account_of(settings: Settings) -> Account:
    """Who we are to the provider's REST interface."""
    dialling, telephony = settings.dialling, settings.telephony
    return Account(telephony.account or "", dialling.secret or telephony.auth_token, dialling.space or "")
