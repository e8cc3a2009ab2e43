"""The artifact's JSON: canonical, sealed, described by its schema."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

import schemas
from tests.compiler.example import EXAMPLE
from voiceflow_compiler import artifact as forms
from voiceflow_compiler import pipeline
from voiceflow_compiler.artifact import Artifact, ArtifactError, decode, encode, seal
from voiceflow_compiler.lower import lower

ROOT = Path(__file__).parents[2]
FLOWS = sorted([*ROOT.glob("flows/*/flow.yaml"), *ROOT.glob("tests/cases/compiled/*/flow.yaml")])
COMPILED = lower(EXAMPLE)
SCHEMA = json.loads(schemas.read("artifact"))
JUDGE = jsonschema.Draft202012Validator(SCHEMA)
PARTS = [
    kind
    for name, kind in vars(forms).items()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind is not msgspec.Struct
    if not name.startswith("_")
]


COMPILE = """
import hashlib, sys
from voiceflow_compiler import pipeline
from voiceflow_compiler.artifact import encode
from voiceflow_compiler.lower import lower
print(hashlib.sha256(encode(lower(pipeline.load(sys.argv[1]).flow))).hexdigest())
"""


def plain(artifact: Artifact) -> dict:
    """An artifact as the JSON a schema judges."""
    found: dict = json.loads(encode(artifact))
    return found


def test_decode_gives_back_what_was_encoded() -> None:
    """An artifact read from its JSON equals the one that was written, to the order of its names."""
    read = decode(encode(COMPILED))
    assert read == COMPILED
    assert list(read.nodes) == list(COMPILED.nodes)


def test_encoding_is_canonical() -> None:
    """Names are sorted, the indent is two spaces, and the end is one newline."""
    content = encode(COMPILED).decode()
    assert content == json.dumps(json.loads(content), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_a_whole_number_seals_like_any_other() -> None:
    """A limit written 1 where a number belongs is sealed as it will be read, so its hash still matches."""
    slot = replace(COMPILED.slots["team_size"], minimum=1)
    sealed = seal(replace(COMPILED, slots={**COMPILED.slots, "team_size": slot}))
    assert decode(encode(sealed)) == sealed


@given(st.data())
def test_an_edited_artifact_is_refused(data: st.DataObject) -> None:
    """Whatever text of an artifact is edited after it was sealed, reading it says so in one line."""
    edited = plain(COMPILED)
    name = data.draw(st.sampled_from(sorted(key for key, value in edited.items() if isinstance(value, str))))
    edited[name] += data.draw(st.text(min_size=1))
    with pytest.raises(ArtifactError) as refusal:
        decode(json.dumps(edited).encode())
    assert "\n" not in str(refusal.value)


@given(st.binary() | st.text().map(str.encode) | st.integers(0, 400).map(lambda end: encode(COMPILED)[:end]))
def test_what_is_no_artifact_is_refused(content: bytes) -> None:
    """Anything that is not a whole artifact is refused with ArtifactError and nothing else."""
    with pytest.raises(ArtifactError):
        decode(content)


def test_another_version_is_refused_by_its_number() -> None:
    """An artifact of another version names both versions and says what to do."""
    with pytest.raises(
        ArtifactError, match=r"version 2, this runtime runs version 1: compile the flow again"
    ):
        decode(encode(seal(replace(COMPILED, artifact=2))))


def test_a_missing_field_is_named() -> None:
    """An artifact without one of its fields says which."""
    cut = plain(COMPILED)
    del cut["nodes"]
    with pytest.raises(ArtifactError, match="nodes"):
        decode(json.dumps(cut).encode())


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.parent.name)
def test_a_compiled_flow_satisfies_the_schema(path: Path) -> None:
    """Every flow of the project compiles to an artifact that its schema accepts."""
    flow = pipeline.load(str(path)).flow
    assert flow is not None
    JUDGE.validate(plain(lower(flow)))


def test_the_example_satisfies_the_schema() -> None:
    """The flow that uses every part of the language compiles to an artifact that the schema accepts."""
    JUDGE.validate(plain(COMPILED))


@pytest.mark.parametrize("kind", PARTS, ids=lambda kind: kind.__name__)
def test_the_schema_knows_every_field(kind: type[msgspec.Struct]) -> None:
    """The schema requires exactly the fields that the code writes."""
    written = SCHEMA if kind is Artifact else SCHEMA["$defs"][kind.__name__]
    assert set(written["properties"]) == set(kind.__struct_fields__) == set(written["required"])
    assert written["additionalProperties"] is False


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("nodes", "team", "kind"), "question"),
        (("nodes", "team", "answers", "agreement", "go"), 7),
        (("nodes", "route", "cases", 0, "when"), ["or", ["value", 1]]),
        (("nodes", "route", "cases", 0, "when"), ["eval", "x"]),
        (("nodes", "greeting", "line", "convey"), "as well as say"),
        (("nodes", "greeting", "next"), None),
        (("triggers", 0, "when"), "intent.family == 'escalation'"),
        (("limits", "turns"), 0),
        (("confidence",), 1.5),
        (("content_hash",), "abc"),
        (("tools", 0, "parameters", "additionalProperties"), True),
        (("scripts", "greeting"), "not a script's name"),
        (("extra",), 1),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_the_schema_refuses_a_broken_artifact(place: tuple, value: object) -> None:
    """An artifact with one part that the runtime could not run breaks the schema."""
    broken = plain(COMPILED)
    part = broken
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    assert not JUDGE.is_valid(broken)


def test_equal_flows_compile_to_equal_bytes_everywhere(tmp_path: Path) -> None:
    """The hash seed, the folder, the locale, the time zone and the user who compiles change no byte."""
    text = (ROOT / "tests/cases/compiled/clinic/flow.yaml").read_text(encoding="utf-8")
    elsewhere = tmp_path / "ein Ordner" / "flow.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(text, encoding="utf-8")
    machines = [
        (ROOT / "tests/cases/compiled/clinic/flow.yaml", {"PYTHONHASHSEED": "0"}),
        (elsewhere, {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "Asia/Tokyo", "HOME": str(tmp_path)}),
        (
            elsewhere,
            {"PYTHONHASHSEED": "4242", "LC_ALL": "tr_TR.UTF-8", "USER": "somebody", "PYTHONUTF8": "0"},
        ),
    ]
    printed = {
        subprocess.run(
            [sys.executable, "-c", COMPILE, str(path)],
            env={"PYTHONPATH": str(ROOT), **environment},
            cwd=path.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for path, environment in machines
    }
    assert len(printed) == 1


def test_the_order_of_a_map_does_not_matter() -> None:
    """Two artifacts that differ only in the order of their maps are the same artifact."""
    turned = replace(COMPILED, nodes=dict(reversed(COMPILED.nodes.items())))
    assert encode(seal(turned)) == encode(COMPILED)
    assert list(asdict(seal(turned))["nodes"]) == list(COMPILED.nodes)


def test_an_artifact_outlives_a_field_it_did_not_know() -> None:
    """An artifact that lacks a field with a default is still itself: its hash is over what stands in it."""
    older = msgspec.json.decode(encode(COMPILED))
    del older["hold"]
    older["content_hash"] = ""
    canonical = msgspec.json.encode(older, order="sorted")
    older["content_hash"] = hashlib.sha256(canonical).hexdigest()
    assert decode(msgspec.json.encode(older)).hold is None


def test_an_artifact_of_brackets_is_refused() -> None:
    """What nests deeper than any reader goes is no artifact, and no traceback."""
    with pytest.raises(ArtifactError, match="not a compiled flow"):
        decode(b'{"artifact": ' + b"[" * 100_000)
