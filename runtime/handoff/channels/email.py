"""A letter by SMTP: the package in words and as JSON. That the server takes it acknowledges it."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Final

from runtime.handoff.channels.base import WITHIN_S, Delivery, in_words
from runtime.handoff.package import check_package
from runtime.outbound import reach_of, refusal, secret
from runtime.ports import OutsideFailure
from runtime.settings import Settings
from runtime.settings.keys import (
    Key,
    SettingsError,
    Table,
    read_optional,
    read_options,
    read_text,
    read_whole,
)


def _read_tls(value: Any) -> str:
    if value not in ("starttls", "tls", "none"):
        raise ValueError("one of starttls, tls, none (which is for private hosts alone)")
    return str(value)


def _read_address(value: Any) -> str:
    text = read_text(value)
    name, at, host = text.partition("@")
    if not (name and at and host) or not text.isprintable() or any(one in text for one in ' ,;<>"'):
        raise ValueError('one address such as "desk@example.com"')
    return text


def _read_addresses(value: Any) -> tuple[str, ...]:
    given = value if isinstance(value, list) else [value]
    return tuple(_read_address(one) for one in given)


KEYS: Final = (
    Key("host", None, read_text, "the mail server, such as smtp.example.com"),
    Key("port", None, read_whole(1, 65535), "its port", 587),
    Key("tls", None, _read_tls, "how it is spoken to", "starttls"),
    Key("user", None, read_optional, "who signs in there", ""),
    Key("password", None, read_optional, "the password, by variable: env:NAME", "", secret=True),
    Key("sender", None, _read_address, "the address it is sent from"),
    Key("to", None, _read_addresses, "the address, or a list of them, it is sent to"),
)


@dataclass(frozen=True, slots=True)
class Email:
    """Implements Channel."""

    host: str
    port: int
    tls: str
    user: str
    password: str = field(repr=False)
    sender: str
    to: tuple[str, ...]
    lasting: bool = True

    async def deliver(self, delivery: Delivery) -> str:
        """Hand the letter to the server; its Message-ID is the receipt."""
        letter = self._letter(delivery)
        try:
            await asyncio.to_thread(self._send, letter)
        except smtplib.SMTPAuthenticationError:
            raise OutsideFailure("denied") from None
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused):
            raise OutsideFailure("refused") from None
        except (smtplib.SMTPException, ssl.SSLError):
            raise OutsideFailure("broken") from None
        except TimeoutError:
            raise OutsideFailure("timeout") from None
        except OSError:
            raise OutsideFailure("unreachable") from None
        return str(letter["Message-ID"])

    async def close(self) -> None:
        """Nothing is held."""

    def _letter(self, delivery: Delivery) -> EmailMessage:
        letter = EmailMessage()
        letter["From"], letter["To"] = self.sender, ", ".join(self.to)
        # Only our own words in the subject: what a caller said stays inside.
        letter["Subject"] = f"A caller for {delivery.handoff}"
        letter["Date"] = formatdate()
        # The same package is the same letter, however often it is sent.
        domain = self.sender.partition("@")[2]
        letter["Message-ID"] = f"<{delivery.handoff_id}.{delivery.call_id}.handoff@{domain}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(in_words(check_package(delivery.package), delivery.link))
        letter.add_attachment(
            delivery.content, maintype="application", subtype="json", filename="handoff.json"
        )
        return letter

    def _send(self, letter: EmailMessage) -> None:
        context = ssl.create_default_context()
        kind: Any = smtplib.SMTP_SSL if self.tls == "tls" else smtplib.SMTP
        given = {"context": context} if self.tls == "tls" else {}
        with kind(self.host, self.port, timeout=WITHIN_S, **given) as server:
            if self.tls == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
            server.send_message(letter)


def open_channel(place: str, table: Table, settings: Settings) -> Email:
    """A mail server by its settings. Raises SettingsError."""
    options = read_options(place, table, KEYS)
    password = secret(f"{place}.password", options["password"] or "", settings.environment)
    scheme = "http" if options["tls"] == "none" else "https"  # judged as an address would be
    why = refusal(reach_of(settings), f"{scheme}://{options['host']}:{options['port']}")
    if why is not None:
        raise SettingsError([f"{place}.host {why.replace('https://', 'TLS').replace('http://', 'no TLS')}."])
    options["user"] = options["user"] or ""
    return Email(**{**options, "password": password})
