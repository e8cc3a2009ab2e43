"""What is read of open texts is what the compiler would find in them."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generate import flows, large_flow
from voiceflow_compiler import pipeline
from voiceflow_compiler.lsp.documents import Document, Documents
from voiceflow_compiler.lsp.text import Text

ROOT = Path(__file__).parents[3]
SHIPPED = (ROOT / "flows" / "lead_qualification" / "flow.yaml").read_text(encoding="utf-8")
BITS = [
    "",
    "x",
    "_",
    "1",
    " ",
    "\n",
    "# c\n",
    "{a}",
    "'",
    '"',
    "😀",
    ": ",
    "\n  new: {kind: tell, say: a, next: b}\n",
]


def put(documents: Documents, path: Path, text: str) -> None:
    """Open a text, or change it."""
    documents.put(Document(path.as_uri(), str(path), 1, Text(text)))


@settings(max_examples=60)
@given(data=st.data())
def test_an_edited_flow_has_the_findings_of_a_plain_check(data: st.DataObject, tmp_path_factory) -> None:
    """After any edits, what was remembered changes nothing: findings and flow are those of a fresh check."""
    path = tmp_path_factory.mktemp("flow") / "flow.yaml"
    documents = Documents()
    text = data.draw(st.sampled_from([SHIPPED, large_flow(16)]) | flows(stages=3))
    put(documents, path, text)
    documents.checked(str(path))
    for _ in range(4):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.sampled_from([start, start, start + 1, start + 5]))
        text = text[:start] + data.draw(st.sampled_from(BITS)) + text[end:]
        put(documents, path, text)
        view = documents.checked(str(path))
        path.write_bytes(text.encode("utf-8"))
        plain = pipeline.check(str(path))
        if not view.patches:
            assert view.checked is not None
            assert view.checked.findings == plain.findings
            assert view.checked.flow == plain.flow
        else:
            assert not plain.good


def test_an_open_text_beats_its_file_and_another_program_is_noticed(tmp_path: Path) -> None:
    """What is open counts, not what is saved; once closed the file counts, as it is now."""
    path = tmp_path / "flow.yaml"
    path.write_text(SHIPPED, encoding="utf-8")
    documents = Documents()
    put(documents, path, SHIPPED.replace("go: price", "go: prise", 1))
    assert [finding.code for finding in documents.checked(str(path)).findings] == ["VF120"]
    documents.drop(str(path))
    assert list(documents.checked(str(path)).findings) == []
    path.write_text(SHIPPED.replace("go: callback", "go: calback", 1), encoding="utf-8")
    documents.forget(str(path))
    assert [finding.code for finding in documents.checked(str(path)).findings] == ["VF120"]


def test_a_name_is_found_wherever_it_stands() -> None:
    """Every mention's span covers exactly the last part of its name in the text."""
    path = ROOT / "flows" / "lead_qualification" / "flow.yaml"
    documents = Documents()
    put(documents, path, SHIPPED)
    view = documents.fresh(str(path))
    text = documents.text(str(path))
    assert len(view.mentions) > 150
    for mention in view.mentions:
        assert text.between(mention.span) == mention.name.rpartition(".")[2]
    assert {mention.kind for mention in view.mentions} == {
        "node",
        "slot",
        "intent",
        "fact",
        "action",
        "handoff",
        "result",
    }
