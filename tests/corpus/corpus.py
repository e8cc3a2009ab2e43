"""The corpus of seeded defects: each a small difference to a clean flow, and where it must be found.

A defect is a line `# CODE what is wrong`, a line `in: FLOW` (clean/FLOW.yaml), and hunks as in a unified
diff, without line numbers, parted by `@@`. The lines of a hunk stand in the flow exactly once. `  <-` at a
line's end marks where the finding must point. In added lines `\\t`, `\\u200b` and `\\xe9` stand for what
nobody sees, and `<word 9 times>` for a text written so often. A flow of several files stands in one, each
after a line `#% FILE`; with a vfc.toml among them they are a project.
"""

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tests.compiler.checks.examples import often
from voiceflow_compiler import pipeline, recheck
from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.diagnostics import Finding
from voiceflow_compiler.lower import lower
from voiceflow_compiler.project import FILE_NAME, load

FOLDER = Path(__file__).parent
CLEAN = {path.stem: path.read_text(encoding="utf-8") for path in sorted((FOLDER / "clean").glob("*.yaml"))}
ONE_FILE = {name: text for name, text in CLEAN.items() if "\n#% " not in text}
MARK = "  <-"
_UNSEEN = {r"\t": "\t", r"\u200b": "\u200b", r"\xe9": "\udce9"}  # the last is no UTF-8

FAMILIES = {
    "VF0": "reading",
    "VF1": "language",
    "VF2": "graph",
    "VF3": "intents",
    "VF4": "disclosure and law",
    "VF5": "fallback",
    "VF6": "handoff",
    "VF7": "values and actions",
    "VF8": "suitability, cost and prompts",
}


@dataclass(frozen=True, slots=True)
class Defect:
    """One seeded defect: the flow with it, its code, and where the finding must point: a file, and a line
    (from 1, through all files). `whole` says that it is the first line of its file, where what is wrong with
    the whole of it may be told too.
    """

    code: str
    title: str
    flow: str
    text: str
    file: str
    line: int
    whole: bool


def defects() -> Iterator[Defect]:
    """Every defect of the corpus, in the order of its files."""
    for path in sorted((FOLDER / "defects").glob("*.diff")):
        for entry in re.split(r"^(?=# VF\d)", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
            if entry.startswith("# VF"):
                yield _defect(entry)


def put(folder: Path, text: str) -> Path:
    """Write the files of a flow, each with its lines at the numbers they have in the text; the flow's own."""
    parts = re.split(r"^#% (.+)\n", text, flags=re.MULTILINE)
    named = list(zip(parts[1::2], parts[2::2], strict=True)) or [("flow.yaml", text)]
    above = parts[0].count("\n") if len(parts) > 1 else -1
    folder.mkdir(exist_ok=True)
    for name, content in named:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(("\n" * (above + 1) + content).encode("utf-8", "surrogateescape"))
        above += 1 + content.count("\n")
    return folder / "flow.yaml"


def findings(text: str) -> tuple[Finding, ...]:
    """What is found in a flow given as text."""
    with tempfile.TemporaryDirectory() as folder:
        flow = put(Path(folder), text)
        project = load(flow.parent / FILE_NAME) if "#% vfc.toml\n" in text else None
        if project is not None:
            return tuple(recheck.look(project, project.flows, recheck.Rechecks()).findings)
        return pipeline.check(str(flow), folder).findings


def artifact_of(text: str) -> Artifact:
    """A flow given as text, compiled although it may have errors: the graph is what it is."""
    with tempfile.TemporaryDirectory() as folder:
        flow = pipeline.load(str(put(Path(folder), text)), folder).flow
    assert flow is not None
    return lower(flow)


def is_caught(defect: Defect, found: tuple[Finding, ...]) -> bool:
    """Whether the defect is found under its code at its line in its file."""
    lines = {defect.line, 1} if defect.whole else {defect.line}
    mine = (each for each in found if each.code == defect.code and each.span.file.endswith(f"/{defect.file}"))
    return any(each.span.line in lines for each in mine)


def table(look: Callable[[str], tuple[Finding, ...]] = findings) -> tuple[str, float, int]:
    """The results by family, the share of defects that are caught, and the findings on the clean flows."""
    results = [(defect, is_caught(defect, look(defect.text))) for defect in defects()]
    lines = [f"{'family':<34}{'seeded':>8}{'caught':>8}"]
    for family, group in groupby(
        sorted(results, key=lambda each: each[0].code), key=lambda each: each[0].code[:3]
    ):
        caught = [good for _, good in group]
        lines.append(f"{family + 'xx ' + FAMILIES[family]:<34}{len(caught):>8}{sum(caught):>8}")
    accused = sum(len(look(text)) for text in CLEAN.values())
    total = sum(good for _, good in results)
    codes = Counter(defect.code for defect, _ in results)
    lines.append(f"{'all':<34}{len(results):>8}{total:>8}  {total / len(results):.1%}")
    lines += [f"not caught: {each.code} {each.title}" for each, good in results if not good]
    lines.append(f"codes seeded: {len(codes)}, each at least {min(codes.values())} times")
    lines.append(f"findings on {len(CLEAN)} clean flows: {accused}")
    return "\n".join(lines) + "\n", total / len(results), accused


def _defect(entry: str) -> Defect:
    head, where, *rest = entry.rstrip("\n").split("\n")
    _, code, title = head.split(" ", 2)
    flow = where.removeprefix("in: ").strip()
    text, at = CLEAN[flow], 0
    for hunk in "\n".join(rest).split("\n@@\n"):
        text, at = _patched(text, hunk.split("\n"), at, title)
    before = text[: text.index(MARK)].split("\n")
    files = [line.removeprefix("#% ") for line in before if line.startswith("#% ")]
    whole = len(before) > 1 and before[-2].startswith("#% ")
    return Defect(
        code, title, flow, text.replace(MARK, ""), files[-1] if files else "flow.yaml", len(before), whole
    )


def _patched(text: str, hunk: list[str], at: int, title: str) -> tuple[str, int]:
    lines = [line for line in hunk if line]
    before = "".join(f"{line[1:].removesuffix(MARK)}\n" for line in lines if line[0] in " -")
    after = "".join(f"{_seen(line)}\n" for line in lines if line[0] in " +")
    bare = text.replace(MARK, "")
    assert bare.count(before) == 1, f"{title}: a hunk stands {bare.count(before)} times in the flow"
    if MARK in text:  # the mark of an earlier hunk stays where it is
        marked = text.index(MARK)
        found = bare.index(before)
        assert MARK not in after, f"{title}: two marks"
        text = bare.replace(before, after)
        marked += len(after) - len(before) if found < marked else 0
        return text[:marked] + MARK + text[marked:], at
    return text.replace(before, after), at


def _seen(line: str) -> str:
    if line[0] == "+":
        for written, meant in _UNSEEN.items():
            line = line.replace(written, meant)
        line = often(line)
    return line[1:]


if __name__ == "__main__":
    told, share, accused = table()
    print(told, end="")
    sys.exit(int(share < 0.98 or accused > 0))
