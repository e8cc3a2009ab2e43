"""The settings of one deployment: a TOML file and the environment in, one frozen value or every problem out.

1. The environment wins over the file, and an option of the command line over both.
2. Every problem is one line that names the setting, where it may be set, and what to write; all are told at
   once.
3. Secrets are not in any `repr`, message or log line.
"""

import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from runtime.settings.keys import FILE_NAME, Key, SettingsError, Table, is_e164, read_value, unknown_key
from runtime.settings.table import KEYS, NAMED, PROVIDER_VARIABLES

__all__ = ["Settings", "SettingsError", "Table", "is_loopback", "is_loopback_url", "load", "load_tables"]

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the server listens. Port 0 takes any free port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Model:
    """The speech model. `voice` None: the voice each flow names."""

    base_url: str
    api_key: str = field(repr=False)
    name: str
    transcription: str
    voice: str | None
    speech: str


@dataclass(frozen=True, slots=True)
class Telephony:
    """The telephone provider and what it signs with.

    `insecure` accepts unsigned requests, on loopback only.
    """

    provider: str
    audio: str | None
    auth_token: str = field(repr=False)
    previous_auth_token: str = field(repr=False)
    account: str | None
    fallback_number: str | None
    insecure: bool


@dataclass(frozen=True, slots=True)
class Dialling:
    """Calls we place. Hours are `HH:MM` where the phone rings; times are in milliseconds."""

    number: str | None
    secret: str | None = field(repr=False)
    space: str | None
    api_url: str | None
    consents: str
    do_not_call: str | None
    earliest: str
    latest: str
    ring_ms: int
    detect: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one server process. Times are in milliseconds."""

    calls: int
    start_ms: int
    drain_ms: int
    lag_ms: int
    hung_ms: int
    call_mb: int
    memory_mb: int
    number_per_hour: int
    calls_per_day: int


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days what calls leave is kept; 0: for ever. `calls_days`: all of it, index included."""

    calls_days: int
    records_days: int
    sound_days: int
    packages_days: int
    deeds_days: int


@dataclass(frozen=True, slots=True)
class Outbound:
    """Where requests to other systems may go (runtime/outbound)."""

    hosts: tuple[str, ...]
    private_hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    """Where callers outside the assistant's share go, and the limits of the guards. Rates are in percent."""

    human_number: str | None
    check_ms: int
    session_success_percent: int
    latency_p95_ms: int
    negative_percent: int
    handoff_rise_percent: int
    complaints_percent: int
    complaint_intents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a deployment decides.

    Tables by name (`facts`, `actions`, `handoffs`) are read by who carries them out.
    """

    public_url: str
    listen: Listen
    model: Model
    telephony: Telephony
    dialling: Dialling
    limits: Limits
    outbound: Outbound
    retention: Retention
    rollout: RolloutSettings
    store_url: str = field(repr=False)
    desk_token: str = field(repr=False)
    metrics_token: str = field(repr=False)
    privacy_key: str = field(repr=False)
    records: Path
    keep_sound: bool
    numbers: Mapping[str, str]
    facts: Mapping[str, Table]
    actions: Mapping[str, Table] = field(repr=False)
    handoffs: Mapping[str, Table] = field(repr=False)
    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    locales: Mapping[str, str] = field(default_factory=dict)


def load(
    file: Path | None, environment: Mapping[str, str], options: Mapping[str, Any] | None = None
) -> Settings:
    """The settings from a file (None: `vfc.toml` here, if there is one), the environment and command-line
    options.

    `options` are by path ("listen.port"); None leaves a setting alone. Raises SettingsError with every
    problem.
    """
    chosen = file or (Path(FILE_NAME) if Path(FILE_NAME).is_file() else None)
    table = _read_file(chosen) if chosen else {}
    problems = list(_unknown(table, chosen))
    values = _Values(
        problems, table, environment, {k: v for k, v in (options or {}).items() if v is not None}
    )
    settings = _build(values, chosen.parent if chosen else Path(), environment)
    problems += _contradictions(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def load_tables(file: Path) -> Table:
    """A settings file as plain tables, unread. Raises SettingsError for a file that cannot be."""
    return _read_file(file)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that host."""
    return host in _LOOPBACK


def is_loopback_url(url: str) -> bool:
    """Whether an address leads to this machine."""
    return is_loopback(urlsplit(url).hostname or "")


@dataclass(slots=True)
class _Values:
    problems: list[str]
    table: Table
    environment: Mapping[str, str]
    options: Mapping[str, Any]

    def get(self, path: str, *, required: bool = True) -> Any:
        """The value of a setting wherever it was set; what is missing or wrong becomes a problem and a
        blank.
        """
        key = self._key(path)
        return read_value(self.problems, key, self._raw(key), path, required=required)

    def _key(self, path: str) -> Key:
        """The setting, with the variable that the provider's own people call it by."""
        key = _BY_PATH[path]
        if path == "telephony.provider":
            return key
        named = PROVIDER_VARIABLES.get(str(self._raw(_BY_PATH["telephony.provider"])), {})
        return replace(key, environment=named.get(path, key.environment))

    def _raw(self, key: Key) -> Any:
        if key.path in self.options:
            return self.options[key.path]
        if key.environment and self.environment.get(key.environment, "") != "":
            return self.environment[key.environment]
        found: Any = self.table
        for part in key.path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return key.default if found is None else found


