"""The coverage matrix, and how `vfc coverage` shows it and fails a build."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voiceflow_compiler import pipeline
from voiceflow_compiler.cli import app
from voiceflow_compiler.coverage import COLUMNS, Coverage, cover

ROOT = Path(__file__).parents[2]
BROKEN = ROOT / "tests/cases/checks/broken.yaml"
LEAD = ROOT / "flows/lead_qualification"
EXPECTED = ROOT / "tests/cases/coverage"
RUN = CliRunner()


def covered(path: Path, *, keypad: bool = False) -> Coverage:
    """The matrix of a flow, every node on line 1."""
    checked = pipeline.check(str(path))
    assert checked.flow is not None
    assert checked.graph is not None
    return cover(checked.flow, checked.graph, lambda node: ("", 1), keypad=keypad)


@pytest.mark.golden
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize("flow", ["lead", "broken"])
def test_a_matrix_is_exactly_the_file_kept(flow: str, form: str) -> None:
    """The matrix of a whole flow and of one with gaps, in every form."""
    path = {"lead": LEAD, "broken": BROKEN}[flow]
    shown = RUN.invoke(app, ["coverage", str(path), "--format", form]).stdout
    kept = EXPECTED / f"{flow}.{({'text': 'txt', 'json': 'json', 'markdown': 'md'})[form]}"
    if os.environ.get("UPDATE_GOLDEN"):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(shown, encoding="utf-8")
    assert shown == kept.read_text(encoding="utf-8")


def test_who_answers_is_told() -> None:
    """A node's own answers, those of everywhere, triggers, ladders and what is built in are told apart."""
    rows = {row.node: row.cells for row in covered(LEAD / "flow.yaml").rows}
    assert rows["timeline"]["objection"].state == "own"
    assert rows["offer_sales"]["objection"].state == "inherited"
    assert rows["team"]["agreement"].state == "own"
    assert rows["team"]["unclear"].state == "own"
    assert rows["timeline"]["unclear"].state == "inherited"
    assert rows["team"]["are you human?"].by == ("built in",)
    assert rows["offer_demo"]["keypad"].by == ("key 1", "key 2")


def test_a_family_answered_in_part_is_missing_and_names_the_rest() -> None:
    """Where one objection is answered and another is not, the other is named."""
    rows = {row.node: row.cells for row in covered(BROKEN).rows}
    assert rows["team"]["confusion"].missing == ("unheard_of",)


def test_a_gap_in_a_shared_part_is_named_by_its_file(tmp_path: Path) -> None:
    """What is missing at a subflow's node stands in the subflow's file, and the report says so."""
    project = tmp_path / "calls"
    assert RUN.invoke(app, ["init", str(project)]).exit_code == 0
    flow = project / "flows/reception/flow.yaml"
    lines = [line for line in flow.read_text("utf-8").splitlines() if not line.startswith("  not_now: {go")]
    flow.write_text("\n".join(lines), encoding="utf-8")
    ran = RUN.invoke(app, ["coverage", str(flow)])
    assert 'take_message.yaml:17: at "leave_word.ask_message" nothing answers objection' in ran.stdout
    assert 'line 35: at "topic" nothing answers objection' in ran.stdout


def test_keys_count_only_when_asked() -> None:
    """A caller is promised no keys: their absence lowers the share only with `keypad`."""
    assert covered(LEAD / "flow.yaml").percent == 100
    assert covered(LEAD / "flow.yaml", keypad=True).percent < 100


@pytest.mark.parametrize(("flow", "bar", "code"), [(LEAD, "95", 0), (BROKEN, "95", 1), (BROKEN, "70", 0)])
def test_a_build_fails_below_the_bar(flow: Path, bar: str, code: int) -> None:
    """Below the bar the exit code is 1 and one line says so; the matrix is printed either way."""
    ran = RUN.invoke(app, ["coverage", str(flow), "--bar", bar])
    assert ran.exit_code == code
    assert ran.stdout.startswith("node")
    assert len(ran.stderr.splitlines()) == code


def test_json_says_whether_the_bar_was_met() -> None:
    """A program reads the share, the bar, the verdict and every cell."""
    ran = RUN.invoke(app, ["coverage", str(BROKEN), "--bar", "95", "--format", "json"])
    told = json.loads(ran.stdout)
    assert (told["version"], told["bar"], told["passed"]) == (1, 95, False)
    assert set(told["nodes"][0]["cells"]) == set(COLUMNS)


def test_a_flow_that_cannot_be_read_ends_in_its_findings(tmp_path: Path) -> None:
    """A typo gives the finding with its place and exit code 1, no traceback and no matrix."""
    path = tmp_path / "flow.yaml"
    path.write_text("language: 1\nnodez: {}\n", encoding="utf-8")
    ran = RUN.invoke(app, ["coverage", str(path)])
    assert ran.exit_code == 1
    assert ran.stdout == ""
    assert "flow.yaml:2:1" in ran.stderr
    assert RUN.invoke(app, ["coverage", str(tmp_path / "absent.yaml")]).exit_code == 2
