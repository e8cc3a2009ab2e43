"""A flow in other languages: its texts found, translated, judged, and laid over the one artifact."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import schemas
from runtime.cli import app
from tests.compiler.checks.examples import BASE
from voiceflow_compiler import pipeline
from voiceflow_compiler.artifact import ArtifactError, decode, encode
from voiceflow_compiler.diagnostics import Finding
from voiceflow_compiler.locales import texts
from voiceflow_compiler.lower import lower
from voiceflow_compiler.overlay import _SAME, _laid, _over, alone, in_locale, nearest_locale

RUN = CliRunner()
SHIPPED = Path(__file__).parents[2] / "flows" / "appointment_scheduling"


def put(folder: Path, **changes: object) -> Path:
    """A clean flow with a German file for it, some entries changed; None takes one away."""
    flow = folder / "flow.yaml"
    flow.write_text(BASE.replace("Northwind\n", "Northwind\nlocale: en-US\n"), encoding="utf-8")
    known = texts(pipeline.load(str(flow)).source.data)
    entries = {key: _entry(text.said) for key, text in known.items() if text.spoken}
    for key, change in changes.items():
        entries[key.replace("__", ".")] = change  # type: ignore[assignment]
    whole = {"language": 1, "locale": "de-DE", "texts": {key: each for key, each in entries.items() if each}}
    (folder / "locales").mkdir(exist_ok=True)
    (folder / "locales" / "de-DE.yaml").write_text(
        yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8"
    )
    return flow


GREETING = (
    "Ich bin ein KI-Assistent von {company}. Dieses Gespräch wird aufgezeichnet. "
    "Sie können jederzeit nach einem Menschen fragen."
)


def _entry(said: Any) -> dict[str, object]:
    """A translation that the checks accept: the greeting, or the text with its letters turned."""
    if isinstance(said, str):
        return {"source": said, "text": GREETING if "AI assistant" in said else f"auf Deutsch {said[:24]}"}
    return {"source": list(said), "text": [f"de {each}" for each in said]}


def found(flow: Path, code: str) -> list[Finding]:
    """The findings of one code."""
    return [each for each in pipeline.check(str(flow), str(flow.parent)).findings if each.code == code]


def test_a_localized_flow_differs_in_texts_alone(tmp_path: Path) -> None:
    """Laid over the artifact, a locale changes words, prompts and the language, and no way or condition."""
    done = pipeline.compile(str(put(tmp_path)), str(tmp_path))
    assert done.artifact is not None, done.findings
    german = in_locale(done.artifact, "de-DE")
    assert german.locale == "de-DE"
    assert "language of de-DE" in german.prefix
    assert german.nodes["greeting"].line != done.artifact.nodes["greeting"].line
    for name, node in german.nodes.items():
        own = done.artifact.nodes[name]
        assert (node.kind, node.next, node.filled, node.collect) == (
            own.kind,
            own.next,
            own.filled,
            own.collect,
        )
        assert [case.when for case in node.cases] == [case.when for case in own.cases]
    assert german.content_hash == done.artifact.content_hash
    assert decode(encode(done.artifact)) == done.artifact


def test_laying_a_difference_over_gives_the_other(tmp_path: Path) -> None:
    """An artifact in a locale is the one that the localized flow alone compiles to."""
    checked = pipeline.check(str(SHIPPED / "flow.yaml"))
    compiled = pipeline.compile(str(SHIPPED / "flow.yaml")).artifact
    assert compiled is not None
    alone = lower(checked.locales["es-US"])
    laid = in_locale(compiled, "es-US")
    assert laid.prefix == alone.prefix
    assert laid.scripts == alone.scripts
    assert laid.nodes == alone.nodes
    assert laid.slots["visit_day"].spoken["Tuesday"] == "el martes"


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab=", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "="]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from("abc"), PLAIN), st.dictionaries(st.sampled_from("abc"), PLAIN))
def test_any_difference_can_be_laid_over(one: dict, other: dict) -> None:
    """Whatever two maps hold, what differs laid over the first gives the second."""
    over = _over(one, other)
    assert (one if over is _SAME else _laid(one, over)) == other


def test_the_nearest_locale_is_the_tag_or_its_language() -> None:
    """A wish is met by its own tag, else by the first of its language, else not at all."""
    tags = ("en-US", "es-MX", "es-ES")
    wishes = ("es-ES", "ES_es", "es", "es-AR", "en", "fr", "")
    assert [nearest_locale(tags, wish) for wish in wishes] == [
        "es-ES", "es-ES", "es-MX", "es-MX", "en-US", None, None
    ]  # fmt: skip


def test_a_locale_alone_is_an_artifact_of_its_own() -> None:
    """What is kept of calls in one locale can be read back: it has a hash that matches."""
    compiled = pipeline.compile(str(SHIPPED / "flow.yaml")).artifact
    assert compiled is not None
    spanish = alone(compiled, "es-US")
    assert decode(encode(spanish)) == spanish
    assert spanish.content_hash != compiled.content_hash
    assert spanish.nodes == in_locale(compiled, "es-US").nodes


def test_a_locale_the_flow_does_not_have_is_refused() -> None:
    """Asking for another locale is one plain line."""
    compiled = pipeline.compile(str(SHIPPED / "flow.yaml")).artifact
    assert compiled is not None
    with pytest.raises(ArtifactError, match="it has en-US, es-US"):
        in_locale(compiled, "fr-FR")


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"nodes__book__while_waiting": None}, "VF150", "`nodes.book.while_waiting` has no text"),
        ({"nodes__book__while_waiting": {"source": "One moment, I'm booking it."}}, "VF150", "has no text"),
        ({"nodes__book__while_waiting": {"source": "x", "text": "Moment."}}, "VF151", "has changed"),
        (
            {
                "nodes__book__while_waiting": {
                    "source": "One moment, I'm booking it.",
                    "was": "x",
                    "text": "Ja.",
                }
            },
            "VF151",
            "has changed",
        ),
        ({"nodes__book__while_wating": {"text": "Moment."}}, "VF152", "no text `nodes.book.while_wating`"),
        ({"nodes__greeting__say": {"source": "x", "text": "Hallo von {firma}."}}, "VF153", "`{company}`"),
        ({"nodes__greeting__say": {"source": "x", "text": "Hallo von {firma}."}}, "VF126", "`firma`"),
        ({"nodes__greeting__say": {"source": "x", "text": "Hallo von {company}."}}, "VF404", ""),
        ({"intents__agreement__examples": {"source": [], "text": "ja"}}, "VF103", "a list of texts"),
    ],
)
def test_what_is_wrong_with_a_translation_stands_in_its_file(
    tmp_path: Path, changes: dict[str, object], code: str, says: str
) -> None:
    """Missing, stale, unknown and untrue texts are findings at the locale's own lines."""
    there = found(put(tmp_path, **changes), code)
    assert there
    assert any(says in each.message for each in there)
    assert Path(there[0].span.file).name == "de-DE.yaml"