PROJECT: Final = "project"  # the compiler's table: which flows there are, and what is asked of them
_BY_PATH: Final = {key.path: key for key in KEYS}


def _read_file(file: Path) -> Table:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError([f"the settings file {file} cannot be read: {error.strerror}."]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"the settings file {file} is not UTF-8 text."]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"the settings file {file} is not TOML: {error}."]) from None
    except (RecursionError, ValueError):  # a number of more digits than Python reads is a ValueError
        raise SettingsError([f"the settings file {file}: too much is nested or too long in it."]) from None


def _unknown(table: Table, file: Path | None) -> Iterable[str]:
    """A line for each key of the file that is no setting."""
    sections = {path.partition(".")[0] for path in _BY_PATH if "." in path}
    known = {*_BY_PATH, *sections, *NAMED}
    for name, value in table.items():
        if name == PROJECT:
            continue
        if name in NAMED or name in sections:
            if not isinstance(value, Mapping):
                yield f"{name} must be a table: write [{name}] in {FILE_NAME}."
            elif name in sections:
                yield from (
                    unknown_key(f"{name}.{odd}", known, f"{name}.{odd}")
                    for odd in value
                    if f"{name}.{odd}" not in _BY_PATH
                )
        elif name not in _BY_PATH:
            yield unknown_key(name, known, name)


def _build(values: _Values, folder: Path, environment: Mapping[str, str]) -> Settings:
    get = values.get
    insecure = get("telephony.insecure")
    model_url = get("model.base_url")
    local_model = is_loopback_url(model_url)
    return Settings(
        public_url=get("public_url", required=not insecure),
        listen=Listen(get("listen.host"), get("listen.port")),
        model=Model(
            base_url=model_url,
            # A stand-in on this machine asks for no key, but its clients insist on sending one.
            api_key=get("model.api_key", required=not local_model) or ("stand-in" if local_model else ""),
            name=get("model.name"),
            transcription=get("model.transcription"),
            voice=get("model.voice"),
            speech=get("model.speech"),
        ),
        telephony=Telephony(
            provider=get("telephony.provider"),
            audio=get("telephony.audio"),
            auth_token=get("telephony.auth_token", required=not insecure),
            previous_auth_token=get("telephony.previous_auth_token") or "",
            account=get("telephony.account"),
            fallback_number=get("telephony.fallback_number"),
            insecure=insecure,
        ),
        dialling=Dialling(**{one.name: get(f"dialling.{one.name}") for one in fields(Dialling)}),
        limits=Limits(**{one.name: get(f"limits.{one.name}") for one in fields(Limits)}),
        outbound=Outbound(get("outbound.hosts"), get("outbound.private_hosts")),
        retention=Retention(**{one.name: get(f"retention.{one.name}") for one in fields(Retention)}),
        rollout=RolloutSettings(**{one.name: get(f"rollout.{one.name}") for one in fields(RolloutSettings)}),
        store_url=get("store.url") or "",
        desk_token=get("desk.token") or "",
        privacy_key=get("privacy.key") or secrets.token_hex(16),
        metrics_token=get("metrics.token") or "",
        records=folder / get("records"),
        keep_sound=get("keep_sound"),
        numbers=_numbers(values),
        locales=_locales(values),
        facts=_tables(values, "facts"),
        actions=_tables(values, "actions"),
        handoffs=_tables(values, "handoffs"),
        folder=folder,
        environment=environment,
    )


def _numbers(values: _Values) -> dict[str, str]:
    numbers = {}
    for number, flow in _table(values, "numbers").items():
        if not is_e164(number) or not isinstance(flow, str):
            values.problems.append(
                f"numbers.{number} must give a flow to a number:"
                ' write "+15005550001" = "the-flow" under [numbers].'
            )
        else:
            numbers[number] = flow
    return numbers


def _locales(values: _Values) -> dict[str, str]:
    """The locale in which calls to a number, or of a flow, are held."""
    locales = {}
    for key, tag in _table(values, "locales").items():
        if not isinstance(tag, str) or not tag.strip():
            values.problems.append(
                f"locales.{key} must give a locale to a number or a flow:"
                f' write "{key}" = "es-MX" under [locales].'
            )
        else:
            locales[key] = tag
    return locales


def _tables(values: _Values, name: str) -> dict[str, Table]:
    tables = {}
    for key, table in _table(values, name).items():
        if not isinstance(table, Mapping):
            values.problems.append(f"{name}.{key} must be a table: write [{name}.{key}] in {FILE_NAME}.")
        else:
            tables[key] = table
    return tables


def _table(values: _Values, name: str) -> Table:
    table = values.table.get(name, {})
    return table if isinstance(table, Mapping) else {}


def _contradictions(settings: Settings) -> Iterable[str]:
    """Settings that are each right and cannot stand together."""
    host, url = settings.listen.host, settings.public_url
    if settings.telephony.insecure and not is_loopback(host):
        yield (
            "telephony.insecure takes unsigned requests on loopback only: "
            f"leave --insecure away, or set listen.host to 127.0.0.1, not {host!r}."
        )
    if url and not url.startswith("https:") and not is_loopback_url(url):
        secure = url.replace("http:", "https:", 1)
        yield f"public_url must start with https://, since media streams need TLS: write {secure}."
