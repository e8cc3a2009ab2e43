"""Which texts of a flow a translator translates, each under a key that its path makes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from voiceflow_compiler.diagnostics import Path

Said = str | tuple[str, ...]

# Texts that a caller hears, or that are compared with what a caller says.
_SPOKEN: Final = frozenset({"say", "sample", "while_waiting", "while_checking", "while_ringing", "hold"})
# Texts that only the model reads.
_TOLD: Final = frozenset({"convey"})
_LINES: Final = ("nodes", "everywhere", "fallback", "handoffs")
_LISTED: Final = {"intents": ("examples",), "actions": ("promises",), "handoffs": ("promises",)}
_WORDS: Final = {"intents": ("means",), "slots": ("meaning",), "actions": ("does",)}


@dataclass(frozen=True, slots=True)
class Text:
    """One text: where it stands, what it says, and whether a caller hears it. A list of sentences is one."""

    path: Path
    said: Said
    spoken: bool

    @property
    def key(self) -> str:
        """Its name in a locale's file."""
        return ".".join(map(str, self.path))


def texts(data: Any) -> dict[str, Text]:
    """The texts of a flow by key, in the order of its parts. `data` has its subflows in it."""
    return {text.key: text for text in _all(data)}


def _all(data: Any) -> Iterator[Text]:
    yield from _one(data, ("purpose",), spoken=True)
    yield from _one(data, ("style",), spoken=False)
    yield from _listed(data, ("knowledge",), spoken=False)
    fields = _map(_map(data, "caller_facts"), "fields")
    compared = " ".join(_conditions(data))
    for name, fact in fields.items():
        # a value that conditions compare, or that names the locale, is a word of the flow's, and no text
        word = f"facts.{name}" in compared or name == _map(data, "caller_facts").get("locale")
        if _map(fields, name).get("type") == "text" and not word:
            yield from _one(fact, ("caller_facts", "fields", name, "otherwise"), spoken=True)
    for name, slot in _map(data, "slots").items():
        yield from _slot(slot, ("slots", name))
    for section, keys in _WORDS.items():
        for name, part in _map(data, section).items():
            for key in keys:
                yield from _one(part, (section, name, key), spoken=False)
    for section, keys in _LISTED.items():
        for name, part in _map(data, section).items():
            for key in keys:
                yield from _listed(part, (section, name, key), spoken=True)
    for section in _LINES:
        yield from _lines(_map(data, section), (section,))


def _conditions(value: Any) -> Iterator[str]:
    """Every condition anywhere in a flow."""
    if isinstance(value, dict):
        yield from (each for key, each in value.items() if key in ("if", "when") and isinstance(each, str))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _conditions(each)


def _slot(slot: Any, path: Path) -> Iterator[Text]:
    yield from _one(slot, (*path, "sample"), spoken=True)
    yield from _listed(slot, (*path, "examples"), spoken=True)
    choices = slot.get("choices") if isinstance(slot, dict) else None
    if isinstance(choices, dict):
        for choice, phrases in choices.items():
            named = tuple(each for each in phrases or () if isinstance(each, str))
            yield Text((*path, "choices", choice), named or (choice.replace("_", " "),), spoken=True)
    elif isinstance(choices, list):
        for choice in choices:
            if isinstance(choice, str):
                yield Text((*path, "choices", choice), (choice.replace("_", " "),), spoken=True)


def _lines(value: Any, path: Path) -> Iterator[Text]:
    """Every line below a part, however deep it stands."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if isinstance(inner, str) and key in _SPOKEN | _TOLD and len(path) > 1:
            if inner:
                yield Text((*path, key), inner, spoken=key in _SPOKEN)
        elif key not in ("promises", "package", "collect"):
            yield from _lines(inner, (*path, key))


def _one(part: Any, path: Path, *, spoken: bool) -> Iterator[Text]:
    said = part.get(path[-1]) if isinstance(part, dict) else None
    if isinstance(said, str) and said:
        yield Text(path, said, spoken)


def _listed(part: Any, path: Path, *, spoken: bool) -> Iterator[Text]:
    said = part.get(path[-1]) if isinstance(part, dict) else None
    listed = tuple(each for each in said if isinstance(each, str)) if isinstance(said, list) else ()
    if listed:
        yield Text(path, listed, spoken)


def _map(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
