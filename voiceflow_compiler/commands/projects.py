"""Which flows a command means when none is named: those of the project around the current folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voiceflow_compiler.commands.base import Format, flow_file, flow_files, print_findings, stop

if TYPE_CHECKING:
    from voiceflow_compiler.project import Project


FlowArgument = Annotated[
    Path | None, typer.Argument(help="A flow's file or folder; none: every flow here.", metavar="[FLOW]")
]


def current() -> "Project | None":
    """The project around the current folder, with the flows that are there now."""
    from voiceflow_compiler.project import FILE_NAME, above, load

    found = above(Path.cwd())
    return None if found is None else load(found.folder / FILE_NAME)


def here() -> "Project":
    """The same; ends the command where there is none, or where its file is wrong."""
    project = current()
    if project is None:
        stop("name a flow: there is no vfc.toml with a [project] here or above (`vfc init NAME` writes one)")
    if any(finding.severity == "error" for finding in project.findings):
        print_findings(project.findings, {project.file: project.text}, Format.TEXT, to_stderr=True)
        raise typer.Exit(1)
    return project


def meant(paths: Sequence[Path] | None) -> list[Path]:
    """The flows of these files and folders; without any, those of the project. At least one, or the command
    ends.
    """
    if paths:
        return list(flow_files(paths))
    project = here()
    if not project.flows:
        stop(f"{project.file}: this project has no flows")
    return [shown(path) for path in project.flows]


def one(path: Path | None) -> list[Path]:
    """The flow of a file or a folder, or those of the project where none is named."""
    if path is None:
        return meant(None)
    inside = path.is_dir() and not (path / "flow.yaml").exists()
    return list(flow_files([path])) if inside else [flow_file(path)]


def shown(path: Path) -> Path:
    """A path as seen from the current folder, where it lies below that."""
    folder = Path.cwd()
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def name_of(flow: Path) -> str:
    """What a flow's own folder for results is called."""
    return flow.resolve().parent.name if flow.name == "flow.yaml" else flow.stem


def together(documents: Sequence[str], *, as_json: bool) -> str:
    """Reports of flows as one text; several as JSON under `flows`."""
    if len(documents) == 1:
        return documents[0]
    if not as_json:
        return "\n".join(documents)
    flows: list[Any] = [json.loads(each) for each in documents]
    return json.dumps({"version": 1, "flows": flows}, indent=2, ensure_ascii=False) + "\n"