def test_examples_too_alike_in_one_language_are_found_there(tmp_path: Path) -> None:
    """The likeness of intents is judged by each locale's own examples."""
    same = {"source": ["that's too much"], "text": ["ja gerne", "de yes"]}
    there = [
        each
        for each in pipeline.check(str(put(tmp_path, intents__too_expensive__examples=same))).findings
        if Path(each.span.file).name == "de-DE.yaml" and each.code.startswith("VF3")
    ]
    assert there


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("de-AT.yaml", "language: 1\nlocale: de-DE\ntexts: {}\n", "VF155"),
        ("en-US.yaml", "language: 1\nlocale: en-US\ntexts: {}\n", "VF155"),
        ("de-DE.yaml", "language: 1\nlocale: de-DE\ntextz: {}\n", "VF101"),
        ("de-DE.yaml", "language: 1\nlocale: de-DE\ntexts:\n  a: {}\n  a: {}\n", "VF007"),
        ("de-DE.yaml", "[" * 100_000, "VF010"),
        ("de-DE.yaml", "a: &a [x]\nb: [*a, *a]\n", "VF008"),
        ("de-DE.yaml", "x" * 3_000_000, "VF002"),
        ("de-DE.yaml", "", "VF016"),
    ],
)
def test_a_file_that_is_no_locale_is_told(tmp_path: Path, name: str, content: str, code: str) -> None:
    """Any file under locales/ ends in findings at its place, and never in a traceback."""
    flow = put(tmp_path)
    (tmp_path / "locales" / "de-DE.yaml").unlink()
    (tmp_path / "locales" / name).write_text(content, encoding="utf-8")
    assert [Path(each.span.file).name for each in found(flow, code)][:1] == [name]


