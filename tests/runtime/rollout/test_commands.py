"""`vfc gate` and `vfc rollout`: what they say, keep and refuse, and their exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from runtime.cli import app
from tests.runtime.rollout.folder import METRIC, artifact, good_calls, kept, lay_out, put, record, told
from tests.runtime.rollout.places import FLOW, KEY, begun


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VFC_HUMAN_NUMBER", "VFC_STORE_URL", "VFC_RECORDS"):
        monkeypatch.delenv(name, raising=False)


def said(*command: str, code: int = 0) -> str:
    """What a command says; it must end with this code."""
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == code, ran.output
    return ran.output


def gate(*options: str, code: int = 0) -> dict[str, Any]:
    return told(said("gate", *options, "--format", "json", code=code))


def rollout(folder: Path, *command: str, code: int = 0) -> dict[str, Any]:
    return told(
        said("rollout", *command, "--settings", str(folder / "vfc.toml"), "--format", "json", code=code)
    )


def test_a_plan_says_how_many_calls() -> None:
    """More power, a weaker assistant or more looks take more calls; the looks end at the last of them."""
    usual = gate("plan", "--human", "0.34")
    calls = usual["terms"]["calls"]
    assert usual["looks_at"][-1] == calls
    assert usual["usual"] < calls
    for more in (("--power", "0.9"), ("--expected", "0.95"), ("--human-calls", "500")):
        assert gate("plan", "--human", "0.34", *more)["terms"]["calls"] > calls


def test_a_plan_that_cannot_work_says_why() -> None:
    """Too few human calls, nothing expected above the margin and no human rate each end it with words."""
    assert "would do" in said(
        "gate", "plan", "--human", "0.34", "--human-calls", "100", "--expected", "0.85", code=2
    )
    assert "above the margin" in said("gate", "plan", "--human", "0.34", "--expected", "0.8", code=2)
    assert "--human" in said("gate", "--calls", "10", "--hits", "1", code=2)


def test_counts_pass_or_fail_by_name() -> None:
    """A good assistant passes, one below the margin fails at the end of the plan, few calls wait."""
    people = ("--human", "0.34", "--human-calls", "2000")
    assert gate("--calls", "400", "--hits", "136", *people)["standing"] == "passed"
    failed = gate("--calls", "400", "--hits", "100", *people, code=1)
    assert failed["standing"] == "failed"
    assert failed["reasons"][0].startswith("conversion: ")
    waiting = gate("--calls", "20", "--hits", "10", *people, code=1)
    assert (waiting["standing"], waiting["looks"]) == ("not_yet", [])


def test_records_are_counted_and_looks_kept(tmp_path: Path) -> None:
    """The gate counts records by the flow's metric, keeps its looks beside them, and takes none twice."""
    flow = str(lay_out(tmp_path))
    good_calls(tmp_path, 80, every=4)
    calls = tmp_path / "records" / "calls"
    options = (flow, "--records", str(calls), "--settings", str(tmp_path / "vfc.toml"))
    first = gate(*options, code=1)
    assert (first["metric"], first["counts"]) == (METRIC, {"calls": 80, "hits": 20})
    assert gate(*options, code=1)["looks"] == first["looks"]
    assert len(first["looks"]) == 1
    ledger = json.loads(next((calls / "gate").iterdir()).read_text())
    assert ledger[1] == first["looks"]
    good_calls(tmp_path, 400)
    assert len(gate(*options)["looks"]) == 2


def test_a_broken_guard_fails_the_gate_by_name(tmp_path: Path) -> None:
    """However many convert, calls that break fail the gate, and the guard is the reason."""
    flow = str(lay_out(tmp_path))
    good_calls(tmp_path, 400)
    for number in range(100):
        record(
            tmp_path, f"CB{number:04}", METRIC, reason="line_lost", started="2026-11-22T11:00:00.000+00:00"
        )
    options = ("--records", str(tmp_path / "records"), "--settings", str(tmp_path / "vfc.toml"))
    verdict = gate(flow, *options, code=1)
    assert verdict["standing"] == "failed"
    assert [reason.partition(":")[0] for reason in verdict["reasons"]] == ["session_success"]


def test_a_rollout_from_its_pilot_and_back(tmp_path: Path) -> None:
    """Start, a gate that waits, a hold, a resume and a rollback: each is a decision with who and why."""
    flow = str(lay_out(tmp_path))
    assert rollout(tmp_path, "start", flow, "--by", "ada")["percent"] == 5
    refused = rollout(tmp_path, "start", flow, code=1)
    assert "already" in refused["refused"]
    waiting = rollout(tmp_path, "advance", flow, code=1)
    assert (waiting["decided"], waiting["verdicts"][0]["standing"]) == (None, "not_yet")
    rollout(tmp_path, "hold", FLOW, "--reason", "a holiday", "--by", "ada")
    assert "a holiday" in rollout(tmp_path, "advance", flow, code=1)["refused"]
    rollout(tmp_path, "resume", FLOW, "--reason", "back", "--by", "ada")
    assert rollout(tmp_path, "rollback", FLOW, "--reason", "a complaint", "--by", "bob")["stage"] == "off"
    history = rollout(tmp_path, "history", FLOW)["decisions"]
    assert [(one["version"], one["act"], one["by"]) for one in history] == [
        (1, "start", "ada"),
        (2, "hold", "ada"),
        (3, "resume", "ada"),
        (4, "rollback", "bob"),
    ]


