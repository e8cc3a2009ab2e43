"""The command line: what it says, how it ends, and that it never shows a traceback."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.engine.events import CallEnded, CallStarted
from runtime.engine.step import start as begin
from runtime.engine.step import step
from runtime.record import Header, Recorder
from runtime.session.stand_in import StandIn
from voiceflow_compiler.artifact import encode
from voiceflow_compiler.pipeline import compile as compile_flow

ROOT = Path(__file__).parents[2]
FLOW = ROOT / "flows" / "lead_qualification"
PATIENCE_S = 60


def environment(**more: str) -> dict[str, str]:
    """This process's environment without any setting of ours, and these."""
    ours = ("VFC_", "OPENAI_", "TWILIO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"NO_COLOR": "1", "COLUMNS": "200"} | more


def vfc(*words: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "runtime", *words],
        cwd=cwd,
        env=environment(PYTHONPATH=str(ROOT), **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@contextmanager
def running(
    *words: str, cwd: Path, first: tuple[str, ...] = (), **more: str
) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is told to stop. `first`: the program that starts it, if any."""
    process = subprocess.Popen(
        [*first, sys.executable, "-u", "-m", "runtime", *words],
        cwd=cwd,
        env=environment(PYTHONPATH=str(ROOT), **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def until(process: subprocess.Popen[str], pattern: str) -> str:
    """The first line of its output that fits."""
    assert process.stdout is not None
    for line in process.stdout:
        if re.search(pattern, line):
            return line.strip()
    raise AssertionError(process.stderr.read() if process.stderr else "")


def test_help_names_every_command(tmp_path: Path) -> None:
    """`vfc --help` lists the compiler's commands and the runtime's."""
    told = vfc("--help", cwd=tmp_path)
    assert told.returncode == 0
    for command in ("check", "compile", "graph", "explain", "serve", "stand-in", "call", "replay"):
        assert re.search(rf"\b{command}\b", told.stdout), command


def test_help_is_cheap(tmp_path: Path) -> None:
    """The command line itself loads no library that only one command needs."""
    program = "import sys, runtime.cli; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"openai", "networkx", "starlette", "uvicorn", "websockets", "httpx2", "pocketsphinx"}
    assert not heavy & set(told.stdout.split())


def test_serve_without_settings_says_all_that_is_missing(tmp_path: Path) -> None:
    """Without any setting, serve ends with 2 and one line for each that is required, and no traceback."""
    told = vfc("serve", str(FLOW), cwd=tmp_path)
    assert told.returncode == 2
    lines = told.stderr.splitlines()
    assert [line.split(" is missing")[0] for line in lines] == [
        "vfc: public_url",
        "vfc: model.api_key",
        "vfc: telephony.auth_token",
    ]


def test_serve_refuses_unsigned_requests_from_outside(tmp_path: Path) -> None:
    """`--insecure` on an address others reach ends with 2 and says what to change."""
    told = vfc("serve", str(FLOW), "--insecure", "--host", "0.0.0.0", cwd=tmp_path, OPENAI_API_KEY="k")
    assert told.returncode == 2
    assert "telephony.insecure takes unsigned requests on loopback only" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("serve", "nowhere", "--insecure"), "nowhere: there is no such file"),
        (("serve", "broken.json", "--insecure"), "broken.json: this is not a compiled flow"),
        (("serve", "x", "--settings", "nowhere.toml"), "the settings file nowhere.toml cannot be read"),
        (("replay", "nowhere.jsonl", "x"), "nowhere.jsonl: no such file or directory"),
        (("replay", "broken.json", "x"), "broken.json: this is not a call record"),
        (("call", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_run_is_one_line(tmp_path: Path, words: tuple[str, ...], line: str) -> None:
    """A file that is absent or no flow, artifact, record or settings ends with 2 and one line."""
    (tmp_path / "broken.json").write_text("{")
    told = vfc(*words, cwd=tmp_path, OPENAI_API_KEY="k")
    assert told.returncode == 2, told.stderr
    assert line in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_serve_prints_its_address_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """Serve renders, prints each flow's address, and a signal ends it with 0 and no traceback."""
    artifact = compile_flow(str(FLOW / "flow.yaml")).artifact
    assert artifact is not None
    (tmp_path / "flow.json").write_bytes(encode(artifact))
    (tmp_path / "vfc.toml").write_text(f'[facts.crm]\nsource = "csv_file"\npath = "{FLOW / "crm.csv"}"\n')
    words = ("serve", "flow.json", "--insecure", "--port", "0")
    async with StandIn(voice="text") as stand_in:

        def watch() -> tuple[str, int, str]:
            with running(*words, cwd=tmp_path, OPENAI_BASE_URL=stand_in.base_url) as process:
                told = until(process, "^lead-qualification: http")
                process.send_signal(number)
                code = process.wait(PATIENCE_S)
                assert process.stderr is not None
                return told, code, process.stderr.read()

        told, code, errors = await asyncio.to_thread(watch)
    assert re.fullmatch(r"lead-qualification: http://127\.0\.0\.1:\d+/twilio/voice \(every number\)", told)
    assert (code, errors) == (0, "")


def recorded(folder: Path) -> Path:
    """The record of a caller who hung up at once, with its artifact beside it as a server leaves them."""
    artifact = compile_flow(str(FLOW / "flow.yaml")).artifact
    assert artifact is not None
    (folder / "artifacts").mkdir()
    (folder / "artifacts" / f"{artifact.content_hash}.json").write_bytes(encode(artifact))
    path = folder / "calls" / "CA1.jsonl"
    header = Header(
        "CA1", "2026-01-01T00:00:00Z", artifact.content_hash, artifact.flow, artifact.flow_version
    )
    recorder = Recorder(path, header)
    rings, hangs_up = CallStarted(at_ms=0, call_id="CA1"), CallEnded(at_ms=900, reason="caller_hangup")
    state, orders = begin(artifact, rings)
    _, last_orders = step(artifact, state, hangs_up)
    for event, effects in ((rings, orders), (hangs_up, last_orders)):
        recorder.event(event)
        for effect in effects:
            recorder.effect(event.at_ms, effect)
    recorder.end(900, "caller_hangup", None)
    asyncio.run(recorder.durable())
    return path


def test_a_record_replays_with_the_artifact_kept_beside_it(tmp_path: Path) -> None:
    """A record is fed to the engine again and comes out the same, with the flow the server kept."""
    told = vfc("replay", str(recorded(tmp_path)), cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert "the same again" in told.stdout


def test_a_reader_who_goes_away_does_not_end_the_call(tmp_path: Path) -> None:
    """`vfc call FLOW | head -1` places the whole call and writes its folder."""
    words = ("call", str(FLOW), "--caller", "hangs_up", "--voice", "tones", "--speed", "10", "--out", "out")
    with running(*words, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert "greeting" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr is not None
        told = process.stderr.read()  # a busy machine may be told here
        assert "Traceback" not in told
        assert "BrokenPipe" not in told
    assert (tmp_path / "out" / "call.jsonl").is_file()


def test_a_record_that_was_changed_is_not_believed(tmp_path: Path) -> None:
    """A word changed in the middle of a record is told, and the replay of what is left is no success."""
    path = recorded(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"caller_hangup", b"caller_hungup", 1))
    told = vfc("replay", str(path), cwd=tmp_path)
    assert (told.returncode, told.stdout) == (1, "")
    assert "changed after the call" in told.stderr


def test_a_record_without_its_flow_asks_for_it(tmp_path: Path) -> None:
    """Without the artifact, replay says what to give."""
    path = recorded(tmp_path)
    next((tmp_path / "artifacts").iterdir()).unlink()
    told = vfc("replay", str(path), cwd=tmp_path)
    assert told.returncode == 2
    assert "give it as FLOW" in told.stderr


@pytest.mark.parametrize("command", ["stand-in", "serve"])
def test_a_port_that_cannot_be_is_a_wrong_word(tmp_path: Path, command: str) -> None:
    """A port no machine has ends the command with 2 and says what fits."""
    flow = [] if command == "stand-in" else [str(FLOW)]
    told = vfc(command, *flow, "--port", "99999", cwd=tmp_path)
    assert (told.returncode, told.stdout) == (2, "")
    assert "65535" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("first", [(), ("sh", "-c", 'trap "" INT; exec "$@"', "sh")])
def test_ctrl_c_ends_the_stand_in_cleanly(tmp_path: Path, first: tuple[str, ...]) -> None:
    """The stand-in prints what to set, and Ctrl-C ends it without a traceback, even where whoever started it
    does not care for Ctrl-C."""
    with running("stand-in", "--voice", "text", "--port", "0", cwd=tmp_path, first=first) as process:
        assert re.fullmatch(r"OPENAI_BASE_URL=http://127\.0\.0\.1:\d+/v1", until(process, "OPENAI_BASE_URL"))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
        assert process.stderr is not None
        told = process.stderr.read()  # a busy machine may be told here
        assert "Traceback" not in told
        assert "BrokenPipe" not in told
