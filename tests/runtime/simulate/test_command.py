import json
from pathlib import Path
from typing import Any

import pytest

from runtime import record
from runtime.simulate import command
from runtime.simulate.command import CallError, call, callers, choose
from runtime.simulate.profile import ProfileError
from tests.flows.shipped import ROOT, artifact, read_yaml
from voiceflow_compiler.artifact import decode

FLOW = ROOT / "flows" / "lead_qualification"


def place(out: Path, *, caller: str | None = None, flow: Path = FLOW, **more: Any) -> int:
    """`vfc call` as it is mounted, on a fast clock."""
    chosen: dict[str, Any] = {"voice": "tones", "form": "json", "speed": 6.0, **more}
    return call(
        flow,
        caller=caller,
        out=out,
        compile_flow=lambda path: artifact(path.parent.name),
        read_yaml=read_yaml,
        **chosen,
    )


def test_a_call_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --format json one object tells how the call went, and the exit code is 0 when it went as
    expected.
    """
    assert place(tmp_path / "out", caller="hangs_up") == command.FINE
    told = json.loads(capsys.readouterr().out)
    assert (told["ends_at"], told["ended"], told["unexpected"]) == ("team", "caller_hangup", [])
    assert told["slots"] == {"main_need": "dashboards"}


def test_a_call_that_did_not_end_as_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 1, and what was expected is told, when a call ends otherwise."""
    flow = tmp_path / "lead_qualification"
    (flow / "callers").mkdir(parents=True)
    (flow / "crm.csv").write_bytes((FLOW / "crm.csv").read_bytes())
    hangs_up = (FLOW / "callers" / "hangs_up.yaml").read_text(encoding="utf-8")
    (flow / "callers" / "hangs_up.yaml").write_text(hangs_up.replace("ends_at: team", "ends_at: route"))
    assert place(tmp_path / "out", flow=flow, form="text") == command.UNEXPECTED
    assert "the last node should be route, but it is team" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"caller": "santa"}, "no caller is called 'santa'"),
        ({"voice": "whale"}, "no voice is called 'whale'"),
        ({"voice": "text"}, "nothing is heard on a telephone in text"),
    ],
)
def test_a_call_that_cannot_be_placed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: dict[str, Any], problem: str
) -> None:
    """What the command cannot run with is one line on the error output, and the exit code is 2."""
    assert place(tmp_path / "out", **more) == command.COULD_NOT_RUN
    told = capsys.readouterr()
    assert told.out == ""
    assert problem in " ".join(told.err.split())


def test_the_default_caller_calls_when_none_is_named() -> None:
    """The caller marked `default` is chosen, and by name any other."""
    known = callers(FLOW, read_yaml)
    assert choose(known, None).default
    assert choose(known, "agrees").name == "Dana"
    with pytest.raises(CallError):
        choose({}, None)


def test_a_broken_caller_file_is_named(tmp_path: Path) -> None:
    """The file of a caller that cannot be read is in the message."""
    (tmp_path / "callers").mkdir()
    (tmp_path / "callers" / "odd.yaml").write_text("name: Odd\n")
    with pytest.raises(ProfileError, match=r"odd\.yaml"):
        callers(tmp_path, read_yaml)


def test_only_a_call_s_own_files_are_written(tmp_path: Path) -> None:
    """A call writes its own files into a folder and touches nobody else's there."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "server").mkdir()
    (out / "handoff-notes.json").write_text("mine")
    assert place(out, caller="hangs_up") == command.FINE
    assert (out / "handoff-notes.json").read_text() == "mine"
    assert (out / "server").is_dir()
    assert {"call.jsonl", "call.wav", "transcript.md", "vfc.toml"} <= {path.name for path in out.iterdir()}


def test_a_call_can_be_replayed_from_its_folder(tmp_path: Path) -> None:
    """The artifact of the call lies beside its record, and that of the call before it is gone."""
    for _ in range(2):
        assert place(tmp_path, caller="hangs_up") == command.FINE
        (artifact,) = (tmp_path / "artifacts").iterdir()
        kept = record.read(tmp_path / "call.jsonl")
        assert artifact.stem == kept.header["artifact"]["hash"]
        assert record.replay(decode(artifact.read_bytes()), kept.lines) is None
        artifact.rename(tmp_path / "artifacts" / "older.json")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An output folder that is a file is one line on the error output, not a traceback."""
    out = tmp_path / "out"
    out.write_text("a file")
    assert place(out, caller="hangs_up") == command.COULD_NOT_RUN
    assert "file exists" in " ".join(capsys.readouterr().err.split())
