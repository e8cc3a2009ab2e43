"""`vfc test`, `vfc simulate` and `vfc replay` as a team uses them."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from runtime.cli import app
from runtime.record import read
from runtime.simulate.cover.seen import Track
from runtime.simulate.crowd.saved import save
from runtime.simulate.drive.call import DrivenCall, Outside
from runtime.simulate.drive.moves import HangUp, Move, Silence, Turn
from runtime.simulate.drive.recorded import moments_of
from tests.flows.shipped import ROOT, artifact
from voiceflow_compiler.artifact import encode

FLOW = "lead_qualification"
WRONG = """\
scenario: Somebody finds it too expensive
turns:
  - must: {node: need}
  - intent: too_expensive
    must:
      node: price
      slots: {team_size: 20}
ends: {outcome: qualified_lead}
"""


def vfc(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    """A flow of one's own, with its callers and scenarios."""
    shutil.copytree(ROOT / "flows" / FLOW, tmp_path / FLOW)
    return tmp_path / FLOW


@pytest.fixture
def wrong(flow: Path) -> Path:
    """A scenario of which two expectations are not met."""
    path = flow / "scenarios" / "wrong.yaml"
    path.write_text(WRONG, encoding="utf-8")
    return path


def a_record(folder: Path, *, outcome: bool = False) -> Path:
    """A call as a server would have recorded it, its artifact beside it."""
    call = DrivenCall(artifact(FLOW), {"account_status": "trial"}, Outside())
    moves: list[Move] = [Turn("too_expensive")]
    moves += [Turn("denial")] if outcome else [Silence(), HangUp()]
    for move in moves:
        call.do(move)
    call.rest()
    folder.mkdir(parents=True, exist_ok=True)
    save(artifact(FLOW), call.moments, folder / "call.jsonl")
    kept = folder / "artifacts" / f"{artifact(FLOW).content_hash}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(encode(artifact(FLOW)))
    return folder / "call.jsonl"


# ---- scenarios


def test_the_scenarios_of_a_flow_pass(flow: Path) -> None:
    """A flow is given, its scenarios run, and a count is told."""
    told = vfc("test", flow)
    assert (told.exit_code, told.stdout.split(" in ")[0]) == (0, "6 passed")


def test_a_failure_stands_at_its_line_and_column(wrong: Path) -> None:
    """Each expectation that is not met is told at its own place in the YAML, with both sides."""
    told = vfc("test", wrong)
    assert told.exit_code == 1
    assert f"{wrong}:7:26: Somebody finds it too expensive: turn 2: slot team_size" in told.stdout
    assert "  - must: 20\n  +   is: " in told.stdout
    assert f"{wrong}:8:17: Somebody finds it too expensive: at the end: outcome" in told.stdout


def test_results_as_json_are_one_document(wrong: Path) -> None:
    """With --format json scenarios and coverage are one document, failures with their places."""
    told = vfc("test", wrong.parent, "--format", "json", "--coverage")
    whole = json.loads(told.stdout)
    assert (told.exit_code, whole["passed"], whole["failed"]) == (1, 6, 1)
    assert [failure["place"] for one in whole["scenarios"] for failure in one["failures"]] == [
        f"{wrong}:7:26",
        f"{wrong}:8:17",
    ]
    assert whole["coverage"][0]["picture"]["nodes"]["greeting"]["calls"] == 7


def test_a_build_server_reads_the_results(wrong: Path, tmp_path: Path) -> None:
    """JUnit XML has a case for each scenario, the failing one with its file, line and both sides."""
    vfc("test", wrong.parent, "--junit", tmp_path / "junit.xml")
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    failed = [case for case in suite.iter("testcase") if case.find("failure") is not None]
    assert (suite.get("tests"), suite.get("failures")) == ("7", "1")
    assert [(case.get("file"), case.get("line")) for case in failed] == [(str(wrong), "1")]
    assert f"{wrong}:7:26" in "".join(failed[0].itertext())


def test_processes_change_nothing(tmp_path: Path) -> None:
    """A large set gives the same results in one process and in two."""
    flow = tmp_path / "appointment_scheduling"
    shutil.copytree(ROOT / "flows" / flow.name, flow)
    made = flow / "scenarios" / "made.yaml"
    assert vfc("test", "--generate", "--no-pairs", flow, "-o", made).exit_code == 0
    told = [json.loads(vfc("test", made, "--jobs", str(jobs), "--format", "json").stdout) for jobs in (1, 2)]
    assert told[0] == told[1]
    assert told[0]["passed"] > 100
    assert told[0]["failed"] == 0


