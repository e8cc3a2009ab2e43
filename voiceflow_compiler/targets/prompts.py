"""What the model reads, for people: `instructions.md`, and `briefs/NODE.md` for every node with a brief."""

from collections.abc import Iterator

from voiceflow_compiler.artifact import Answer, Artifact, Line, Node, Rung
from voiceflow_compiler.targets import base


def emit(artifact: Artifact) -> dict[str, str]:
    """`instructions.md` holds the record of a caller without a record."""
    briefs = {
        f"briefs/{base.file_name(name)}.md": "\n".join(_page(artifact, name)) + "\n"
        for name in base.reading_order(artifact)
        if name in artifact.briefs
    }
    return {"instructions.md": base.instructions(artifact), **briefs}


def _page(artifact: Artifact, name: str) -> Iterator[str]:
    node = artifact.nodes[name]
    yield f"# {name}"
    yield ""
    yield f"{node.kind}, {node.control} control" if node.kind == "ask" else node.kind
    yield ""
    yield "```"
    yield artifact.briefs[name]
    yield "```"
    yield from _answers(artifact, node)
    yield from _ladder("When it was not understood", node.no_match)
    yield from _ladder(f"After {node.no_input_after_ms / 1000:g} s of silence", node.no_input)


def _answers(artifact: Artifact, node: Node) -> Iterator[str]:
    answers = [(f"{name} ({artifact.intents[name].family})", answer) for name, answer in node.answers.items()]
    answers += [(f"key {key}", answer) for key, answer in node.keys.items()]
    if answers:
        yield ""
        yield "## When the caller means"
        yield ""
    for name, answer in answers:
        yield f"- {name}: {_then(answer.line, _leads(answer))}"


def _ladder(title: str, rungs: tuple[Rung, ...]) -> Iterator[str]:
    if not rungs:
        return
    yield ""
    yield f"## {title}"
    yield ""
    for step, rung in enumerate(rungs, start=1):
        yield f"{step}. {_then(rung.line, f'go to {rung.go}' if rung.go else 'stay')}"


def _leads(answer: Answer) -> str:
    if answer.go:
        return f"go to {answer.go}"
    if answer.at_most is None:
        return "stay"
    after = f"go to {answer.then}" if answer.then else "count as not understood"
    times = "once" if answer.at_most == 1 else f"{answer.at_most} times"
    return f"stay, at most {times}, then {after}"


def _then(line: Line | None, leads: str) -> str:
    return leads if line is None else f"{base.text(line)} Then {leads}."