def test_the_gate_alone_advances(tmp_path: Path) -> None:
    """With enough good calls the stage grows by one, the counts as evidence; then it waits for new calls."""
    flow = str(lay_out(tmp_path))
    put(tmp_path, replace(begun(), artifact=artifact().content_hash))
    good_calls(tmp_path)
    assert rollout(tmp_path, "advance", flow)["stage"] == "10"
    made = kept(tmp_path, FLOW).decisions[-1]
    assert (made.act, made.by, made.evidence["counts"]) == ("advance", "gate", {"calls": 320, "hits": 160})
    assert rollout(tmp_path, "advance", flow, code=1)["decided"] is None


def test_a_bad_pilot_uses_up_its_plan(tmp_path: Path) -> None:
    """A look that does not pass is written with what it spent; a used-up plan says so until begun again."""
    flow = str(lay_out(tmp_path))
    put(tmp_path, replace(begun(), artifact=artifact().content_hash))
    good_calls(tmp_path, every=6)
    failed = rollout(tmp_path, "advance", flow, code=1)
    assert (failed["decided"]["act"], failed["verdicts"][0]["standing"]) == ("look", "failed")
    assert rollout(tmp_path, "advance", flow, code=1)["decided"] is None
    assert rollout(tmp_path, "start", flow)["decided"]["act"] == "start"


def test_a_step_from_another_version_is_not_made(tmp_path: Path) -> None:
    """`--at` of a version that has passed changes nothing and says so."""
    lay_out(tmp_path)
    put(tmp_path, begun())
    rollout(tmp_path, "hold", FLOW, "--reason", "r", "--at", "1")
    assert "meanwhile" in rollout(tmp_path, "rollback", FLOW, "--reason", "r", "--at", "1", code=1)["refused"]
    assert kept(tmp_path, FLOW).version == 2


def test_another_version_of_the_flow_does_not_advance(tmp_path: Path) -> None:
    """Evidence for one version does not carry another: the command says to begin again."""
    flow = str(lay_out(tmp_path))
    put(tmp_path, begun())
    assert "has changed" in rollout(tmp_path, "advance", flow, code=1)["refused"]


def test_nothing_begun_and_no_human_line_are_said(tmp_path: Path) -> None:
    """Without a rollout, and without a human line, the commands end with one line."""
    flow = str(lay_out(tmp_path))
    settings = ("--settings", str(tmp_path / "vfc.toml"))
    assert "no rollout" in said("rollout", "status", FLOW, *settings, code=2)
    (tmp_path / "vfc.toml").write_text('records = "records"\n')
    assert "VFC_HUMAN_NUMBER" in said("rollout", "start", flow, *settings, code=2)


def test_no_command_tells_the_key(tmp_path: Path) -> None:
    """Whoever reads what the commands say cannot tell who is in the share."""
    lay_out(tmp_path)
    put(tmp_path, begun())
    for command in ("status", "history"):
        for form in ("text", "json"):
            options = ("--settings", str(tmp_path / "vfc.toml"), "--format", form)
            assert KEY not in said("rollout", command, FLOW, *options)


def test_complaints_count_once_and_break_their_guard(tmp_path: Path) -> None:
    """Complaints by call and by CSV are noted once each, one about no call is refused, and enough of them
    break the guard of the stage.
    """
    lay_out(tmp_path)
    put(tmp_path, replace(begun(), artifact=artifact().content_hash))
    good_calls(tmp_path, 60)
    listed = tmp_path / "complaints.csv"
    listed.write_text("when,call_id\n" + "".join(f"today,CA{number:04}\n" for number in range(12)))
    told = rollout(tmp_path, "complaint", "CA0003", "--by", "ada")
    assert (told["noted"], told["known"]) == (["CA0003"], [])
    told = rollout(tmp_path, "complaint", "--csv", str(listed))
    assert (len(told["noted"]), told["known"]) == (11, ["CA0003"])
    for nobody in ("CA9999", "../CA0001", "*"):
        assert rollout(tmp_path, "complaint", nobody, code=1)["unknown"] == [nobody]
    guards = {guard["name"]: guard for guard in rollout(tmp_path, "status", FLOW)["guards"]}
    assert (guards["complaints"]["state"], guards["complaints"]["act"]) == ("breaks", "rollback")
    assert guards["complaints"]["value"] == 12 / 60


def test_a_caller_complains_by_an_intent(tmp_path: Path) -> None:
    """A call on which an intent of the settings was reported is one that was complained about."""
    lay_out(tmp_path)
    (tmp_path / "vfc.toml").write_text(
        'records = "records"\n[rollout]\nhuman_number = "+12025550190"\n'
        'complaint_intents = ["too_expensive"]\n'
    )
    put(tmp_path, replace(begun(), artifact=artifact().content_hash))
    report = {"event": {"type": "TurnReported", "turn_id": "t", "arguments": {"intent": "too_expensive"}}}
    for number in range(30):
        record(tmp_path, f"CA{number:04}", METRIC, *([report] if number < 10 else []))
    guards = {guard["name"]: guard["value"] for guard in rollout(tmp_path, "status", FLOW)["guards"]}
    assert guards["complaints"] == 10 / 30


def test_a_list_without_calls_is_said(tmp_path: Path) -> None:
    """A CSV without the column, or none at all, ends the command with one line."""
    lay_out(tmp_path)
    (tmp_path / "wrong.csv").write_text("number\n1\n")
    for name in ("wrong.csv", "none.csv"):
        options = ("--csv", str(tmp_path / name), "--settings", str(tmp_path / "vfc.toml"))
        assert name in said("rollout", "complaint", *options, code=2)
