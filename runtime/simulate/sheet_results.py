"""What came back from people who played the call sheets: findings at their place in the flow, and scenarios.

A results file is what the sheets' page saves, or the same written by hand from paper (JSON or YAML).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from runtime.simulate.cover.suite import Suite
from runtime.simulate.scenario.form import Scenario
from runtime.simulate.scenario.generated import scenarios
from runtime.simulate.sheets import FORMAT_VERSION, SCORES, SHORT_HASH, Row, rows_of
from voiceflow_compiler.artifact import Artifact

LOW_SCORE: Final = 2
MOST_CALLS: Final = 10_000


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a sheet as it went: whether the assistant did what it must (None: not said), and the words
    the caller really used.
    """

    row: Annotated[int, Meta(ge=1)]
    did: bool | None = None
    said: Annotated[str, Meta(max_length=500)] = ""


class Played(Struct, frozen=True, forbid_unknown_fields=True):
    """One call as it went. A score of 0 was not given."""

    call: Annotated[int, Meta(ge=1, le=MOST_CALLS)]
    rows: tuple[Line, ...] = ()
    scores: tuple[Annotated[int, Meta(ge=0, le=5)], ...] = ()
    findings: Annotated[str, Meta(max_length=5000)] = ""


class Results(Struct, frozen=True, forbid_unknown_fields=True):
    """The results of one person."""

    results: int
    flow: str
    artifact: str
    calls: tuple[Played, ...]
    by: str = ""
    date: str = ""


class ResultsError(Exception):
    """A file that is no results of these sheets; the message is one plain line."""


class Found(Struct, frozen=True):
    """Something a person found. `path` is the place in the flow; `turn` 0: the call as a whole."""

    path: tuple[str, ...]
    message: str
    call: int
    turn: int
    by: str


def read_results(plain: Any, artifact: Artifact, suite: Suite) -> Results:
    """The results in a file's plain data, checked against the sheets of this flow. Raises ResultsError."""
    try:
        told = msgspec.convert(plain, Results)
    except msgspec.ValidationError as error:
        raise ResultsError(str(error).replace("`", "'")) from None
    if told.results != FORMAT_VERSION:
        raise ResultsError(f"results of version {told.results} are not known here")
    if told.flow != artifact.flow:
        raise ResultsError(f"these are results of {told.flow}, not of {artifact.flow}")
    if told.artifact != artifact.content_hash[:SHORT_HASH]:
        raise ResultsError("the flow has changed since its sheets were printed: print and play them anew")
    for played in told.calls:
        if played.call > len(suite.calls):
            raise ResultsError(f"there is no call {played.call}: the sheets have {len(suite.calls)}")
        known = len(rows_of(artifact, suite.calls[played.call - 1]))
        wrong = [line.row for line in played.rows if line.row > known]
        if wrong:
            raise ResultsError(f"call {played.call} has no row {wrong[0]}: it has {known}")
    return told


def found(artifact: Artifact, suite: Suite, results: Results) -> Iterator[Found]:
    """What people found wrong, in the order of the sheets."""
    by = ", ".join(word for word in (results.by, results.date) if word) or "somebody"
    for played in results.calls:
        rows = rows_of(artifact, suite.calls[played.call - 1])
        for line in played.rows:
            if line.did is False:
                row = rows[line.row - 1]
                yield Found(_path(row), _failed(row, line), played.call, row.turn, by)
        start = ("nodes", artifact.start)
        for score, about in zip(played.scores, SCORES, strict=False):
            if 0 < score <= LOW_SCORE:
                yield Found(start, f"scored {score} of 5: {about}", played.call, 0, by)
        if played.findings:
            yield Found(start, " ".join(played.findings.split()), played.call, 0, by)


def _path(row: Row) -> tuple[str, ...]:
    return ("nodes", row.node, "on", row.intent) if row.intent else ("nodes", row.node)


def _failed(row: Row, line: Line) -> str:
    what = f"“{line.said}”" if line.said else row.deed
    return f"at {row.node}, after {what}, it did not {row.must}"


def tries(artifact: Artifact, suite: Suite, results: Results) -> Iterator[tuple[str, Scenario]]:
    """A scenario, with a name for its file, of every call that went wrong or was played in other words: what
    the sheet says must happen, with the words that were really said.
    """
    planned = list(scenarios(artifact, suite))
    by = "".join(letter if letter.isalnum() else "_" for letter in results.by.lower()) or "somebody"
    for played in results.calls:
        rows = rows_of(artifact, suite.calls[played.call - 1])
        said = {
            rows[line.row - 1].turn: line.said
            for line in played.rows
            if line.said and rows[line.row - 1].mine
        }
        if not said and all(line.did is not False for line in played.rows):
            continue
        whole = planned[played.call - 1]
        turns = list(whole.turns)
        for turn, words in said.items():
            turns[turn] = replace(
                turns[turn], say=words, intent=None, slots={}, confidence=None, sentiment=None, mumble=False
            )
        about = (
            f"Played by {results.by or 'somebody'} from sheet {played.call} on {results.date or 'some day'}"
        )
        name = f"role-play {played.call} by {results.by or 'somebody'}: {whole.scenario.partition('. ')[2]}"
        yield (
            f"role_play_{by}_{played.call:03}",
            replace(whole, scenario=name, about=about, turns=tuple(turns)),
        )


def scores_of(all_results: Sequence[Results]) -> Mapping[str, float | None]:
    """The mean of each score over everything that was played; None where nobody gave it."""
    given = [
        [
            played.scores[place]
            for results in all_results
            for played in results.calls
            if len(played.scores) > place and played.scores[place]
        ]
        for place in range(len(SCORES))
    ]
    return {about: round(mean(each), 2) if each else None for about, each in zip(SCORES, given, strict=True)}
