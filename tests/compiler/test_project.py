"""Several flows as one project: what vfc.toml says, which flows it means, and commands without a path."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.cli import app
from voiceflow_compiler import project, recheck
from voiceflow_compiler.project import Project

RUN = CliRunner()
BASE = (Path(__file__).parents[1] / "cases" / "checks" / "base.yaml").read_text(encoding="utf-8")


def put(folder: Path, toml: str, **flows: str) -> Path:
    """A project of these flows, each in a folder of its own under flows/."""
    (folder / "vfc.toml").write_text(toml, encoding="utf-8")
    for name, text in flows.items():
        (folder / "flows" / name).mkdir(parents=True, exist_ok=True)
        (folder / "flows" / name / "flow.yaml").write_text(text, encoding="utf-8")
    return folder / "vfc.toml"


def loaded(file: Path) -> Project:
    """The project of a file that has one."""
    found = project.load(file)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("toml", "code", "line", "column", "says"),
    [
        ("[project]\nflowz = ['a']\n", "VF101", 2, 1, "no key `flowz`"),
        ("[project]\nflows = 3\n", "VF103", 2, 1, "must be a list of texts"),
        ('[project]\nflows = ["../x"]\n', "VF021", 2, 10, "leads out"),
        ('[project]\noutput = "/etc"\n', "VF021", 2, 10, "leads out"),
        ('[project]\nflows = [\n  "flows/*",\n  "none",\n]\n', "VF031", 4, 3, "no flow is called `none`"),
        ('[project]\njurisdictions = ["us-uth"]\n', "VF137", 2, 18, "no jurisdiction `us-uth`"),
        ('[project]\nlocales = ["español"]\n', "VF106", 2, 12, "no locale"),
        ("[project]\ncoverage = 120\n", "VF103", 2, 1, "a number from 0 to 100"),
        ("[project]\nstrict = 1\n", "VF103", 2, 1, "true or false"),
        ("[project.checks]\nignore = {VF805 = ''}\n", "VF103", 2, 11, "the reason"),
        ("[project.checks.ignore]\nVF120 = 'so'\n", "VF104", 2, 1, "no check that can be chosen"),
        ("[project.checks]\nselekt = []\n", "VF101", 2, 1, "no key `selekt`"),
        ("project = 3\n", "VF103", 1, 1, "a table"),
        ("[project]\nname = 'a'\nname = 'b'\n", "VF030", 3, 11, "not TOML"),
        ("[project\n", "VF030", 1, 9, "not TOML"),
        ("[project]\nflows = " + "[" * 5000, "VF030", 1, 1, "nested"),
        ("[project]\ncoverage = " + "9" * 5000 + "\n", "VF030", 1, 1, "too long"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_at_its_place(
    tmp_path: Path, toml: str, code: str, line: int, column: int, says: str
) -> None:
    """Every mistake in vfc.toml is a finding with its line and column."""
    found = [each for each in loaded(put(tmp_path, toml, a=BASE)).findings if each.code == code]
    assert [(each.span.line, each.span.column) for each in found] == [(line, column)]
    assert says in found[0].message


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * 300_000, b"\x00" * 100])
def test_a_file_that_is_no_text_is_told(tmp_path: Path, content: bytes) -> None:
    """Binary and oversized files end in one finding."""
    (tmp_path / "vfc.toml").write_bytes(content)
    assert len(loaded(tmp_path / "vfc.toml").findings) == 1


def test_a_file_without_the_table_is_no_project(tmp_path: Path) -> None:
    """The settings of a server alone make no project, and the project is no setting."""
    (tmp_path / "vfc.toml").write_text('public_url = "https://x.example"\n', encoding="utf-8")
    assert project.load(tmp_path / "vfc.toml") is None


def test_links_that_go_round_are_not_followed(tmp_path: Path) -> None:
    """A folder that links to one above it is passed by, and a link to itself is no project."""
    file = put(tmp_path, '[project]\nflows = ["**"]\n', a=BASE)
    (tmp_path / "flows" / "round").symlink_to(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert [path.parent.name for path in loaded(file).flows] == ["a"]
    assert project.above(tmp_path / "loop" / "x") is None


def test_commands_without_a_path_run_every_flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check, compile, coverage and cost find the project from a folder inside it."""
    put(tmp_path, '[project]\noutput = "out"\n', a=BASE, b=BASE.replace("flow: desk", "flow: other"))
    monkeypatch.chdir(tmp_path / "flows" / "a")
    assert "2 flows checked" in RUN.invoke(app, ["check"]).stderr
    assert RUN.invoke(app, ["compile"]).exit_code == 0
    assert {path.parent.name for path in (tmp_path / "out").rglob("artifact.json")} == {"a", "b"}
    for command in ("coverage", "cost"):
        told = json.loads(RUN.invoke(app, [command, "--format", "json"]).stdout)
        assert [each["flow"] for each in told["flows"]] == ["desk", "other"]


