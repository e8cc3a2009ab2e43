"""The server as an editor meets it: over standard input and output."""

from pathlib import Path

import pytest

from tests.compiler.lsp.editor import Refusal, applied, editor, position

CASES = Path(__file__).parents[2] / "cases"
CLEAN = (CASES / "clean" / "lead" / "flow.yaml").read_text(encoding="utf-8")


def codes(diagnostics):
    """The codes of diagnostics."""
    return [each["code"] for each in diagnostics]


async def test_a_finding_is_told_while_typing(tmp_path: Path) -> None:
    """A clean text has no diagnostics, one misspelt node has one at its exact place, and mending it none."""
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", CLEAN)
        assert await it.diagnostics(uri) == []
        line, column = position(CLEAN, "go: price", 4)
        at = {"line": line, "character": column}
        it.change(uri, {"range": {"start": at, "end": at}, "text": "x"})
        (told,) = [each for each in await it.diagnostics(uri) if each["severity"] == 1]
        assert told["code"] == "VF120"
        assert told["range"]["start"] == {"line": line, "character": column}
        assert "Did you mean `price`?" in told["message"]
        it.change(uri, {"range": {"start": at, "end": {"line": line, "character": column + 1}}, "text": ""})
        assert await it.diagnostics(uri) == []
        assert await it.stop() == 0


async def test_positions_count_utf_16_units(tmp_path: Path) -> None:
    """After an emoji a column is where the editor counts it, for what is told and for what is typed."""
    text = CLEAN.replace("say: Thanks", "say: 😀 Thanks").replace("convey: ", "convey: 😀😀 {nobody} ", 1)
    line, column = position(text, "{nobody}")
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", text)
        (told,) = [each for each in await it.diagnostics(uri) if each["code"] == "VF126"]
        assert told["range"]["start"] == {"line": line, "character": column}
        assert told["range"]["end"] == {"line": line, "character": column + 8}
        start, end = {"line": line, "character": column + 1}, {"line": line, "character": column + 7}
        it.change(uri, {"range": {"start": start, "end": end}, "text": "company"})
        assert "VF126" not in codes(await it.diagnostics(uri))


async def test_an_editor_may_count_in_other_units(tmp_path: Path) -> None:
    """An editor that prefers UTF-32 gets columns in characters."""
    text = CLEAN.replace("convey: ", "convey: 😀😀 {nobody} ", 1)
    line, column = position(text, "{nobody}")
    async with editor(tmp_path, ["utf-32", "utf-16"]) as it:
        uri = it.open(tmp_path / "flow.yaml", text)
        (told,) = [each for each in await it.diagnostics(uri) if each["code"] == "VF126"]
        assert told["range"]["start"] == {"line": line, "character": column - 2}


async def test_lines_may_end_in_carriage_returns(tmp_path: Path) -> None:
    """A text with CRLF line ends has its findings, and takes changes, at the same lines and columns."""
    text = CLEAN.replace("go: price", "go: prise", 1)
    line, column = position(text, "prise")
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", text.replace("\n", "\r\n"))
        (told,) = [each for each in await it.diagnostics(uri) if each["code"] == "VF120"]
        assert told["range"]["start"] == {"line": line, "character": column}
        it.change(uri, {"range": told["range"], "text": "price"})
        assert await it.diagnostics(uri) == []


async def test_a_line_separator_ends_no_line(tmp_path: Path) -> None:
    """U+2028 and a form feed in a text do not move the lines below it."""
    text = CLEAN.replace("convey: ", "convey: a\u2028b\x0cc\u0085 ", 1).replace("go: price", "go: prise", 1)
    line, column = position(text, "prise")
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", text)
        (told,) = [each for each in await it.diagnostics(uri) if each["code"] == "VF120"]
        assert told["range"]["start"] == {"line": line, "character": column}
        it.change(uri, {"range": told["range"], "text": "price"})
        assert "VF120" not in codes(await it.diagnostics(uri))


async def test_rapid_edits_end_in_the_newest_text(tmp_path: Path) -> None:
    """Forty changes sent at once are told of in the end as the text then is, and never in older order."""
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", CLEAN)
        line, column = position(CLEAN, "go: price", 4)
        for count in range(40):
            at = {"line": line, "character": column + count}
            it.change(uri, {"range": {"start": at, "end": at}, "text": "x"})
        (told,) = [each for each in await it.diagnostics(uri) if each["code"] == "VF120"]
        assert told["range"]["end"]["character"] == column + 45
        versions = [each["version"] for each in it.told[uri]]
        assert versions == sorted(versions)


