"""`vfc replay`: a record once more, by the same design or by another one, or made into a scenario."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runtime.commands.base import Report, compiled, kept_artifact, localized, stop, write

if TYPE_CHECKING:
    from runtime.record import Difference, Record
    from voiceflow_compiler.artifact import Artifact

SHOWN = 300  # characters of an order that differs


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
    format: Annotated[Report, typer.Option("--format", help="How it is told.")] = Report.TEXT,  # noqa: A002
) -> None:
    """Feed a call's record to the engine again and tell where the two part, if they do."""
    kept = _read(record)
    artifact = compiled(flow or _kept_artifact(record, kept.header["artifact"]["hash"]))
    artifact = localized(artifact, kept.header["artifact"].get("locale"))
    if kept.changed:
        after = len(kept.lines)
        print(
            f"{record}: changed after the call: after line {after} it does not follow itself", file=sys.stderr
        )
        raise typer.Exit(1)
    if kept.torn:
        print(f"{record}: the last {kept.torn} bytes are not whole lines and are left out", file=sys.stderr)
    same_flow = kept.header["artifact"]["hash"] == artifact.content_hash
    if not same_flow:
        print(f"{record}: the call was made with another version of this flow", file=sys.stderr)
    told: dict[str, Any] = {"version": 1, "record": str(record), "same_flow": same_flow}
    lines: list[str] = []
    worse = False
    if to_scenario is not None:
        told["scenario"] = {"file": str(to_scenario), "turns": _to_scenario(artifact, kept, to_scenario)}
        lines.append(f"{to_scenario}: {told['scenario']['turns']} turns\n")
    if new is not None:
        told["parting"], text = _part(artifact, kept, new)
        worse = told["parting"]["for_the_caller"] == "worse"
        lines.append(text)
    if new is None and to_scenario is None:
        again, text = _again(record, artifact, kept)
        told |= again
        worse = not again["same"]
        lines.append(text)
    print(
        json.dumps(told, indent=2, ensure_ascii=False) if format is Report.JSON else "".join(lines).rstrip()
    )
    if worse:
        raise typer.Exit(1)


def _read(record: Path) -> Record:
    from runtime.record import RecordError, read

    try:
        return read(record)
    except RecordError as error:
        stop(f"{record}: {error}")
    except OSError as error:
        stop(f"{record}: {(error.strerror or 'cannot be read').lower()}")


def _again(record: Path, artifact: Artifact, kept: Record) -> tuple[dict[str, Any], str]:
    """Whether the engine does the same again, as data and in words."""
    from runtime.record import replay as replay_record

    difference = replay_record(artifact, kept.lines)
    if difference is not None and _breaks_off(kept, difference):
        difference = None
    told: dict[str, Any] = {"lines": len(kept.lines), "same": difference is None, "whole": kept.whole}
    told["parts_at"] = None
    if difference is None:
        rest = "" if kept.whole else " as far as they go: the record has no end"
        return told, f"{record}: {len(kept.lines)} lines, the same again{rest}\n"
    recorded, replayed = difference.recorded, difference.replayed
    told["parts_at"] = {"line": difference.seq, "recorded": recorded, "replayed": replayed}
    text = f"{record}: the two part at line {difference.seq}\n"
    return told, text + f"  recorded: {_short(recorded)}\n  replayed: {_short(replayed)}\n"


def _breaks_off(kept: Record, found: Difference) -> bool:
    """Whether nothing but the rest of the last step is missing, in a record that was cut short."""
    last = next((line["seq"] for line in reversed(kept.lines) if "event" in line), None)
    return not kept.whole and found.recorded is None and found.seq == last


def _short(order: Any) -> str:
    text = "nothing" if order is None else str(order)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _part(artifact: Artifact, kept: Record, new: Path) -> tuple[dict[str, Any], str]:
    """Where the new design parts, as data and in words."""
    from runtime.simulate.again import had
    from runtime.simulate.parting import as_json, as_text, part

    parting = part(compiled(new), had(artifact, kept.lines))
    return as_json(parting), as_text(parting)


def _to_scenario(artifact: Artifact, kept: Record, target: Path) -> int:
    """Write the call as a scenario; how many turns it has."""
    from runtime.simulate.again import had, play, without_persons
    from runtime.simulate.scenario.write import as_yaml, scenario_of

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
    return len(scenario.turns)


def _kept_artifact(record: Path, content_hash: str) -> Path:
    found = kept_artifact(record, content_hash)
    if found is None:
        stop(f"{record}: the flow of this call is not kept here: give it as FLOW")
    return found
