"""The command line of the compiler."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from voiceflow_compiler.artifact import decode
from voiceflow_compiler.cli import app, compiled, read_plain, write
from voiceflow_compiler.rules import RULES, rule

CLEAN = Path(__file__).parent.parent / "cases" / "clean" / "lead"
RUN = CliRunner()


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with one error in its flow."""
    shutil.copytree(CLEAN, tmp_path / "broken")
    flow = tmp_path / "broken" / "flow.yaml"
    flow.write_text(flow.read_text(encoding="utf-8").replace("go: price", "go: prise"), encoding="utf-8")
    return tmp_path / "broken"


def test_a_clean_flow_exits_with_0() -> None:
    """A folder means its flow, and a flow without errors is fine."""
    assert RUN.invoke(app, ["check", str(CLEAN)]).exit_code == 0


def test_a_folder_of_folders_means_every_flow_below(tmp_path: Path, broken: Path) -> None:
    """All flows below a folder are checked in one go."""
    shutil.copytree(CLEAN, tmp_path / "clean")
    result = RUN.invoke(app, ["check", str(tmp_path)])
    assert result.exit_code == 1
    assert "error[VF120] unknown-node" in result.stdout
    assert str(broken / "flow.yaml") in result.stdout


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_findings_come_in_other_forms(broken: Path, form: str) -> None:
    """Each form holds the finding and nothing else stands on the output."""
    result = RUN.invoke(app, ["check", str(broken), "--format", form])
    assert result.exit_code == 1
    assert "VF120" in result.stdout
    if form != "github":
        json.loads(result.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "no/such.yaml"],
        ["compile", "no/such", "-o", "x"],
        ["explain", "VF000"],
        ["graph", "nowhere"],
    ],
)
def test_what_cannot_run_says_so_in_one_line(arguments: list[str]) -> None:
    """An operator's mistake is one line and exit code 2."""
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.startswith("vfc: ")