async def test_a_broken_text_keeps_what_is_known(tmp_path: Path) -> None:
    """While a quote is open the syntax is told and nothing innocent, and names are completed and found."""
    line, column = position(CLEAN, "    kind: ask")
    at = {"line": line, "character": column}
    broken = CLEAN.replace("    kind: ask", '    say: "oh\n    kind: ask', 1)
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", CLEAN)
        assert await it.diagnostics(uri) == []
        it.change(uri, {"range": {"start": at, "end": at}, "text": '    say: "oh\n'})
        assert codes(await it.diagnostics(uri)) == ["VF006"]
        start = position(broken, "start: ", 7)
        (found,) = await it.at("textDocument/definition", uri, *start)
        assert broken.split("\n")[found["range"]["start"]["line"]].strip().startswith("greeting:")
        offered = await it.at("textDocument/completion", uri, *start)
        assert "price" in [item["label"] for item in offered["items"]]
        symbols = await it.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
        assert "nodes" in [symbol["name"] for symbol in symbols]
        with pytest.raises(Refusal, match="mend it first"):
            await it.at("textDocument/rename", uri, *start, newName="hello")


async def test_a_new_name_reaches_every_place(tmp_path: Path) -> None:
    """Renaming a slot changes its definition, what collects it, conditions, placeholders and arguments."""
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", CLEAN)
        await it.diagnostics(uri)
        where = position(CLEAN, "slots.team_size", 8)
        prepared = await it.at("textDocument/prepareRename", uri, *where)
        assert prepared["placeholder"] == "team_size"
        edit = await it.at("textDocument/rename", uri, *where, newName="people")
        renamed = applied(CLEAN, edit["changes"][uri])
        assert "team_size" not in renamed.replace("team_size:", "")  # an argument is no slot
        assert renamed.count("people") >= CLEAN.count("team_size") - 1
        it.write_anew(uri, renamed)
        assert [each for each in await it.diagnostics(uri) if each["severity"] == 1] == []


@pytest.mark.parametrize("name", ["Team Size", "2nd", "", "email", "x" * 65])
async def test_a_bad_new_name_is_refused(tmp_path: Path, name: str) -> None:
    """A name of other characters, of another slot or too long is refused in words."""
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", CLEAN)
        with pytest.raises(Refusal) as refused:
            await it.at("textDocument/rename", uri, *position(CLEAN, "slots.team_size", 8), newName=name)
        assert refused.value.code == -32803


async def test_an_included_file_is_part_of_its_flow(tmp_path: Path) -> None:
    """An included file opened alone is told its findings; references and rename cross the files."""
    start = CLEAN.index("\nslots:") + 1
    end = CLEAN.index("\nintents:") + 1
    shared, own = CLEAN[start:end], "include: [../shared/slots.yaml]\n" + CLEAN[:start] + CLEAN[end:]
    (tmp_path / "shared").mkdir()
    (tmp_path / "lead").mkdir()
    (tmp_path / "vfc.toml").write_text("")
    (tmp_path / "shared" / "slots.yaml").write_text(shared, encoding="utf-8")
    (tmp_path / "lead" / "flow.yaml").write_text(own, encoding="utf-8")
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "shared" / "slots.yaml", shared)
        assert await it.diagnostics(uri) == []
        flow = (tmp_path / "lead" / "flow.yaml").as_uri()
        where = position(shared, "team_size", 2)
        found = await it.at("textDocument/references", uri, *where, context={"includeDeclaration": True})
        assert {each["uri"] for each in found} == {uri, flow}
        edit = await it.at("textDocument/rename", uri, *where, newName="people")
        assert edit["changes"].keys() == {uri, flow}
        it.write_anew(uri, applied(shared, edit["changes"][uri]))
        await it.diagnostics(uri)
        await it.until(lambda: "VF121" in codes(it.told.get(flow, [{"diagnostics": []}])[-1]["diagnostics"]))
        flow = it.open(tmp_path / "lead" / "flow.yaml", applied(own, edit["changes"][flow]))
        assert [each for each in await it.diagnostics(flow) if each["severity"] == 1] == []
        (found,) = await it.at("textDocument/definition", flow, *position(own, "include: [", 12))
        assert found["uri"] == uri


