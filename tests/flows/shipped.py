"""The flows in flows/ and their callers, as the tests use them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from runtime.simulate.profile import Profile, read_profile
from voiceflow_compiler import pipeline
from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.lower import lower
from voiceflow_compiler.overlay import in_locale

ROOT = Path(__file__).parents[2]
FLOWS = tuple(sorted(path.parent.name for path in ROOT.glob("flows/*/flow.yaml")))
CALLERS = tuple(sorted((path.parents[1].name, path.stem) for path in ROOT.glob("flows/*/callers/*.yaml")))


def read_yaml(path: Path) -> Any:
    """A YAML file as plain data."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def artifact(flow: str, locale: str | None = None) -> Artifact:
    """The flow, compiled; in one of its locales where that is named."""
    path = str(ROOT / "flows" / flow / "flow.yaml")
    if locale is not None:
        compiled = pipeline.compile(path).artifact
        assert compiled is not None
        return in_locale(compiled, locale)
    loaded = pipeline.load(path)
    assert loaded.flow is not None
    return lower(loaded.flow)


@cache
def plain_caller(flow: str, name: str) -> Any:
    return read_yaml(ROOT / "flows" / flow / "callers" / f"{name}.yaml")


def caller(flow: str, name: str) -> Profile:
    return read_profile(plain_caller(flow, name))


@cache
def phrases(flow: str) -> tuple[str, ...]:
    """Everything a caller may say by the flow's own examples and words for choices."""
    plain = read_yaml(ROOT / "flows" / flow / "flow.yaml")
    found = [example for intent in plain["intents"].values() for example in intent["examples"]]
    for slot in plain["slots"].values():
        found += slot.get("examples", [])
        if isinstance(slot.get("choices"), dict):
            found += [phrase for said in slot["choices"].values() for phrase in said]
    for path in (ROOT / "flows" / flow / "locales").glob("*.yaml"):
        for text in read_yaml(path)["texts"].values():
            found += text["text"] if isinstance(text["text"], list) else []
    return tuple(found)


@cache
def crm(flow: str) -> Mapping[str, Mapping[str, str]]:
    """The flow's CRM, by number."""
    with (ROOT / "flows" / flow / "crm.csv").open(encoding="utf-8", newline="") as file:
        return {row.pop("phone"): row for row in csv.DictReader(file)}


def facts(flow: str, number: str | None) -> Mapping[str, str] | None:
    """What the flow's CRM holds about this number."""
    return crm(flow).get(number or "")
