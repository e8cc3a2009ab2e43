"""Where people are, as the settings say: whom to ring in what order, when, and how a package reaches them.

Neither the model nor the caller can name a number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.handoff.channels import CHANNELS, Channel
from runtime.handoff.hours import WRITE, Hours, read_days, read_spans, read_zone
from runtime.outbound import KEYS as HTTP_KEYS
from runtime.settings import Settings
from runtime.settings.keys import (
    Key,
    SettingsError,
    Table,
    read_number,
    read_optional,
    read_options,
    read_url,
    read_whole,
    read_yes,
    unknown_key,
)
from runtime.telephony import PROVIDERS

MOST_NUMBERS: Final = 5
ALWAYS: Final = Hours()


def _read_number(value: Any) -> str | None:
    return read_number(value) if value else None


def _read_numbers(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > MOST_NUMBERS:
        raise ValueError(f'a list of at most {MOST_NUMBERS} numbers such as ["+15005550006", "+15005550009"]')
    return tuple(read_number(one) for one in value)


def _read_webhook(value: Any) -> str | None:
    return read_url("https", "http")(value) if value else None


def _read_channels(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(one, Mapping) for one in value.values()):
        raise ValueError("a table of channels by name")
    return dict(value)


KEYS: Final = (
    Key("number", None, _read_number, 'the number to ring, or a "sip:" address', ""),
    Key("numbers", None, _read_numbers, "the numbers to ring, one after the other", ()),
    Key("open", None, read_spans, WRITE, ()),
    Key("time_zone", None, read_zone, 'the time zone of the hours, such as "America/New_York"', ""),
    Key("closed_on", None, read_days, 'days without hours, such as ["2026-12-25"]', ()),
    Key("least_talk_ms", None, read_whole(0, 60_000), "milliseconds from 0 to 60000", 15_000),
    Key("detect_machines", None, read_yes, "true has the network judge whether a machine picked up", False),
    Key("refer", None, read_yes, "true sends callers who came by SIP on (REFER); cold handoffs only", False),
    Key("webhook", None, _read_webhook, "an address the package is posted to", ""),
    Key("secret", None, read_optional, "what the webhook is signed with: env:NAME", "", secret=True),
    *(key for key in HTTP_KEYS if key.path == "headers"),
    Key("channels", None, _read_channels, "tables of channels", {}, secret=True),
)


@dataclass(frozen=True, slots=True)
class Way:
    """One channel of a handoff. `required`: without its acknowledgement nothing is promised."""

    name: str
    channel: Channel
    required: bool = True


@dataclass(frozen=True, slots=True)
class Destination:
    """One handoff's people: whom to ring, when they are there, and where the package goes."""

    numbers: tuple[str, ...] = field(repr=False)
    hours: Hours = ALWAYS
    ways: tuple[Way, ...] = ()
    least_talk_ms: int = 0
    detect: bool = False
    refer: bool = False

    async def close(self) -> None:
        """Let go of every connection."""
        for way in self.ways:
            await way.channel.close()


def open_destinations(handoffs: Mapping[str, Any], settings: Settings) -> dict[str, Destination]:
    """The destination of each handoff of a flow, by the settings. Raises SettingsError with every problem."""
    problems: list[str] = []
    found = {}
    for name, handoff in handoffs.items():
        try:
            found[name] = _destination(f"handoffs.{name}", settings.handoffs.get(name, {}), settings)
            problems += _refer_problems(f"handoffs.{name}", handoff, found[name], settings)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return found


def _destination(place: str, table: Table, settings: Settings) -> Destination:
    options = read_options(place, table, KEYS)
    numbers = tuple(dict.fromkeys(([options["number"]] if options["number"] else []) + [*options["numbers"]]))
    if options["open"] and options["time_zone"] is None:
        raise SettingsError([f"{place}.time_zone is missing: say whose clock `open` goes by."])
    return Destination(
        numbers,
        Hours(options["open"], options["time_zone"], frozenset(options["closed_on"])),
        tuple(_ways(place, options, settings)),
        least_talk_ms=options["least_talk_ms"],
        detect=options["detect_machines"],
        refer=options["refer"],
    )


def _refer_problems(place: str, handoff: Any, destination: Destination, settings: Settings) -> list[str]:
    """A caller who is sent on by SIP cannot come back, and nobody is told of them before."""
    if not destination.refer:
        return []
    problems = []
    if getattr(handoff, "mode", "cold") != "cold":
        problems.append(f"{place}.refer: the flow hands over warm, which REFER cannot: leave it away.")
    if not all(number.startswith("sip:") for number in destination.numbers):
        problems.append(f'{place}.refer: callers are sent to a SIP address: write `number = "sip:…"`.')
    provider = PROVIDERS.get(settings.telephony.provider)
    if provider and not provider.REFERS:
        problems.append(f"{place}.refer: {settings.telephony.provider} has no REFER: leave it away.")
    return problems


def _ways(place: str, options: Mapping[str, Any], settings: Settings) -> list[Way]:
    problems: list[str] = []
    found = []
    for name, table in _tables(options).items():
        where = f"{place}.channels.{name}" if name in options["channels"] else place
        kind = table.get("kind", name)
        if kind not in CHANNELS:
            problems.append(f"{unknown_key(f'{where}.kind: {kind}', CHANNELS, str(kind))}"[:200])
            continue
        rest = {key: value for key, value in table.items() if key not in ("kind", "required")}
        try:
            required = read_yes(table.get("required", False))
            found.append(Way(name, CHANNELS[kind](where, rest, settings), required))
        except SettingsError as error:
            problems += error.problems
        except ValueError as wrong:
            problems.append(f"{where}.required must be {wrong}.")
    if problems:
        raise SettingsError(problems)
    return found


def _tables(options: Mapping[str, Any]) -> dict[str, Table]:
    """Every channel's table; `webhook` beside the number is the short form of a required one."""
    short: dict[str, Table] = {}
    if options["webhook"]:
        given = {"url": options["webhook"], "headers": options["headers"], "required": True}
        short["webhook"] = {**given, **({"secret": options["secret"]} if options["secret"] else {})}
    return {**short, **options["channels"]}
