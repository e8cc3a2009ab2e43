"""Every finding there can be, as a rule with a page: what reading and resolving find, and what the checks do.

What is found before any check is found by passes, many at a time; the file of such a rule, in this folder,
holds its page with CODE, NAME and SEVERITY, in the form of a check's.
"""

import inspect
from bisect import bisect_right
from dataclasses import dataclass
from importlib import import_module
from typing import Final, NamedTuple

from voiceflow_compiler.checks import CHECKS
from voiceflow_compiler.diagnostics import Severity

# One line per rule; its file bears the same name.
_NAMES: Final = (
    "unreadable_file",
    "file_too_large",
    "not_utf_8",
    "invisible_character",
    "tab_in_indentation",
    "not_yaml",
    "duplicate_key",
    "alias",
    "tag",
    "too_deep",
    "too_many_parts",
    "text_too_long",
    "key_not_text",
    "number_too_long",
    "several_documents",
    "not_a_flow",
    "merge_key",
    "include_cycle",
    "include_outside",
    "defined_twice",
    "include_missing",
    "not_includable",
    "subflow_cycle",
    "not_a_subflow",
    "not_toml",
    "no_such_flow",
    "flow_twice",
    "unused_file",
    "language_version",
    "unknown_key",
    "missing_key",
    "wrong_type",
    "not_one_of",
    "out_of_range",
    "malformed_name",
    "empty",
    "too_long",
    "does_not_fit_together",
    "repeated_item",
    "unknown_node",
    "unknown_slot",
    "unknown_intent",
    "unknown_handoff",
    "unknown_action",
    "unknown_placeholder",
    "name_taken",
    "misplaced_brace",
    "value_does_not_fit",
    "condition_syntax",
    "unknown_name",
    "type_mismatch",
    "not_a_choice",
    "condition_too_long",
    "not_a_value",
    "unknown_jurisdiction",
    "unmapped_exit",
    "unknown_exit",
    "missing_input",
    "unknown_input",
    "value_of_another_type",
    "unused_exit",
    "missing_text",
    "stale_text",
    "unknown_text",
    "lost_placeholder",
    "wrong_locale",
    "missing_locale",
    "unknown_fact",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `page` says what it finds and why it matters, with a flagged and a clean example, a tip, and
    what `--fix` writes where something is.
    """

    code: str
    name: str
    severity: Severity
    page: str

    @property
    def finds(self) -> str:
        """What it finds, in one line."""
        return " ".join(self.page.partition("\n\n")[0].split())

    @property
    def fix(self) -> str | None:
        """What `vfc check --fix` writes, in one line; None where a designer must choose."""
        _, begun, after = self.page.partition("\nFix: ")
        return " ".join(after.split()) if begun else None


class Family(NamedTuple):
    """Rules that are about one thing: the codes from `first` on."""

    first: str
    title: str


FAMILIES: Final = (
    Family("VF000", "Reading a file"),
    Family("VF020", "The files of a flow"),
    Family("VF030", "The project"),
    Family("VF100", "Words of the language"),
    Family("VF120", "Names, texts and conditions"),
    Family("VF140", "Subflows"),
    Family("VF150", "Locales"),
    Family("VF200", "The graph"),
    Family("VF300", "Intents"),
    Family("VF400", "The disclosure"),
    Family("VF450", "The law"),
    Family("VF500", "Fallback"),
    Family("VF600", "Handoff"),
    Family("VF700", "Values and actions"),
    Family("VF800", "Suitability and cost"),
    Family("VF820", "Prompts and texts"),
)


def _of_passes(name: str) -> Rule:
    module = import_module(f"{__name__}.{name}")
    return Rule(module.CODE, module.NAME, module.SEVERITY, inspect.getdoc(module) or "")


RULES: Final = (
    *(_of_passes(name) for name in _NAMES),
    *(Rule(each.code, each.name, each.severity, each.page.strip()) for each in CHECKS),
)


def rule(word: str) -> Rule | None:
    """The rule of a code or a name, however it is capitalised."""
    return next((each for each in RULES if word.upper() == each.code or word.lower() == each.name), None)


def family(code: str) -> Family:
    """The family of a code."""
    return FAMILIES[bisect_right([each.first for each in FAMILIES], code) - 1]


def of_family(first: str) -> tuple[Rule, ...]:
    """The rules of the family that begins with a code."""
    return tuple(each for each in RULES if family(each.code).first == first)
