"""Names across a flow and the subflows it uses: where they are defined, what they mean, and new ones."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lsprotocol import types

from tests.compiler.test_subflow import BASE, SUBFLOW, USE
from voiceflow_compiler.lsp import answers
from voiceflow_compiler.lsp.documents import Document, Documents
from voiceflow_compiler.lsp.text import Text

FLOW = BASE.replace("next: team", "next: leave", 1).replace(
    "nodes:\n", "nodes:\n" + USE.replace("    exits", "    slots: {message: email}\n    exits"), 1
)


def opened(folder: Path, **flows: str) -> Documents:
    """An editor with the subflow open, in a project of these flows, none of which is."""
    documents = Documents()
    documents.folders = [str(folder)]
    (folder / "vfc.toml").write_text("[project]\n", encoding="utf-8")
    for name, text in flows.items():
        (folder / name).mkdir()
        path = folder / name / "flow.yaml"
        path.write_text(text.replace("message.yaml", "../message.yaml"), encoding="utf-8")
    path = folder / "message.yaml"
    path.write_text(SUBFLOW, encoding="utf-8")
    documents.put(Document(path.as_uri(), str(path), 1, Text(SUBFLOW, "utf-16")))
    return documents


def at(path: Path, text: str, word: str, count: int = 1, **more: Any) -> Any:
    """The parameters of a request in the middle of the nth mention of a word."""
    index = -1
    for _ in range(count):
        index = text.index(word, index + 1)
    position = Text(text, "utf-16").position(index + 1)
    return SimpleNamespace(
        text_document=types.TextDocumentIdentifier(path.as_uri()), position=position, **more
    )


def test_names_in_a_subflow_are_its_own(tmp_path: Path) -> None:
    """From the subflow's file an exit, an input and a slot lead to where that file defines them."""
    documents = opened(tmp_path, a=FLOW)
    path = tmp_path / "message.yaml"
    for word, count, line in (("declined", 2, 10), ("topic", 2, 4), ("[message]", 1, 6)):
        (found,) = answers.definition(documents, at(path, SUBFLOW, word, count))
        assert (found.uri, found.range.start.line + 1) == (path.as_uri(), line), word


def test_a_use_leads_into_the_subflow(tmp_path: Path) -> None:
    """From the flow the file, an exit and a slot of a use lead to the subflow's lines."""
    documents = opened(tmp_path, a=FLOW)
    path = tmp_path / "a" / "flow.yaml"
    text = path.read_text(encoding="utf-8")
    documents.put(Document(path.as_uri(), str(path), 1, Text(text, "utf-16")))
    for word, count, line in (("../message.yaml", 1, 1), ("declined", 1, 10), ("message:", 1, 6)):
        (found,) = answers.definition(documents, at(path, text, word, count))
        assert found.uri == (tmp_path / "message.yaml").as_uri()
        assert found.range.start.line + 1 == line, word


def test_a_new_name_of_an_exit_reaches_every_flow(tmp_path: Path) -> None:
    """Renaming an exit changes the subflow and every flow that uses it, also those that are not open."""
    documents = opened(tmp_path, a=FLOW, b=FLOW.replace("flow: desk", "flow: other"))
    path = tmp_path / "message.yaml"
    edit = answers.rename(documents, at(path, SUBFLOW, "declined", 1, new_name="refused"))
    assert edit.changes is not None
    counts = {Path(uri).parent.name: len(edits) for uri, edits in edit.changes.items()}
    assert counts == {tmp_path.name: SUBFLOW.count("declined"), "a": 1, "b": 1}


def test_a_new_name_of_a_slot_stays_in_its_subflow(tmp_path: Path) -> None:
    """A slot of a subflow and one of the flow may be called the same without being the same."""
    documents = opened(tmp_path, a=FLOW)
    path = tmp_path / "message.yaml"
    edit = answers.rename(documents, at(path, SUBFLOW, "message:", 1, new_name="email"))
    assert edit.changes is not None
    assert {Path(uri).name for uri in edit.changes} == {"message.yaml", "flow.yaml"}
    (in_flow,) = edit.changes[(tmp_path / "a" / "flow.yaml").as_uri()]
    assert in_flow.new_text == "email"


def test_hover_tells_what_a_name_means_where_it_is_used(tmp_path: Path) -> None:
    """A node shows its compiled brief, an exit its meaning, a slot the flow's that it is."""
    documents = opened(tmp_path, a=FLOW)
    path = tmp_path / "message.yaml"
    for word, count, says in (
        ("ask_number", 1, "What the model is told here"),
        ("declined", 2, "they want to leave none"),
        ("[message]", 1, "where to write"),
    ):
        hover = answers.hover(documents, at(path, SUBFLOW, word, count))
        assert hover is not None
        assert says in hover.contents.value, word  # type: ignore[union-attr]


def test_a_finding_in_a_subflow_is_told_in_its_file(tmp_path: Path) -> None:
    """The open subflow belongs to the flows that use it, and has their findings, from its unsaved text."""
    documents = opened(tmp_path, a=FLOW)
    path = tmp_path / "message.yaml"
    assert documents.flows(str(path)) == [str(tmp_path / "a" / "flow.yaml")]
    broken = SUBFLOW.replace("filled: known", "filled: knwon")
    documents.put(Document(path.as_uri(), str(path), 2, Text(broken, "utf-16")))
    view = documents.checked(documents.flows(str(path))[0])
    assert [each.span.file for each in view.findings if each.code == "VF120"] == [str(path)]


def test_completion_offers_the_names_of_the_file(tmp_path: Path) -> None:
    """In a subflow its own nodes, exits and slots are offered; in the flow none of them is."""
    documents = opened(tmp_path, a=FLOW)
    path = tmp_path / "message.yaml"
    offered = {each.label for each in answers.completion(documents, at(path, SUBFLOW, "ask_number", 1)).items}
    assert {"ask_message", "agree", "declined"} <= offered
    assert not {"team", "leave.agree"} & offered
    flow = tmp_path / "a" / "flow.yaml"
    text = flow.read_text(encoding="utf-8")
    documents.put(Document(flow.as_uri(), str(flow), 1, Text(text, "utf-16")))
    offered = {each.label for each in answers.completion(documents, at(flow, text, "offer", 1)).items}
    assert {"team", "leave"} <= offered
    assert not {"leave.agree", "declined"} & offered
