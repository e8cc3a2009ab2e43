"""What `vfc simulate` does with a language model: its options, the calls, and what is told of them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runtime.commands.base import stop

if TYPE_CHECKING:
    from runtime.simulate.crowd.run import Had, Wish
    from runtime.simulate.llm.openai_text import Purse
    from runtime.simulate.llm.run import Played
    from voiceflow_compiler.artifact import Artifact

MODEL, TOKENS = "gpt-5.4-mini", 200_000

Llm = Annotated[bool, typer.Option("--llm", help="A language model plays the callers (OPENAI_API_KEY).")]
Judge = Annotated[bool, typer.Option("--judge", help="A language model judges each call beside the laws.")]
Property = Annotated[
    list[str] | None, typer.Option("--property", help="What it judges, instead of what it judges else.")
]
Model = Annotated[str, typer.Option("--model", help="Which language model.")]
Tokens = Annotated[int, typer.Option("--most-tokens", min=1000, help="What all calls may use together.")]
Spend = Annotated[
    float | None, typer.Option("--spend", min=0.01, help="What they may cost, in dollars; needs --price.")
]
Price = Annotated[
    str | None, typer.Option("--price", help="Dollars per million tokens in and out.", metavar="IN,OUT")
]


def purse_of(tokens: int, spend: float | None, price: str | None) -> Purse:
    """The limits as they were given; what they lack ends the command."""
    from runtime.simulate.llm.openai_text import Purse

    if price is None:
        if spend is not None:
            stop("--spend needs --price IN,OUT: what a model costs is not known here")
        return Purse(tokens)
    try:
        into, out = (float(one) for one in price.split(","))
    except ValueError:
        stop(f"--price is two numbers, IN,OUT, and not {price!r}")
    return Purse(tokens, (into, out), spend)


def properties_of(given: Sequence[str] | None, *, judge: bool) -> tuple[str, ...]:
    """What the model judges: what was given, else what it judges when nothing is, else nothing."""
    from runtime.simulate.llm.judge import PROPERTIES

    return tuple(given) if given else PROPERTIES if judge else ()


def with_model(
    artifact: Artifact,
    wishes: Sequence[Wish],
    task: tuple[bool, tuple[str, ...], int],
    name: str,
    purse: Purse,
    done: Callable[[], None],
) -> tuple[list[Had], dict[str, Any]]:
    """Make the calls; a model that cannot be asked at all ends the command. `task`: see `llm.run.Task`."""
    key = os.environ.get("OPENAI_API_KEY", "")
    if not key:
        stop("--llm and --judge need OPENAI_API_KEY; without them the callers need no model")
    from runtime.simulate.llm.openai_text import TextModel
    from runtime.simulate.llm.run import Task, play_all

    print(_before(name, purse, len(wishes)), file=sys.stderr)

    async def play() -> list[Played]:
        model = TextModel(name, key, purse, base_url=os.environ.get("OPENAI_BASE_URL") or None)
        return await play_all(artifact, wishes, model, Task(*task), done)

    played = asyncio.run(play())
    had = [one.had for one in played if one.had is not None]
    if not had:
        stop(f"no call could be made: the model's answers failed ({played[0].failed.replace('_', ' ')})")
    return had, _told(name, purse, played)


def _before(name: str, purse: Purse, calls: int) -> str:
    """What this may cost and whom it asks, before anything is asked."""
    where = os.environ.get("OPENAI_BASE_URL") or "the provider"
    dollars = f" and {purse.most_usd:.2f} dollars" if purse.most_usd is not None else ""
    unknown = "" if purse.price else "; what they cost is not known without --price"
    return f"{calls} calls: {name} at {where}, at most {purse.most_tokens} tokens{dollars} together{unknown}"


def _told(name: str, purse: Purse, played: Sequence[Played]) -> dict[str, Any]:
    from runtime.simulate.llm.judge import counted

    calls = [
        (f"{one.had.kind}-{one.had.seed}", one.verdicts)
        for one in played
        if one.had is not None and one.verdicts
    ]
    model = {
        "name": name,
        "requests": purse.requests,
        "tokens_in": purse.tokens_in,
        "tokens_out": purse.tokens_out,
        "usd": round(purse.usd(), 4) if purse.price else None,
        "not_made": dict(Counter(one.failed for one in played if one.had is None)),
        "not_judged": dict(Counter(one.failed for one in played if one.had is not None and one.failed)),
    }
    return {"model": model, "judged": counted(calls)}
