"""Who reads the broken files: each command that takes a file, the settings, and the language server."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from lsprotocol import types
from typer.testing import CliRunner

from runtime.cli import app
from runtime.settings import SettingsError
from runtime.settings import load as load_settings
from tests.corpus import corpus as clean
from tests.fuzz.broken import broken
from voiceflow_compiler.lsp import answers, shapes
from voiceflow_compiler.lsp.documents import Document, Documents
from voiceflow_compiler.lsp.text import Text
from voiceflow_compiler.lsp.told import diagnostic, files_of

ROOT: Final = Path(__file__).parents[2]
LEAD: Final = ROOT / "flows" / "lead_qualification"
VISITS: Final = ROOT / "flows" / "appointment_scheduling"
TOML: Final = """\
public_url = "https://calls.example.com"
keep_sound = true

[project]
name = "northwind"
flows = ["flow.yaml", "flows/*"]
shared = "shared"
locales = ["es-US"]
jurisdictions = ["us-ut"]
coverage = 90

[project.checks]
select = ["VF2", "VF4"]
ignore = {VF803 = "long is fine"}

[listen]
port = 8080

[numbers]
"+12025550100" = "desk"

[facts.crm]
kind = "csv"
file = "crm.csv"

[limits]
calls = 25
"""
_RUN: Final = CliRunner()

Files = dict[str, bytes]


def _flow_files() -> Files:
    """A clean flow with a subflow and a locale."""
    with tempfile.TemporaryDirectory() as folder:
        clean.put(Path(folder), clean.CLEAN["office"])
        return _of(Path(folder))


def _of(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _with_one_broken(rng: Random, files: Files, chosen: Sequence[str]) -> Files:
    name = rng.choice(chosen)
    others = tuple(each.decode("utf-8", "replace") for each in files.values())
    return {**files, name: broken(rng, files[name].decode(), others)}


def _ran(arguments: Sequence[str]) -> None:
    """Run a command as a user would; raise what it raises. A code of 0, 1 or 2 is an answer."""
    done = _RUN.invoke(app, arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code in (0, 1, 2), (arguments, done.exit_code)
    assert "This is a bug" not in done.stderr, done.stderr[-2000:]


def _flow(*commands: Sequence[str]) -> Callable[[Random, Path], None]:
    def run(rng: Random, folder: Path) -> None:
        files = _flow_files()
        put(folder, _with_one_broken(rng, files, ("flow.yaml", "flow.yaml", *files)))
        _ran([part.format(folder=folder) for part in rng.choice(commands)])

    return run


def _diff(rng: Random, folder: Path) -> None:
    """A good flow beside a broken one, and a broken artifact."""
    put(folder / "old", _flow_files())
    put(folder / "new", _with_one_broken(rng, _flow_files(), ("flow.yaml",)))
    if rng.random() < 0.4:
        _RUN.invoke(app, ["compile", str(folder / "old"), "-o", str(folder / "out")])
        good = next((folder / "out").rglob("artifact.json")).read_text(encoding="utf-8")
        (folder / "artifact.json").write_bytes(broken(rng, good))
        _ran(["diff", str(folder / "artifact.json"), str(folder / "old"), "--format", "json"])
    _ran(
        [
            "diff",
            str(folder / "old"),
            str(folder / "new"),
            "--format",
            rng.choice(("json", "text", "markdown")),
        ]
    )


def _scenario(rng: Random, folder: Path) -> None:
    """Scenarios and callers of a shipped flow."""
    files = _of(LEAD)
    chosen = rng.choice([name for name in files if name.startswith(("scenarios/", "callers/"))])
    text = files[chosen].decode()
    keep = {name: content for name, content in files.items() if name in ("flow.yaml", "crm.csv")}
    put(folder, {**keep, chosen: broken(rng, text)})
    if chosen.startswith("scenarios/"):
        _ran(["test", str(folder / chosen), "--format", rng.choice(("text", "json"))])
    else:
        _ran(["test", str(folder), "--format", "json"])
        _ran(["diff", str(folder), str(folder)])


def _settings(rng: Random, folder: Path) -> None:
    """vfc.toml as a deployment reads it, and as a project."""
    put(folder, {**_flow_files(), "vfc.toml": broken(rng, TOML)})
    try:
        load_settings(folder / "vfc.toml", {"OPENAI_API_KEY": "x", "TWILIO_AUTH_TOKEN": "y"})
    except SettingsError as error:
        str(error)
    _ran(["check", str(folder / "flow.yaml")])


def _contacts(rng: Random, folder: Path) -> None:
    """A list of contacts, looked up."""
    files = _of(LEAD)
    put(folder, {"flow.yaml": files["flow.yaml"], "crm.csv": broken(rng, files["crm.csv"].decode())})
    _ran(["facts", str(folder), "+12025550101", "--format", rng.choice(("text", "json"))])


def _editor(rng: Random, folder: Path) -> None:
    """Keys pressed anywhere in the open texts of a flow, with everything an editor asks in between."""
    put(folder, _flow_files())
    documents = Documents()
    documents.encoding = rng.choice(("utf-8", "utf-16", "utf-32"))
    documents.folders = [str(folder)]
    names = list(_flow_files())
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in names}
    for version in range(rng.choice((1, 3, 12))):
        name = rng.choice((names[0], *names))
        texts[name] = broken(rng, texts[name]).decode("utf-8", "replace")[:120_000]
        path = str(folder / name)
        text = Text(texts[name], documents.encoding)
        documents.put(Document(f"file://{path}", path, version, text))
        _asked(rng, documents, path, text)


def _asked(rng: Random, documents: Documents, path: str, text: Text) -> None:
    for flow in documents.flows(path):
        view = documents.checked(flow)
        for file, found in files_of(view.findings).items():
            here = view.text(file, documents.encoding)
            told = [
                diagnostic(each, here, lambda span: answers.locate(documents, span), "x") for each in found
            ]
            assert all(each.range.start.line >= 0 for each in told)
    document = types.TextDocumentIdentifier(f"file://{path}")
    for _ in range(6):
        line = rng.randint(0, len(text.starts) + 1)
        at = types.Position(line, rng.randint(0, 80))
        for answer, kind, more in _QUESTIONS:
            try:
                answer(documents, kind(text_document=document, position=at, **more))
            except answers.Refused:
                continue
    everywhere = types.Range(types.Position(0, 0), types.Position(len(text.starts), 0))
    shapes.symbols(documents, types.DocumentSymbolParams(document))
    shapes.folding(documents, types.FoldingRangeParams(document))
    shapes.actions(documents, types.CodeActionParams(document, everywhere, types.CodeActionContext([])))


_QUESTIONS: Final[Sequence[tuple[Callable[[Documents, Any], Any], Any, Mapping[str, Any]]]] = (
    (answers.hover, types.HoverParams, {}),
    (answers.completion, types.CompletionParams, {}),
    (answers.definition, types.DefinitionParams, {}),
    (
        answers.references,
        types.ReferenceParams,
        {"context": types.ReferenceContext(include_declaration=True)},
    ),
    (answers.highlight, types.DocumentHighlightParams, {}),
    (answers.prepare_rename, types.PrepareRenameParams, {}),
    (answers.rename, types.RenameParams, {"new_name": "another_name"}),
)


def put(folder: Path, files: Files) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


TARGETS: Final[Mapping[str, Callable[[Random, Path], None]]] = {
    "check": _flow(["check", "{folder}/flow.yaml"], ["check", "{folder}/flow.yaml", "--format", "sarif"]),
    "fix": _flow(["check", "--fix", "{folder}/flow.yaml"], ["check", "--diff", "{folder}/flow.yaml"]),
    "compile": _flow(["compile", "{folder}/flow.yaml", "-o", "{folder}/out"]),
    "report": _flow(
        ["coverage", "{folder}", "--format", "json"],
        ["cost", "{folder}", "--format", "json"],
        ["graph", "{folder}", "--format", "mermaid"],
        ["graph", "{folder}", "--format", "svg", "-o", "{folder}/out.svg"],
        ["locale", "{folder}", "es-US", "--check"],
    ),
    "diff": _diff,
    "scenario": _scenario,
    "settings": _settings,
    "contacts": _contacts,
    "editor": _editor,
}