def test_links_and_bytes_under_locales_are_told(tmp_path: Path) -> None:
    """A link out of the project, a link to itself and a binary file are findings."""
    (tmp_path / "project").mkdir()
    flow = put(tmp_path / "project")
    folder = tmp_path / "project" / "locales"
    (tmp_path / "out.yaml").write_text("language: 1\n", encoding="utf-8")
    (folder / "fr-FR.yaml").symlink_to(tmp_path / "out.yaml")
    (folder / "it-IT.yaml").symlink_to(folder / "it-IT.yaml")
    (folder / "nl-NL.yaml").write_bytes(bytes(range(256)))
    findings = pipeline.check(str(flow), str(flow.parent)).findings
    files = {Path(each.span.file).name: each.code for each in findings}
    assert files["fr-FR.yaml"] == "VF021"
    assert files["it-IT.yaml"] in ("VF001", "VF021", "VF023")
    assert files["nl-NL.yaml"] == "VF003"


def test_a_template_keeps_marks_and_moves_translations(tmp_path: Path) -> None:
    """`vfc locale` lists what is new, keeps what is translated, marks what changed and follows a new name."""
    flow = put(tmp_path)
    file = tmp_path / "locales" / "de-DE.yaml"
    text = flow.read_text(encoding="utf-8")
    text = text.replace("One moment, I'm booking it.", "One moment, please.")
    text = text.replace("  agreement: {family", "  consent: {family").replace(
        "agreement: {go", "consent: {go"
    )
    text = text.replace("nodes:\n", "nodes:\n  more: {kind: tell, say: A new sentence., next: team}\n", 1)
    flow.write_text(text, encoding="utf-8")
    result = RUN.invoke(app, ["locale", str(flow), "de-DE"])
    assert result.exit_code == 0, result.output
    after = yaml.safe_load(file.read_text(encoding="utf-8"))["texts"]
    assert after["nodes.book.while_waiting"]["was"] == "One moment, I'm booking it."
    assert after["nodes.book.while_waiting"]["text"].startswith("auf Deutsch")
    assert after["nodes.more.say"] == {"source": "A new sentence.", "text": None}
    assert after["intents.consent.examples"]["text"] == ["de yes", "de sure, go ahead"]
    assert "intents.agreement.examples" not in after
    assert RUN.invoke(app, ["locale", str(flow), "de-DE", "--check"]).exit_code == 0


