"""Subflows: put into the flow that uses them, checked there, and told of at their own places."""

import json
import time
from pathlib import Path

import pytest

import schemas
from voiceflow_compiler import pipeline
from voiceflow_compiler.diagnostics import Finding
from voiceflow_compiler.include import open_flow

BASE = (Path(__file__).parents[1] / "cases" / "checks" / "base.yaml").read_text(encoding="utf-8")
SUBFLOW = """\
language: 1
subflow: take_message
takes:
  topic: {type: text, otherwise: your question}
slots:
  message: {type: text, meaning: what to pass on}
  number: {type: phone, meaning: where to call, personal: true}
exits:
  taken: the message is noted
  declined: they want to leave none
start: ask_message
nodes:
  ask_message:
    kind: ask
    convey: Ask what you may pass on about {topic}.
    collect: [message]
    filled: ask_number
    on: {denial: {go: declined}}
  ask_number:
    kind: ask
    convey: Ask which number to call about {message}.
    collect: [number]
    filled: known
    on: {denial: {go: declined}}
  known:
    kind: decide
    cases: [{if: "inputs.topic == 'none' and slots.message == 'none'", go: declined}]
    otherwise: agree
  agree:
    kind: ask
    convey: Ask whether to pass it on.
    on: {agreement: {go: note}, denial: {go: declined}}
  note:
    kind: act
    action: note
    while_waiting: One moment.
    on_success: taken
    on_failure: declined
actions:
  note:
    does: Notes a message.
    takes: {text: slots.message, number: slots.number}
    changes_something: true
"""
USE = """\
  leave:
    kind: flow
    flow: message.yaml
    exits: {taken: sorry, declined: sorry}
"""


def put(folder: Path, use: str = USE, subflow: str = SUBFLOW, more: str = "") -> Path:
    """A flow that goes to the node of a use after its disclosure, and the subflow beside it."""
    (folder / "message.yaml").write_text(subflow, encoding="utf-8")
    flow = folder / "flow.yaml"
    text = BASE.replace("next: team", "next: leave", 1)
    assert "next: leave" in text
    head, _, rest = text.partition("nodes:\n")
    flow.write_text(f"{head}nodes:\n{use}{rest}{more}", encoding="utf-8")
    return flow


def found(flow: Path, code: str) -> list[Finding]:
    """The findings of one code, everything else about the flow being of no matter."""
    return [each for each in pipeline.check(str(flow), str(flow.parent)).findings if each.code == code]


def test_a_use_becomes_nodes_of_the_flow(tmp_path: Path) -> None:
    """Nodes, slots, actions, texts and conditions of a subflow stand in the flow under names of the use."""
    use = USE.replace("    exits", "    takes: {topic: \"the 'offer'\"}\n    exits")
    flow = pipeline.check(str(put(tmp_path, use))).flow
    assert flow is not None
    assert flow.nodes["leave"].otherwise == "leave.ask_message"
    assert flow.nodes["leave.ask_message"].collect == ("leave_message",)
    assert flow.nodes["leave.ask_message"].on["denial"].go == "sorry"
    line = flow.nodes["leave.ask_message"].line
    assert line is not None
    assert line.convey == "Ask what you may pass on about the 'offer'."
    line = flow.nodes["leave.ask_number"].line
    assert line is not None
    assert line.convey == "Ask which number to call about {leave_message}."
    assert flow.nodes["leave.known"].cases[0].when.expr == [
        "and",
        ["==", ["value", "the 'offer'"], ["value", "none"]],
        ["==", ["name", "slots", "leave_message"], ["value", "none"]],
    ]
    assert flow.actions["leave_note"].called == "note"
    assert flow.actions["leave_note"].takes["number"].expr == ["name", "slots", "leave_number"]


def test_a_slot_of_the_flow_is_shared_where_the_use_says_so(tmp_path: Path) -> None:
    """A mapped slot is one slot: asked for once, known on both sides, none of the subflow's beside it."""
    use = USE.replace("    exits", "    slots: {number: phone}\n    exits")
    more = "slots:\n  phone: {type: phone, meaning: their number}\n"
    text = put(tmp_path, use).read_text(encoding="utf-8").replace("slots:\n", more, 1)
    (tmp_path / "flow.yaml").write_text(text, encoding="utf-8")
    flow = pipeline.check(str(tmp_path / "flow.yaml")).flow
    assert flow is not None
    assert "leave_number" not in flow.slots
    assert flow.nodes["leave.ask_number"].collect == ("phone",)


def test_what_holds_everywhere_in_a_subflow_yields_to_its_nodes_and_goes_before_the_flow(
    tmp_path: Path,
) -> None:
    """An answer under a subflow's `everywhere` is at each of its listening nodes without one of its own."""
    subflow = SUBFLOW + "everywhere:\n  denial: {go: taken}\n  escalation: {go: declined}\n"
    flow = pipeline.check(str(put(tmp_path, subflow=subflow))).flow
    assert flow is not None
    node = flow.nodes["leave.ask_message"]
    assert node.on["denial"].path == ("nodes", "leave.ask_message", "on", "denial")
    assert node.on["escalation"].go == "sorry"
    assert "escalation" not in flow.nodes["team"].on


