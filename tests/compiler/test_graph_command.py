"""`vfc graph`: findings on the picture, tall pictures folded, and the picture as PNG."""

import json
import os
import re
import shutil
import struct
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.generate import large_flow
from voiceflow_compiler import pipeline
from voiceflow_compiler.cli import app
from voiceflow_compiler.commands.photograph import photographed
from voiceflow_compiler.commands.pins import pinned
from voiceflow_compiler.targets.picture import emit
from voiceflow_compiler.targets.picture.folding import columns, side_by_side
from voiceflow_compiler.targets.picture.layout import Box, Link, lay_out

CASES = Path(__file__).parents[1] / "cases"
BROKEN = CASES / "checks/broken.yaml"
CLEAN = CASES / "clean/lead"
SVG = "{http://www.w3.org/2000/svg}"
RUN = CliRunner()


def cards(svg: str) -> dict[str, ET.Element]:
    """The groups of the nodes, by name."""
    groups = ET.fromstring(svg).iter(f"{SVG}g")
    return {group.get("data-name", ""): group for group in groups if group.get("class") == "node"}


def test_findings_stand_on_the_nodes_they_are_about() -> None:
    """Each card names its findings and wears the colour of the gravest; the rest stands beside it."""
    artifact, pins = pinned(BROKEN)
    svg = emit(artifact, pins)["graph.svg"]
    shown = cards(svg)
    assert {pin.code for pin in pins["sizes"]} == {"VF207", "VF208", "VF209"}
    assert "▲ VF207 never-true-case" in {text.text for text in shown["sizes"].iter(f"{SVG}text")}
    assert any("pinned error" in (shape.get("class") or "") for shape in shown["sizes"])
    assert "no caller can ever take the case" in (shown["sizes"].findtext(f"{SVG}title") or "")
    assert "VF801" in {pin.code for pin in pins[""]}
    assert svg.count("▲") == sum(map(len, pins.values()))


def test_every_finding_is_pinned_once() -> None:
    """Nothing that the check finds is missing from the picture."""
    _, pins = pinned(BROKEN)
    found = {(finding.code, finding.message) for finding in pipeline.check(str(BROKEN)).findings}
    told = [(pin.code, pin.message) for each in pins.values() for pin in each]
    assert set(told) == found
    assert len(told) == len(found)


def test_a_flow_that_leads_nowhere_is_drawn_too(tmp_path: Path) -> None:
    """A name that no node has gets a stand-in, so that the hole is seen."""
    path = tmp_path / "flow.yaml"
    text = (CLEAN / "flow.yaml").read_text(encoding="utf-8")
    path.write_text(re.sub(r"next: \w+", "next: nobody_home", text, count=1), encoding="utf-8")
    ran = RUN.invoke(app, ["graph", str(path), "--findings", "--format", "svg"])
    assert ran.exit_code == 0, ran.stderr
    assert "VF" in ran.stdout


