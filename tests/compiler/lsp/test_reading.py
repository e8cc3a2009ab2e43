"""Reading again what is typed."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generate import flows, large_flow
from voiceflow_compiler.diagnostics import Place
from voiceflow_compiler.lsp.reading import Rereader
from voiceflow_compiler.source import Budget, Read, parse

ROOT = Path(__file__).parents[3]
SHIPPED = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("flows/*/flow.yaml"))]
BITS = [
    "",
    " ",
    "\n",
    "  ",
    "x",
    ":",
    "- ",
    '"',
    "'",
    "{",
    "}",
    "[",
    "#",
    "\n\n",
    "|\n",
    "😀",
    "\r\n",
    "\t",
    "&a ",
    "!b ",
]


def plainly(text: str) -> Read:
    """A text as `source.parse` reads it."""
    result = Read("flow.yaml")
    parse(text, result, Budget())
    return result


def again(reader: Rereader, text: str) -> Read:
    """A text as read by one that has read others of the file before."""
    result = Read("flow.yaml")
    reader.parse(text, result, Budget())
    return result


def places(place: Place | None) -> Any:
    """Every position below a place, comparable; of where a map ends only whether it is on its line."""
    if place is None:
        return None
    start, end = place.value.start_mark, place.value.end_mark
    ends = (end.line, end.column) if place.below is None else end.line > start.line
    stretch = (start.line, start.column, start.index, ends)
    key = place.key and (place.key.start_mark.index, place.key.end_mark.index, place.key.end_mark.line)
    words = (getattr(place.value, "value", None), getattr(place.value, "style", None))
    below = None if place.below is None else [(name, places(each)) for name, each in place.below.items()]
    return (stretch, key, words, below)


def same(ours: Read, theirs: Read) -> None:
    """Both read the same."""
    assert ours.data == theirs.data
    assert ours.lost == theirs.lost
    key = repr
    assert sorted(ours.findings, key=key) == sorted(theirs.findings, key=key)
    if theirs.data is not None:
        assert places(ours.root) == places(theirs.root)


@pytest.mark.parametrize(
    "text",
    ["", "\n", " ", "# c\n", "- a\n", "x", *SHIPPED, large_flow(60), large_flow(60).replace("\n", "\r\n")],
)
def test_a_correct_text_is_read_as_the_compiler_reads_it(text: str) -> None:
    """Data, findings and every place are those of one plain reading, at the first reading and the next."""
    reader = Rereader()
    same(again(reader, text), plainly(text))
    longer = text.replace("start: ", "# a line more\nstart: ")
    same(again(reader, longer), plainly(longer))


@settings(max_examples=150)
@given(data=st.data())
def test_an_edited_text_is_read_as_the_compiler_reads_it(data: st.DataObject) -> None:
    """Whatever is typed into or deleted from a flow, what is YAML is read alike."""
    text = data.draw(st.sampled_from([SHIPPED[0], large_flow(12)]) | flows(stages=2))
    reader = Rereader()
    again(reader, text)
    for _ in range(3):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.sampled_from([start, start, start + 1, start + 4, start + 60]))
        text = text[:start] + data.draw(st.sampled_from(BITS)) + text[end:]
        ours, theirs = again(reader, text), plainly(text)
        if theirs.data is not None or not reader.memory["flow.yaml"].patches:
            same(ours, theirs)


def test_a_broken_node_stands_as_it_was() -> None:
    """While a node is no YAML the flow is whole, with the node as it last was, and the patch says where."""
    reader, text = Rereader(), large_flow(40)
    before = again(reader, text)
    name = list(before.data["nodes"])[20]
    broken = text.replace(f"\n  {name}:\n", f'\n  {name}:\n    say: "never closed\n', 1)
    result = again(reader, broken)
    assert result.data == before.data
    assert result.findings == []
    memory = reader.memory["flow.yaml"]
    assert [finding.code for finding in memory.broken] == ["VF006"]
    line = broken[: broken.index(f"\n  {name}:\n")].count("\n") + 2
    assert [(patch.first, patch.known) for patch in memory.patches] == [(line, True)]


def test_a_broken_text_never_read_before_is_not_called_whole() -> None:
    """What was never good cannot be stood in for, so the finding of reading stays with the flow."""
    reader, text = Rereader(), large_flow(40)
    broken = text.replace("\n    kind: ask\n", '\n    kind: "ask\n', 1)
    result = again(reader, broken)
    assert "VF006" in {finding.code for finding in result.findings}
    assert len(result.data["nodes"]) == 39
