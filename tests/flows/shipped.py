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

ROOT = Path(__file__).parents[2]
FLOWS = tuple(sorted(path.parent.name for path in ROOT.glob("flows/*/flow.yaml")))
CALLERS = tuple(sorted((path.parents[1].name, path.stem) for path in ROOT.glob("flows/*/callers/*.yaml")))


def read_yaml(path: Path) -> Any:
    """A YAML file as plain data."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def artifact(flow: str) -> Artifact:
    """The flow, compiled."""
    loaded = pipeline.load(str(ROOT / "flows" / flow / "flow.yaml"))
    assert loaded.flow is not None
    return lower(loaded.flow)


@cache
def plain_caller(flow: str, name: str) -> Any:
    return read_yaml(ROOT / "flows" / flow / "callers" / f"{name}.yaml")


def caller(flow: str, name: str) -> Profile:
    return read_profile(plain_caller(flow, name))


@cache
def _crm(flow: str) -> Mapping[str, Mapping[str, str]]:
    with (ROOT / "flows" / flow / "crm.csv").open(encoding="utf-8", newline="") as file:
        return {row.pop("phone"): row for row in csv.DictReader(file)}


def facts(flow: str, number: str | None) -> Mapping[str, str] | None:
    """What the flow's CRM holds about this number."""
    return _crm(flow).get(number or "")
