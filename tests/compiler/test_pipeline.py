"""The passes together: broken flows and exactly what is found in them."""

import gc
import os
from pathlib import Path

import pytest

from voiceflow_compiler.diagnostics import Finding
from voiceflow_compiler.pipeline import check, load
from voiceflow_compiler.pipeline import compile as compile_flow

CASES = Path(__file__).parent.parent / "cases"
READING = sorted(path.name for path in (CASES / "reading").iterdir())
CLEAN = CASES / "clean" / "lead" / "flow.yaml"


def written(finding: Finding, folder: Path) -> str:
    """A finding on one line, as the expected files hold it."""
    file = Path(finding.span.file).relative_to(folder).as_posix()
    related = "".join(
        f" < {Path(other.span.file).relative_to(folder).as_posix()}:{other.span.line}:{other.span.column}"
        for other in finding.related
    )
    place = (
        f"{file}:{finding.span.line}:{finding.span.column}-{finding.span.end_line}:{finding.span.end_column}"
    )
    return f"{place} {finding.code} {finding.name}: {finding.message} | {finding.tip}{related}"


@pytest.mark.golden
@pytest.mark.parametrize("name", READING)
def test_a_broken_flow_gives_exactly_its_findings(name: str) -> None:
    """Every finding of reading and resolving has its code, its place, its words and its tip, all at once."""
    folder = CASES / "reading" / name
    loaded = load(str(folder / "flow.yaml"), root=str(folder))
    found = "".join(written(finding, folder) + "\n" for finding in loaded.findings)
    expected = folder / "findings.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")
    assert found


def test_a_whole_flow_has_nothing_to_find_and_compiles() -> None:
    """The example flow is read whole, and becomes an artifact."""
    assert check(str(CLEAN)).findings == ()
    compiled = compile_flow(str(CLEAN))
    assert compiled.findings == ()
    assert compiled.artifact is not None
    assert compiled.artifact.start == "greeting"


def test_a_flow_with_an_error_does_not_compile(tmp_path: Path) -> None:
    """One error is enough for there to be no artifact."""
    flow = tmp_path / "flow.yaml"
    flow.write_text(CLEAN.read_text(encoding="utf-8").replace("go: price", "go: prise"), encoding="utf-8")
    compiled = compile_flow(str(flow))
    assert compiled.artifact is None
    assert {finding.code for finding in compiled.findings} == {"VF120"}


def test_one_misspelt_name_is_told_once(tmp_path: Path) -> None:
    """A misspelt target stands for the node it resembles, so that node is not called unreachable as well."""
    text = CLEAN.read_text(encoding="utf-8").replace("go: to_success}", "go: to_sucess}")
    flow = tmp_path / "flow.yaml"
    flow.write_text(text, encoding="utf-8")
    findings = check(str(flow)).findings
    assert [finding.code for finding in findings] == ["VF120"]
    assert findings[0].tip == "Did you mean `to_success`?"


def test_a_hole_is_not_blamed_on_what_lies_beyond(tmp_path: Path) -> None:
    """A node whose only way in could not be read is not called unreachable."""
    text = CLEAN.read_text(encoding="utf-8").replace("    filled: timeline\n", "    fild: timeline\n")
    flow = tmp_path / "flow.yaml"
    flow.write_text(text, encoding="utf-8")
    assert all(finding.code.startswith("VF1") for finding in check(str(flow)).findings)


def test_the_collector_is_left_as_it_was() -> None:
    """Checking puts the garbage collector to rest and wakes it again, unless it was resting before."""
    check(str(CLEAN))
    assert gc.isenabled()
    gc.disable()
    try:
        check(str(CLEAN))
        assert not gc.isenabled()
    finally:
        gc.enable()
