"""The compiler against bad input: every file ends in a finding, within a bound of time and memory."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceflow_compiler.pipeline import load
from voiceflow_compiler.resolve import resolve
from voiceflow_compiler.source import MAX_FILE_BYTES, Budget, Read, nowhere, parse

ROOT = Path(__file__).parent.parent.parent
CLEAN = ROOT / "tests" / "cases" / "clean" / "lead" / "flow.yaml"
MEMORY = 600 * 1024 * 1024
SECONDS = 30  # of processor time, for a machine many times slower than any we know

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)
HEAD = b'language: 1\nflow: demo\nversion: "1"\ncompany: Acme\npurpose: test\nstart: bye\n'
NODES = b"nodes:\n  bye: {kind: end, say: Bye.}\n"

# name -> (bytes, the codes that are found)
INPUTS: dict[str, tuple[bytes, set[str]]] = {
    "bomb": (BOMB.encode(), {"VF008", "VF101", "VF102"}),
    "deep_brackets": (b"nodes: " + b"[" * 100_000, {"VF010"}),
    "deep_maps": (b"{a: " * 100_000, {"VF010"}),
    "deep_lists": (b"- " * 100_000, {"VF010"}),
    "deep_indentation": (b"".join(b" " * n + b"a:\n" for n in range(2_000)), {"VF010"}),
    "question_marks": (b"? " * 100_000, {"VF010", "VF013"}),
    "binary": (bytes(range(256)) * 400, {"VF003"}),
    "zeros": (bytes(100_000), {"VF004"}),
    "random": (b"\x93\xfa\x00\x01" * 5_000, {"VF003"}),
    "ten_megabytes": (b"a: b\n" * 2_000_000, {"VF002"}),
    "many_keys": (b"".join(b"k%d: v\n" % n for n in range(130_000)), {"VF011"}),
    "many_items": (b"nodes: [" + b"a," * 300_000 + b"]", {"VF011"}),
    "many_duplicates": (HEAD + NODES + b"flow: demo\n" * 50_000, {"VF007"}),
    "many_unknown": (HEAD + NODES + b"".join(b"key%d: 1\n" % n for n in range(20_000)), {"VF101"}),
    "many_aliases": (
        HEAD + NODES + b"x: &x 1\n" + b"".join(b"k%d: *x\n" % n for n in range(40_000)),
        {"VF008", "VF101"},
    ),
    "many_unknown_nodes": (
        HEAD
        + b"nodes:\n"
        + b"".join(b"  n%d: {kind: tell, say: a, next: z%d}\n" % (n, n) for n in range(9_000)),
        {"VF120"},
    ),
    "long_line": (HEAD + b"style: " + b"word " * 300_000 + b"\n" + NODES, {"VF012"}),
    "long_key": (HEAD + b"? " + b"k" * 100_000 + b"\n: 1\n" + NODES, {"VF013"}),
    "many_tabs": (b"\t\n\ta: 1\n" * 50_000, {"VF005"}),
    "many_invisible": (HEAD + "style: \u200b\u200b\n".encode() * 10_000 + NODES, {"VF004", "VF007"}),
    "many_braces": (HEAD + b"style: '" + b"{{}}" * 4_000 + b"'\n" + NODES, {"VF108", "VF128"}),
    "deep_condition": (
        HEAD + NODES + b"  d: {kind: decide, cases: [{if: '" + b"(" * 900 + b"', go: bye}]}\n",
        {"VF134"},
    ),
    "long_condition": (
        HEAD + NODES + b"  d: {kind: decide, cases: [{if: '" + b"not " * 4_000 + b"', go: bye}]}\n",
        {"VF108", "VF134"},
    ),
    "nul": (HEAD + b"title: a\x00b\n" + NODES, {"VF004"}),
    "latin_1": (HEAD + "title: Caf\xe9\n".encode("latin-1") + NODES, {"VF003"}),
    "utf_16": ((HEAD + NODES).decode().encode("utf-16"), {"VF003"}),
    "empty": (b"", {"VF016"}),
    "only_comment": (b"# nothing\n", {"VF016"}),
    "null": (b"null\n", {"VF016"}),
    "text_at_top": (b"hello\n", {"VF016"}),
    "list_at_top": (b"- a\n- b\n", {"VF016"}),
    "huge_number": (HEAD + b"limits: {turns: " + b"9" * 5_000 + b"}\n" + NODES, {"VF014"}),
    "huge_number_in_condition": (
        HEAD + NODES + b"  d: {kind: decide, cases: [{if: turn.number > " + b"9" * 900 + b", go: bye}]}\n",
        {"VF134"},
    ),
    "weird_dates": (
        HEAD.replace(b'"1"', b"2024-13-45") + NODES + b"title: 12:30:00\nlocale: 0x10\n",
        {"VF106"},
    ),
    "list_as_key": (HEAD + NODES + b"[a, b]: c\n", {"VF013"}),
    "python_tag": (HEAD + NODES + b"title: !!python/object/apply:os.system [ls]\n", {"VF009", "VF103"}),
    "nodes_as_text": (HEAD + b"nodes: none\n", {"VF103"}),
    "everything_null": (HEAD + b"nodes:\nslots:\nintents:\nfallback:\nactions:\nlimits:\n", {"VF103"}),
    "everything_lists": (
        HEAD + b"nodes: [1]\nslots: [2]\nintents: [3]\nfallback: [4]\nlimits: [5]\n",
        {"VF103"},
    ),
    "lone_star": (HEAD + b"nodes: {bye: {kind: ask, say: a, keys: {*: {go: bye}}}}\n", {"VF006"}),
}


def bounded() -> None:
    """What the child may use."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def codes_of(path: Path) -> set[str]:
    """Check a file as a user would, in a process with little memory and time; the codes it prints."""
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "from voiceflow_compiler.cli import app; app()",
            "check",
            str(path),
            "--format",
            "github",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=bounded,
        check=False,
    )
    assert ran.returncode == 1, (ran.returncode, ran.stderr[-2000:])
    assert "Traceback" not in ran.stderr + ran.stdout
    return {line.split("title=")[1].split()[0] for line in ran.stdout.splitlines()}


