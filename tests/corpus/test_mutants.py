"""Checks broken on purpose: their pages, their defects and the clean flows must notice."""

import ast
import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.compiler.checks.examples import BASE, examples, patched
from tests.compiler.checks.test_judgement import JUDGED
from tests.corpus.corpus import CLEAN, defects, put
from tests.generate import small_flow
from voiceflow_compiler import pipeline
from voiceflow_compiler.checks import CHECKS
from voiceflow_compiler.checks.base import Check, check_of
from voiceflow_compiler.graph import build

KILLED_AT_LEAST = 0.8
DEFECTS = tuple(defects())


class _Mutation(ast.NodeTransformer):
    """Turns the condition number `wanted` round: of an `if`, of a choice, or of a comprehension."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.seen = 0

    def _turned(self, test: ast.expr) -> ast.expr:
        self.seen += 1
        return ast.UnaryOp(ast.Not(), test) if self.seen == self.wanted else test

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        node.test = self._turned(node.test)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        node.test = self._turned(node.test)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.ifs = [self._turned(test) for test in node.ifs]
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        self.seen += 1
        if self.seen == self.wanted:
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return node


def mutants(check: Check) -> Iterator[Check]:
    """The check with one condition turned round, or one `and` and `or` swapped, each in its turn."""
    module = import_module(check.find.__module__)
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    at = 0
    while True:
        at += 1
        mutation = _Mutation(at)
        tree = ast.fix_missing_locations(mutation.visit(ast.parse(source)))
        if mutation.seen < at:
            return
        broken = types.ModuleType(module.__name__)
        exec(compile(tree, str(module.__file__), "exec"), broken.__dict__)
        yield check_of(broken)


def flows(check: Check, folder: Path) -> Iterator[pipeline.Checked]:
    """What the tests of a check look at: its pages, its defects, what is judged of it, and clean flows."""
    texts = [patched(text) for kind in ("Flagged", "Clean") for text in examples(check.page, kind)]
    texts += [defect.text for defect in DEFECTS if defect.code == check.code]
    texts += [patched(changes) for code, _, changes in JUDGED if code == check.code]
    texts += [BASE, *CLEAN.values(), *(small_flow(seed) for seed in range(4))]
    for at, text in enumerate(texts):
        yield pipeline.check(str(put(folder / str(at), text)))


def told(check: Check, checked: pipeline.Checked) -> object:
    """What a check says of a flow; its own failure is something else than what it should say."""
    assert checked.flow is not None
    try:
        return list(check(checked.flow, build(checked.flow), checked.source.places))
    except Exception as error:  # noqa: BLE001 - a broken check may raise anything
        return repr(error)


@pytest.mark.mutants
def test_broken_checks_are_noticed(tmp_path: Path) -> None:
    """Most conditions turned round change what is found in the flows that the tests look at."""
    survivors: dict[str, int] = {}
    made = 0
    for check in CHECKS:
        looked_at = [each for each in flows(check, tmp_path) if each.flow is not None]
        right = [told(check, each) for each in looked_at]
        for mutant in mutants(check):
            made += 1
            if all(told(mutant, each) == said for each, said in zip(looked_at, right, strict=True)):
                survivors[check.name] = survivors.get(check.name, 0) + 1
    killed = 1 - sum(survivors.values()) / made
    print(f"{made} mutants, {killed:.0%} noticed; alive: {survivors}")
    assert killed >= KILLED_AT_LEAST
