"""The call record: its lines, its chain, its torn tails, its schema."""

import asyncio
import json
import tempfile
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from runtime.engine import effects, events
from runtime.engine.step import start
from runtime.privacy import PERSONAL
from runtime.record import Difference, Header, Recorder, RecordError, read, replay
from voiceflow_compiler.artifact import ARTIFACT_VERSION, Artifact, Limits, Line, Node, Rung, seal

HEADER = Header("CA1", "2026-11-22T10:00:00Z", "0" * 64, "table", "1")
SCHEMA = json.loads((Path(schemas.__file__).parent / "call_record.schema.json").read_text())


async def written(folder):
    record = Recorder(folder / "call.jsonl", HEADER)
    record.event(events.CallStarted(at_ms=0, call_id="CA1", caller_number="+12025550123"))
    record.effect(0, effects.PlayScript(speech_id="s1", text="Hello.", protected=True))
    record.note(12, "model_lost", reason="closed_1001", final=False)
    record.event(events.CallEnded(at_ms=20, reason="caller_hangup"))
    record.end(21, "caller_hangup", "abandoned")
    assert await record.durable()
    return record


async def test_a_record_is_read_as_it_was_written(tmp_path):
    """Header, events, effects, notes and the end come back in order, with contiguous numbers."""
    record = read((await written(tmp_path)).path)
    assert record.whole
    assert record.torn == 0
    assert (record.header["call_id"], record.header["artifact"]["flow"]) == ("CA1", "table")
    assert [line["seq"] for line in record.lines] == [1, 2, 3, 4, 5]
    assert record.lines[0]["event"] == {
        "type": "CallStarted",
        "at_ms": 0,
        "call_id": "CA1",
        "caller_number": "+12025550123",
    }
    assert record.lines[1]["effect"]["text"] == "Hello."
    assert record.lines[2]["note"] == {"kind": "model_lost", "reason": "closed_1001", "final": False}
    assert record.lines[4]["end"] == {"reason": "caller_hangup", "outcome": "abandoned"}


async def test_a_record_is_for_its_owner_only(tmp_path):
    """A record holds what people said: nobody else on the machine may read it."""
    assert (await written(tmp_path)).path.stat().st_mode & 0o077 == 0


async def test_nothing_is_written_after_the_end(tmp_path):
    """A late task cannot add to a record that has its end line."""
    record = await written(tmp_path)
    record.note(30, "late")
    await record.durable()
    assert "end" in read(record.path).lines[-1]


async def test_every_line_obeys_the_schema(tmp_path):
    """What is written is what schemas/call_record.schema.json describes."""
    lines = [json.loads(line) for line in (await written(tmp_path)).path.read_text().splitlines()]
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for line in lines:
        assert list(validator.iter_errors(line)) == []
    assert list(validator.iter_errors({**lines[1], "extra": 1}))
    assert list(validator.iter_errors({**lines[1], "event": {"type": "Nonsense", "at_ms": 0}}))


def test_the_schema_knows_every_event_and_effect():
    """The schema is made from the types: none is missing, and personal fields are marked as the code marks
    them.
    """
    marked = {}
    for name, one in SCHEMA["$defs"].items():
        fields = {field for field, each in one.get("properties", {}).items() if each.get("personal")}
        if fields:
            marked[name] = frozenset(fields)
    assert marked == PERSONAL
    classes = [*events.Event.__args__, *effects.Effect.__args__]
    for each in classes:
        names = {field.encode_name for field in msgspec.structs.fields(each)}
        assert set(SCHEMA["$defs"][each.__name__]["properties"]) == names | {"type"}


async def test_a_changed_line_ends_what_can_be_believed(tmp_path):
    """Changing one character of a line, or taking one out, is seen there and then."""
    path = (await written(tmp_path)).path
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:2], lines[2].replace(b"Hello", b"Hullo"), *lines[3:]]))
    assert len(read(path).lines) == 1
    path.write_bytes(b"\n".join([*lines[:2], *lines[3:]]))
    assert len(read(path).lines) == 1


