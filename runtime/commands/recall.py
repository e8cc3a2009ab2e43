"""`vfc recall`: how often a language model takes other words for asking for a person."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runtime.commands.base import Report, compiled, localized, stop
from runtime.commands.llm import MODEL, TOKENS, Model, Price, Spend, Tokens, purse_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.simulate.llm.recall import Taken

AT_ONCE, MOST_SHOWN, PERSON = 4, 20, "escalation"
Phrases = Annotated[
    Path | None,
    typer.Option("--phrases", help="A file with a phrase on each line, instead of 160 English ones."),
]
InLocale = Annotated[str | None, typer.Option("--locale", help="The language they call in.", metavar="TAG")]


def recall(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder, or an artifact.")],
    phrases: Phrases = None,
    locale: InLocale = None,
    model: Model = MODEL,
    most_tokens: Tokens = 10 * TOKENS,
    spend: Spend = None,
    price: Price = None,
    form: Annotated[Report, typer.Option("--format", help="How it is told.")] = Report.TEXT,
) -> None:
    """Ask a language model (OPENAI_API_KEY) what callers mean who ask for a person in words the flow has not.

    Each phrase is said at the flow's first question, with what a real call's model is told. Exit code 2: not
    every phrase could be asked.
    """
    key = os.environ.get("OPENAI_API_KEY", "")
    if not key:
        stop("vfc recall asks a language model: set OPENAI_API_KEY")
    purse = purse_of(most_tokens, spend, price)
    artifact = localized(compiled(flow), locale)
    if not any(one.family == PERSON for one in artifact.intents.values()):
        stop(f"{artifact.flow} has no intent of the family {PERSON}: nobody can ask for a person")
    from runtime.simulate.llm.openai_text import TextModel
    from runtime.simulate.llm.recall import PHRASES, ask

    asked = PHRASES if phrases is None else _lines(phrases)

    async def run() -> list[Taken]:
        other = os.environ.get("OPENAI_BASE_URL") or None
        return await ask(artifact, asked, TextModel(model, key, purse, base_url=other), AT_ONCE, lambda: None)

    taken = asyncio.run(run())
    told = _told(artifact.flow, model, taken) | {"tokens_in": purse.tokens_in, "tokens_out": purse.tokens_out}
    if told["asked"] == 0:
        stop(f"no phrase could be asked: the model's answers failed ({taken[0].failed.replace('_', ' ')})")
    print(json.dumps(told, indent=2, ensure_ascii=False) if form is Report.JSON else _text(told))
    if told["not_asked"]:
        raise typer.Exit(2)


def _lines(path: Path) -> Sequence[str]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeError):
        stop(f"{path}: this cannot be read as text (in UTF-8)")
    found = [line for line in lines if line]
    return found or stop(f"{path}: there is no phrase in it")


def _told(flow: str, model: str, taken: Sequence[Taken]) -> dict[str, Any]:
    heard = [one for one in taken if not one.failed]
    missed = [{"words": one.words, "intent": one.intent} for one in heard if one.family != PERSON]
    return {
        "version": 1,
        "flow": flow,
        "model": model,
        "asked": len(heard),
        "understood": len(heard) - len(missed),
        "missed": missed,
        "not_asked": dict(Counter(one.failed for one in taken if one.failed)),
    }


def _text(told: dict[str, Any]) -> str:
    share = 100 * told["understood"] / told["asked"]
    found = f"{told['understood']} of {told['asked']} phrases that ask for a person"
    lines = [f"{told['flow']}: {found} were understood by {told['model']} ({share:.0f} in 100)"]
    lines += [f"  {one['intent']:20} {one['words']}" for one in told["missed"][:MOST_SHOWN]]
    if len(told["missed"]) > MOST_SHOWN:
        lines.append(f"  and {len(told['missed']) - MOST_SHOWN} more")
    lines += [f"  {count} not asked: {why.replace('_', ' ')}" for why, count in told["not_asked"].items()]
    return "\n".join(lines)