def test_a_flow_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Too little to draw: the findings and one more line, exit code 1."""
    path = tmp_path / "flow.yaml"
    path.write_text("nodes: [", encoding="utf-8")
    ran = RUN.invoke(app, ["graph", str(path), "--findings"])
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "flow.yaml:2:1: error[VF006]" in ran.stderr


def test_a_graph_is_listed_for_programs() -> None:
    """The JSON form holds every node and every way, and with `--findings` each finding once."""
    printed = json.loads(RUN.invoke(app, ["graph", str(CLEAN), "--format", "json"]).stdout)
    names = [node["name"] for node in printed["nodes"]]
    assert names[0] == printed["start"] == "greeting"
    assert {"book", "to_sales", "goodbye_yes"} <= set(names)
    assert {"source": "book", "target": "goodbye_yes", "label": "done", "cause": "flow"} in printed["ways"]
    assert not printed["findings"]
    ran = RUN.invoke(app, ["graph", str(BROKEN), "--format", "json", "--findings"])
    told = json.loads(ran.stdout)
    codes = [each["code"] for node in told["nodes"] for each in node["findings"]]
    assert sorted(codes + [each["code"] for each in told["findings"]]) == sorted(
        finding.code for finding in pipeline.check(str(BROKEN)).findings
    )


def test_a_clean_flow_with_findings_is_the_plain_picture() -> None:
    """Without findings the two pictures are the same, to the byte."""
    plain = RUN.invoke(app, ["graph", str(CLEAN), "--format", "svg"]).stdout
    assert RUN.invoke(app, ["graph", str(CLEAN), "--format", "svg", "--findings"]).stdout == plain


@pytest.mark.parametrize("nodes", [40, 300])
def test_a_tall_picture_is_folded_into_a_sheet(nodes: int, tmp_path: Path) -> None:
    """A flow of many nodes in a row is no ribbon: every node is there, no card on another."""
    path = tmp_path / "flow.yaml"
    path.write_text(large_flow(nodes, seed=3), encoding="utf-8")
    artifact = pipeline.compile(str(path)).artifact
    assert artifact is not None
    svg = emit(artifact)["graph.svg"]
    width, height = map(float, re.findall(r"[\d.]+", re.findall(r'viewBox="0 0 ([^"]+)"', svg)[0]))
    assert 0.5 < width / height < 2.5
    assert cards(svg).keys() == artifact.nodes.keys()


def test_columns_keep_apart_what_they_hold() -> None:
    """A row of two hundred boxes becomes columns: links stay inside theirs, and no box lies on another."""
    boxes = [Box(200.0, 80.0)] * 200
    links = [Link(at, at + 1) for at in range(199)]
    column = columns(lay_out(boxes, links), links)
    assert max(column) >= 2
    inside = [link for link in links if column[link.source] == column[link.target]]
    assert len(inside) == len(links) - max(column)
    found = side_by_side(boxes, inside, column)
    for one, other in combinations(found.boxes, 2):
        assert abs(one.x - other.x) >= 200 or abs(one.y - other.y) >= 80


def test_a_small_picture_stays_in_one_piece() -> None:
    """Nothing is folded that fits a screen."""
    boxes, links = [Box(200.0, 80.0)] * 8, [Link(at, at + 1) for at in range(7)]
    assert columns(lay_out(boxes, links), links) == []


def test_the_sheet_lies_as_the_picture_does(tmp_path: Path) -> None:
    """Printed, a wide picture takes a sheet on its side and a tall one a standing sheet."""
    path = tmp_path / "flow.yaml"
    path.write_text(large_flow(8, seed=3), encoding="utf-8")
    page = RUN.invoke(app, ["graph", str(path), "--format", "html"]).stdout
    assert "@page { size: landscape;" in page


@pytest.mark.skipif(
    not any(map(shutil.which, ("chromium", "google-chrome"))), reason="no browser is installed"
)
def test_a_png_is_the_whole_picture(tmp_path: Path) -> None:
    """Through an installed browser: a PNG of the picture's shape."""
    out = tmp_path / "graph.png"
    ran = RUN.invoke(app, ["graph", str(CLEAN), "--format", "png", "-o", str(out)])
    assert ran.exit_code == 0, ran.stderr
    content = out.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    svg = RUN.invoke(app, ["graph", str(CLEAN), "--format", "svg"]).stdout
    wide, tall = map(float, re.findall(r"[\d.]+", re.findall(r'viewBox="0 0 ([^"]+)"', svg)[0]))
    assert width / height == pytest.approx(wide / tall, rel=0.01)


def test_without_a_browser_one_line_says_so(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """No browser: exit code 2 and what to do instead."""
    monkeypatch.setitem(os.environ, "PATH", "/nowhere")
    with pytest.raises(typer.Exit) as ended:
        photographed("<svg/>")
    assert ended.value.exit_code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--format svg" in line
