"""How one setting is read: its place, its reader, and the line an operator reads when it is missing or
wrong.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

FILE_NAME: Final = "vfc.toml"
_E164: Final = re.compile(r"\+[1-9][0-9]{4,14}")

_YES_OR_NO: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

Table = Mapping[str, Any]


class SettingsError(Exception):
    """Settings nobody can run with.

    `problems` are whole lines for the operator, without values of secrets.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its place in the file, its variable, how it is read, and what to write.

    Default None: required.
    """

    path: str
    environment: str | None
    read: Callable[[Any], Any]
    write: str
    default: Any = None
    secret: bool = False


def read_text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value.strip()


def read_optional(value: Any) -> str | None:
    return read_text(value) if value not in ("", None) else None


def read_token(value: Any) -> str:
    """A secret people enter: long enough that nobody guesses it. "" for none."""
    text = "" if value == "" else read_text(value)
    if text and (len(text) < 16 or not text.isprintable()):
        raise ValueError("at least 16 characters long")
    return text


def read_whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        text = str(value).strip()
        if (
            isinstance(value, bool)
            or not text.isascii()
            or not text.isdigit()
            or not low <= int(text) <= high
        ):
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return read


def read_hour(value: Any) -> str:
    """An hour of the day, `HH:MM`."""
    if not isinstance(value, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value.strip()):
        raise ValueError('an hour like "08:00"')
    return value.strip()


def read_yes(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value) not in _YES_OR_NO:
        raise ValueError("true or false")
    return _YES_OR_NO[str(value)]


def read_hosts(value: Any) -> tuple[str, ...]:
    """Host names: a list in the file, a text with commas in the environment."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError('a list of hosts such as ["crm.example.com"]')
    found = tuple(name.strip().strip("[]").lower() for name in names if name.strip())
    if not all(re.fullmatch(r"[a-z0-9._:-]+", name) for name in found):
        raise ValueError('a list of hosts such as ["crm.example.com"], without scheme, port or path')
    return found


def read_names(value: Any) -> tuple[str, ...]:
    """Names of a flow's own: a list in the file."""
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) and name for name in value):
        raise ValueError('a list of names such as ["complains"]')
    return tuple(value)


def read_url(*schemes: str) -> Callable[[Any], str]:
    """A reader of addresses with one of these schemes, a host, and no name, password, query or fragment in
    them.
    """

    def read(value: Any) -> str:
        kind = "a whole address that starts with " + " or ".join(f"{scheme}://" for scheme in schemes)
        try:
            parts = urlsplit(read_text(value))
            bad = parts.scheme not in schemes or not parts.hostname or bool(parts.username or parts.query)
            bad = bad or bool(parts.fragment) or parts.port == 0
        except ValueError:
            raise ValueError(kind) from None
        if bad:
            raise ValueError(kind)
        return parts.geturl().rstrip("/")

    return read


def is_e164(text: str) -> bool:
    """Whether a telephone number is whole: a plus sign, its country, at most fifteen digits."""
    return _E164.fullmatch(text) is not None


def read_number(value: Any) -> str:
    """A telephone number with its country (`+15005550006`), or a `sip:` address."""
    text = read_text(value)
    if not is_e164(text) and not re.fullmatch(r"sip:[^\s<>\"]{3,200}", text):
        raise ValueError('a number like "+15005550006", or a "sip:" address')
    return text


def read_optional_number(value: Any) -> str | None:
    return read_number(value) if value not in ("", None) else None


def read_options(name: str, table: Table, keys: Iterable[Key]) -> dict[str, Any]:
    """The options of one named table (`facts.crm`) by its own keys.

    Raises SettingsError with every problem.
    """
    known = {key.path: key for key in keys}
    problems = [unknown_key(f"{name}.{odd}", known, odd) for odd in table if odd not in known]
    values = {}
    for key in known.values():
        values[key.path] = read_value(problems, key, table.get(key.path, key.default), f"{name}.{key.path}")
    if problems:
        raise SettingsError(problems)
    return values


def read_value(problems: list[str], key: Key, raw: Any, name: str, *, required: bool = True) -> Any:
    if raw is None:
        if required:
            problems.append(f"{name} is missing: set {_where(key, name)} to {key.write}.")
        return ""
    try:
        return key.read(raw)
    except ValueError as wrong:
        shown = "" if key.secret else f", not {_shorten(raw)}"
        problems.append(f"{name} must be {wrong}{shown}: set {_where(key, name)} to {key.write}.")
        return key.default if key.default is not None else ""


def _shorten(raw: Any) -> str:
    text = repr(raw)
    return text if len(text) <= 60 else text[:57] + "..."


def _where(key: Key, name: str) -> str:
    """Where a setting may be set, in words: the variable, the table and its key."""
    table, _, last = name.rpartition(".")
    in_file = f"`{last}` under [{table}] in {FILE_NAME}" if table else f"`{last}` in {FILE_NAME}"
    return f"the environment variable {key.environment} or {in_file}" if key.environment else in_file


def unknown_key(name: str, known: Iterable[str], odd: str) -> str:
    near = difflib.get_close_matches(odd, list(known), n=1)
    return f"{name} is no setting{f': did you mean {near[0]}?' if near else '.'}"