@given(st.data())
def test_a_torn_record_gives_every_whole_line_and_no_other(data):
    """Cut anywhere, or with a tail of zeros: the lines before are read, and nothing is invented."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "call.jsonl"
        path.write_bytes(WHOLE)
        full = read(path).lines
        cut = data.draw(st.integers(len(WHOLE.split(b"\n")[0]) + 1, len(WHOLE)))
        path.write_bytes(WHOLE[:cut] + data.draw(st.sampled_from([b"", b"\x00" * 9, b"\n", b'{"seq":2}\n'])))
        lines = read(path).lines
        assert lines == full[: len(lines)]
        assert len(lines) >= WHOLE[:cut].count(b"\n") - 1


def _whole():
    with tempfile.TemporaryDirectory() as name:
        return asyncio.run(written(Path(name))).path.read_bytes()


WHOLE = _whole()


@pytest.mark.parametrize("content", [b"", b"{}\n", b"not a record\n", b"\x00" * 100])
def test_what_is_no_record_is_refused(tmp_path, content):
    """A file without a good header is no record."""
    path = tmp_path / "call.jsonl"
    path.write_bytes(content)
    with pytest.raises(RecordError):
        read(path)


async def test_a_disk_that_refuses_is_noticed_and_holds_nothing_up(tmp_path):
    """When the file cannot be made, the call goes on, and `durable` says that nothing may be changed
    outside.
    """
    (tmp_path / "taken").write_text("a file where a folder is needed")
    record = Recorder(tmp_path / "taken" / "call.jsonl", HEADER)
    record.note(0, "anything")
    assert not await record.durable()
    assert record.failed


async def test_a_record_never_overwrites_another(tmp_path):
    """Two records of one name: the second fails, the first stays whole."""
    first = await written(tmp_path)
    second = Recorder(first.path, HEADER)
    assert not await second.durable()
    assert read(first.path).whole


def small_flow() -> Artifact:
    """One disclosure and an end."""
    nodes = {
        "hello": Node("disclosure", line=Line(say="I am an AI assistant."), next="bye"),
        "bye": Node("end", line=Line(say="Goodbye."), outcome="done"),
    }
    return seal(
        Artifact(
            artifact=ARTIFACT_VERSION,
            content_hash="",
            compiler="0",
            flow="small",
            flow_version="1",
            title="",
            locale="en-US",
            company="c",
            purpose="p",
            start="hello",
            prefix="",
            tools=(),
            briefs={"hello": "", "bye": ""},
            nodes=nodes,
            intents={},
            slots={},
            facts={},
            fact_source=None,
            fact_wait_ms=0,
            triggers=(),
            actions={},
            handoffs={},
            scripts={},
            lost_model=Rung(go="bye"),
            limits=Limits(10, 60_000, 5, 5, "bye"),
            confidence=0.5,
            unsure_below=0.8,
            voice="marin",
            speed=1.0,
            currency="USD",
        )
    )


async def test_replay_names_the_first_difference(tmp_path):
    """A record of the engine itself replays without difference; an effect it would not order is found,
    with its line.
    """
    artifact = small_flow()
    started = events.CallStarted(at_ms=0, call_id="CA1")
    _, ordered = start(artifact, started)
    for extra in ((), (effects.EndCall(reason="nonsense"),)):
        record = Recorder(tmp_path / f"{len(extra)}.jsonl", HEADER)
        record.event(started)
        for effect in (*ordered, *extra):
            record.effect(0, effect)
        record.end(0, "cancelled", None)
        assert await record.durable()
        difference = replay(artifact, read(record.path).lines)
        if extra:
            assert difference == Difference(len(ordered) + 2, {"type": "EndCall", "reason": "nonsense"}, None)
        else:
            assert difference is None
