"""Every answer, at every place of texts that are no flows."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from tests.generate import large_flow
from voiceflow_compiler.lsp import answers, shapes
from voiceflow_compiler.lsp.answers import Refused
from voiceflow_compiler.lsp.documents import Document, Documents
from voiceflow_compiler.lsp.text import Text

ROOT = Path(__file__).parents[3]
SHIPPED = (ROOT / "flows" / "insurance_claim" / "flow.yaml").read_text(encoding="utf-8")
PATH = ROOT / "flows" / "insurance_claim" / "flow.yaml"
LARGE = large_flow(12)
ASKED: tuple[Callable[[Documents, Any], Any], ...] = (
    answers.hover,
    answers.completion,
    answers.definition,
    answers.references,
    answers.highlight,
    answers.prepare_rename,
    answers.rename,
    shapes.symbols,
    shapes.folding,
    shapes.actions,
)


def asked(position: types.Position) -> SimpleNamespace:
    """The parameters of any request, at a position."""
    return SimpleNamespace(
        text_document=types.TextDocumentIdentifier(PATH.as_uri()),
        position=position,
        range=types.Range(position, position),
        context=SimpleNamespace(include_declaration=True, only=None),
        new_name="other",
    )


@settings(max_examples=40)
@given(data=st.data())
def test_no_text_and_no_place_surprises_an_answer(data: st.DataObject) -> None:
    """Whatever is cut out of or put into a flow, every request is answered, or refused in words."""
    documents = Documents()
    text = (SHIPPED, LARGE, "")[data.draw(st.integers(0, 2))]
    bits = ["", '"', "{", "[", ":", "- ", "\n", "  ", "#", "'", "|\n", "go: ", "\r", "😀", "&a", "slots."]
    for _ in range(3):
        start, length = data.draw(st.integers(0, len(text))), data.draw(st.sampled_from([0, 1, 7, 200]))
        text = text[:start] + data.draw(st.sampled_from(bits)) + text[start + length :]
        documents.put(Document(PATH.as_uri(), str(PATH), 1, Text(text)))
        near = start + data.draw(st.integers(-30, 30))
        position = Text(text).position(max(0, min(len(text), near)))
        for answer in ASKED:
            with suppress(Refused):
                answer(documents, asked(position))


def test_positions_and_indexes_are_one_another() -> None:
    """In every encoding the position of an index leads back to it, also beside what takes two units."""
    text = "a😀b\r\ncé\n\u2028x\r😀"
    for encoding in ("utf-8", "utf-16", "utf-32"):
        lines = Text(text, encoding)
        for index in range(len(text) + 1):
            if text[index - 1 : index + 1] != "\r\n":
                assert lines.index(lines.position(index)) == index


def test_a_change_is_what_the_editor_made_of_it() -> None:
    """A change in UTF-16 units replaces exactly the characters it names; one without a range the whole."""
    text = Text("a😀b\nc")
    where = types.Range(types.Position(0, 3), types.Position(1, 0))
    partial = types.TextDocumentContentChangePartial(range=where, text="-")
    assert text.changed(partial).text == "a😀-c"
    assert text.changed(types.TextDocumentContentChangeWholeDocument(text="x")).text == "x"
