"""Every rule has a page that tells all, with examples that do what it says; no finding has none."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compiler.checks.examples import examples, files, found_in, marked
from voiceflow_compiler import fixes
from voiceflow_compiler.rules import FAMILIES, RULES, Rule, of_family

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"VF\d{3}")
NAMED = {rule.code: rule for rule in RULES}
EXAMPLES = [
    pytest.param(rule, kind, text, id=f"{rule.code}-{kind}-{at}")
    for rule in RULES
    for kind in ("Flagged", "Clean")
    for at, text in enumerate(examples(rule.page, kind))
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_tells_all(rule: Rule) -> None:
    """Every page says what it finds in one paragraph, then why, shows both examples, and gives a tip."""
    parts = rule.page.split("\n\n")
    assert parts[1].startswith("Why: ")
    assert examples(rule.page, "Flagged")
    assert examples(rule.page, "Clean")
    assert sum(part.startswith("Tip: ") for part in parts) == 1
    assert rule.severity in ("error", "warning", "note")


@pytest.mark.parametrize(("rule", "kind", "text"), EXAMPLES)
def test_an_example_does_what_its_page_says(rule: Rule, kind: str, text: str, tmp_path: Path) -> None:
    """A flagged example gives the rule's code at the marked lines only; a clean one gives nothing at all."""
    made = files(text)
    found = found_in(made, tmp_path)
    if kind == "Clean":
        assert (found, marked(made)) == ([], set())
        return
    mine = [(name, each) for name, each in found if each.code == rule.code]
    assert {(name, each.span.line) for name, each in mine} == marked(made) != set()
    assert {(each.name, each.severity) for _, each in mine} == {(rule.name, rule.severity)}
    assert all(each.tip for _, each in mine)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_names_the_fix_where_there_is_one(rule: Rule, tmp_path: Path) -> None:
    """A page has a line about `--fix` just where that mends a flagged example, and then nothing is left."""
    mended = False
    for at, text in enumerate(examples(rule.page, "Flagged")):
        folder = tmp_path / str(at)
        made = files(text)
        found = [each for _, each in found_in(made, folder) if each.code == rule.code]
        texts = {
            each.span.file: Path(each.span.file).read_text(encoding="utf-8") for each in found if each.fix
        }
        after = fixes.applied(texts, fixes.fitting(found))
        mended = mended or bool(after)
        made |= {str(Path(name).relative_to(folder)): text.encode() for name, text in after.items()}
        left = [each for _, each in found_in(made, folder) if each.code == rule.code and each.fix]
        assert left == []
    assert (rule.fix is not None) == mended


def test_codes_and_names_are_unique_and_in_order() -> None:
    """No two rules share a code or a name, and they stand in the order of their codes, each in a family."""
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert [rule for family in FAMILIES for rule in of_family(family.first)] == list(RULES)


def test_nothing_is_found_that_has_no_page() -> None:
    """Every code that stands anywhere in the program is a rule's, and the name beside it is the rule's."""
    seen = set()
    listing = ROOT / "voiceflow_compiler" / "rules" / "__init__.py"  # names families by their first codes
    for path in {*ROOT.glob("voiceflow_compiler/**/*.py"), *ROOT.glob("runtime/**/*.py")} - {listing}:
        for code, name in _codes(ast.parse(path.read_text(encoding="utf-8"))):
            assert code in NAMED, f"{path}: {code} is no rule"
            assert name is None or name == NAMED[code].name, f"{path}: {code} is not called {name}"
            seen.add(code)
    assert seen == set(NAMED)


def _codes(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """Every code written as a text, with the text that follows it where one names the rule."""
    for node in ast.walk(tree):
        for _, value in ast.iter_fields(node):
            items = [value] if isinstance(value, ast.expr) else value if isinstance(value, list) else []
            for at, item in enumerate(items):
                text = _text(item)
                if text is None or not CODE.fullmatch(text):
                    continue
                after = _text(items[at + 1]) if at + 1 < len(items) else None
                yield (
                    text,
                    after if after is not None and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", after) else None,
                )


def _text(node: object) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