@pytest.mark.faults
@pytest.mark.parametrize("name", INPUTS)
def test_a_bad_file_ends_in_findings(name: str, tmp_path: Path) -> None:
    """A file no designer would write ends in its finding, in bounded time and memory, with no traceback."""
    content, codes = INPUTS[name]
    path = tmp_path / "flow.yaml"
    path.write_bytes(content)
    assert codes <= codes_of(path)


@pytest.mark.faults
def test_only_a_regular_file_is_opened(tmp_path: Path) -> None:
    """A FIFO, which would wait for ever, and a device, which would never end, are refused."""
    fifo = tmp_path / "flow.yaml"
    os.mkfifo(fifo)
    assert codes_of(fifo) == {"VF001"}
    (tmp_path / "link.yaml").symlink_to("/dev/zero")
    assert codes_of(tmp_path / "link.yaml") == {"VF001"}


@pytest.mark.faults
def test_a_circle_of_includes_ends(tmp_path: Path) -> None:
    """Files that include each other, however many, end in a finding that names the circle."""
    for number in range(150):
        text = f"include: [f{(number + 1) % 150}.yaml]\n"
        (tmp_path / f"f{number}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "flow.yaml").write_bytes(HEAD + b"include: [f0.yaml, flow.yaml]\n" + NODES)
    assert codes_of(tmp_path / "flow.yaml") == {"VF011", "VF020"}


@pytest.mark.faults
def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    """A link that leads to itself is a file that cannot be read."""
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "flow.yaml").write_bytes(HEAD + b'include: [loop.yaml, "a\\0b.yaml"]\n' + NODES)
    loaded = load(str(tmp_path / "flow.yaml"), root=str(tmp_path))
    assert {finding.code for finding in loaded.findings} <= {"VF001", "VF004", "VF023"}
    assert len(loaded.findings) >= 2


def test_the_largest_file_allowed_is_read(tmp_path: Path) -> None:
    """A file of exactly 2 MiB is not too large."""
    path = tmp_path / "flow.yaml"
    body = HEAD + NODES
    path.write_bytes(body + b"#" * (MAX_FILE_BYTES - len(body)))
    assert load(str(path)).findings == ()


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_findings_or_data(content: bytes) -> None:
    """Whatever bytes a file holds, reading ends in findings or data, never in an exception."""
    result = Read("f.yaml", root=nowhere("f.yaml"))
    parse(content.decode("utf-8", "replace"), result, Budget())
    assert result.findings or result.data is not None


YAML_LIKE = st.lists(
    st.sampled_from(
        [
            "a",
            "b: ",
            "\n",
            "\n  ",
            "- ",
            "? ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "'",
            '"',
            "|",
            ">-\n",
            "&x ",
            "*x",
            "!t ",
            "#",
            "\t",
            "true",
            "12",
            "0.5",
            "~",
            "---\n",
            "<<: ",
            "\u200b",
            "é",
            "\r\n",
            "%",
            "@",
            "\\u202e",
            ": ",
            "...\n",
        ]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=100)
@given(YAML_LIKE)
def test_any_yaml_ends_in_findings_or_data(text: str) -> None:
    """Whatever is made of YAML's own signs ends in findings or data, each finding inside the file."""
    result = Read("f.yaml", root=nowhere("f.yaml"))
    parse(text, result, Budget())
    assert result.findings or result.data is not None
    lines = text.count("\n") + text.count("\r") + 2
    assert all(1 <= finding.span.line <= lines for finding in result.findings)


WORDS = st.sampled_from(
    [
        "nodes",
        "kind",
        "ask",
        "end",
        "say",
        "convey",
        "on",
        "go",
        "stay",
        "slots",
        "type",
        "integer",
        "choices",
        "if",
        "cases",
        "fallback",
        "no_match",
        "steps",
        "takes",
        "{x}",
        "slots.n > 3",
        "intents",
        "family",
        "agreement",
        "limits",
        "bye",
    ]
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=10,
)
SECTIONS = (
    "nodes",
    "slots",
    "intents",
    "actions",
    "handoffs",
    "fallback",
    "everywhere",
    "caller_facts",
    "limits",
    "start",
    "handoff_triggers",
    "knowledge",
    "suitability",
    "voice",
    "confidence",
    "include",
)


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from(SECTIONS), PLAIN | st.dictionaries(WORDS, st.dictionaries(WORDS, PLAIN)))
)
def test_any_data_resolves(data: dict[str, object]) -> None:
    """Whatever plain data stands in a flow, resolving leaves out what is broken and never raises."""
    from voiceflow_compiler.diagnostics import Places

    data.setdefault("nodes", {"bye": {"kind": "end", "say": "Bye."}})
    flow, _ = resolve(data, Places(nowhere("f.yaml"), {}))
    assert flow is None or flow.nodes
