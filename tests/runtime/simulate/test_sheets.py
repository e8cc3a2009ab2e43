"""Call sheets that people play, and what becomes of what they fill in."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from runtime.cli import app
from tests.runtime.console.browser import browsing

FLOW = """\
language: 1
flow: opening-hours
version: "1"
title: Opening hours
locale: en-US
company: Acme Shoes
purpose: tell you when we are open
intents:
  hours: {family: confusion, means: asks when the shop is open, examples: ["when are you open"]}
  wants_person: {family: escalation, means: wants a person, examples: ["let me talk to someone"]}
start: hello
nodes:
  hello:
    kind: disclosure
    say: Hi, I'm an AI assistant from {company}. This call is recorded. You can ask for a person at any time.
    next: ask
  ask:
    kind: ask
    convey: Ask what they would like to know.
    on:
      agreement: {go: bye}
      hours: {go: bye}
      denial: {go: bye}
      objection: {go: bye}
  bye: {kind: end, say: "We are open from nine to five. Goodbye.", outcome: told}
  to_staff: {kind: handoff, to: staff}
everywhere:
  wants_person: {go: to_staff}
  confusion: {convey: Say it in other words., stay: true, at_most: 1, then: to_staff}
fallback:
  no_match:
    - convey: Say that you did not catch it, and ask again.
    - go: to_staff
  no_input:
    after_ms: 6000
    steps:
      - say: Are you still there?
      - {go: bye}
  lost_model: {say: "I'm sorry, something is wrong here. Please hold.", go: to_staff}
handoffs:
  staff:
    mode: warm
    say: I'm connecting you with a colleague. I've told them what we discussed.
    package: [reason, summary, transcript]
    if_unanswered: bye
"""


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    path = tmp_path / "hours" / "flow.yaml"
    path.parent.mkdir()
    path.write_text(FLOW)
    return path


def vfc(*words: str, code: int = 0) -> str:
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == code, ran.output
    return ran.output


def printed(flow: Path) -> str:
    """The sheets' page."""
    page = flow.parent / "sheets.html"
    vfc("sheets", str(flow), "-o", str(page))
    return page.read_text()


def results(page: str, *calls: dict[str, Any], **other: Any) -> str:
    """A results file of these sheets, by Ada."""
    about = json.loads(page.partition("data-about='")[2].partition("'")[0].replace("&quot;", '"'))
    return json.dumps({**about, "by": "Ada", "date": "2026-11-22", "calls": calls, **other})


def row_of(page: str, deed: str) -> tuple[int, int]:
    """The call and the row in which this is to be done first."""
    sheet = next(part for part in page.split("<section data-call='")[1:] if deed in part)
    row = next(part for part in sheet.split("<tr data-row='")[1:] if deed in part.partition("</tr>")[0])
    return int(sheet.partition("'")[0]), int(row.partition("'")[0])


def line_of(text: str) -> int:
    return 1 + next(at for at, line in enumerate(FLOW.splitlines()) if text in line)


def test_sheets_tell_a_person_what_to_do(flow: Path) -> None:
    """Every answer of the flow is on some sheet: who one is, what to say, what must happen, a score."""
    page = printed(flow)
    for words in (
        "Who you are",
        "when are you open",
        "let me talk to someone",
        "Say nothing",
        "go to bye",
        "Score",
    ):
        assert words in page
    assert "http" not in page.replace("http-equiv", "")


def test_fewer_sheets_are_the_first_ones(flow: Path) -> None:
    """With --most only so many sheets are printed, numbered as before."""
    page = flow.parent / "few.html"
    told = vfc("sheets", str(flow), "-o", str(page), "--most", "2")
    assert page.read_text().count("<section") == 2
    assert page.read_text().partition("<header>")[2].partition("</section>")[0] in printed(flow)
    assert "2 of" in told


