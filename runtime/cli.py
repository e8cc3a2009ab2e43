"""`vfc`: the compiler's commands, and those that answer, place and replay calls.

Exit codes: 0 fine, 1 findings or a call that went otherwise than expected, 2 could not run. Heavy imports are
inside the commands, so that `vfc --help` answers at once.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from enum import StrEnum
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from runtime import commands
from voiceflow_compiler import cli as compiler

if TYPE_CHECKING:
    from voiceflow_compiler.artifact import Artifact

COULD_NOT_RUN = 2
INTERRUPTED = 130
HIGHEST_PORT = 65_535
MOST_WORKERS = 64


class Voice(StrEnum):
    """How the stand-in and a synthetic caller hear and speak."""

    TEXT = "text"
    TONES = "tones"
    SPOKEN = "spoken"


class Line(StrEnum):
    """The providers a call may be placed over."""

    TWILIO = "twilio"
    SIGNALWIRE = "signalwire"
    SIGNALWIRE_L16 = "signalwire-l16"
    VONAGE = "vonage"


class Report(StrEnum):
    """How a command tells what came of it."""

    TEXT = "text"
    JSON = "json"


app = typer.Typer(
    name="vfc",
    help="A YAML call flow becomes a checked artifact, and the artifact holds a spoken call.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
compiler.register(app)
commands.register(app)

FlowsArgument = Annotated[
    list[Path], typer.Argument(help="Flows (a file, a folder) or compiled artifacts.", metavar="FLOW...")
]
SettingsOption = Annotated[
    Path | None,
    typer.Option("--settings", help="The settings file (vfc.toml).", metavar="FILE"),
]
VoiceOption = Annotated[Voice, typer.Option("--voice", help="How it hears and speaks.")]


@app.command()
def serve(
    flows: FlowsArgument,
    settings: SettingsOption = None,
    host: Annotated[str | None, typer.Option("--host", help="The address to listen on.")] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", help="The port to listen on; 0: a free one.", min=0, max=HIGHEST_PORT),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Take unsigned requests; on loopback only.")
    ] = False,
    workers: Annotated[
        int,
        typer.Option("--workers", help="Processes that share the port: one a core.", min=1, max=MOST_WORKERS),
    ] = 1,
) -> None:
    """Answer telephone calls with flows, until Ctrl-C or SIGTERM."""
    from runtime.commands.serve import serve as serve_flows

    options = {"listen.host": host, "listen.port": port, "telephony.insecure": insecure or None}
    serve_flows(lambda: [_artifact(flow) for flow in flows], settings, options, workers=workers)


@app.command("stand-in")
def stand_in(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", help="The port to listen on; 0: a free one.", min=0, max=HIGHEST_PORT)
    ] = 8765,
    voice: VoiceOption = Voice.SPOKEN,
) -> None:
    """Stand in for the speech model: a server with its protocol, without a key, until Ctrl-C."""
    from runtime.session.stand_in import StandIn
    from runtime.voices import VoiceMissing

    async def stand() -> None:
        async with StandIn(voice=voice.value, host=host, port=port) as running:
            interrupted = asyncio.Event()
            # Python's own way needs a SIGINT nobody took away: whoever starts us in the background does.
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
            print(f"OPENAI_BASE_URL={running.base_url}", flush=True)
            await interrupted.wait()
        raise typer.Exit(INTERRUPTED)

    try:
        _run(stand())
    except VoiceMissing as error:
        _stop(str(error))
    except OSError as error:
        _stop(f"{host}:{port} cannot be listened on: {error.strerror}")


@app.command()
def call(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    caller: Annotated[
        str | None,
        typer.Option("--caller", help="Who calls, of the flow's callers."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder for the record, the transcript and the sound.")
    ] = None,
    voice: VoiceOption = Voice.SPOKEN,
    form: Annotated[Report, typer.Option("--format", help="How the result is told.")] = Report.TEXT,
    speed: Annotated[float, typer.Option("--speed", help="Times real time.", min=0.1, max=100)] = 1.0,
    line: Annotated[Line, typer.Option("--line", help="Whose line carries the call.")] = Line.TWILIO,
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings", help="Facts, actions, handoffs and store as in this file.", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Place one call on this machine: a synthetic caller, the real server, a stand-in."""
    from runtime.simulate import command

    compiler.flow_file(flow)  # ends the command when there is none
    code = command.call(
        flow,
        caller=caller,
        out=out,
        voice=voice.value,
        form=form.value,
        compile_flow=compiler.compiled,
        read_yaml=compiler.read_plain,
        speed=speed,
        line=line.value,
        settings=settings,
    )
    raise typer.Exit(code)


@app.callback()
def every(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of a bug; it may hold what callers said.")
    ] = False,
) -> None:
    """Options of every command."""


def main() -> None:
    """The command line. Neither Ctrl-C nor a bug of ours ends it with a traceback, unless `--debug` asks."""
    before = takewhile(lambda word: word.startswith("-"), sys.argv[1:])
    guarded(app, debug="--debug" in before)


def guarded(run: Callable[[], object], *, debug: bool) -> None:
    """Run a command; what it did not expect becomes one line with the bug's place and a number for it.

    The message of an exception is left out: it may hold what is private.
    """
    try:
        run()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:  # the last resort of every command
        if debug:
            raise
        name, place = type(error).__name__, _place(error)
        number = sha256(f"{name} {place.rpartition(':')[0]}".encode()).hexdigest()[:8]
        print(f"vfc: a bug of vfc: {name} in {place} (number {number}).", file=sys.stderr)
        print("vfc: `vfc --debug ...` shows more; please report it.", file=sys.stderr)
        raise SystemExit(COULD_NOT_RUN) from None


def _place(error: BaseException) -> str:
    """Where in our own code an exception rose, as file, function and line."""
    here = Path(__file__).parents[1]
    frames = [frame for frame in extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(here)]
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    if not ours:
        return "an unknown place"
    last = ours[-1]
    return f"{Path(last.filename).relative_to(here).as_posix()}:{last.name}:{last.lineno}"


def _artifact(path: Path) -> "Artifact":
    """A compiled artifact as it is, or the artifact of a flow."""
    if path.suffix != ".json":
        return compiler.compiled(path)
    from voiceflow_compiler.artifact import ArtifactError, decode

    try:
        return decode(path.read_bytes())
    except ArtifactError as error:
        _stop(f"{path}: {error}")
    except OSError as error:
        _stop(f"{path}: {(error.strerror or 'cannot be read').lower()}")


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def _stop(*lines: str) -> NoReturn:
    """End the command because it cannot run, each reason on a line of its own."""
    for line in lines:
        print(f"vfc: {line}", file=sys.stderr)
    raise typer.Exit(2)
