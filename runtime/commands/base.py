"""What these commands share: a flow by its file, what its CRM holds, scenario files and their places."""

from __future__ import annotations

import csv
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

from voiceflow_compiler import cli as compiler

if TYPE_CHECKING:
    from runtime.settings import Settings
    from runtime.simulate.cover.report import Cover
    from runtime.store import Store
    from voiceflow_compiler.artifact import Artifact

T = TypeVar("T")

CRM = "crm.csv"
SCENARIOS = "scenarios"


class Report(StrEnum):
    """How a command tells what came of it."""

    TEXT = "text"
    JSON = "json"


def stop(*lines: str) -> NoReturn:
    """End the command because it cannot run, each reason on a line of its own."""
    for line in lines:
        print(f"vfc: {line}", file=sys.stderr)
    raise typer.Exit(2)


def folder_of(flow: Path) -> Path:
    """The folder of a flow that is given by its file or its folder."""
    return flow if flow.is_dir() else flow.parent


def flow_of(path: Path) -> Path:
    """The flow a scenario file belongs to: the nearest `flow.yaml` in a folder above it."""
    for folder in path.resolve().parents:
        if (folder / "flow.yaml").exists():
            found = folder / "flow.yaml"
            return Path(_shown(found))
    stop(f"{path}: there is no flow.yaml in a folder above it")


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def crm(folder: Path) -> Mapping[str, dict[str, Any]]:
    """What the flow's CRM holds, by number; nothing where it has none."""
    path = folder / CRM
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeError, csv.Error):
        stop(f"{path}: this cannot be read as CSV (in UTF-8)")
    # what stands beyond the last column has no name
    return {row.pop("phone", ""): {name: row[name] for name in row if name is not None} for row in rows}


def scenario_files(paths: list[Path]) -> Iterator[Path]:
    """The scenario files of files, folders of scenarios, flows and folders of flows, each once."""
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            stop(f"{path}: there is no such file")
        for found in _files(path):
            if found.resolve() not in seen:
                seen.add(found.resolve())
                yield found


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return sorted((path.parent / SCENARIOS).glob("*.yaml")) if path.name == "flow.yaml" else [path]
    if path.name == SCENARIOS:
        return sorted(path.glob("*.yaml"))
    return sorted(path.rglob(f"{SCENARIOS}/*.yaml"))


def compiled(flow: Path) -> Artifact:
    """The artifact of a flow, or a compiled one as it is."""
    if flow.suffix != ".json":
        return compiler.compiled(flow)
    from voiceflow_compiler.artifact import ArtifactError, decode

    try:
        return decode(flow.read_bytes())
    except ArtifactError as error:
        stop(f"{flow}: {error}")
    except OSError as error:
        stop(f"{flow}: {(error.strerror or 'cannot be read').lower()}")


def draw_cover(covered: Cover, output: Path, *, several: bool = False) -> None:
    """Draw what was reached of a flow; of several flows each into a file that ends with its name."""
    from runtime.simulate.cover.report import picture

    target = output.with_stem(f"{output.stem}-{covered.artifact.flow}") if several else output
    compiler.draw_covered(covered.artifact, picture(covered), target)


def record_files(where: Path) -> list[Path]:
    """A record, or every call record below a folder, by name."""
    if not where.exists():
        stop(f"{where}: there is no such file or folder")
    files = [where] if where.is_file() else sorted(where.rglob("*.jsonl"))
    return [path for path in files if where.is_file() or _is_record(path)]


def _is_record(path: Path) -> bool:
    with path.open("rb") as file:
        return b'"record":' in file.read(64)


def kept_artifact(record: Path, content_hash: str) -> Path | None:
    """The artifact a call was made with, as a server or `vfc call` keeps it: in a folder `artifacts` beside
    the record or one above.
    """
    name = f"{content_hash}.json"
    places = (folder / "artifacts" / name for folder in (record.parent, record.parent.parent))
    return next((place for place in places if place.is_file()), None)


def localized(artifact: Artifact, tag: str | None) -> Artifact:
    """An artifact in a locale, None: its own. Ends the command where it has no such locale."""
    from voiceflow_compiler.artifact import ArtifactError
    from voiceflow_compiler.overlay import in_locale

    try:
        return artifact if tag is None else in_locale(artifact, tag)
    except ArtifactError as error:
        stop(str(error))


async def with_store(settings: Settings, use: Callable[[Store], Awaitable[T]]) -> T:
    """What becomes of the deployment's store in use; one that cannot be used ends the command."""
    from runtime.ports import OutsideFailure
    from runtime.settings.keys import SettingsError
    from runtime.store import open_store, store_url

    try:
        store = await open_store(store_url(settings))
        try:
            return await use(store)
        finally:
            await store.close()
    except SettingsError as error:
        stop(*error.problems)
    except OutsideFailure as failure:
        stop(f"the store cannot be used ({failure.reason})")


def write(path: Path, text: str) -> None:
    """Put a file in place whole."""
    try:
        compiler.write(path, text.encode())
    except OSError as error:
        stop(f"{error.filename or path}: {(error.strerror or 'cannot be written').lower()}")
