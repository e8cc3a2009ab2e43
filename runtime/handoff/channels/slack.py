"""A message to a chat room by a Slack-compatible webhook: the package in words, as plain text."""

from dataclasses import dataclass
from typing import Final

from runtime.handoff.channels.base import WITHIN_S, Delivery, in_words
from runtime.handoff.package import check_package
from runtime.outbound import Endpoint, Question, exchange, open_endpoint, reach_of, secret
from runtime.settings import Settings
from runtime.settings.keys import Key, Table, read_options, read_text

MOST: Final = 12_000  # characters of one message; Slack cuts at 40,000
KEYS: Final = (
    Key(
        "url", None, read_text, "the address of the incoming webhook, best by variable: env:NAME", secret=True
    ),
)


@dataclass(frozen=True, slots=True)
class Slack:
    """Implements Channel."""

    endpoint: Endpoint
    lasting: bool = True

    async def deliver(self, delivery: Delivery) -> str:
        """Post the message; there is no receipt but the success."""
        text = in_words(check_package(delivery.package), delivery.link)[:MOST]
        # Angle brackets would make links and mentions out of a caller's words.
        plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        question = Question("POST", self.endpoint.url, content={"text": plain, "mrkdwn": False})
        (await exchange(self.endpoint.client, question, WITHIN_S)).require_success()
        return ""

    async def close(self) -> None:
        """Let go of the connection."""
        await self.endpoint.client.aclose()


def open_channel(place: str, table: Table, settings: Settings) -> Slack:
    """A chat room by its settings. Raises SettingsError."""
    options = read_options(place, table, KEYS)
    url = secret(f"{place}.url", options["url"], settings.environment)
    return Slack(open_endpoint(f"{place}.url", url, "POST", {}, reach_of(settings)))
