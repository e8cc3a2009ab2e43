"""Where a cursor stands in text that need not be YAML."""

import pytest

from voiceflow_compiler.lsp.cursor import cursor
from voiceflow_compiler.lsp.text import Text


def at(text: str):
    """The cursor at the bar in a text."""
    before = text.index("|>") if "|>" in text else text.index("¦")
    lines = text[:before].split("\n")
    return cursor(Text(text.replace("¦", "")), len(lines) - 1, len(lines[-1]))


@pytest.mark.parametrize(
    ("text", "path", "where", "typed"),
    [
        ("sta¦", (), "key", "sta"),
        ("¦", (), "key", ""),
        ("start: te¦", ("start",), "value", "te"),
        ("nodes:\n  te¦", ("nodes",), "key", "te"),
        ("nodes:\n  team:\n    ki¦", ("nodes", "team"), "key", "ki"),
        ("nodes:\n  team:\n    kind: ask\n    ¦", ("nodes", "team"), "key", ""),
        ("nodes:\n  team:\n    kind: ask\n  ¦", ("nodes",), "key", ""),
        ("nodes:\n  team:\n    kind: a¦", ("nodes", "team", "kind"), "value", "a"),
        ("nodes:\n  team:\n    on:\n      yes: {go: x}\n      agr¦", ("nodes", "team", "on"), "key", "agr"),
        (
            "nodes:\n  a: {kind: ask, on: {agreement: {go: pr¦",
            ("nodes", "a", "on", "agreement", "go"),
            "value",
            "pr",
        ),
        ("nodes:\n  a: {kind: ask, co¦", ("nodes", "a"), "key", "co"),
        ("nodes:\n  a:\n    collect: [x, te¦", ("nodes", "a", "collect", 1), "value", "te"),
        ("nodes:\n  a:\n    collect:\n      - x\n      - te¦", ("nodes", "a", "collect", 1), "key", "te"),
        ("nodes:\n  a:\n    collect:\n    - x\n    - te¦", ("nodes", "a", "collect", 1), "key", "te"),
        (
            'nodes:\n  a:\n    cases:\n      - {if: "slots.x == 1", go: b}\n      - {if: "slots.¦',
            ("nodes", "a", "cases", 1, "if"),
            "value",
            "slots.",
        ),
        (
            "nodes:\n  a:\n    cases:\n      - if: a\n        go: b¦",
            ("nodes", "a", "cases", 0, "go"),
            "value",
            "b",
        ),
        ("nodes:\n  a:\n    say: Hello {na¦", ("nodes", "a", "say"), "value", "Hello {na"),
        ("nodes:\n  a:\n    say: >-\n      Hello\n      {na¦", ("nodes", "a", "say"), "value", "{na"),
        ("nodes:\n  a:\n    say: >-\n      on: x\n    next: b¦", ("nodes", "a", "next"), "value", "b"),
        ('nodes:\n  a: {say: "x, {y} [", go: b¦', ("nodes", "a", "go"), "value", "b"),
        (
            "slots:\n  x: {type: choice,\n      choices: [a,\n   b], confirm: al¦",
            ("slots", "x", "confirm"),
            "value",
            "al",
        ),
        ("handoff_triggers:\n  - when: x\n    to: s¦", ("handoff_triggers", 0, "to"), "value", "s"),
        (
            'handoff_triggers:\n  - {when: x, to: a}\n  - {when: "turn.¦',
            ("handoff_triggers", 1, "when"),
            "value",
            "turn.",
        ),
    ],
)
def test_a_cursor_knows_its_path(text: str, path: tuple[str | int, ...], where: str, typed: str) -> None:
    """The path, whether a key or a value is typed, and what of it stands before the cursor."""
    found = at(text)
    assert found is not None
    assert (found.path, found.at, found.typed) == (path, where, typed)


def test_a_comment_is_no_place() -> None:
    """Nothing is offered in a comment."""
    assert at("nodes:\n  # te¦") is None
    assert at("start: x # te¦") is None
