"""What the findings of reading, schema and resolving mean: short, because each finding has a tip."""

from typing import Final, NamedTuple


class Page(NamedTuple):
    """A code's name, and why it is a finding."""

    name: str
    text: str


PAGES: Final = {
    "VF001": Page("unreadable-file", "Only a regular file that exists and may be read is opened."),
    "VF002": Page(
        "file-too-large",
        "A file may have 2 MiB, the files of a flow 4 MiB together: no one writes more by hand.",
    ),
    "VF003": Page(
        "not-utf-8",
        "Flows are UTF-8, so that every machine and every model reads the same letters.",
    ),
    "VF004": Page(
        "invisible-character",
        "What nobody can see, nobody can review: it may hide or reorder what is spoken.",
    ),
    "VF005": Page("tab-in-indentation", "YAML counts spaces, and editors disagree about how wide a tab is."),
    "VF006": Page(
        "not-yaml",
        "The text is not well-formed here, so what follows cannot be read for certain.",
    ),
    "VF007": Page(
        "duplicate-key",
        "Other readers keep the last of two equal keys without a word: half of a design is lost.",
    ),
    "VF008": Page(
        "alias",
        "Anchors and aliases make one place mean another; a few lines of them grow without end.",
    ),
    "VF009": Page(
        "tag",
        "A tag would make the reader build something other than text, numbers, lists and maps.",
    ),
    "VF010": Page("too-deep", "A flow needs about six levels; forty are allowed."),
    "VF011": Page("too-many-parts", "A flow of 2,000 nodes fits well within the bounds on parts and files."),
    "VF012": Page("text-too-long", "No caller listens to a text of this length, and no model should get it."),
    "VF013": Page("key-not-text", "A key is a name: plain text, not empty, not a list or a map."),
    "VF014": Page(
        "number-too-long",
        "Digits of this length are a code, not a quantity, and lose digits when read as a number.",
    ),
    "VF015": Page("several-documents", "Only the first document of a file would count."),
    "VF016": Page("not-a-flow", "A flow is a map of keys, beginning with `language: 1`."),
    "VF017": Page(
        "merge-key",
        "Merged keys hide what a node does from the one who reads it; `include` shares parts openly.",
    ),
    "VF020": Page("include-cycle", "A file that includes itself, directly or by way of others, has no end."),
    "VF021": Page(
        "include-outside",
        "A flow is made of its project's files only, so that the same project gives the same flow.",
    ),
    "VF022": Page(
        "defined-twice",
        "The same name in two files means two things, and only one of them would be used.",
    ),
    "VF023": Page("include-missing", "The named file does not exist, seen from the file that includes it."),
    "VF024": Page(
        "not-includable",
        "An included file adds named parts and lists; what a flow is stands in its own file.",
    ),
    "VF025": Page(
        "subflow-cycle",
        "A subflow that uses itself, directly or by way of others, would be a flow without end.",
    ),
    "VF026": Page("not-a-subflow", "A node of kind `flow` runs a file that says `subflow:` and has exits."),
    "VF030": Page("not-toml", "`vfc.toml` cannot be read here, so nothing in it counts."),
    "VF031": Page("no-such-flow", "A project names flows that are not there: they would never be checked."),
    "VF032": Page(
        "flow-twice",
        "Records, rollouts and settings know a flow by its name; two of one name would be mixed up.",
    ),
    "VF033": Page(
        "unused-file",
        "A shared part that no flow reads is kept up by people for callers who never hear it.",
    ),
    "VF100": Page("language-version", "This compiler knows version 1 of the language."),
    "VF101": Page(
        "unknown-key",
        "A key the language does not have would be ignored, and what it was meant to do not done.",
    ),
    "VF102": Page("missing-key", "Without this key the part has no meaning, and no default would be safe."),
    "VF103": Page("wrong-type", "The key wants another kind of value."),
    "VF104": Page("not-one-of", "The key knows a few words, and this is none of them."),
    "VF105": Page("out-of-range", "The number lies outside what makes sense on a telephone call."),
    "VF106": Page(
        "malformed-name",
        "Names are used in conditions, tools and files, so they keep to letters all of these know.",
    ),
    "VF107": Page("empty", "Nothing is written where something is expected."),
    "VF108": Page("too-long", "More than a call, a prompt or a person can take."),
    "VF109": Page(
        "does-not-fit-together",
        "Each part is fine by itself, but they contradict or need each other.",
    ),
    "VF110": Page("repeated-item", "The same entry twice in one list is a slip of the pen."),
    "VF120": Page(
        "unknown-node",
        "A way leads to a node that does not exist: a caller would fall out of the flow.",
    ),
    "VF121": Page(
        "unknown-slot",
        "A node collects a slot that is not defined, so nothing would be asked for.",
    ),
    "VF122": Page(
        "unknown-intent",
        "An answer to an intent or family that no caller can have would never be given.",
    ),
    "VF124": Page("unknown-handoff", "The way to a person is not defined."),
    "VF125": Page("unknown-action", "The action is not defined, so nothing would be done."),
    "VF126": Page(
        "unknown-placeholder",
        "The caller would hear a name in braces, or nothing, in the middle of a sentence.",
    ),
    "VF127": Page("name-taken", "One name would mean two things."),
    "VF128": Page("misplaced-brace", "A caller cannot hear a brace; it was meant to hold a name."),
    "VF129": Page("value-does-not-fit", "A default or a bound contradicts the type it stands beside."),
    "VF130": Page("condition-syntax", "The condition cannot be read here."),
    "VF131": Page(
        "unknown-name",
        "The condition speaks of something this flow does not know, and would never hold.",
    ),
    "VF132": Page(
        "type-mismatch",
        "Two things of different kinds are compared, which is never true, or an order is asked of what "
        "has none.",
    ),
    "VF133": Page(
        "not-a-choice",
        "The value compared with is none of those it can have, so the comparison is never true.",
    ),
    "VF134": Page(
        "condition-too-long",
        "A condition nobody can read is a condition nobody can check; several cases are clearer.",
    ),
    "VF135": Page("not-a-value", "An action takes values: one name such as `slots.email`, or one literal."),
    "VF137": Page(
        "unknown-jurisdiction",
        "Nothing is noted about the law of this place, so nothing would be asked of the flow.",
    ),
    "VF140": Page(
        "unmapped-exit",
        "The subflow can end in a way for which the flow has no answer: the caller would stand still there.",
    ),
    "VF141": Page(
        "unknown-exit", "The subflow never ends this way, so what is written for it never happens."
    ),
    "VF142": Page("missing-input", "The subflow speaks of a value that it is not given."),
    "VF143": Page("unknown-input", "The subflow does not take a value of this name, so it goes nowhere."),
    "VF144": Page(
        "value-of-another-type",
        "What the subflow compares, asks for or says would be another kind of thing than it was written for.",
    ),
    "VF145": Page(
        "unused-exit",
        "Every flow that uses the subflow must say where this exit leads, and no caller ever takes it.",
    ),
    "VF150": Page(
        "missing-text",
        "In this locale a caller would suddenly hear another language, or not be understood in their own.",
    ),
    "VF151": Page(
        "stale-text", "The flow says something else by now, and callers of this locale do not hear it."
    ),
    "VF152": Page("unknown-text", "Nothing in the flow has this text, so nobody would ever hear it."),
    "VF153": Page(
        "lost-placeholder",
        "What the text names in braces is told in one language and not in the other.",
    ),
    "VF155": Page("wrong-locale", "A call is given the texts of a locale by the name of its file."),
    "VF156": Page(
        "missing-locale", "The project promises this language to its callers, and the flow has it not."
    ),
    "VF157": Page("unknown-fact", "The flow reads no fact of this name before the first word."),
}
