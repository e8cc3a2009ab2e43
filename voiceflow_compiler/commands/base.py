"""What the compiler's commands share: reading a flow or ending the command, and writing what came of it.

Exit codes: 0 fine, 1 findings, 2 could not run.
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
    from voiceflow_compiler.diagnostics import Finding, Places

FLOW_FILE = "flow.yaml"


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


FormatOption = Annotated[Format, typer.Option("--format", help="How findings are written.")]


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
    return compiled_or_stop(flow, Format.TEXT, to_stderr=True)


def read_plain(path: Path) -> Any:
    """The plain data of any YAML file, read as safely as a flow. Ends the command like `compiled` does."""
    from voiceflow_compiler.include import read
    from voiceflow_compiler.source import Budget

    if not path.exists():
        stop(f"{path}: there is no such file")
    result = read(path, str(path), Budget())
    if result.findings:
        print_findings(result.findings, {str(path): result.text}, Format.TEXT, to_stderr=True)
        raise typer.Exit(1)
    return result.data


def read_placed(path: Path) -> "tuple[Any, Places]":
    """The plain data of any YAML file and the place of everything in it. Ends the command like `compiled`."""
    from voiceflow_compiler.diagnostics import Places
    from voiceflow_compiler.include import read
    from voiceflow_compiler.source import Budget, nowhere

    if not path.exists():
        stop(f"{path}: there is no such file")
    result = read(path, str(path), Budget())
    if result.findings:
        print_findings(result.findings, {str(path): result.text}, Format.TEXT, to_stderr=True)
        raise typer.Exit(1)
    return result.data, Places(result.root or nowhere(str(path)), {str(path): result.text})


def placed_flow(flow: Path) -> "tuple[Artifact, Places]":
    """The artifact of a flow and the place of everything that is written in it, like `compiled`."""
    from voiceflow_compiler.pipeline import compile as compile_

    done = compile_(str(flow_file(flow)))
    if done.findings:
        print_findings(done.findings, done.source.places.texts, Format.TEXT, to_stderr=True)
    if done.artifact is None:
        raise typer.Exit(1)
    return done.artifact, done.source.places


def flow_file(path: Path) -> Path:
    """The file of a flow that is given by its file or its folder. Stops the command when there is none."""
    if path.is_dir():
        path = path / FLOW_FILE
    if not path.exists():
        stop(f"{path}: there is no such file")
    return path


def flow_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The flows in files and folders, each once; a folder means its flow, or every flow below it."""
    seen: set[Path] = set()
    for path in paths:
        found = [path]
        if path.is_dir():
            own = path / FLOW_FILE
            found = [own] if own.exists() else sorted(path.rglob(FLOW_FILE))
            if not found:
                stop(f"{path}: no {FLOW_FILE} in this folder")
        elif not path.exists():
            stop(f"{path}: there is no such file")
        for each in found:
            if each.resolve() not in seen:
                seen.add(each.resolve())
                yield each


def compiled_or_stop(flow: Path, written: Format, *, to_stderr: bool = False) -> "Artifact":
    """The artifact of a flow; its findings are printed, and errors end the command."""
    from voiceflow_compiler.pipeline import compile as compile_

    done = compile_(str(flow_file(flow)))
    if done.findings or written is not Format.TEXT:
        print_findings(done.findings, done.source.places.texts, written, to_stderr=to_stderr)
    if done.artifact is None:
        raise typer.Exit(1)
    return done.artifact


def print_findings(
    findings: "Sequence[Finding]", texts: "Mapping[str, str]", written: Format, *, to_stderr: bool = False
) -> None:
    from voiceflow_compiler import render

    out = sys.stderr if to_stderr else sys.stdout
    if written is Format.TEXT:
        colour = out.isatty() and not os.environ.get("NO_COLOR")
        text = render.as_text(findings, texts, colour=colour)
    else:
        text = render.FORMATS[written](findings, texts)
    put(text, out)


def put(text: str, out: TextIO) -> None:
    """Print what a terminal of any encoding can take: file names and texts may hold what it cannot."""
    encoding = out.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), end="", file=out)


def put_error(line: str) -> None:
    """One line on standard error."""
    put(f"{line}\n", sys.stderr)


def stop(message: str) -> NoReturn:
    """End the command because it cannot run, with one line that says why."""
    put(f"vfc: {message}\n", sys.stderr)
    raise typer.Exit(2)