def test_a_subflow_uses_another(tmp_path: Path) -> None:
    """Names are joined by dots, and an exit of the inner one may be an exit of the outer."""
    inner = SUBFLOW.replace("subflow: take_message", "subflow: inner")
    (tmp_path / "inner.yaml").write_text(inner, encoding="utf-8")
    outer = """\
language: 1
subflow: outer
exits: {out: it is over}
start: inside
nodes:
  inside: {kind: flow, flow: inner.yaml, exits: {taken: out, declined: out}}
"""
    use = USE.replace("{taken: sorry, declined: sorry}", "{out: sorry}")
    flow = pipeline.check(str(put(tmp_path, use, outer))).flow
    assert flow is not None
    assert flow.nodes["leave"].otherwise == "leave.inside"
    assert flow.nodes["leave.inside.note"].on_success == "sorry"
    assert flow.nodes["leave.inside.ask_message"].collect == ("leave_inside_message",)


def test_a_finding_in_a_subflow_stands_in_its_file_and_names_every_use(tmp_path: Path) -> None:
    """Two uses of one subflow give one finding, at its own line, with both uses as related places."""
    subflow = SUBFLOW.replace("filled: ask_number", "filled: ask_nomber")
    use = USE + USE.replace("leave:", "again:")
    flow = put(tmp_path, use, subflow)
    (one,) = found(flow, "VF120")
    assert (Path(one.span.file).name, one.span.line) == ("message.yaml", 17)
    assert one.tip == "Did you mean `ask_number`?"
    assert one.fix[0].text == "ask_number"
    assert [(Path(each.span.file).name, each.text) for each in one.related] == [
        ("flow.yaml", 'used here as "leave"'),
        ("flow.yaml", 'used here as "again"'),
    ]


def test_a_caller_who_cannot_leave_a_subflow_is_shown_the_way_there(tmp_path: Path) -> None:
    """What the whole graph shows of a subflow's nodes stands at them, with the caller's way."""
    subflow = SUBFLOW.replace("on_failure: declined", "on_failure: note").replace(
        "on_success: taken", "on_success: note"
    )
    findings = pipeline.check(str(put(tmp_path, subflow=subflow))).findings
    (one,) = [each for each in findings if each.code == "VF204"]
    assert Path(one.span.file).name == "message.yaml"
    assert one.route[-1].startswith("leave.")


@pytest.mark.parametrize(
    ("code", "old", "new", "says"),
    [
        ("VF140", "taken: sorry, declined: sorry", "taken: sorry", "`take_message` can end by `declined`"),
        ("VF141", "declined: sorry}", "declined: sorry, declind: sorry}", "has no exit `declind`"),
        ("VF120", "declined: sorry}", "declined: sory}", "there is no node `sory`"),
        ("VF143", "    exits", "    takes: {topik: slots.email}\n    exits", "has no input `topik`"),
        (
            "VF144",
            "    exits",
            "    takes: {topic: slots.team_size}\n    exits",
            "wants `topic` to be of type text",
        ),
        ("VF131", "    exits", "    takes: {topic: slots.mail_x}\n    exits", "there is no `mail_x`"),
        ("VF121", "    exits", "    slots: {nomber: email}\n    exits", "has no slot `nomber`"),
        ("VF144", "    exits", "    slots: {number: email}\n    exits", "wants a slot of type phone"),
        ("VF023", "message.yaml", "mesage.yaml", "there is no such file"),
        ("VF021", "message.yaml", "../../../../etc/hostname", "outside the project folder"),
        ("VF026", "message.yaml", "other.yaml", "no subflow"),
        ("VF102", "    flow: message.yaml\n", "", "lacks `flow`"),
    ],
)
def test_what_a_use_writes_wrongly_is_told_at_its_place(
    tmp_path: Path, code: str, old: str, new: str, says: str
) -> None:
    """Exits, inputs, slots and files that do not fit are findings in the flow's own file."""
    assert old in USE
    (tmp_path / "other.yaml").write_text("intents: {}\n", encoding="utf-8")
    flow = put(tmp_path, USE.replace(old, new))
    found_there = found(flow, code)
    assert found_there
    assert says in found_there[0].message
    assert Path(found_there[0].span.file).name == "flow.yaml"


