"""What operators are given: the table of alerts in the docs, rules for Prometheus, a board for Grafana."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml

from runtime.alerts.codes import CODES
from runtime.metrics import Metrics

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "operations.md"
RULES = ROOT / "examples" / "monitoring" / "rules.yml"
BOARD = ROOT / "examples" / "monitoring" / "dashboard.json"
BEGIN, END = "<!-- alerts -->\n", "<!-- end of alerts -->"


@pytest.mark.golden
def test_the_page_holds_every_alert() -> None:
    """docs/operations.md has the table of runtime/alerts/codes.py; `make golden` writes it."""
    rows = [
        f"| `{code}` | {alert.priority} | {alert.means} | {alert.do} |\n"
        for code, alert in sorted(CODES.items())
    ]
    table = "| code | priority | what happened | what to do |\n|---|---|---|---|\n" + "".join(rows)
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    whole = head + BEGIN + table + END + rest.partition(END)[2]
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(whole, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == whole


def families() -> set[str]:
    """Every name Prometheus has from us."""
    return {
        name
        for metric in Metrics().registry.collect()
        for name in (
            metric.name,
            f"{metric.name}_total",
            *(f"{metric.name}_{part}" for part in ("bucket", "count", "sum")),
        )
    }


@pytest.mark.parametrize("path", [PAGE, RULES, BOARD], ids=lambda path: path.name)
def test_every_number_named_is_one_we_tell(path: Path) -> None:
    """The page, the rules and the board name only metrics the server has."""
    named = set(re.findall(r"\bvfc_[a-z_]+", path.read_text(encoding="utf-8")))
    assert named
    assert named <= families()


def test_the_rules_name_codes_that_exist() -> None:
    """Every rule has an expression, a severity and a sentence; every code in it is in the table."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert all(
        rule["expr"] and rule["labels"]["severity"] and rule["annotations"]["summary"] for rule in rules
    )
    named = re.findall(r'code=~?"([^"]+)"', RULES.read_text(encoding="utf-8"))
    assert named
    for pattern in named:
        assert any(re.fullmatch(pattern, code) for code in CODES), pattern


def test_the_board_is_a_dashboard() -> None:
    """Grafana's file is JSON with a title and panels, each with a query."""
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    assert board["title"]
    assert all(panel["targets"][0]["expr"] for panel in board["panels"])
