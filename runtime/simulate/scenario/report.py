"""What came of scenarios: lines for a person, JUnit for a build server, JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree

from runtime.simulate.scenario.form import Path
from runtime.simulate.scenario.judge import Failure
from runtime.simulate.scenario.many import Ran

# Where a path of a scenario stands: file:line:column.
Where = Callable[[Ran, Path], str]


def as_text(ran: Sequence[Ran], where: Where, seconds: float | None = None) -> str:
    """Every failing expectation at its place with what was expected and what was found, then a count.
    `seconds`: how long all took together, where they ran at the same time.
    """
    lines: list[str] = []
    for one in ran:
        lines += (f"skipped: {one.scenario}: {one.skipped}",) if one.skipped else ()
        for failure in one.failures:
            lines += _failure(one, failure, where)
    failed = sum(bool(one.failures) for one in ran)
    skipped = sum(bool(one.skipped) for one in ran)
    took = sum(one.seconds for one in ran) if seconds is None else seconds
    passed = len(ran) - failed - skipped
    told = [f"{passed} passed"] + [f"{failed} failed"] * bool(failed) + [f"{skipped} skipped"] * bool(skipped)
    lines.append(f"{', '.join(told)} in {took:.1f} s")
    return "\n".join(lines) + "\n"


def _failure(one: Ran, failure: Failure, where: Where) -> list[str]:
    turn = failure.path[1] if len(failure.path) > 1 and failure.path[0] == "turns" else None
    at = "at the end" if turn is None else f"turn {int(turn) + 1}"
    return [
        f"{where(one, failure.path)}: {one.scenario}: {at}: {failure.what}",
        f"  - must: {failure.expected}",
        f"  +   is: {failure.found}",
    ]


def as_junit(ran: Sequence[Ran], where: Where, seconds: float | None = None) -> str:
    """JUnit XML: one suite, a case for each scenario, a failure with every expectation not met."""
    failed = sum(bool(one.failures) for one in ran)
    skipped = sum(bool(one.skipped) for one in ran)
    suite = ElementTree.Element(
        "testsuite",
        name="vfc test",
        tests=str(len(ran)),
        failures=str(failed),
        skipped=str(skipped),
        errors="0",
        time=f"{sum(one.seconds for one in ran) if seconds is None else seconds:.3f}",
    )
    for one in ran:
        file, _, line = where(one, ()).rpartition(":")[0].rpartition(":")
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=one.place.split("#")[0],
            name=one.scenario,
            file=file,
            line=line,
            time=f"{one.seconds:.3f}",
        )
        if one.skipped:
            ElementTree.SubElement(case, "skipped", message=one.skipped)
        if one.failures:
            first = one.failures[0]
            told = "\n".join(line for each in one.failures for line in _failure(one, each, where))
            node = ElementTree.SubElement(
                case, "failure", message=f"{first.what}: must be {first.expected}, is {first.found}"
            )
            node.text = _xml(told)
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(each if each in "\n\t" or ord(each) >= 32 else " " for each in text)


def as_json(ran: Sequence[Ran], where: Where) -> dict[str, Any]:
    """The results as plain data, version 1."""
    return {
        "version": 1,
        "passed": sum(not one.failures and not one.skipped for one in ran),
        "failed": sum(bool(one.failures) for one in ran),
        "skipped": sum(bool(one.skipped) for one in ran),
        "scenarios": [
            {
                "scenario": one.scenario,
                "place": where(one, ()),
                "skipped": one.skipped or None,
                "failures": [
                    {
                        "place": where(one, failure.path),
                        "what": failure.what,
                        "must": failure.expected,
                        "is": failure.found,
                    }
                    for failure in one.failures
                ],
            }
            for one in ran
        ],
    }
