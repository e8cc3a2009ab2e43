"""The compiler's commands: check, compile, graph, explain.

Exit codes: 0 fine, 1 findings, 2 could not run. Heavy imports stand inside the commands, so that `vfc --help`
answers at once.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO

import typer

if TYPE_CHECKING:
    from voiceflow_compiler.artifact import Artifact
    from voiceflow_compiler.diagnostics import Finding

FLOW_FILE = "flow.yaml"

# The targets a compile writes. Laying out a picture takes longer than all the rest, and `vfc graph` does it.
WRITTEN = ("openai_realtime", "prompts", "mermaid")


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class Picture(StrEnum):
    """How a graph is drawn."""

    MERMAID = "mermaid"
    SVG = "svg"
    HTML = "html"


# picture -> (target, file name in what the target emits)
_PICTURES = {
    Picture.MERMAID: ("mermaid", "graph.mmd"),
    Picture.SVG: ("picture", "graph.svg"),
    Picture.HTML: ("picture", "graph.html"),
}

FormatOption = Annotated[Format, typer.Option("--format", help="How findings are written.")]


def register(app: typer.Typer) -> None:
    """Add the compiler's commands to a command line."""
    app.command()(check)
    app.command("compile")(compile_flow)
    app.command()(graph)
    app.command()(explain)


def check(
    paths: Annotated[
        list[Path], typer.Argument(help="Flow files, or folders that hold them.", metavar="PATH...")
    ],
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option is called so
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
) -> None:
    """Find what is wrong with flows, all at once, without a call."""
    from voiceflow_compiler.pipeline import check as check_flow

    findings: list[Finding] = []
    texts: dict[str, str] = {}
    count = 0
    for path in _flow_files(paths):
        checked = check_flow(str(path))
        findings += checked.findings
        texts |= checked.source.places.texts
        count += 1
    findings = list(dict.fromkeys(findings))  # two flows may include the same file
    _print_findings(findings, texts, format)
    if format is Format.TEXT and not findings:
        print(f"{count} {'flow' if count == 1 else 'flows'} checked", file=sys.stderr)
    failing = ("error", "warning") if strict else ("error",)
    raise typer.Exit(int(any(finding.severity in failing for finding in findings)))


def compile_flow(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.", metavar="DIR")],
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option is called so
) -> None:
    """Write a flow's artifact, its prompts, its tools and its graph."""
    from voiceflow_compiler.artifact import encode
    from voiceflow_compiler.targets import TARGETS

    artifact = _compiled(flow, format)
    files = {"artifact.json": encode(artifact)}
    for target in WRITTEN:
        files |= {name: text.encode() for name, text in TARGETS[target](artifact).items()}
    try:
        # the artifact is written last: where it is new, everything beside it is
        for name in sorted(files, key=lambda name: (name == "artifact.json", name)):
            write(output / name, files[name], lasting=name == "artifact.json")
    except OSError as error:
        _stop(f"{error.filename or output}: {(error.strerror or 'cannot be written').lower()}")
    if format is Format.TEXT:
        short = artifact.content_hash[:12]
        print(f"{output / 'artifact.json'}: {artifact.flow} {artifact.flow_version}, {short}")


def graph(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    format: Annotated[Picture, typer.Option("--format", help="How it is drawn.")] = Picture.MERMAID,  # noqa: A002
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write to.", metavar="FILE")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
) -> None:
    """Draw a flow's graph."""
    from voiceflow_compiler.targets import TARGETS

    artifact = compiled(flow)
    if show and format is Picture.MERMAID:
        format = Picture.HTML  # noqa: A001 - a browser does not draw Mermaid
    target, name = _PICTURES[format]
    text = TARGETS[target](artifact)[name]
    if show and output is None:
        output = Path(tempfile.mkdtemp(prefix="vfc-")) / name
    if output is None:
        _print(text, sys.stdout)
        return
    try:
        write(output, text.encode())
    except OSError as error:
        _stop(f"{error.filename or output}: {(error.strerror or 'cannot be written').lower()}")
    print(output)
    if show:
        typer.launch(str(output))