@pytest.mark.parametrize(
    ("code", "old", "new", "says"),
    [
        (
            "VF142",
            "otherwise: your question",
            "meaning: what it is about",
            "wants `topic`, and is not given it",
        ),
        ("VF145", "  declined: they", "  lost: nobody knows\n  declined: they", "leads to its exit `lost`"),
        ("VF127", "  taken: the", "  note: the", "`note` is a node already"),
        ("VF127", "  topic: {type: text", "  message: {type: text", "`message` is an input already"),
        ("VF131", "inputs.topic ==", "facts.topic ==", "facts"),
        ("VF126", "about {topic}", "about {first_name}", "there is nothing called `first_name`"),
        ("VF104", "kind: decide", "kind: handoff", "there is no node of kind `handoff`"),
        ("VF101", "takes:\n", "wants: {}\ntakes:\n", "has no key `wants`"),
        ("VF102", "start: ask_message\n", "", "lacks `start`"),
    ],
)
def test_what_a_subflow_says_wrongly_is_told_in_its_file(
    tmp_path: Path, code: str, old: str, new: str, says: str
) -> None:
    """A subflow is judged by its own schema and in its own names."""
    assert old in SUBFLOW
    found_there = found(put(tmp_path, subflow=SUBFLOW.replace(old, new)), code)
    assert any(says in each.message for each in found_there)


def test_a_name_that_would_stand_twice_is_told(tmp_path: Path) -> None:
    """A flow's slot cannot be called as the subflow's own would be."""
    flow = put(tmp_path)
    text = flow.read_text(encoding="utf-8").replace(
        "slots:\n", "slots:\n  leave_number: {type: text, meaning: x}\n"
    )
    flow.write_text(text, encoding="utf-8")
    (one,) = found(flow, "VF127")
    assert "`leave_number`" in one.message
    assert one.related[0].text == "defined here"


@pytest.mark.parametrize(
    "names", [("message.yaml",), ("message.yaml", "b.yaml"), ("message.yaml", "b.yaml", "c.yaml")]
)
def test_a_subflow_that_uses_itself_is_told_with_its_circle(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Direct and mutual recursion end in one finding that names the files in order."""
    around = (
        "language: 1\nsubflow: s\nexits: {{out: over}}\nstart: a\n"
        "nodes:\n  a: {{kind: flow, flow: {}, exits: {{out: out}}}}\n"
    )
    for name, following in zip(names, (*names[1:], names[0]), strict=True):
        (tmp_path / name).write_text(around.format(following), encoding="utf-8")
    flow = put(
        tmp_path,
        USE.replace("{taken: sorry, declined: sorry}", "{out: sorry}"),
        around.format((*names, names[0])[1]),
    )
    (one,) = found(flow, "VF025")
    assert one.message == f"this subflow uses itself: {' -> '.join((*names, names[0]))}"


def test_uses_that_multiply_are_stopped(tmp_path: Path) -> None:
    """Twelve levels that each use the next one four times end in a finding within bounds."""
    for level in range(12):
        uses = "".join(
            f"  n{at}: {{kind: flow, flow: l{level + 1}.yaml, exits: {{out: out}}}}\n" for at in range(4)
        )
        text = f"language: 1\nsubflow: s\nexits: {{out: over}}\nstart: n0\nnodes:\n{uses}"
        (tmp_path / f"l{level}.yaml").write_text(text, encoding="utf-8")
    use = USE.replace("message.yaml", "l0.yaml").replace("{taken: sorry, declined: sorry}", "{out: sorry}")
    began = time.process_time()
    assert found(put(tmp_path, use), "VF011")
    assert time.process_time() - began < 20


def test_reading_alone_leaves_the_use_as_written(tmp_path: Path) -> None:
    """A source holds a flow's own text; only the passes after it see the subflow's nodes."""
    flow = put(tmp_path)
    assert "leave.note" not in open_flow(str(flow)).data["nodes"]


def test_a_flow_with_a_subflow_compiles_to_plain_nodes(tmp_path: Path) -> None:
    """The artifact knows nothing of subflows: nodes have dots in their names, and no other kind."""
    text = put(tmp_path).read_text(encoding="utf-8")
    (tmp_path / "flow.yaml").write_text(text.replace("declined: sorry}", "declined: team}"), encoding="utf-8")
    done = pipeline.compile(str(tmp_path / "flow.yaml"))
    assert [each.code for each in done.findings if each.severity == "error"] == []
    assert done.artifact is not None
    assert done.artifact.nodes["leave"].kind == "decide"
    assert done.artifact.nodes["leave.note"].action == "leave_note"
    assert done.artifact.actions["leave_note"].called == "note"


def test_a_subflow_is_written_as_a_flow_is() -> None:
    """What both schemas describe they describe alike, so a new key of a node works in a subflow too."""
    flow, subflow = (json.loads(schemas.read(name)) for name in ("flow", "subflow"))
    for name, part in subflow["$defs"].items():
        if name not in ("input", "node"):
            assert part == flow["$defs"][name], name
    kinds = set(flow["$defs"]["node"]["properties"]["kind"]["enum"])
    assert set(subflow["$defs"]["node"]["properties"]["kind"]["enum"]) == kinds - {"disclosure", "handoff"}
    for name in ("language", "start", "include", "intents", "actions"):
        assert subflow["properties"][name] == flow["properties"][name], name