def test_what_went_wrong_is_a_finding_in_the_flow(flow: Path) -> None:
    """A row that was not done is told at the place of its answer in the flow; so are notes and low scores."""
    page = printed(flow)
    call, row = row_of(page, "when are you open")
    done = flow.parent / "results-ada.json"
    done.write_text(
        results(
            page,
            {
                "call": call,
                "rows": [{"row": row, "did": False, "said": "you open now?"}],
                "scores": [5, 1, 0, 4, 4],
            },
            {"call": call % 2 + 1, "rows": [{"row": 1, "did": True}], "findings": "It spoke too fast."},
        )
    )
    told = json.loads(vfc("sheets", str(flow), "--results", str(done), "--format", "json", code=1))
    places = {one["message"].split(",")[0]: one["place"] for one in told["findings"]}
    assert places["at ask"] == f"{flow}:{line_of('hours: {go: bye}')}:7"
    assert "scored 1 of 5: It understood what was said" in places
    assert "It spoke too fast." in places
    assert told["scores"]["It asked one thing at a time"] is None
    text = vfc("sheets", str(flow), "--results", str(flow.parent), code=1)
    assert (
        f"{flow}:{line_of('hours: {go: bye}')}:7: at ask, after “you open now?”, it did not go to bye" in text
    )


def test_other_words_become_a_scenario(flow: Path) -> None:
    """A call played in other words is a scenario with them, which `vfc test` runs: it fails, since the flow's
    own phrases do not cover them, and passes once they are an example.
    """
    page = printed(flow)
    call, row = row_of(page, "when are you open")
    (flow.parent / "results-ada.json").write_text(
        results(page, {"call": call, "rows": [{"row": row, "did": True, "said": "which hours"}]})
    )
    told = json.loads(
        vfc("sheets", str(flow), "--results", str(flow.parent / "results-ada.json"), "--format", "json")
    )
    (path,) = told["scenarios"]
    assert "say: which hours" in Path(path).read_text()
    assert "node" in vfc("test", path, code=1)
    flow.write_text(FLOW.replace('["when are you open"]', '["when are you open", "which hours"]'))
    vfc("test", path)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"artifact": "0" * 12}, "the flow has changed"),
        ({"flow": "another"}, "results of another"),
        ({"results": 9}, "version 9"),
        ({"calls": [{"call": 99}]}, "no call 99"),
        ({"calls": [{"call": 1, "rows": [{"row": 77}]}]}, "no row 77"),
        ({"calls": [{"call": 1, "scores": [7]}]}, "<= 5"),
        ({"calls": "many"}, "array"),
    ],
)
def test_what_are_no_results_is_said(flow: Path, changed: dict[str, Any], words: str) -> None:
    """Results of other sheets, or of none, end the command with one line."""
    done = flow.parent / "results-ada.json"
    done.write_text(results(printed(flow), **changed))
    said = vfc("sheets", str(flow), "--results", str(done), code=2)
    assert words in said
    assert len(said.splitlines()) == 1


async def test_the_page_saves_what_was_filled_in(flow: Path) -> None:
    """In a browser: rows ticked, words and notes typed and saved come back as findings and a scenario."""
    page = printed(flow)
    call, row = row_of(page, "when are you open")
    async with browsing() as chromium:
        tab = await chromium.new_page()
        await tab.goto((flow.parent / "sheets.html").as_uri())
        await tab.fill("#by", "Ada L.")
        sheet = tab.locator(f"section[data-call='{call}']")
        await sheet.locator(f"tr[data-row='{row}'] input[value=no]").check()
        await sheet.locator(f"tr[data-row='{row}'] input.said").fill("hours please")
        await sheet.locator(f"input[name=c{call}s1][value='2']").check()
        await sheet.locator("textarea").fill("Too slow.\nAnd too long.")
        async with tab.expect_download() as saved:
            await tab.click("#save")
        done = flow.parent / (await saved.value).suggested_filename
        await (await saved.value).save_as(done)
    assert done.name == "results-opening-hours-Ada-L-.json"
    told = json.loads(vfc("sheets", str(flow), "--results", str(done), "--format", "json", code=1))
    assert [one["turn"] for one in told["findings"]] == [1, 0, 0]
    assert told["findings"][2]["message"] == "Too slow. And too long."
    assert len(told["scenarios"]) == 1
