"""Names and words that would be markup, commands or lines of their own, wherever they are written down."""

import json
from pathlib import Path

import pytest

from runtime.alerts import Alerts
from runtime.engine import events as ev
from runtime.engine.slots import clean
from runtime.metrics import Metrics
from runtime.record import Header, Recorder, read
from runtime.simulate.story import Happening, Story, markdown

pytestmark = pytest.mark.faults

HOSTILE = (
    "line one\nline two\r\nX-Header: 1",
    "\x1b[2J\x1b]0;owned\x07",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[press me](javascript:alert(1)) `code`",
    '{"seq": 0, "end": {"reason": "x"}}\n{"seq": 1}',
    "\u202etxt.exe\u200b\ufeff\u2028next",
    "| a | b |",
    "\x00\x08\x7f\x9b31m",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_row_67_a_record_has_one_line_for_each(tmp_path: Path, text: str) -> None:
    """Whatever is said, a record's line stays one line of JSON without a raw control character."""
    record = Recorder(tmp_path / "call.jsonl", Header("CA1", "2026", "0" * 64, "f", "1"))
    record.event(ev.TurnTranscribed(at_ms=1, turn_id="t", text=text))
    record.event(ev.TurnReported(at_ms=2, turn_id="t", arguments={"heard": text, text: text}))
    record.end(3, "caller_hangup", None)
    assert await record.durable()
    content = record.path.read_bytes()
    assert content.count(b"\n") == 4
    assert not set(content) & (set(range(32)) - {10})
    assert read(record.path).lines[0]["event"]["text"] == text


def page(text: str) -> str:
    """The page of a call in which a caller said this, and gave it as a name."""
    story = Story(
        call_id="CA1",
        flow="f",
        flow_version="1",
        happenings=(Happening(1, "caller", text),),
        nodes=((0, "size"),),
        slots={"name": text},
        outcome=None,
        ends_at=None,
        ended="caller_hangup",
        lasted_ms=1,
        packages=(),
    )
    return markdown(story, caller="Ada", expected=())


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_row_67_a_transcript_page_has_no_markup_of_a_caller_s(text: str) -> None:
    """In the page of a call what a caller said is one cell of a table, and nothing in it is markup."""
    found, usual = page(text), page("x")
    assert found.count("\n") == usual.count("\n")
    assert found.count("|") == usual.count("|")
    for sign in ("<", "\x1b", "\r", "\u2028", " [", "| ="):
        assert sign not in found.replace("|  |", "")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_row_67_an_alert_says_one_word_of_ours(text: str, log_lines: list[dict[str, object]]) -> None:
    """What a model or a carrier sent never becomes a line of an operator's log."""
    Alerts(Metrics())("model.error", call_id="CA1", detail=text)
    assert [line["detail"] for line in log_lines] == ["other"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_row_67_cleaned_text_is_one_printable_line(text: str) -> None:
    """What the engine keeps of a text has neither control characters nor lines."""
    assert len(clean(text).splitlines()) <= 1
    assert not [sign for sign in json.dumps(clean(text), ensure_ascii=False) if ord(sign) < 32]
