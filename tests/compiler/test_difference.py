"""What changes for callers between two versions of a flow, and how `vfc diff` tells it."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from typer.testing import CliRunner

from tests.compiler.checks.examples import BASE
from tests.generate import flows
from voiceflow_compiler import pipeline
from voiceflow_compiler.artifact import Artifact, encode
from voiceflow_compiler.cli import app
from voiceflow_compiler.difference import Change, compare
from voiceflow_compiler.difference.nodes import with_names

ROOT = Path(__file__).parents[2]
EXPECTED = ROOT / "tests/cases/difference"
LEAD = (ROOT / "tests/cases/clean/lead/flow.yaml").read_text(encoding="utf-8")
SHIPPED = ROOT / "flows/lead_qualification/flow.yaml"
RUN = CliRunner()

Compare = Callable[..., tuple[Change, ...]]

# Every edit of the golden difference: text of the shipped flow, and what stands there in the new one.
EDITS = (
    ("      agreement: {go: demo_email}\n      denial: {go: goodbye_no}", "      [agreement, denial]"),
    ("This call is recorded, and", "This call may be recorded, and"),
    ("welcome_back", "returning"),
    ("package: [reason, summary, slots, facts, transcript, sentiment]", "package: [reason, summary, slots]"),
    ("And roughly how many people would use it?", "How many people would use it?"),
    (
        "    at_most: 2\n    then: to_sales\n  asks_price:",
        "    at_most: 1\n    then: to_sales\n  asks_price:",
    ),
    (
        "    takes: {email: slots.email}\n    returns: {time",
        "    takes: {mail: slots.email}\n    returns: {time",
    ),
    ("limits: {turns: 40,", "limits: {turns: 50,"),
    ("after_ms: 5000", "after_ms: 7000"),
)


def compiled(text: str, folder: Path) -> Artifact:
    """The artifact of a flow's text, which has no errors."""
    path = folder / "flow.yaml"
    path.write_text(text, encoding="utf-8")
    done = pipeline.compile(str(path))
    assert done.artifact is not None, done.findings
    return done.artifact


@pytest.fixture
def changes(tmp_path: Path) -> Compare:
    def between(*edits: tuple[str, str]) -> tuple[Change, ...]:
        new = SHIPPED.read_text(encoding="utf-8")
        old = compiled(new, tmp_path)
        for was, is_ in edits:
            assert was in new
            new = new.replace(was, is_)
        return compare(old, compiled(new, tmp_path)).changes

    return between


def edited(text: str) -> str:
    """The shipped flow after every edit."""
    both = "      agreement: {go: demo_email}\n      denial: {go: demo_email}"
    for was, is_ in EDITS:
        assert was in text, was
        text = text.replace(was, both if is_ == "      [agreement, denial]" else is_)
    return text


@pytest.mark.golden
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_difference_is_exactly_the_file_kept(form: str, tmp_path: Path) -> None:
    """Nine edits of a shipped flow, told in every form with their severity, ways, tokens and callers."""
    for side, text in (("old", SHIPPED.read_text("utf-8")), ("new", edited(SHIPPED.read_text("utf-8")))):
        (tmp_path / side / "callers").mkdir(parents=True)
        (tmp_path / side / "flow.yaml").write_text(text, encoding="utf-8")
    caller = SHIPPED.parent / "callers/agrees.yaml"
    (tmp_path / "new/callers/agrees.yaml").write_bytes(caller.read_bytes())
    ran = RUN.invoke(app, ["diff", str(tmp_path / "old"), str(tmp_path / "new"), "--format", form])
    assert ran.exit_code == 1
    kept = EXPECTED / f"lead.{({'text': 'txt', 'json': 'json', 'markdown': 'md'})[form]}"
    if os.environ.get("UPDATE_GOLDEN"):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(ran.stdout, encoding="utf-8")
    assert ran.stdout == kept.read_text(encoding="utf-8")


def test_booking_without_agreeing_is_told_with_the_way(changes: Compare) -> None:
    """Where a plain no leads on to the email, the booking lost its agreement, and the way says how."""
    no = "      agreement: {go: demo_email}\n      denial: {go: goodbye_no}"
    (first, *_) = changes((no, no.replace("goodbye_no", "demo_email")))
    assert first.severity == "breaking"
    assert first.message == 'a caller can now reach "book" (action book_demo) without agreeing'
    assert first.way.endswith("offer_demo -> (denial) demo_email -> book")


