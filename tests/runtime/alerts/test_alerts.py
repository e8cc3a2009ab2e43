"""Alerts: counted exactly, written down sparingly, never with anything private."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from runtime.alerts import LINES_A_MINUTE, SOURCES, Alerts
from runtime.alerts.codes import CODES
from runtime.metrics import Metrics

ROOT = Path(__file__).parents[3]


class Clock:
    """A clock that stands still until it is told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def written() -> Any:
    """The log lines, as they are written."""
    before = structlog.get_config()
    capture = LogCapture()
    structlog.configure(processors=[capture])
    yield capture.entries
    structlog.configure(**before)


def counted(alerts: Alerts, code: str) -> float | None:
    """What the counter of a code says."""
    labels = {"code": code, "priority": CODES[code].priority}
    return alerts.metrics.registry.get_sample_value("vfc_alert_total", labels)


def test_an_alert_is_one_count_and_one_line(written: Any) -> None:
    """The line names code, priority, call, artifact and the one word; the counter has code and priority."""
    alerts = Alerts(Metrics())
    alerts("model.unusable", call_id="CA1", artifact="sha256:ab", detail="insufficient_quota")
    assert counted(alerts, "model.unusable") == 1
    assert written == [
        {
            "event": "alert",
            "log_level": "error",
            "code": "model.unusable",
            "priority": "P1",
            "call_id": "CA1",
            "artifact": "sha256:ab",
            "detail": "insufficient_quota",
        }
    ]


def test_a_detail_that_is_no_word_is_not_written(written: Any) -> None:
    """What a model sent as an error code may be a sentence about the caller: it becomes `other`."""
    Alerts(Metrics())("model.error", detail="The caller Dana said hello")
    assert written[0]["detail"] == "other"


def test_a_storm_is_counted_and_not_written_out(written: Any) -> None:
    """Of a thousand alerts in a minute all are counted and few written; the next minute tells the rest."""
    clock = Clock()
    alerts = Alerts(Metrics(), clock)
    for _ in range(1000):
        alerts("line.flood")
    clock.now += 60
    alerts("line.flood")
    assert counted(alerts, "line.flood") == 1001
    assert len(written) == LINES_A_MINUTE + 1
    assert written[-1]["untold"] == 1000 - LINES_A_MINUTE


def test_a_code_that_is_not_in_the_table_is_our_bug() -> None:
    """The set of codes is closed."""
    with pytest.raises(KeyError):
        Alerts(Metrics())("model.tired")


def told_codes() -> set[str]:
    """Every text given to an alert in the runtime that has the form of a code."""
    areas = {code.partition(".")[0] for code in CODES}
    form = re.compile(rf"({'|'.join(sorted(areas))})\.[a-z_]+")
    found: set[str] = set()
    for path in (ROOT / "runtime").rglob("*.py"):
        if path.name == "codes.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _tells(node.func):
                texts = [one for arg in node.args[:1] for one in ast.walk(arg)]
                told = {str(one.value) for one in texts if isinstance(one, ast.Constant)}
                found |= {text for text in told if form.fullmatch(text)}
    return found


def _tells(func: ast.expr) -> bool:
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    return name in ("alert", "_alert", "alerts", "Rule")


def test_every_code_is_told_somewhere_and_nothing_else_is() -> None:
    """The table is exactly what the runtime can tell: no promise nobody keeps, no code without a meaning."""
    assert told_codes() == set(CODES)


def test_refusals_that_come_often_from_one_source_are_more_urgent(written: Any) -> None:
    """P3 alone; P2 from the fifth within an hour of one number on, and P3 again an hour later. Other numbers,
    other codes and what is P1 anyhow are not touched."""
    clock = Clock()
    alerts = Alerts(Metrics(), clock)
    for number in range(6):
        clock.now += 60
        alerts("security.card_number", call_id=f"CA{number}", source="ab-01")
        alerts("security.card_number", source=f"other-{number}")
    alerts("security.address_refused", source="ab-01")
    clock.now += 3600
    alerts("security.card_number", source="ab-01")
    told = [(line["code"], line["priority"]) for line in written if line.get("call_id")]
    assert told == [("security.card_number", "P3")] * 4 + [("security.card_number", "P2")] * 2
    assert [line["priority"] for line in written][-2:] == ["P1", "P3"]
    value = alerts.metrics.registry.get_sample_value
    assert value("vfc_alert_total", {"code": "security.card_number", "priority": "P2"}) == 2
    assert "ab-01" not in str(written)


def test_as_many_sources_are_counted_as_there_is_room_for() -> None:
    """A flood of numbers leaves no more than a bounded memory of them."""
    alerts = Alerts(Metrics(), Clock())
    for number in range(3 * SOURCES):
        alerts("security.card_number", source=str(number))
    assert len(alerts._refused) == SOURCES
