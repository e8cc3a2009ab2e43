"""The compiler's commands: check and compile here, those that draw, compare and explain in `commands`.

Exit codes: 0 fine, 1 findings, 2 could not run. Heavy imports stand inside the commands, so that `vfc --help`
answers at once.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voiceflow_compiler import commands
from voiceflow_compiler.commands.base import (
    Format,
    FormatOption,
    compiled,
    compiled_or_stop,
    flow_file,
    flow_files,
    placed_flow,
    print_findings,
    read_placed,
    read_plain,
    stop,
    write,
)

if TYPE_CHECKING:
    from voiceflow_compiler.diagnostics import Finding

__all__ = ["app", "compiled", "flow_file", "placed_flow", "read_placed", "read_plain", "register", "write"]

# The targets a compile writes. Laying out a picture takes longer than all the rest, and `vfc graph` does it.
WRITTEN = ("openai_realtime", "prompts", "mermaid")


class Prompting(StrEnum):
    """How the model is told where the call stands."""

    STABLE = "stable"
    FOCUSED = "focused"


def register(app: typer.Typer) -> None:
    """Add the compiler's commands to a command line."""
    app.command()(check)
    app.command("compile")(compile_flow)
    commands.register(app)


def check(
    paths: Annotated[
        list[Path], typer.Argument(help="Flow files, or folders that hold them.", metavar="PATH...")
    ],
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option is called so
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Write what is safe to write, then check.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what --fix would write, and stop.")] = False,
) -> None:
    """Find what is wrong with flows, all at once, without a call."""
    from voiceflow_compiler.commands.fixing import fix_flow
    from voiceflow_compiler.pipeline import check as check_flow

    if fix or diff:
        changed = [fix_flow(path, write_them=fix and not diff) for path in flow_files(paths)]
        if diff:
            raise typer.Exit(int(any(changed)))
    findings: list[Finding] = []
    texts: dict[str, str] = {}
    count = 0
    for path in flow_files(paths):
        checked = check_flow(str(path))
        findings += checked.findings
        texts |= checked.source.places.texts
        count += 1
    findings = list(dict.fromkeys(findings))  # two flows may include the same file
    print_findings(findings, texts, format)
    if format is Format.TEXT and not findings:
        print(f"{count} {'flow' if count == 1 else 'flows'} checked", file=sys.stderr)
    failing = ("error", "warning") if strict else ("error",)
    raise typer.Exit(int(any(finding.severity in failing for finding in findings)))


def compile_flow(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.", metavar="DIR")],
    prompting: Annotated[
        Prompting, typer.Option("--prompting", help="One prefix and briefs, or also a session for each node.")
    ] = Prompting.STABLE,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option is called so
) -> None:
    """Write a flow's artifact, its prompts, its tools and its graph."""
    from voiceflow_compiler.artifact import encode
    from voiceflow_compiler.targets import TARGETS

    artifact = compiled_or_stop(flow, format)
    files = {"artifact.json": encode(artifact)}
    focused = ("openai_realtime_focused",) if prompting is Prompting.FOCUSED else ()
    for target in (*WRITTEN, *focused):
        files |= {name: text.encode() for name, text in TARGETS[target](artifact).items()}
    try:
        # the artifact is written last: where it is new, everything beside it is
        for name in sorted(files, key=lambda name: (name == "artifact.json", name)):
            write(output / name, files[name], lasting=name == "artifact.json")
    except OSError as error:
        stop(f"{error.filename or output}: {(error.strerror or 'cannot be written').lower()}")
    if format is Format.TEXT:
        short = artifact.content_hash[:12]
        print(f"{output / 'artifact.json'}: {artifact.flow} {artifact.flow_version}, {short}")


app = typer.Typer(
    name="vfc",
    help="A YAML call flow becomes a checked artifact.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
register(app)
