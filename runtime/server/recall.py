"""Fetching a caller back while a person is still rung: by the provider's REST interface, where we may ask it.

Without an account, or when the interface does not do it, nothing is lost but time: the ring ends by itself,
and the caller comes back then.
"""

from __future__ import annotations

import secrets
import time
from typing import Final

import httpx2
import structlog

from runtime.server.calls import Calls, LiveCall
from runtime.settings import Settings
from runtime.telephony.base import Account, Provider

log = structlog.get_logger()

WITHIN_S: Final = 3.5
ATTEMPTS: Final = 2


async def fetch_back(calls: Calls, provider: Provider, live: LiveCall, document: str) -> bool:
    """Make the caller's leg obey `document` now; whether the provider said it would."""
    account = account_of(calls.settings)
    if not account.account or not account.secret:
        return False
    order = provider.replace_document(account, live.call.leg_id or live.call.call_id, document)
    base = calls.settings.dialling.api_url or provider.API_URL.format(space=account.space)
    async with httpx2.AsyncClient(timeout=WITHIN_S, trust_env=False) as http:
        for _ in range(ATTEMPTS):
            if not live.line.ringing:
                return False  # the caller is back, or gone: another document would only disturb
            headers = {
                "Authorization": provider.authorization(account, int(time.time()), secrets.token_hex(16)),
                "Content-Type": order.content_type,
            }
            try:
                answer = await http.request(
                    order.method, base + order.path, content=order.body, headers=headers
                )
            except httpx2.HTTPError:
                continue
            if answer.status_code < 300:
                return True
            log.warning("recall.refused", status=answer.status_code)
            return False
    log.warning("recall.unreachable", call_id=live.call.call_id)
    return False


def account_of(settings: Settings) -> Account:
    """Who we are to the provider's REST interface."""
    dialling, telephony = settings.dialling, settings.telephony
    return Account(telephony.account or "", dialling.secret or telephony.auth_token, dialling.space or "")