def test_several_flows_of_a_folder_compile_into_folders(tmp_path: Path) -> None:
    """`vfc compile FOLDER` compiles every flow below it, and says what fails."""
    put(tmp_path, "", a=BASE, b=BASE.replace("next: team", "next: teem"))
    result = RUN.invoke(app, ["compile", str(tmp_path / "flows"), "-o", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "1 of 2 flows compiled" in result.stderr
    assert (tmp_path / "out" / "a" / "artifact.json").exists()


@pytest.mark.parametrize(
    "command", ["check", "compile", "coverage", "cost", "graph", "diff", "test", "simulate"]
)
def test_without_a_project_a_command_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Outside any project a command without a path is one line and exit code 2."""
    monkeypatch.chdir(tmp_path)
    result = RUN.invoke(app, [command])
    assert result.exit_code == 2
    assert "vfc init NAME" in result.stderr


def test_two_flows_of_one_name_and_a_part_nobody_reads_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with the flows together is found in a check of the project."""
    put(tmp_path, '[project]\nshared = "shared"\n', a=BASE, b=BASE)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "old.yaml").write_text("intents: {}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    told = json.loads(RUN.invoke(app, ["check", "--format", "json"]).stdout)["findings"]
    assert [(each["code"], each["file"]) for each in told] == [
        ("VF032", "flows/b/flow.yaml"),
        ("VF033", "shared/old.yaml"),
    ]


def test_a_project_leaves_checks_out_and_adds_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ignored check is counted and not told; a jurisdiction holds for flows that name none."""
    broken = BASE.replace(
        "nodes:\n", "nodes:\n  nowhere: {kind: tell, say: Nobody hears this., next: team}\n", 1
    )
    put(tmp_path, "[project]\n", a=broken)
    monkeypatch.chdir(tmp_path)
    assert "VF201" in RUN.invoke(app, ["check"]).stdout
    put(tmp_path, '[project]\njurisdictions = ["us-me"]\n[project.checks.ignore]\nVF201 = "soon"\n')
    result = RUN.invoke(app, ["check"])
    assert "VF201" not in result.stdout
    assert "left out by vfc.toml" in result.stderr
    assert "VF45" in result.stdout  # what the law of that place asks of the disclosure


def test_the_first_project_checks_clean_and_passes_its_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`vfc init` writes a project without a finding whose scenarios pass; a second time it writes nothing."""
    monkeypatch.chdir(tmp_path)
    assert RUN.invoke(app, ["init", "my-calls"]).exit_code == 0
    again = RUN.invoke(app, ["init", "my-calls"])
    assert (again.exit_code, "nothing was written" in again.stderr) == (2, True)
    monkeypatch.chdir(tmp_path / "my-calls")
    assert "records/" in Path(".gitignore").read_text(encoding="utf-8").splitlines()
    checked = RUN.invoke(app, ["check", "--strict"])
    assert (checked.exit_code, checked.stdout) == (0, "nothing found\n")
    assert RUN.invoke(app, ["coverage"]).exit_code == 0
    tested = RUN.invoke(app, ["test"])
    assert (tested.exit_code, "3 passed" in tested.stdout) == (0, True)


def test_a_project_of_one_flow_keeps_its_picture_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a path a picture goes into the output folder, of one flow as of many."""
    put(tmp_path, '[project]\noutput = "out"\n', a=BASE)
    monkeypatch.chdir(tmp_path)
    drawn = RUN.invoke(app, ["graph", "--format", "svg"])
    assert (drawn.exit_code, drawn.stdout) == (0, "out/a/graph.svg\n")
    assert (tmp_path / "out/a/graph.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_finding_in_a_shared_file_is_told_once_for_all_flows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two flows that run a broken subflow give one finding that names both uses."""
    monkeypatch.chdir(tmp_path)
    RUN.invoke(app, ["init", "my-calls"])
    monkeypatch.chdir(tmp_path / "my-calls")
    shared = Path("shared/take_message.yaml")
    shared.write_text(
        shared.read_text(encoding="utf-8").replace("filled: agree", "filled: agre"), encoding="utf-8"
    )
    (one,) = json.loads(RUN.invoke(app, ["check", "--format", "json"]).stdout)["findings"]
    assert one["file"] == "shared/take_message.yaml"
    assert [each["file"] for each in one["related"]] == [
        "flows/after_hours/flow.yaml",
        "flows/reception/flow.yaml",
    ]


@pytest.mark.parametrize("name", ["My Calls", "../up/..", "x" * 60, ""])
def test_a_name_that_cannot_be_a_project_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A name is small letters, digits and dashes."""
    monkeypatch.chdir(tmp_path)
    assert RUN.invoke(app, ["init", name]).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_only_what_changed_is_checked_again(tmp_path: Path) -> None:
    """A second check looks at the flows whose own or shared files were written since, and at no other."""
    subflow = (
        "language: 1\nsubflow: s\nexits: {out: over}\nstart: a\n"
        "nodes:\n  a: {kind: tell, say: A moment of your time., next: out}\n"
    )
    uses = BASE.replace("next: team", "next: part", 1).replace(
        "nodes:\n", "nodes:\n  part: {kind: flow, flow: ../../part.yaml, exits: {out: team}}\n", 1
    )
    file = put(tmp_path, "[project]\n", a=BASE, b=uses)
    (tmp_path / "part.yaml").write_text(subflow, encoding="utf-8")
    a, b = loaded(file).flows
    memory = recheck.Rechecks()
    assert [memory.check(each)[1] for each in (a, b)] == [True, True]
    assert [memory.check(each)[1] for each in (a, b)] == [False, False]
    (tmp_path / "part.yaml").write_text(subflow.replace("A moment", "Just a moment"), encoding="utf-8")
    assert [memory.check(each)[1] for each in (a, b)] == [False, True]
    file.write_text('[project]\nname = "new"\n', encoding="utf-8")
    assert [memory.check(each)[1] for each in (a, b)] == [True, True]
    b.write_text(uses.replace("part.yaml", "gone.yaml"), encoding="utf-8")
    assert [memory.check(b)[1] for _ in range(2)] == [True, True]


def test_a_second_check_of_a_project_is_much_quicker(tmp_path: Path) -> None:
    """With one of twelve flows written, checking all again takes less than half of the first time's work."""
    flows = {f"f{number}": BASE.replace("flow: desk", f"flow: f{number}") for number in range(12)}
    file = put(tmp_path, "[project]\n", **flows)
    memory, paths = recheck.Rechecks(), loaded(file).flows
    memory.check(paths[0])  # what is loaded for the first check of all
    memory = recheck.Rechecks()
    began = time.process_time()
    for path in paths:
        memory.check(path)
    first = time.process_time() - began
    paths[0].write_text(flows["f0"] + "# changed\n", encoding="utf-8")
    began = time.process_time()
    for path in paths:
        memory.check(path)
    assert time.process_time() - began < first / 2
