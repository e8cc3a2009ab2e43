"""`vfc audit` and `vfc latency` over a folder of records."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.cli import app
from runtime.commands.latency import measured
from tests.flows.shipped import ROOT


def run(*arguments: str) -> tuple[int, str]:
    """The exit code and what was said."""
    ran = CliRunner().invoke(app, list(arguments))
    return ran.exit_code, ran.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one call, as `vfc call` leaves it."""
    out = tmp_path_factory.mktemp("call") / "out"
    flow = str(ROOT / "flows" / "lead_qualification")
    code, said = run("call", flow, "--voice", "tones", "--speed", "10", "--out", str(out))
    assert code == 0, said
    return out


def test_a_call_that_was_had_breaks_no_invariant(folder: Path) -> None:
    """The record of a whole call is clean, in words and in JSON."""
    code, said = run("audit", str(folder))
    assert (code, said) == (0, "1 records, 0 of them broke an invariant\n")
    _, said = run("audit", str(folder), "--format", "json")
    assert json.loads(said)["records"] == [{"record": str(folder / "call.jsonl"), "broken": []}]


def test_a_record_that_was_cut_is_told(folder: Path, tmp_path: Path) -> None:
    """A record without its end breaks the first invariant; exit code 1."""
    (tmp_path / "artifacts").mkdir()
    for one in (folder / "artifacts").iterdir():
        (tmp_path / "artifacts" / one.name).write_bytes(one.read_bytes())
    lines = (folder / "call.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "cut.jsonl").write_bytes(b"".join(lines[:-1]))
    code, said = run("audit", str(tmp_path))
    assert code == 1
    assert said.splitlines()[0] == f"{tmp_path / 'cut.jsonl'}: I1: 0 ends"


def test_waits_are_told_in_percentiles(folder: Path) -> None:
    """Every answered turn of the record counts; the parts of a wait make up its total."""
    code, said = run("latency", str(folder), "--format", "json")
    told = json.loads(said)
    assert code == 0
    assert told["turns"] > 3
    assert set(told["parts"]) == {"total", "detection", "model", "bridge", "answer"}
    assert "model and bridge within 300 ms in" in run("latency", str(folder))[1]


def test_a_percentile_is_the_nearest_rank() -> None:
    """Of a hundred waits of 1 to 100 ms the 95th is 95 ms; the line counts those at or below it."""
    turns = [{"total_ms": n, "detection_ms": 0, "model_ms": 0, "bridge_ms": n + 250} for n in range(1, 101)]
    told = measured(turns)
    assert told["parts"]["total"] == {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "most": 100}
    assert told["within_line"] == 50