async def test_other_files_are_left_alone(tmp_path: Path) -> None:
    """Nothing is told of YAML that belongs to no flow, and every request about it has an empty answer."""
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "compose.yaml", "services:\n  web: {image: x}\n")
        assert await it.at("textDocument/hover", uri, 1, 3) is None
        assert (await it.at("textDocument/completion", uri, 1, 3))["items"] == []
        assert await it.at("textDocument/definition", uri, 1, 3) == []
        assert await it.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}}) == []
        assert uri not in it.told
        missing = (tmp_path / "no" / "flow.yaml").as_uri()
        assert await it.at("textDocument/definition", missing, 0, 0) == []
        with pytest.raises(Refusal):
            await it.at("textDocument/hover", "untitled:Untitled-1", 0, 0)
        assert await it.stop() == 0


async def test_hover_shows_what_the_model_is_told(tmp_path: Path) -> None:
    """Over a node stands its compiled brief, over a slot its meaning, over a finding its rule's page."""
    text = CLEAN.replace("go: price", "go: prise", 1)
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", text)

        async def hover(mark: str, after: int) -> str:
            found = await it.at("textDocument/hover", uri, *position(text, mark, after))
            return str(found["contents"]["value"])

        assert "What the model is told here" in await hover("\n  team:", 4)
        assert "(slot, integer)" in await hover("collect: [team_size]", 12)
        assert "VF120 unknown-node" in await hover("go: prise", 6)
        assert "Which of the four families" in await hover("family: ", 2)


async def test_completion_fits_its_place(tmp_path: Path) -> None:
    """Keys by the kind of the node, nodes after `go`, intents under `on`, names in conditions and braces."""
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", CLEAN)

        async def offered(typed: str) -> set[str]:
            text = CLEAN.replace("\nnodes:\n", f"\nnodes:\n{typed}¦\n", 1)
            it.write_anew(uri, text.replace("¦", ""))
            line, column = position(text, "¦")
            found = await it.at("textDocument/completion", uri, line, column)
            return {item["label"] for item in found["items"]}

        node = "  new:\n    kind: ask\n"
        assert {"on", "collect", "filled"} <= await offered(node + "    ")
        assert "otherwise" not in await offered(node + "    ")
        assert {"team", "price"} <= await offered(node + "    filled: ")
        assert {"agreement", "wants_person", "denial"} <= await offered(node + "    on:\n      ")
        assert {"ask", "tell", "decide"} <= await offered("  new: {kind: ")
        assert "team_size" in await offered(node + "    collect: [")
        assert {"company", "team_size"} <= await offered(node + "    convey: Hello {")
        case = '  new:\n    kind: decide\n    cases:\n      - {if: "'
        assert {"slots", "facts", "intent", "turn", "and"} <= await offered(case)
        assert "team_size" in await offered(case + "slots.")
        assert "family" in await offered(case + "slots.team_size > 3 and intent.")
        assert "objection" in await offered(case + "intent.family == '")


async def test_a_near_miss_is_mended_by_a_quick_fix(tmp_path: Path) -> None:
    """The edit offered for a misspelt name makes the flow clean again, in conditions and braces as well."""
    for right, wrong in (
        ("go: price", "go: prise"),
        ("slots.team_size", "slots.tem_size"),
        ("intent.family == 'escalation'", "intent.family == 'escalaton'"),
        ("{company}", "{compny}"),
        ("collect: [team_size]", "colect: [team_size]"),
    ):
        text = CLEAN.replace(right, wrong, 1)
        assert text != CLEAN, right
        async with editor(tmp_path) as it:
            uri = it.open(tmp_path / "flow.yaml", text)
            told = await it.diagnostics(uri)
            wanted = {"textDocument": {"uri": uri}, "range": told[0]["range"], "context": {"diagnostics": []}}
            actions = [
                action
                for each in told
                for action in await it.ask("textDocument/codeAction", {**wanted, "range": each["range"]})
            ]
            texts = {applied(text, action["edit"]["changes"][uri]) for action in actions}
            assert CLEAN in texts, (wrong, [action["title"] for action in actions])


async def test_everything_safe_is_written_at_once(tmp_path: Path) -> None:
    """`source.fixAll`, as an editor asks for it on saving, mends two misspelt names in one edit."""
    text = CLEAN.replace("go: price", "go: prise", 1).replace("slots.team_size", "slots.tem_size", 1)
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", text)
        assert sorted(codes(await it.diagnostics(uri))) == ["VF120", "VF131"]
        top = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
        context = {"diagnostics": [], "only": ["source.fixAll"]}
        asked = {"textDocument": {"uri": uri}, "range": top, "context": context}
        (action,) = await it.ask("textDocument/codeAction", asked)
        assert action["kind"] == "source.fixAll"
        assert applied(text, action["edit"]["changes"][uri]) == CLEAN