def test_translations_outlive_a_part_that_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a subflow cannot be read its texts are neither unknown nor dropped; only the file is told."""
    monkeypatch.chdir(tmp_path)
    assert RUN.invoke(app, ["init", "calls"]).exit_code == 0
    flow = tmp_path / "calls/flows/reception/flow.yaml"
    assert RUN.invoke(app, ["locale", str(flow), "de-DE"]).exit_code == 0
    written = (flow.parent / "locales/de-DE.yaml").read_bytes()
    flow.write_text(
        flow.read_text("utf-8").replace("take_message.yaml", "take_massage.yaml"), encoding="utf-8"
    )
    told = RUN.invoke(app, ["check", str(flow)]).stdout
    assert "Did you mean `take_message.yaml`?" in told
    assert "VF152" not in told
    refused = RUN.invoke(app, ["locale", str(flow), "de-DE"])
    assert (refused.exit_code, "would be dropped" in refused.stderr) == (2, True)
    assert (flow.parent / "locales/de-DE.yaml").read_bytes() == written


def test_a_project_says_which_locales_there_must_be(tmp_path: Path) -> None:
    """A flow without a locale that its project names is told what to run."""
    flow = put(tmp_path)
    (tmp_path / "vfc.toml").write_text('[project]\nflows = ["*.yaml"]\nlocales = ["de-DE", "fr-FR"]\n')
    (one,) = found(flow, "VF156")
    assert "fr-FR" in one.message


def test_the_shipped_locale_is_whole() -> None:
    """The clinic's Spanish has every text, checks clean, and is up to date."""
    assert pipeline.check(str(SHIPPED / "flow.yaml")).findings == ()
    assert RUN.invoke(app, ["locale", str(SHIPPED), "es-US", "--check"]).exit_code == 0
    told = RUN.invoke(app, ["test", str(SHIPPED / "scenarios" / "habla_espanol.yaml"), "--format", "json"])
    assert (told.exit_code, json.loads(told.stdout)["failed"]) == (0, 0)


def test_the_fact_that_names_the_locale_is_no_text() -> None:
    """A translator is not asked to translate `en` where it says which locale a caller gets."""
    fields = {name: {"type": "text", "otherwise": "en"} for name in ("tongue", "greeted_as")}
    flow = {"caller_facts": {"locale": "tongue", "fields": fields}}
    assert list(texts(flow)) == ["caller_facts.fields.greeted_as.otherwise"]


def test_every_line_of_the_language_is_a_text_to_translate() -> None:
    """Wherever the schema lets a line stand as plain text, a translator is asked for it."""
    schema = json.loads(schemas.read("flow"))
    named = set()
    stack = [schema]
    while stack:
        here = stack.pop()
        for key, value in here.items() if isinstance(here, dict) else ():
            if isinstance(value, dict) and value.get("$ref") == "#/$defs/line_or_text":
                named.add(key)
        stack += [
            each
            for each in (here.values() if isinstance(here, dict) else here)
            if isinstance(each, dict | list)
        ]
    assert len(named) >= 2
    flow = {"nodes": {"n": dict.fromkeys(named, "Some words.")}}
    assert {text.path[-1] for text in texts(flow).values()} == named


def test_a_program_learns_what_a_locale_needs(tmp_path: Path) -> None:
    """`vfc locale --check --format json` writes nothing and tells what is new, changed, moved, gone."""
    flow = tmp_path / "flow.yaml"
    flow.write_text(BASE, encoding="utf-8")
    words = ["locale", str(flow), "es-US", "--format", "json"]
    needed = RUN.invoke(app, [*words, "--check"])
    told = json.loads(needed.stdout)
    assert (needed.exit_code, needed.stderr, told["written"], told["current"]) == (1, "", False, False)
    assert "nodes.greeting.say" in told["new"]
    assert not (tmp_path / "locales").exists()
    assert json.loads(RUN.invoke(app, words).stdout)["written"]
    current = RUN.invoke(app, [*words, "--check"])
    assert current.exit_code == 0
    assert json.loads(current.stdout)["current"]


def test_a_locale_that_is_no_map_is_told(tmp_path: Path) -> None:
    """A locale's file that holds a text or a list ends in a finding there."""
    (tmp_path / "locales").mkdir()
    (tmp_path / "flow.yaml").write_text(BASE, encoding="utf-8")
    for text in ("hello\n", "- texts\n", "3\n"):
        (tmp_path / "locales" / "es-US.yaml").write_text(text, encoding="utf-8")
        (found,) = pipeline.check(str(tmp_path / "flow.yaml")).findings
        assert (found.code, found.span.line) == ("VF103", 1)
        assert found.span.file.endswith("es-US.yaml")
