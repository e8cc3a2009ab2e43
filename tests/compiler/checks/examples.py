"""Reads the examples on a rule's page, and puts them into the flow they change."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from voiceflow_compiler import recheck
from voiceflow_compiler.diagnostics import Finding
from voiceflow_compiler.project import FILE_NAME, load

CASES = Path(__file__).parents[2] / "cases" / "checks"
BASES = {
    "flow.yaml": (CASES / "base.yaml").read_text(encoding="utf-8"),
    "message.yaml": (CASES / "message.yaml").read_text(encoding="utf-8"),
    "locales/es-US.yaml": (CASES / "es-US.yaml").read_text(encoding="utf-8"),
}
BASE = BASES["flow.yaml"]
FLAG = b"# flagged"

_TOP = re.compile(r"^(?=[a-z_]+:)", re.MULTILINE)
_ENTRY = re.compile(r"^(?=  [^\s#-])", re.MULTILINE)
_PART = re.compile(r"^# (in|file): (\S+?)(?:, like (\S+))?\n", re.MULTILINE)
_OFTEN = re.compile(r"<([^<>]+) (\d+) times>")
_UNSEEN = {r"\t": b"\t", r"\u200b": "\u200b".encode(), r"\xe9": b"\xe9"}


def examples(page: str, heading: str) -> list[str]:
    """The indented blocks that stand under `**heading**` in a page, as YAML text."""
    found = re.findall(rf"^\*\*{heading}\*\*\n\n((?:(?:    .*)?\n)+)", page + "\n", re.MULTILINE)
    return [dedent(block).strip("\n") + "\n" for block in found]


def files(example: str) -> dict[str, bytes]:
    """The files that an example stands for, by name: the flow, a subflow it may use, and what it brings."""
    first, *parts = _PART.split(example)
    made = {"flow.yaml": patched(first), "message.yaml": BASES["message.yaml"]}
    for kind, name, like, text in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True):
        made[name] = text if kind == "file" else patched(text, BASES[like or name])
    return {name: _seen(text) for name, text in made.items()}


def _seen(text: str) -> bytes:
    content = often(text).encode()
    for written, meant in _UNSEEN.items():
        content = content.replace(written.encode(), meant)
    return content


def often(text: str) -> str:
    """A text with `<word 3 times>` written out."""
    return _OFTEN.sub(lambda found: _repeated(found[1], int(found[2])), text)


def _repeated(text: str, count: int) -> str:
    return " ".join([text] * count) if text[-1].isalnum() and len(text) > 1 else text * count


def marked(made: dict[str, bytes]) -> set[tuple[str, int]]:
    """The places, as file and line, that an example marks."""
    lines = ((name, at, line) for name, text in made.items() for at, line in enumerate(text.split(b"\n"), 1))
    return {(name, at) for name, at, line in lines if line.endswith(FLAG)}


def found_in(made: dict[str, bytes], folder: Path) -> list[tuple[str, Finding]]:
    """What is found in a flow, or a project, of these files: each with its file as seen from the folder."""
    for name, content in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return [(_from(folder, each.span.file), each) for each in _found(folder)]


def _found(folder: Path) -> Iterator[Finding]:
    project = load(folder / FILE_NAME) if (folder / FILE_NAME).exists() else None
    flows = project.flows if project is not None else (folder / "flow.yaml",)
    yield from recheck.look(project, flows, recheck.Rechecks()).findings


def _from(folder: Path, file: str) -> str:
    return str(Path(file).resolve().relative_to(folder.resolve()))


def patched(example: str, base: str = BASE) -> str:
    """The base flow with the example's entries in place of its own; `null` takes an entry away."""
    blocks = _blocks(base)
    for name, block in _blocks(example).items():
        blocks[name] = _merged(blocks.get(name, ""), block)
    return "".join(blocks.values())


def _merged(before: str, after: str) -> str:
    head, *entries = _ENTRY.split(after)
    if not entries or not before:
        return after
    _, *old = _ENTRY.split(before)
    named = {_name(entry): entry for entry in old}
    named |= {_name(entry): entry for entry in entries}
    kept = [entry for entry in named.values() if entry.split(":", 1)[1].strip() != "null"]
    return head + "".join(kept)


def _blocks(text: str) -> dict[str, str]:
    return {_name(block): block.rstrip("\n") + "\n" for block in _TOP.split(text) if re.match("[a-z]", block)}


def _name(entry: str) -> str:
    return entry.split(":", 1)[0].strip()