async def test_a_missing_ladder_is_written_by_a_quick_fix(tmp_path: Path) -> None:
    """A flow without ladders can be given some, and has no finding about ladders afterwards."""
    start = CLEAN.index("\nfallback:") + 1
    end = next(at for at in range(start + 1, len(CLEAN)) if CLEAN[at - 1] == "\n" and CLEAN[at] not in " \n#")
    text = CLEAN[:start] + CLEAN[end:]
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", text)
        told = await it.diagnostics(uri)
        (missing, *_) = [each for each in told if each["code"] in ("VF102", "VF501")]
        asked = {"textDocument": {"uri": uri}, "range": missing["range"], "context": {"diagnostics": []}}
        actions = await it.ask("textDocument/codeAction", asked)
        (action,) = [each for each in actions if "ladders" in each["title"]][:1]
        it.write_anew(uri, applied(text, action["edit"]["changes"][uri]))
        left = codes(await it.diagnostics(uri))
        assert not {"VF102", "VF501", "VF502"} & set(left)


async def test_the_picture_is_of_the_unsaved_text(tmp_path: Path) -> None:
    """The picture shows the text as typed; while it has errors, the last picture, and says so."""
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", CLEAN)
        first = await it.ask("vfc/graph", {"uri": uri})
        assert first["current"]
        assert first["svg"].startswith("<svg")
        assert "<html" in first["html"].lower()
        it.write_anew(uri, CLEAN.replace("go: price", "go: prise", 1))
        second = await it.ask("vfc/graph", {"textDocument": {"uri": uri}})
        assert not second["current"]
        assert second["reason"]
        assert second["svg"] == first["svg"]


async def test_related_places_and_pages_are_linked(tmp_path: Path) -> None:
    """A finding names the other places it is about, and its code leads to its page."""
    text = CLEAN + "start: greeting\n"
    async with editor(tmp_path, docs="https://docs.example/checks") as it:
        uri = it.open(tmp_path / "flow.yaml", text)
        (told,) = [each for each in await it.diagnostics(uri) if each["code"] == "VF007"]
        (related,) = told["relatedInformation"]
        assert related["location"]["uri"] == uri
        assert related["location"]["range"]["start"]["line"] == position(CLEAN, "start: ")[0]
        assert told["codeDescription"]["href"] == "https://docs.example/checks/VF007.md"


async def test_closing_takes_the_findings_away(tmp_path: Path) -> None:
    """A closed text has no diagnostics any more, and can be opened again."""
    async with editor(tmp_path) as it:
        uri = it.open(tmp_path / "flow.yaml", "flow: x\n")
        assert await it.diagnostics(uri)
        it.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        await it.until(lambda: it.told[uri][-1]["diagnostics"] == [])
        it.told.clear()
        it.open(tmp_path / "flow.yaml", CLEAN)
        assert await it.diagnostics(uri) == []


async def test_nonsense_does_not_end_the_server(tmp_path: Path) -> None:
    """Messages that are no JSON, unknown methods and changes to unknown files leave the server at work."""
    async with editor(tmp_path) as it:
        it.write(b"Content-Length: 9\r\n\r\n{not json")
        it.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": "file:///no.yaml", "version": 2}, "contentChanges": []},
        )
        it.notify("$/whatever", {})
        unsaved = {"uri": "untitled:Untitled-1", "languageId": "yaml", "version": 1, "text": "flow: x"}
        it.notify("textDocument/didOpen", {"textDocument": unsaved})
        with pytest.raises(Refusal):
            await it.ask("no/such", {})
        uri = it.open(tmp_path / "flow.yaml", CLEAN)
        far = {"line": 10**6, "character": 10**6}
        it.change(uri, {"range": {"start": far, "end": far}, "text": "# end\n"})
        assert await it.diagnostics(uri) == []
        await it.at("textDocument/hover", uri, 10**6, 0)
        await it.at("textDocument/completion", uri, 10**6, 5)
        assert not [message for message in it.shown if "bug" in message]
        assert await it.stop() == 0


async def test_exit_without_shutdown_is_told(tmp_path: Path) -> None:
    """The server ends with 1 when the editor leaves without a word, and when its input ends it ends too."""
    async with editor(tmp_path) as it:
        it.notify("exit", None)
        assert await it.process.wait() == 1
    async with editor(tmp_path) as it:
        assert it.process.stdin is not None
        it.process.stdin.close()
        await it.process.wait()