def test_compile_writes_a_whole_artifact(tmp_path: Path) -> None:
    """What is written is an artifact with its prompts beside it, the same bytes each time."""
    for name in ("one", "two"):
        assert RUN.invoke(app, ["compile", str(CLEAN), "-o", str(tmp_path / name)]).exit_code == 0
    first = (tmp_path / "one" / "artifact.json").read_bytes()
    assert decode(first).flow == "lead-qualification"
    names = {
        path.relative_to(tmp_path / "one").as_posix()
        for path in (tmp_path / "one").rglob("*")
        if path.is_file()
    }
    assert {"artifact.json", "graph.mmd", "instructions.md", "tools.json"} <= names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_flow_with_errors_leaves_the_old_artifact(tmp_path: Path, broken: Path) -> None:
    """Compiling a broken flow writes nothing and exits with 1."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "artifact.json").write_text("old")
    assert RUN.invoke(app, ["compile", str(broken), "-o", str(tmp_path / "out")]).exit_code == 1
    assert (tmp_path / "out" / "artifact.json").read_text() == "old"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["artifact.json"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """When a file cannot be put in place, no draft stays behind."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write(tmp_path / "taken", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    write(tmp_path / "new", b"a")
    write(tmp_path / "new", b"b", lasting=True)
    assert (tmp_path / "new").read_bytes() == b"b"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A full or forbidden disk is an operator's matter: one line, exit code 2."""
    tmp_path.chmod(0o500)
    result = RUN.invoke(app, ["compile", str(CLEAN), "-o", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_file_where_a_folder_should_be_is_one_line(tmp_path: Path) -> None:
    """An output that is a file is told plainly."""
    (tmp_path / "out").write_text("")
    result = RUN.invoke(app, ["compile", str(CLEAN), "-o", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1


def test_graph_prints_mermaid(tmp_path: Path) -> None:
    """The graph goes to the output, or to a file in another form."""
    printed = RUN.invoke(app, ["graph", str(CLEAN)])
    assert printed.exit_code == 0
    assert "flowchart" in printed.stdout
    drawn = RUN.invoke(app, ["graph", str(CLEAN), "--format", "svg", "-o", str(tmp_path / "g.svg")])
    assert drawn.exit_code == 0
    assert (tmp_path / "g.svg").read_text(encoding="utf-8").startswith("<")


def test_focused_prompting_writes_a_session_for_each_node(tmp_path: Path) -> None:
    """Asked for it, a compile adds one session per node to what it always writes."""
    ran = RUN.invoke(app, ["compile", str(CLEAN), "-o", str(tmp_path), "--prompting", "focused"])
    assert ran.exit_code == 0
    assert (tmp_path / "session.json").exists()
    assert json.loads((tmp_path / "focused/greeting.json").read_text(encoding="utf-8"))["tools"] == []


def test_other_commands_take_a_compiled_flow(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that runs a flow gets its artifact, or ends with its findings on standard error."""
    assert compiled(CLEAN).flow == "lead-qualification"
    with pytest.raises(typer.Exit) as ended:
        compiled(broken)
    assert ended.value.exit_code == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "VF120" in printed.err


def test_other_commands_read_yaml_as_safely(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Any YAML file of the project is read by the same rules, a list at its top allowed."""
    file = tmp_path / "caller.yaml"
    file.write_text("- on: no\n")
    assert read_plain(file) == [{"on": "no"}]
    file.write_text("a: *x\n")
    with pytest.raises(typer.Exit) as ended:
        read_plain(file)
    assert ended.value.exit_code == 1
    assert "VF008" in capsys.readouterr().err


def test_every_finding_of_reading_has_its_page() -> None:
    """Whatever a broken flow gives can be looked up, by the name it was given with."""
    for expected in (CLEAN.parent.parent / "reading").rglob("findings.txt"):
        for line in expected.read_text(encoding="utf-8").splitlines():
            _, code, name = line.split(": ")[0].split()[-3:]
            found = rule(code)
            assert found is not None
            assert found.name == name


def test_explain_has_a_form_for_programs() -> None:
    """With `--format json` a page has a title and a text, and no colours."""
    printed = json.loads(RUN.invoke(app, ["explain", "VF401", "--format", "json"]).stdout)
    assert printed["title"] == "VF401 undisclosed-path (error)"
    assert "**Flagged**" in printed["text"]


def test_explain_shows_the_page_of_a_check() -> None:
    """A finding can be looked up by its code or its name."""
    by_code, by_name = RUN.invoke(app, ["explain", "vf401"]), RUN.invoke(app, ["explain", "undisclosed-path"])
    assert by_code.exit_code == 0
    assert by_code.stdout == by_name.stdout
    assert "**Flagged**" in by_code.stdout


def test_the_begin_of_a_code_lists_those_that_begin_so() -> None:
    """`vfc explain VF70` lists the findings it may stand for, a line each; without a code, all of them."""
    ran = RUN.invoke(app, ["explain", "vf70"])
    assert ran.exit_code == 0
    assert "VF701 slot-maybe-empty (error): A value spoken" in ran.stdout
    assert "VF601" not in ran.stdout
    whole = json.loads(RUN.invoke(app, ["explain", "--format", "json"]).stdout)
    assert [each["code"] for each in whole["rules"]] == [each.code for each in RULES]
    assert "us-ut" in whole["jurisdictions"]


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_a_terminal_of_any_encoding_can_take_the_output(tmp_path: Path, form: str) -> None:
    """Neither a file name that is not Unicode nor a terminal that knows only ASCII ends in a traceback."""
    path = os.fsencode(tmp_path) + b"/caf\xe9.yaml"
    Path(os.fsdecode(path)).write_text("title: \u540d\u524d\n", encoding="utf-8")
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "from voiceflow_compiler.cli import app; app()",
            "check",
            path,
            "--format",
            form,
        ],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert ran.returncode == 1, ran.stderr
    assert ran.stderr == b""
    assert b"VF102" in ran.stdout


def test_help_is_cheap() -> None:
    """Asking for help loads neither the reader nor the graph."""
    program = "import sys, voiceflow_compiler.cli; print(*(name for name in sys.modules if '.' not in name))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"yaml", "jsonschema", "networkx", "jinja2"} & set(ran.stdout.split())
