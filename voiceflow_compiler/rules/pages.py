"""The rules as Markdown: a page for each, and the one that lists them."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from voiceflow_compiler.rules import FAMILIES, Rule, family, of_family

INDEX: Final = "checks.md"  # below docs/; the pages stand in docs/checks/

_INTRODUCTION: Final = """\
# Checks

What `vfc check` finds, all at once, without a call: {count} kinds of mistake, each with a page of its own.
Errors keep a flow from being compiled; warnings do not (`--strict` fails on them too). `vfc explain CODE`
prints a page, `vfc explain VF4` lists a family, `vfc explain us-ut` prints what is noted about the law of a
place. `vfc check --fix` writes what is safe to write (marked **fix** below) and keeps every other byte;
`--diff` shows it and writes nothing.

Lists of words are in English; a flow in another `locale` is checked for all the rest. What a disclosure says
(VF404) and the checks of law (VF45) know seven languages; they are no legal advice.
"""

_EXAMPLES: Final = """\
## How to read the examples

Each page shows a flow that is flagged and one that is clean. Both are run by the tests, as they stand.

They change entries of one small flow, [`base.yaml`](../tests/cases/checks/base.yaml): an entry that has the
name of one there takes its place, and `null` takes it away. A line marked `# flagged` is where the finding
points.

| in an example | means |
|---|---|
| `# in: message.yaml` | changes to [`message.yaml`](../tests/cases/checks/message.yaml), a subflow |
| `# in: locales/es-US.yaml` | changes to [`es-US.yaml`](../tests/cases/checks/es-US.yaml), its Spanish |
| `# file: NAME` | a file of this name, as it stands |
| `\\t`, `\\u200b`, `\\xe9` | a tab, a character nobody sees, a byte that is no UTF-8 |
| `<word 5000 times>` | the text, written so often |

`make corpus` puts known defects into clean flows and prints how many of them are found in their place
([corpus.md](corpus.md)).
"""


def index(rules: Sequence[Rule]) -> str:
    """The list of all rules by family, each with a link to its page."""
    return "\n".join(_listed(rules))


def _listed(rules: Sequence[Rule]) -> Iterator[str]:
    yield _INTRODUCTION.format(count=len(rules))
    for each in FAMILIES:
        yield f"- [{each.title}](#{_anchor(each.title)})"
    yield f"\n{_EXAMPLES}"
    for each in FAMILIES:
        yield f"## {each.title}\n\n| code | name | | finds |\n|---|---|---|---|"
        for rule in of_family(each.first):
            marks = f"{rule.severity}, **fix**" if rule.fix else rule.severity
            yield f"| [{rule.code}](checks/{rule.code}.md) | {rule.name} | {marks} | {rule.finds} |"
        yield ""


def page(rule: Rule, before: Rule | None, after: Rule | None) -> str:
    """The page of a rule, with the ways to its family and to the rules beside it."""
    title = family(rule.code).title
    ways = [f"[all checks](../{INDEX})", f"[how to read the examples](../{INDEX}#how-to-read-the-examples)"]
    ways += [f"[{each.code} {each.name}]({each.code}.md)" for each in (before, after) if each is not None]
    head = f"# {rule.code} {rule.name}\n\n{rule.severity} · [{title}](../{INDEX}#{_anchor(title)})"
    return f"{head}\n\n{markdown(rule)}\n\n---\n\n{' · '.join(ways)}\n"


def markdown(rule: Rule) -> str:
    """The text of a rule, with its examples fenced and its parts marked."""
    text = re.sub(r"^((?:    .*\n|\n(?=    ))+)", _fenced, rule.page + "\n", flags=re.MULTILINE)
    text = re.sub(r"^Fix:", "**`vfc check --fix` writes:**", text, flags=re.MULTILINE)
    return re.sub(r"^(Why|Tip):", r"**\1:**", text, flags=re.MULTILINE).strip()


def _fenced(block: re.Match[str]) -> str:
    lines = block[1].strip("\n").split("\n")
    return "\n```yaml\n" + "\n".join(line.removeprefix("    ") for line in lines) + "\n```\n"


def _anchor(title: str) -> str:
    """What a forge calls the heading in a link."""
    return re.sub(r"[^a-z0-9-]", "", title.lower().replace(" ", "-"))
