"""Several flows as one project: the table `[project]` of `vfc.toml`, read and judged.

Laws
1. Any file ends in a project, findings with their places, or both; what is wrong counts as not written.
2. Only files inside the project's folder are its flows, and links are not followed to find them.
3. The other tables of `vfc.toml` are the settings of a deployment, and no business of the compiler's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from voiceflow_compiler.diagnostics import Finding
from voiceflow_compiler.project.finding import flow_files, matches_nothing, yaml_files
from voiceflow_compiler.project.reading import Written, read

FILE_NAME: Final = "vfc.toml"

__all__ = ["FILE_NAME", "Project", "above", "flow_files", "load", "yaml_files"]


@dataclass(frozen=True, slots=True)
class Project:
    """A project as its file says. `ignored` maps codes or names of checks to the reason; `selected` is empty
    when all are; `coverage` is the bar in percent, None for none.
    """

    folder: Path
    name: str
    file: str
    text: str
    flows: tuple[Path, ...] = ()
    shared: str | None = None
    output: str | None = None
    jurisdictions: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
    coverage: float | None = None
    strict: bool = False
    selected: tuple[str, ...] = ()
    ignored: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def keeps(self, finding: Finding) -> bool:
        """Whether a finding is told: what makes a flow unreadable or its names wrong always is."""
        if finding.code < "VF2":
            return True
        names = (finding.code, finding.name, finding.code[:3])
        if any(name in self.ignored for name in names):
            return False
        return not self.selected or any(name in self.selected for name in names)


def above(path: Path) -> Project | None:
    """The project that a file or folder lies in: the nearest `vfc.toml` above that has a table `project`."""
    try:
        here = path.resolve()
    except (OSError, ValueError, RuntimeError):  # a circle of links, a NUL in the name
        return None
    for folder in (here, *here.parents):
        file = folder / FILE_NAME
        try:
            seen = file.stat()
        except (OSError, ValueError):
            continue
        project = _kept(file, seen.st_mtime_ns, seen.st_size)
        if project is not None:
            return project
    return None


@lru_cache(maxsize=64)
def _kept(file: Path, written_ns: int, size: int) -> Project | None:
    """A project as it was when its file was last written."""
    return load(file)


def load(file: Path) -> Project | None:
    """The project of a file; None when it has no table `project`."""
    shown = _shown(file)
    written = read(file, shown)
    if written is None:
        return None
    return _built(file, shown, written)


def _shown(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)


def _built(file: Path, shown: str, written: Written) -> Project:
    folder, values = file.parent, written.values
    patterns = values.get("flows", ("flows/*",))
    findings = list(written.findings)
    flows = tuple(flow_files(folder, patterns))
    if "flows" in values or not findings:
        findings += matches_nothing(folder, patterns, flows, written)
    return Project(
        folder=folder,
        name=values.get("name", folder.name),
        file=shown,
        text=written.text,
        flows=flows,
        shared=values.get("shared"),
        output=values.get("output"),
        jurisdictions=values.get("jurisdictions", ()),
        locales=values.get("locales", ()),
        coverage=values.get("coverage"),
        strict=values.get("strict", False),
        selected=values.get("checks.select", ()),
        ignored=values.get("checks.ignore", {}),
        findings=tuple(findings),
    )
