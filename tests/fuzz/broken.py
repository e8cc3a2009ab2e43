"""Files broken by chance: what slips of the hand, merges, editors and strangers make of a good file.

Equal seeds give equal files.
"""

from collections.abc import Callable
from random import Random
from typing import Final

# What has broken readers before: signs of YAML, TOML, CSV, JSON and of our own language, and odd characters.
PIECES: Final = (
    *(
        "\t",
        "\n",
        "\r\n",
        "\r",
        " ",
        "  ",
        ": ",
        ":",
        "- ",
        "? ",
        "#",
        "|",
        ">",
        ">-\n",
        "|2-\n",
        "---\n",
        "...\n",
    ),
    *(
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        '"',
        '"""',
        "'''",
        "\\",
        "\\x",
        "\\u200b",
        "%",
        "@",
        "`",
        "!",
        "!!python/name:os",
    ),
    *(
        "&a ",
        "*a",
        "<<: ",
        "~",
        "null",
        "true",
        "no",
        "0x10",
        "1e999",
        "-0",
        ".inf",
        ".nan",
        "9" * 40,
        "1_000",
    ),
    *(
        "{{",
        "}}",
        "{company}",
        "{x",
        "{a.b}",
        "${x}",
        "slots.",
        "facts.x",
        "turn.number",
        " and ",
        "not ",
        "(",
        ")",
    ),
    *(
        "==",
        " in ['a']",
        "kind: ask",
        "go: ",
        "stay: true",
        "include: [flow.yaml]",
        "flow: message.yaml",
        "exits:",
    ),
    *(
        "\u200b",
        "\u202e",
        "\ufeff",
        "\x00",
        "\x1b[31m",
        "\x85",
        "\u2028",
        "é",
        "e\u0301",
        "漢",
        "🦷",
        "\U000e0041",
    ),
    *(
        "2024-13-45",
        "12:99",
        "+1202555",
        ";",
        '""',
        '"a\nb"',
        "=cmd()",
        "[project]",
        "[[a]]",
        "a.b.c = 1",
        "NaN",
    ),
)
WORDS: Final = (
    "nodes",
    "slots",
    "intents",
    "everywhere",
    "fallback",
    "handoffs",
    "actions",
    "start",
    "turns",
    "must",
)

Step = Callable[[Random, str], str]


def broken(rng: Random, text: str, others: tuple[str, ...] = ()) -> bytes:
    """A text with one to six things done to it; now and then bytes that are no text."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 6))):
        text = (
            rng.choice(_STEPS)(rng, text)
            if rng.random() < 0.93 or not others
            else _spliced(rng, text, others)
        )
        text = text[:400_000]
    content = text.encode("utf-8", "surrogatepass" if rng.random() < 0.02 else "replace")
    return _bytes(rng, content) if rng.random() < 0.05 else content


def _span(rng: Random, text: str, most: int = 200) -> tuple[int, int]:
    start = rng.randint(0, len(text))
    return start, min(len(text), start + rng.randint(0, most))


def _cut(rng: Random, text: str) -> str:
    start, end = _span(rng, text)
    return text[:start] + text[end:]


def _short(rng: Random, text: str) -> str:
    return text[: rng.randint(0, len(text))]


def _put(rng: Random, text: str) -> str:
    start, end = _span(rng, text, rng.choice((0, 0, 3)))
    return text[:start] + rng.choice(PIECES) * rng.choice((1, 1, 1, 3, 60)) + text[end:]


def _again(rng: Random, text: str) -> str:
    start, end = _span(rng, text, 600)
    return text[:end] + text[start:end] * rng.choice((1, 1, 2, 40)) + text[end:]


def _lines(rng: Random, text: str, do: Callable[[list[str]], None]) -> str:
    lines = text.split("\n")
    do(lines)
    return "\n".join(lines)


def _swapped(rng: Random, text: str) -> str:
    def swap(lines: list[str]) -> None:
        one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]

    return _lines(rng, text, swap)


def _indented(rng: Random, text: str) -> str:
    def indent(lines: list[str]) -> None:
        at, count = rng.randrange(len(lines)), rng.choice((1, 1, 2, 8))
        by = rng.choice((" ", "  ", "    ", "\t", ""))
        lines[at : at + count] = [by + (line if by else line.lstrip()) for line in lines[at : at + count]]

    return _lines(rng, text, indent)


def _repeated(rng: Random, text: str) -> str:
    def repeat(lines: list[str]) -> None:
        at = rng.randrange(len(lines))
        lines[at:at] = [lines[at]] * rng.choice((1, 1, 20, 2000))

    return _lines(rng, text, repeat)


def _other_value(rng: Random, text: str) -> str:
    """The value of one line under the key of another."""

    def give(lines: list[str]) -> None:
        at = rng.randrange(len(lines))
        key, colon, _ = lines[at].partition(":")
        if colon:
            lines[at] = f"{key}: {rng.choice(lines).partition(':')[2].strip() or rng.choice(WORDS)}"

    return _lines(rng, text, give)


def _slip(rng: Random, text: str) -> str:
    """A letter missing, doubled or another one."""
    if not text:
        return text
    at = rng.randrange(len(text))
    return (
        text[:at]
        + rng.choice(("", text[at] * 2, chr(rng.choice((33, 97, 122, 233, 0x202E)))))
        + text[at + 1 :]
    )


def _deep(rng: Random, text: str) -> str:
    start, _ = _span(rng, text, 0)
    sign = rng.choice(("[", "{a: ", "- ", "(", "{", "not ", "[["))
    return text[:start] + sign * rng.choice((20, 90, 3_000)) + text[start:]


def _long(rng: Random, text: str) -> str:
    start, _ = _span(rng, text, 0)
    return text[:start] + rng.choice(PIECES) * rng.choice((300, 9_000)) + text[start:]


def _spliced(rng: Random, text: str, others: tuple[str, ...]) -> str:
    other = rng.choice(others)
    start, end = _span(rng, other, 2_000)
    at = rng.randint(0, len(text))
    return text[:at] + other[start:end] + text[at:]


def _bytes(rng: Random, content: bytes) -> bytes:
    at = rng.randint(0, len(content))
    return content[:at] + rng.randbytes(rng.choice((1, 1, 40))) + content[at:]


_STEPS: Final[tuple[Step, ...]] = (
    *(_cut, _short, _put, _put, _put, _again, _swapped, _indented, _indented, _repeated),
    *(_other_value, _other_value, _slip, _slip, _deep, _long),
)