def explain(
    code: Annotated[str, typer.Argument(help="A finding's code or name.", metavar="CODE")],
) -> None:
    """Say what a finding means, why it matters, and what to write instead."""
    from voiceflow_compiler.checks import CHECKS
    from voiceflow_compiler.resolve.pages import PAGES

    for known, page in PAGES.items():
        if code.upper() == known or code.lower() == page.name:
            print(f"{known} {page.name} (error)\n\n{page.text}")
            return
    for each in CHECKS:
        if code.upper() == each.code or code.lower() == each.name:
            print(f"{each.code} {each.name} ({each.severity})\n\n{each.page.strip()}")
            return
    _stop(f"no finding is called {code!r}")


def write(path: Path, content: bytes, *, lasting: bool = False) -> None:
    """Put a file in place whole: whoever reads it, and whatever interrupts this, sees the old or the new
    one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    opened, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(content)
            if lasting:  # on the disk before it has the name, so that a power cut leaves no empty file
                file.flush()
                os.fsync(file.fileno())
        Path(draft).chmod(0o666 & ~_umask())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def compiled(flow: Path) -> "Artifact":
    """The artifact of a flow, given by its file or folder, for commands that run it.

    Findings go to standard error; errors end the command with exit code 1, a missing file with 2.
    """
    return _compiled(flow, Format.TEXT, to_stderr=True)


def read_plain(path: Path) -> Any:
    """The plain data of any YAML file, read as safely as a flow. Ends the command like `compiled` does."""
    from voiceflow_compiler.include import read
    from voiceflow_compiler.source import Budget

    if not path.exists():
        _stop(f"{path}: there is no such file")
    result = read(path, str(path), Budget())
    if result.findings:
        _print_findings(result.findings, {str(path): result.text}, Format.TEXT, to_stderr=True)
        raise typer.Exit(1)
    return result.data


def flow_file(path: Path) -> Path:
    """The file of a flow that is given by its file or its folder. Stops the command when there is none."""
    if path.is_dir():
        path = path / FLOW_FILE
    if not path.exists():
        _stop(f"{path}: there is no such file")
    return path


def _flow_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The flows in files and folders, each once; a folder means its flow, or every flow below it."""
    seen: set[Path] = set()
    for path in paths:
        found = [path]
        if path.is_dir():
            own = path / FLOW_FILE
            found = [own] if own.exists() else sorted(path.rglob(FLOW_FILE))
            if not found:
                _stop(f"{path}: no {FLOW_FILE} in this folder")
        elif not path.exists():
            _stop(f"{path}: there is no such file")
        for each in found:
            if each.resolve() not in seen:
                seen.add(each.resolve())
                yield each


def _compiled(flow: Path, written: Format, *, to_stderr: bool = False) -> "Artifact":
    """The artifact of a flow; its findings are printed, and errors end the command."""
    from voiceflow_compiler.pipeline import compile as compile_

    done = compile_(str(flow_file(flow)))
    if done.findings or written is not Format.TEXT:
        _print_findings(done.findings, done.source.places.texts, written, to_stderr=to_stderr)
    if done.artifact is None:
        raise typer.Exit(1)
    return done.artifact


def _print_findings(
    findings: "Sequence[Finding]", texts: "Mapping[str, str]", written: Format, *, to_stderr: bool = False
) -> None:
    from voiceflow_compiler import render

    out = sys.stderr if to_stderr else sys.stdout
    if written is Format.TEXT:
        colour = out.isatty() and not os.environ.get("NO_COLOR")
        text = render.as_text(findings, texts, colour=colour)
    else:
        text = render.FORMATS[written](findings, texts)
    _print(text, out)


def _print(text: str, out: TextIO) -> None:
    """Print what a terminal of any encoding can take: file names and texts may hold what it cannot."""
    encoding = out.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), end="", file=out)


def _stop(message: str) -> NoReturn:
    """End the command because it cannot run, with one line that says why."""
    _print(f"vfc: {message}\n", sys.stderr)
    raise typer.Exit(2)


app = typer.Typer(
    name="vfc",
    help="A YAML call flow becomes a checked artifact.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
register(app)
