"""`vfc audit`: whether any recorded call did what no call may do."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from runtime.commands.base import compiled, kept_artifact, record_files, stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voiceflow_compiler.artifact import Artifact

FORMAT_VERSION: Final = 1
DEFAULT: Final = Path("records/calls")


class Report(StrEnum):
    """How it is told."""

    TEXT = "text"
    JSON = "json"


def audit(
    where: Annotated[
        Path, typer.Argument(help="A record or a folder of records.", metavar="RECORDS")
    ] = DEFAULT,
    flow: Annotated[
        Path | None,
        typer.Option("--flow", help="The flow or artifact; else the one kept beside.", metavar="FLOW"),
    ] = None,
    form: Annotated[Report, typer.Option("--format", help="How it is told.")] = Report.TEXT,
) -> None:
    """Check every record against the invariants of the bridge (docs/operations.md).

    A record that is still being written, or whose process died, has no end yet: that is told too. Exit code
    1: some call broke one.
    """
    files = record_files(where)
    given = compiled(flow) if flow else None
    told = [{"record": str(path), "broken": list(_broken(path, given))} for path in files]
    broken = [one for one in told if one["broken"]]
    if form is Report.JSON:
        print(json.dumps({"version": FORMAT_VERSION, "records": told}, indent=2))
    else:
        _print(told, broken)
    if broken:
        raise typer.Exit(1)


def _broken(path: Path, artifact: Artifact | None) -> Iterator[str]:
    from runtime.audit import violations
    from runtime.record import RecordError, read

    try:
        kept = read(path)
    except RecordError as error:
        yield f"I12: {error}"
        return
    except OSError as error:
        stop(f"{path}: {(error.strerror or 'cannot be read').lower()}")
    chosen = artifact or _artifact(path, kept.header["artifact"]["hash"])
    yield from violations(kept, chosen)


def _artifact(record: Path, content_hash: str) -> Artifact:
    found = kept_artifact(record, content_hash)
    if found is None:
        stop(f"{record}: the flow of this call is not kept here: give it with --flow")
    return compiled(found)


def _print(told: list[dict[str, Any]], broken: list[dict[str, Any]]) -> None:
    for one in broken:
        for line in one["broken"]:
            print(f"{one['record']}: {line}")
    print(f"{len(told)} records, {len(broken)} of them broke an invariant")