def test_watching_runs_again_at_a_change(flow: Path) -> None:
    """With --watch a change of a file runs everything again, until Ctrl-C."""
    command = [sys.executable, "-m", "runtime", "test", str(flow), "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert watching.stdout.readline().startswith("6 passed")
        assert "waiting for a change" in watching.stderr.readline()
        (flow / "scenarios" / "wrong.yaml").write_text(WRONG, encoding="utf-8")
        lines = iter(watching.stdout.readline, "")
        assert any(line.startswith("6 passed, 1 failed") for line in lines)
        watching.send_signal(signal.SIGINT)
        watching.communicate()
    assert watching.returncode == 130


# ---- coverage


def test_a_bar_that_is_not_met_fails(flow: Path) -> None:
    """Coverage below the bar fails the command and says by how much; a low bar does not."""
    low, high = vfc("test", flow, "--bar", "5"), vfc("test", flow, "--bar", "90")
    assert (low.exit_code, high.exit_code) == (0, 1)
    assert "is below the bar of 90 %" in high.stderr


def test_the_flow_is_printed_with_counts(flow: Path) -> None:
    """--lines prints the YAML itself, a count or ##### before what is written there."""
    printed = vfc("test", flow, "--lines").stdout
    text = (flow / "flow.yaml").read_text(encoding="utf-8").splitlines()
    lines = [line for line in printed.splitlines() if line[7:10] == " | "]
    assert [line[10:] for line in lines] == text
    assert lines[text.index("  greeting:")][:7].strip() == "6"
    assert "#####" in {line[:7].strip() for line in lines}


def test_live_records_count(flow: Path, tmp_path: Path) -> None:
    """What only a live call reached counts as reached, once its records are given."""
    record = a_record(tmp_path / "live")
    reached = set(Track(artifact(FLOW)).follow(moments_of(artifact(FLOW), read(record).lines)))
    assert ("node", "price") in reached

    def calls(*more: str | Path) -> dict[str, Any]:
        whole = json.loads(vfc("test", flow, "--coverage", "--format", "json", *more).stdout)
        nodes: dict[str, Any] = whole["coverage"][0]["picture"]["nodes"]
        return nodes

    assert calls("--records", tmp_path / "live")["price"]["calls"] == calls()["price"]["calls"] + 1


@pytest.mark.parametrize("ending", ["svg", "html"])
def test_what_was_reached_is_drawn(flow: Path, tmp_path: Path, ending: str) -> None:
    """--picture draws the flow: how many calls came to each node, and what never happened there."""
    picture = tmp_path / f"covered.{ending}"
    assert vfc("test", flow, "--picture", picture).exit_code == 0
    drawn = picture.read_text(encoding="utf-8")
    assert "● 6 calls" in drawn
    assert "● no call" in drawn
    assert "▲ never reached" in drawn
    assert '.way[data-from="greeting"][data-to="known_caller"] .link{stroke:#1c7a3f' in drawn


def test_a_picture_of_another_kind_is_refused(flow: Path, tmp_path: Path) -> None:
    """A file that is no picture is one line, not a file."""
    told = vfc("test", flow, "--picture", tmp_path / "covered.txt")
    assert (told.exit_code, told.stderr.strip()) == (
        2,
        f"vfc: {tmp_path}/covered.txt: a picture is .svg, .html or .png",
    )


def test_a_crowd_is_counted_and_drawn(tmp_path: Path) -> None:
    """vfc simulate tells coverage and draws it too; a bar fails it."""
    flow, picture = ROOT / "flows" / FLOW, tmp_path / "crowd.svg"
    told = vfc("simulate", flow, "--calls", "60", "--coverage", "--picture", picture, "--format", "json")
    assert told.exit_code == 0
    assert json.loads(told.stdout)["coverage"]["percent"] > 20
    assert "● 60 calls" in picture.read_text(encoding="utf-8")
    assert vfc("simulate", flow, "--calls", "60", "--bar", "99").exit_code == 1


# ---- records


def test_a_replay_as_json(tmp_path: Path) -> None:
    """A record that gives the same again says so as data."""
    told = vfc("replay", a_record(tmp_path), "--format", "json")
    whole = json.loads(told.stdout)
    assert (told.exit_code, whole["same"], whole["same_flow"], whole["parts_at"]) == (0, True, True, None)


def test_a_worse_design_is_told_and_fails(tmp_path: Path) -> None:
    """Where a new design leaves a caller with nothing, the replay says where it parts, and fails."""
    record = a_record(tmp_path, outcome=True)
    text = (ROOT / "flows" / FLOW / "flow.yaml").read_text(encoding="utf-8")
    new = tmp_path / "flow.yaml"
    new.write_text(_without_an_end(text), encoding="utf-8")
    told = vfc("replay", record, "--flow", new, "--format", "json")
    parting = json.loads(told.stdout)["parting"]
    assert (told.exit_code, parting["for_the_caller"]) == (1, "worse")
    assert parting["shared"][-1] == "price"
    assert (parting["went"], parting["would"]) == (["goodbye_no"], ["need"])
    same = vfc("replay", record, "--flow", ROOT / "flows" / FLOW)
    assert (same.exit_code, same.stdout[:28]) == (0, "the new design takes the sam")


def _without_an_end(text: str) -> str:
    """The flow in which a caller who does not want to go on is asked once more."""
    ends = "      denial: {go: goodbye_no}\n      too_expensive: {go: goodbye_no}"
    assert text.count(ends) == 1
    return text.replace(ends, ends.replace("denial: {go: goodbye_no}", "denial: {go: need}"))


def test_a_record_becomes_a_scenario_that_holds(flow: Path, tmp_path: Path) -> None:
    """One command makes a scenario of a live record, and it passes."""
    scenario = flow / "scenarios" / "live.yaml"
    told = vfc("replay", a_record(tmp_path / "live"), "--to-scenario", scenario)
    assert (told.exit_code, told.stdout.strip()) == (0, f"{scenario}: 4 turns")
    assert vfc("test", scenario).stdout.startswith("1 passed")


def test_a_record_cut_short_is_the_same_as_far_as_it_goes(tmp_path: Path) -> None:
    """Torn in the middle of a step it still replays, and is said to have no end; an order that differs is a
    difference; a record of a newer version says so.
    """
    path = a_record(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    effects = [number for number, line in enumerate(lines) if b'"effect"' in line]
    torn = tmp_path / "torn.jsonl"
    torn.write_bytes(b"".join(lines[: effects[-1]]) + lines[effects[-1]][:20])
    ran = vfc("replay", torn)
    assert (ran.exit_code, "as far as they go" in ran.stdout) == (0, True), ran.output
    assert "not whole lines" in ran.stderr
    newer = tmp_path / "newer.jsonl"
    newer.write_bytes(path.read_bytes().replace(b'"record":1', b'"record":9', 1))
    ran = vfc("replay", newer)
    assert (ran.exit_code, "a newer vfc wrote this record (version 9)" in ran.stderr) == (2, True), ran.output


def test_a_crm_that_is_no_text_is_one_line(flow: Path) -> None:
    """A CRM file that cannot be read ends the command with its name, and no bug is reported."""
    (flow / "crm.csv").write_bytes(b"\xff\xfe\x00")
    ran = vfc("test", flow)
    assert ran.exit_code == 2
    assert ran.stderr.strip() == f"vfc: {flow / 'crm.csv'}: this cannot be read as CSV (in UTF-8)"


def test_a_file_that_is_no_scenario_is_told_in_plain_words(flow: Path) -> None:
    """A bare list and a value of a wrong kind are told at their place, in words of YAML."""
    path = flow / "scenarios" / "odd.yaml"
    path.write_text("- scenario: a\n  turns: []\n")
    assert f"{path}:1:1: this is a list: write it below `scenarios:`" in vfc("test", path).stderr
    path.write_text("scenario: a\nturns:\n  - say: [hello]\n")
    assert f"{path}:3:10: this must be text or nothing, not a list" in vfc("test", path).stderr


def test_watching_outlives_a_file_that_goes_and_comes(flow: Path) -> None:
    """While it watches, a deleted scenario is told as missing, and run again once it is back."""
    path = flow / "scenarios" / "coming.yaml"
    text = "scenario: a\nturns: [{say: sales dashboards, must: {node: team}}]\n"
    path.write_text(text)
    watching = subprocess.Popen(
        [sys.executable, "-m", "runtime", "test", "--watch", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert watching.stdout is not None
    try:
        for words, then in (
            ("1 passed", path.unlink),
            ("there is no such file", lambda: path.write_text(text)),
            ("1 passed", lambda: watching.send_signal(signal.SIGINT)),
        ):
            while words not in (line := watching.stdout.readline()):
                assert line, "it ended"
            while "waiting" not in (line := watching.stdout.readline()):
                assert line, "it ended"
            then()
        assert watching.wait(120) == 130
    finally:
        watching.kill()
        watching.wait()
        watching.stdout.close()
