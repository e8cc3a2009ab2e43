"""`vfc replay`: a record once more, by the same design or by another one, or made into a scenario."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.base import compiled, kept_artifact, stop, write

if TYPE_CHECKING:
    from runtime.record import Record


def replay(
    record: Annotated[Path, typer.Argument(help="A call record (.jsonl).", metavar="RECORD")],
    flow: Annotated[
        Path | None, typer.Argument(help="The flow or artifact; else the one kept beside.", metavar="[FLOW]")
    ] = None,
    new: Annotated[
        Path | None,
        typer.Option("--flow", help="Another design: where would it part from what happened?", metavar="NEW"),
    ] = None,
    to_scenario: Annotated[
        Path | None, typer.Option("--to-scenario", help="Write the call as a scenario.", metavar="FILE")
    ] = None,
) -> None:
    """Feed a call's record to the engine again and tell where the two part, if they do."""
    from runtime.record import replay as replay_record

    kept = _read(record)
    artifact = compiled(flow or _kept_artifact(record, kept.header["artifact"]["hash"]))
    if kept.changed:
        after = len(kept.lines)
        print(
            f"{record}: changed after the call: after line {after} it does not follow itself", file=sys.stderr
        )
        raise typer.Exit(1)
    if kept.torn:
        print(f"{record}: the last {kept.torn} bytes are not whole lines and are left out", file=sys.stderr)
    if kept.header["artifact"]["hash"] != artifact.content_hash:
        print(f"{record}: the call was made with another version of this flow", file=sys.stderr)
    if to_scenario is not None:
        _to_scenario(artifact, kept, to_scenario)
    if new is not None:
        _part(artifact, kept, new)
    if new is not None or to_scenario is not None:
        return
    difference = replay_record(artifact, kept.lines)
    if difference is None:
        print(f"{record}: {len(kept.lines)} lines, the same again")
        return
    print(f"{record}: the two part at line {difference.seq}")
    print(f"  recorded: {difference.recorded}\n  replayed: {difference.replayed}")
    raise typer.Exit(1)


def _read(record: Path) -> Record:
    from runtime.record import RecordError, read

    try:
        return read(record)
    except RecordError as error:
        stop(f"{record}: {error}")
    except OSError as error:
        stop(f"{record}: {(error.strerror or 'cannot be read').lower()}")


def _part(artifact: object, kept: Record, new: Path) -> None:
    """Tell where the new design parts; exit 1 when it is worse for the caller."""
    from runtime.simulate.again import had
    from runtime.simulate.parting import as_text, part
    from voiceflow_compiler.artifact import Artifact

    assert isinstance(artifact, Artifact)
    parting = part(compiled(new), had(artifact, kept.lines))
    print(as_text(parting), end="")
    if parting.better == "worse":
        raise typer.Exit(1)


def _to_scenario(artifact: object, kept: Record, target: Path) -> None:
    from runtime.simulate.again import had, play, without_persons
    from runtime.simulate.scenario.write import as_yaml, scenario_of
    from voiceflow_compiler.artifact import Artifact

    assert isinstance(artifact, Artifact)
    call = without_persons(artifact, had(artifact, kept.lines))
    driven = play(artifact, call)
    moves = call.moves[: len(driven.segments) - 1]
    about = "From a call that was had; what was personal is made up."
    scenario = scenario_of(
        artifact,
        f"A recorded call of {artifact.flow}",
        call.facts,
        moves,
        driven.segments,
        about=about,
        outside=call.outside,
    )
    write(target, as_yaml(scenario))
    print(f"{target}: {len(scenario.turns)} turns")


def _kept_artifact(record: Path, content_hash: str) -> Path:
    found = kept_artifact(record, content_hash)
    if found is None:
        stop(f"{record}: the flow of this call is not kept here: give it as FLOW")
    return found
