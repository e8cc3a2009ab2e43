"""Several files as one flow."""

from pathlib import Path

from voiceflow_compiler.include import open_flow

MAIN = "include: [{}]\nintents:\n  agreement: {{family: agreement, means: accepts}}\nnodes: {{}}\n"


def test_maps_are_merged_and_lists_appended(tmp_path: Path) -> None:
    """What an included file adds stands beside what the flow has, each with its own place."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "more.yaml").write_text(
        "intents:\n  doubt: {family: objection, means: doubts}\n"
        "knowledge: [second]\ncaller_facts: {fields: {a: {type: text}}}\n"
    )
    (tmp_path / "flow").mkdir()
    flow = tmp_path / "flow" / "flow.yaml"
    flow.write_text(MAIN.format("../shared/more.yaml") + "knowledge: [first]\n")
    source = open_flow(str(flow))
    assert source.findings == ()
    assert list(source.data["intents"]) == ["agreement", "doubt"]
    assert source.data["knowledge"] == ["first", "second"]
    assert source.data["caller_facts"] == {"fields": {"a": {"type": "text"}}}
    assert Path(source.places.key(("intents", "doubt")).file) == tmp_path / "shared" / "more.yaml"
    assert source.places.key(("intents", "doubt")).line == 2
    assert Path(source.places.value(("knowledge", 1)).file).name == "more.yaml"
    assert source.places.value(("knowledge", 0)).file == str(flow)


def test_a_file_reached_twice_is_merged_once(tmp_path: Path) -> None:
    """Two parts may include the same third file without defining its names twice."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("include: [c.yaml]\n")
    (tmp_path / "c.yaml").write_text("intents:\n  doubt: {family: objection, means: doubts}\n")
    flow = tmp_path / "flow.yaml"
    flow.write_text(MAIN.format("a.yaml, b.yaml"))
    source = open_flow(str(flow), str(tmp_path))
    assert source.findings == ()
    assert "doubt" in source.data["intents"]


def test_a_link_does_not_lead_out_of_the_project(tmp_path: Path) -> None:
    """A file is where it really lies, whatever a link calls it."""
    (tmp_path / "secret.yaml").write_text("knowledge: [secret]\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "part.yaml").symlink_to(tmp_path / "secret.yaml")
    flow = project / "flow.yaml"
    flow.write_text(MAIN.format("part.yaml"))
    source = open_flow(str(flow), str(project))
    assert [finding.code for finding in source.findings] == ["VF021"]
    assert "knowledge" not in source.data


def test_the_project_is_the_nearest_folder_that_looks_like_one(tmp_path: Path) -> None:
    """Without a sign, a flow may include what lies beside its folder, and nothing above."""
    (tmp_path / "x" / "flows" / "one").mkdir(parents=True)
    (tmp_path / "x" / "flows" / "near.yaml").write_text("knowledge: [a]\n")
    (tmp_path / "x" / "far.yaml").write_text("knowledge: [b]\n")
    flow = tmp_path / "x" / "flows" / "one" / "flow.yaml"
    flow.write_text(MAIN.format("../near.yaml, ../../far.yaml"))
    assert [finding.code for finding in open_flow(str(flow)).findings] == ["VF021"]
    (tmp_path / "x" / "vfc.toml").write_text("")
    assert open_flow(str(flow)).data["knowledge"] == ["a", "b"]


def test_the_files_of_a_flow_have_one_budget(tmp_path: Path) -> None:
    """Many files that are each small enough are together too large."""
    for number in range(4):
        (tmp_path / f"{number}.yaml").write_text("#" * 1_900_000)
    flow = tmp_path / "flow.yaml"
    flow.write_text(MAIN.format("0.yaml, 1.yaml, 2.yaml, 3.yaml"))
    codes = [finding.code for finding in open_flow(str(flow), str(tmp_path)).findings]
    assert codes.count("VF002") == 2