def test_an_agreement_gained_is_told_too(tmp_path: Path) -> None:
    """The other way round, callers now have to agree."""
    text = SHIPPED.read_text(encoding="utf-8")
    no = "      agreement: {go: demo_email}\n      denial: {go: goodbye_no}"
    good, bad = (
        compiled(each, tmp_path) for each in (text, text.replace(no, no.replace("goodbye_no", "demo_email")))
    )
    found = [each.message for each in compare(bad, good).changes if each.kind == "safeguard"]
    assert 'a caller now has to agree before "book" (action book_demo)' in found


def test_a_place_no_longer_reached_is_breaking(changes: Compare) -> None:
    """When nothing leads to an outcome any more, that comes first, with the way callers had."""
    away = ('      - {if: "slots.team_size < 5", go: offer_trial}\n', "")
    text = SHIPPED.read_text(encoding="utf-8")
    start, end = text.index("  offer_trial:\n"), text.index("  to_sales: {kind")
    node = text[start:end]
    start, end = text.index("  goodbye_trial:\n"), text.index("  goodbye_callback:\n")
    ending = text[start:end]
    found = changes(away, (node, ""), (ending, ""))
    lost = [each for each in found if each.kind == "reach"]
    assert [each.severity for each in lost] == ["breaking", "breaking"]
    assert lost[0].route[0] == "greeting"


def test_other_words_are_cosmetic(changes: Compare) -> None:
    """Only a sample reworded: nothing is worse than cosmetic."""
    found = changes(("And roughly how many people would use it?", "How many people would use it?"))
    assert {each.severity for each in found} == {"cosmetic"}


def test_a_new_name_alone_is_cosmetic(changes: Compare) -> None:
    """A node that only got another name is told as that, and nothing else."""
    found = changes(("welcome_back", "returning"))
    assert [(each.severity, each.kind) for each in found] == [("cosmetic", "rename")]


def test_a_change_everywhere_is_told_once(changes: Compare) -> None:
    """What every node inherits is one change, not one for each node."""
    found = changes(
        ("  not_interested: {go: goodbye_no}\n  what", "  not_interested: {go: to_sales}\n  what")
    )
    assert [each.message for each in found if each.kind == "answer"] == [
        'everywhere, not_interested leads to "to_sales" instead of "goodbye_no"'
    ]


def test_a_change_at_many_nodes_is_told_once(changes: Compare) -> None:
    """What changed alike at three nodes or more is one change that names them."""
    found = changes(("after_ms: 5000", "after_ms: 7000"))
    (silence,) = [each for each in found if "silence" in each.message]
    assert silence.message.startswith("at 13 nodes")
    assert len(silence.nodes) == 13


def test_a_tool_schema_is_told_value_by_value(changes: Compare) -> None:
    """A choice taken away is breaking and named where it stands in the schema."""
    found = changes(("      new_team: [a new", "      new_one: [a new"))
    tool = next(each for each in found if each.kind == "tool")
    assert tool.severity == "breaking"
    assert "slots.call_reason=new_team" in tool.message


@given(text=flows())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flow_differs_in_nothing_from_itself(text: str, tmp_path_factory) -> None:
    """Equal flows have no changes, and new names for all nodes change nothing but names."""
    artifact = compiled(text, tmp_path_factory.mktemp("flow"))
    assert compare(artifact, artifact).changes == ()
    names = {name: f"new_{name}" for name in artifact.nodes}
    back = with_names(with_names(artifact, names), {new: old for old, new in names.items()})
    assert encode(back) == encode(artifact)


@pytest.mark.parametrize(
    ("fail_on", "code"), [("breaking", 0), ("notable", 1), ("cosmetic", 1), ("never", 0)]
)
def test_the_exit_code_follows_the_severity(fail_on: str, code: int, tmp_path: Path) -> None:
    """A notable difference fails a build only when it was asked to."""
    new = tmp_path / "flow.yaml"
    new.write_text(LEAD.replace('version: "', 'version: "9.'), encoding="utf-8")
    assert RUN.invoke(app, ["diff", str(new), str(new), "--fail-on", fail_on]).exit_code == 0
    text = LEAD.replace("company:", "confidence: {accept: 0.6, sure: 0.8}\ncompany:")
    new.write_text(text, encoding="utf-8")
    old = ROOT / "tests/cases/clean/lead/flow.yaml"
    assert RUN.invoke(app, ["diff", str(old), str(new), "--fail-on", fail_on]).exit_code == code


