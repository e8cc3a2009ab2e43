"""Findings rendered: the excerpt, the caret, and the forms for programs."""

import json
import unicodedata
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

import schemas
from voiceflow_compiler.diagnostics import Edit, Finding, Related, Span, in_order
from voiceflow_compiler.render import as_github, as_json, as_sarif, as_text

TEXT = "nodes:\n  price: {go: prise}\n\tbad\n  名前: {say: 値段, go: prise}\n  long: " + "x" * 300 + "here\n"
TEXTS = {"flow.yaml": TEXT}
WIDE = TEXT.splitlines()[3].index("prise") + 1


def finding(line: int, column: int, end_column: int, **more: Any) -> Finding:
    """A finding in the text above."""
    span = Span("flow.yaml", line, column, line, end_column)
    return Finding(
        "VF120", "unknown-node", "error", "there is no node `prise`", span, "Did you mean `price`?", **more
    )


def test_a_finding_shows_its_line_and_a_caret() -> None:
    """The text form holds place, code, excerpt, caret, related places, a way, the tip, and a count."""
    found = finding(
        2,
        15,
        20,
        related=(Related(Span("flow.yaml", 1, 1, 1, 6), "nodes are here"),),
        route=("hello", "price"),
    )
    assert as_text([found], TEXTS) == (
        "flow.yaml:2:15: error[VF120] unknown-node: there is no node `prise`\n"
        "    2 |   price: {go: prise}\n"
        "      |               ^^^^^\n"
        "  related: flow.yaml:1:1  nodes are here\n"
        "  a caller's way: hello -> price\n"
        "  tip: Did you mean `price`?\n"
        "\n"
        "1 error\n"
    )


def test_the_caret_stands_under_wide_characters_and_tabs() -> None:
    """A terminal gives some characters two columns and a tab several; the caret follows."""
    wide = as_text([finding(4, WIDE, WIDE + 5)], TEXTS).splitlines()
    assert wide[1].index("prise") + 4 == wide[2].index("^")
    tab = as_text([finding(3, 2, 5)], TEXTS).splitlines()
    assert tab[1].index("bad") == tab[2].index("^")


def test_a_long_line_is_cut_around_the_caret() -> None:
    """An excerpt fits a terminal and still shows what is meant."""
    lines = as_text([finding(5, 309, 313)], TEXTS).splitlines()
    assert max(len(line) for line in lines[1:3]) < 130
    assert lines[1].index("here") == lines[2].index("^")
    assert lines[2].count("^") == 4


def test_a_place_outside_the_text_has_no_excerpt() -> None:
    """A finding about a file that could not be read is shown without a line."""
    assert "|" not in as_text([finding(99, 1, 1)], TEXTS)


@given(st.text(max_size=60), st.integers(1, 70), st.integers(1, 70))
def test_nothing_of_a_file_reaches_the_terminal_unescaped(line: str, column: int, end: int) -> None:
    """Whatever a file holds, the text form is printable, and its caret line holds only a caret."""
    text = as_text([finding(1, column, end)], {"flow.yaml": line})
    assert not {unicodedata.category(character) for character in text.replace("\n", "")} & {"Cc", "Cf", "Cs"}
    assert "\x1b" not in text


def test_colour_is_only_added() -> None:
    """The coloured form is the plain one with colours between."""
    import re

    coloured = as_text([finding(2, 15, 20)], TEXTS, colour=True)
    assert "\x1b[1;31m" in coloured
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == as_text([finding(2, 15, 20)], TEXTS)


def test_json_holds_to_its_schema() -> None:
    """The JSON form is versioned, counts, and fits its schema."""
    found = finding(2, 15, 20, related=(Related(Span("flow.yaml", 1, 1, 1, 6), "here"),), route=("a",))
    printed = json.loads(as_json([found], TEXTS))
    jsonschema.Draft202012Validator(json.loads(schemas.read("findings"))).validate(printed)
    assert (printed["version"], printed["errors"], printed["warnings"]) == (1, 1, 0)
    assert printed["findings"][0]["column"] == 15


def test_sarif_names_rules_and_places() -> None:
    """The SARIF form has one rule per code, and a region per place, in characters."""
    found = finding(2, 15, 20, related=(Related(Span("a b/c.yaml", 1, 1, 1, 6), "here"),))
    run = json.loads(as_sarif([found, finding(4, 1, 2)], TEXTS))["runs"][0]
    assert run["columnKind"] == "unicodeCodePoints"
    (rule,) = run["tool"]["driver"]["rules"]
    assert (rule["id"], rule["name"], rule["defaultConfiguration"]) == (
        "VF120",
        "unknown-node",
        {"level": "error"},
    )
    assert "```yaml" in rule["help"]["markdown"]
    first = run["results"][0]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("VF120", 0, "error")
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "flow.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 2, "startColumn": 15, "endLine": 2, "endColumn": 20}
    assert first["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/c.yaml"


def test_a_fix_is_told_to_programs() -> None:
    """JSON and SARIF hold the edits of a fix; a finding without one has no `fixes`."""
    edits = (Edit(Span("flow.yaml", 2, 15, 2, 20), "price"), Edit(Span("b.yaml", 1, 1, 1, 1), "x: 1\n"))
    found, bare = finding(2, 15, 20, fix=edits), finding(4, 1, 2)
    printed = json.loads(as_json([found, bare], TEXTS))
    jsonschema.Draft202012Validator(json.loads(schemas.read("findings"))).validate(printed)
    place = {"file": "flow.yaml", "line": 2, "column": 15, "end_line": 2, "end_column": 20}
    assert printed["findings"][0]["fix"][0] == {**place, "text": "price"}
    assert printed["findings"][1]["fix"] == []
    results = json.loads(as_sarif([found, bare], TEXTS))["runs"][0]["results"]
    (fixed,) = results[0]["fixes"]
    assert [each["artifactLocation"]["uri"] for each in fixed["artifactChanges"]] == ["flow.yaml", "b.yaml"]
    (replaced,) = fixed["artifactChanges"][1]["replacements"]
    assert replaced["insertedContent"] == {"text": "x: 1\n"}
    assert replaced["deletedRegion"]["endColumn"] == 1
    assert "fixes" not in results[1]


def test_github_annotations_are_one_line_each() -> None:
    """Line breaks, per cent signs, commas and colons are escaped where GitHub would take them for its own."""
    span = Span("a,b:c.yaml", 1, 2, 1, 3)
    odd = Finding("VF001", "unreadable-file", "note", "50%\nof it", span, "Look.")
    assert as_github([odd], {}) == (
        "::notice file=a%2Cb%3Ac.yaml,line=1,endLine=1,col=2,endColumn=3,title=VF001 unreadable-file"
        "::50%25%0Aof it%0Atip: Look.\n"
    )


def test_findings_stand_in_the_order_of_their_places() -> None:
    """Findings are sorted by file, line, column and code, and exact repeats are told once."""
    a, b = finding(2, 1, 2), finding(2, 5, 6)
    assert in_order([b, a, b]) == [a, b]
