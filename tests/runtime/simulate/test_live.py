import io
from typing import Any

from rich.console import Console

from runtime.engine.effects import EnterNode, RunAction
from runtime.engine.events import PlaybackFinished, TurnReported
from runtime.simulate.live import Screen, Watched


def shown(*lines: dict[str, object], terminal: bool = False) -> str:
    """What a person sees of these lines of a record."""
    out = io.StringIO()
    screen = Screen(Console(file=out, force_terminal=terminal, width=100, color_system=None))
    watched = Watched(screen.show)
    with screen.open():
        for line in lines:
            watched.take("CA1", line)
    return out.getvalue()


LINES: tuple[dict[str, object], ...] = (
    {"record": 1, "call_id": "CA1"},
    {"at_ms": 100, "effect": EnterNode(node="team")},
    {"at_ms": 4200, "event": PlaybackFinished(at_ms=4200, speech_id="s1", text="How many people?")},
    {
        "at_ms": 6000,
        "event": TurnReported(
            at_ms=6000, turn_id="t1", arguments={"heard": "about [fifty]", "intent": "answer"}
        ),
    },
    {
        "at_ms": 7000,
        "effect": RunAction(run_id="r", action="book", arguments={}, idempotency_key="k", within_ms=1),
    },
    {"at_ms": 7100, "note": {"kind": "played"}},
)


def test_plain_lines_without_a_terminal() -> None:
    """Where there is no terminal each thing that a person cares about is one plain line with its time."""
    lines = shown(*LINES).splitlines()
    assert [line.split(maxsplit=1)[0] for line in lines] == ["00:00.1", "00:04.2", "00:06.0", "00:07.0"]
    assert lines[1].endswith("assistant How many people?")
    assert "about [fifty]" in lines[2]


def test_a_terminal_shows_the_active_node() -> None:
    """In a terminal the node the call stands at stays visible."""
    assert "team" in shown(*LINES, terminal=True)


def test_where_the_call_stands_is_known() -> None:
    """The newest node of the record is the node the call stands at."""
    watched: Any = Watched()
    assert (watched.node, watched.call_id) == (None, None)
    for node in ("greeting", "team"):
        watched.take("CA1", {"at_ms": 0, "effect": EnterNode(node=node)})
    assert (watched.node, watched.call_id) == ("team", "CA1")