def test_a_new_project_is_compared_with_its_first_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`vfc diff` reads the shared parts of a project as they were, from a folder of the repository too."""
    monkeypatch.chdir(tmp_path)
    assert RUN.invoke(app, ["init", "calls"]).exit_code == 0
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "calls"], [*who, "commit", "-q", "-m", "One."]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path / "calls")
    same = RUN.invoke(app, ["diff", "--format", "json"])
    assert same.exit_code == 0, same.stderr
    assert [each["changes"] for each in json.loads(same.stdout)["flows"]] == [[], []]
    part = Path("shared/take_message.yaml")
    part.write_text(part.read_text("utf-8").replace("ask_number", "ask_phone"), encoding="utf-8")
    changed = RUN.invoke(app, ["diff"]).stdout
    assert "leave_word.ask_phone" in changed
    monkeypatch.chdir(tmp_path / "calls/shared")
    assert RUN.invoke(app, ["diff"]).stdout == changed


def test_artifacts_and_revisions_are_compared_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled artifact and a path at a git revision stand for a flow; an edited artifact is refused."""
    monkeypatch.chdir(tmp_path)
    artifact = compiled(LEAD, tmp_path)
    (tmp_path / "artifact.json").write_bytes(encode(artifact))
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "flow.yaml"], [*who, "commit", "-q", "-m", "One."]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    same = RUN.invoke(app, ["diff", "HEAD:flow.yaml", "artifact.json", "--format", "json"])
    assert same.exit_code == 0, same.stderr
    assert json.loads(same.stdout)["changes"] == []
    (tmp_path / "artifact.json").write_bytes(encode(artifact).replace(b"Northwind", b"Southwind"))
    broken = RUN.invoke(app, ["diff", "HEAD:flow.yaml", "artifact.json"])
    assert (broken.exit_code, len(broken.stderr.splitlines())) == (2, 1)
    for source in ("nowhere:flow.yaml", "HEAD:absent.yaml", "absent.yaml"):
        missing = RUN.invoke(app, ["diff", source, "flow.yaml"])
        assert (missing.exit_code, len(missing.stderr.splitlines())) == (2, 1)


def test_every_flow_of_a_project_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flow with errors, one that is new and one that is gone are told beside those that are compared."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vfc.toml").write_text('[project]\nname = "northwind"\n', encoding="utf-8")
    for name in ("a", "b", "c"):
        _flow_named(name, BASE)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "One."]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    _flow_named("a", BASE.replace("go: sorry}", "go: sory}"))
    _flow_named("b", BASE.replace("say: Are you still there?", "say: Hello?"))
    Path("flows/c/flow.yaml").unlink()
    _flow_named("d", BASE)
    ran = RUN.invoke(app, ["diff", "--format", "json"])
    assert ran.exit_code == 1
    told = {each["file"].split("/")[1]: each for each in json.loads(ran.stdout)["flows"]}
    assert {name: each["state"] for name, each in told.items()} == {
        "a": "broken",
        "b": "compared",
        "c": "gone",
        "d": "new",
    }
    assert [each["code"] for each in told["a"]["findings"]] == ["VF120"]
    assert {each["kind"] for each in told["b"]["changes"]} >= {"wording"}
    text, markdown = (RUN.invoke(app, ["diff", "--format", form]).stdout for form in ("text", "markdown"))
    assert "4 flows since HEAD: " in text
    assert "1 flow broken, 1 flow new, 1 flow gone" in text
    assert "flows/a/flow.yaml: has errors, and was not compared" in text
    assert "| `flows/c/flow.yaml` | gone |" in markdown
    assert "**VF120 unknown-node**" in markdown
    _flow_named("a", BASE)
    _flow_named("c", BASE)
    assert RUN.invoke(app, ["diff"]).exit_code == 0


def _flow_named(name: str, text: str) -> None:
    path = Path("flows") / name / "flow.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("flow: desk", f"flow: {name}", 1), encoding="utf-8")
