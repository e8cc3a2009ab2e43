"""Reading YAML: what scalars mean, and where everything stands."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.source import MAX_DEPTH, MAX_TEXT, Budget, Read, nowhere, parse


def read(text: str) -> Read:
    """A text as read."""
    result = Read("f.yaml", root=nowhere("f.yaml"))
    parse(text, result, Budget())
    return result


def places(result: Read) -> Places:
    """Where the parts of a text stand."""
    assert result.root is not None
    return Places(result.root, {"f.yaml": result.text})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("on", "on"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("none", "none"),
        ("0", 0),
        ("-12", -12),
        ("0.50", 0.5),
        ("-3.25", -3.25),
        ("007", "007"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("1e5", "1e5"),
        ("+49301234", "+49301234"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("12:30:00", "12:30:00"),
        ("2024-13-45", "2024-13-45"),
        ('"12"', "12"),
        ("'true'", "true"),
    ],
)
def test_a_plain_scalar_means_what_a_designer_wrote(written: str, meant: object) -> None:
    """Only true, false, null, whole numbers and decimals are not text."""
    data = read(f"key: {written}\n").data
    assert data == {"key": meant}
    assert type(data["key"]) is type(meant)


def test_keys_are_text() -> None:
    """`on`, `no`, 0 and true are ordinary keys."""
    assert read("on: a\nno: b\n0: c\ntrue: d\n~: e\n").data == {
        "on": "a",
        "no": "b",
        "0": "c",
        "true": "d",
        "~": "e",
    }


def test_reading_goes_on_after_what_it_cannot_take() -> None:
    """Duplicate keys, aliases, tags and odd keys are all found in one reading, and the rest is kept."""
    result = read("a: &x 1\na: 2\nb: *x\nc: !t 3\n[d]: 4\ne: 5\n")
    assert [finding.code for finding in result.findings] == ["VF008", "VF007", "VF008", "VF009", "VF013"]
    assert result.data == {"a": 1, "c": "3", "e": 5} | {"c": result.data["c"]}
    assert result.lost == {("b",)}


def test_what_is_lost_below_is_remembered_by_its_path() -> None:
    """The path of a value that was left out leads through maps and lists."""
    assert read("a:\n  - b: {c: 1}\n  - b: {c: *x}\n").lost == {("a", 1, "b", "c")}


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path) -> None:
    """A file that an editor on Windows saved is read like any other, with the same places."""
    from voiceflow_compiler.include import open_flow

    path = tmp_path / "flow.yaml"
    path.write_bytes("\ufefflanguage: 1\r\ntitle: Caf\u00e9\r\n".encode())
    source = open_flow(str(path))
    assert source.data == {"language": 1, "title": "Caf\u00e9"}
    assert source.findings == ()
    span = source.places.value(("title",))
    assert (span.line, span.column, span.end_column) == (2, 8, 12)


def test_the_joiners_of_other_scripts_are_letters() -> None:
    """The zero-width joiners are part of Persian and of emoji, and are refused in Latin text."""
    assert read("a: \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\n").findings == []
    assert [finding.code for finding in read("a: sa\u200cles\n").findings] == ["VF004"]


def test_the_bounds_are_where_they_say() -> None:
    """Depth and length just inside the bounds pass, and one more is a finding."""
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH).findings == []
    assert [finding.code for finding in read("[" * (MAX_DEPTH + 1)).findings] == ["VF010"]
    assert read("a: " + "x" * MAX_TEXT).findings == []
    assert [finding.code for finding in read("a: " + "x" * (MAX_TEXT + 1)).findings] == ["VF012"]


def test_a_map_over_many_lines_is_shown_by_its_key() -> None:
    """A finding about a whole block points at its name, not at all of its lines."""
    found = places(read("nodes:\n  team:\n    kind: ask\n"))
    assert found.value(("nodes", "team")) == found.key(("nodes", "team"))
    assert (found.key(("nodes", "team")).line, found.key(("nodes", "team")).column) == (2, 3)


def test_a_path_nobody_wrote_has_the_place_of_its_ancestor() -> None:
    """A finding about something missing points at what it is missing from."""
    found = places(read("nodes:\n  team: {kind: ask}\n"))
    assert found.key(("nodes", "team", "filled", 0)) == found.key(("nodes", "team"))


SENTENCE = st.lists(st.text("abcé'\"\\:{}#-", min_size=1, max_size=6), min_size=1, max_size=12).map(" ".join)


@given(SENTENCE, st.sampled_from(["'", '"', "|", ">"]), st.data())
def test_characters_are_found_inside_any_scalar(text: str, style: str, data: st.DataObject) -> None:
    """Through quotes, escapes, block indentation and folded lines, a character is found where it stands."""
    written = yaml.safe_dump({"k": text}, default_style=style, width=10, allow_unicode=True)
    result = read(written)
    value = result.data["k"]
    at = data.draw(
        st.sampled_from([index for index, character in enumerate(value) if not character.isspace()])
    )
    span = places(result).inside(("k",), at, at + 1)
    shown = written.splitlines()[span.line - 1][span.column - 1 : span.end_column - 1]
    doubled = {"'": "''", '"': '\\"', "\\": "\\\\"}
    assert shown in (value[at], doubled.get(value[at]))
