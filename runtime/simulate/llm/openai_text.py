"""The language model as a text service: typed questions, what they cost, and what can go wrong.

Laws
1. Nothing is asked beyond the limit: a question's largest cost is set aside before it is sent.
2. Every failure is a ModelFailure with a reason from a closed set; no key and no words are in it.
3. Answers are not kept by the provider (`store` is off).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import openai
from openai.types.responses import FunctionToolParam, ResponseFormatTextJSONSchemaConfigParam
from pydantic import BaseModel, ConfigDict, ValidationError

Form = TypeVar("Form", bound=BaseModel)
Reason = Literal[
    "refused",
    "cut_short",
    "not_in_form",
    "timeout",
    "unreachable",
    "busy",
    "server_error",
    "spent",
    "no_access",
]
HOPELESS: Final = frozenset({"no_access", "unreachable", "spent"})  # the next question would fare no better
MOST_OUT: Final = 1500
CHARACTERS_PER_TOKEN: Final = 3  # fewer than in English text, so that what is set aside is enough
FORM_TOKENS: Final = 300
RETRIES: Final = 3


class ModelFailure(Exception):
    """A question without a usable answer."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.replace("_", " "))
        self.reason: Reason = reason


@dataclass(slots=True)
class Purse:
    """What may be spent and what was. Money is known only where a price (per million tokens) is given."""

    most_tokens: int
    price: tuple[float, float] | None = None
    most_usd: float | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    requests: int = 0
    _aside_in: int = 0
    _aside_out: int = 0

    def take(self, tokens_in: int, tokens_out: int) -> tuple[int, int]:
        """Set aside what a question may cost. Raises ModelFailure: spent."""
        into, out = self._aside_in + tokens_in, self._aside_out + tokens_out
        if self.tokens_in + self.tokens_out + into + out > self.most_tokens:
            raise ModelFailure("spent")
        if self.most_usd is not None and self.usd(into, out) > self.most_usd:
            raise ModelFailure("spent")
        self._aside_in, self._aside_out = into, out
        self.requests += 1
        return tokens_in, tokens_out

    def pay(self, aside: tuple[int, int], tokens_in: int, tokens_out: int) -> None:
        """Replace what was set aside by what it came to."""
        self._aside_in -= aside[0]
        self._aside_out -= aside[1]
        self.tokens_in += tokens_in
        self.tokens_out += tokens_out

    def usd(self, more_in: int = 0, more_out: int = 0) -> float:
        """What was spent, and so much more; 0 without a price."""
        into, out = self.price or (0.0, 0.0)
        return ((self.tokens_in + more_in) * into + (self.tokens_out + more_out) * out) / 1e6


class TextModel:
    """One model. `base_url` None: the provider's own."""

    def __init__(
        self, name: str, key: str, purse: Purse, *, base_url: str | None = None, timeout_s: float = 60
    ) -> None:
        self.name, self.purse = name, purse
        self._client = openai.AsyncOpenAI(
            api_key=key, base_url=base_url, timeout=timeout_s, max_retries=RETRIES
        )

    async def ask(self, instructions: str, text: str, form: type[Form]) -> Form:
        """An answer in this form. Raises ModelFailure."""
        shape: ResponseFormatTextJSONSchemaConfigParam = {
            "type": "json_schema",
            "name": form.__name__.lower(),
            "schema": form.model_json_schema(),
            "strict": True,
        }
        with _Asking(self.purse, instructions, text) as asking:
            answer = await self._client.responses.create(
                model=self.name,
                instructions=instructions,
                input=text,
                text={"format": shape},
                max_output_tokens=MOST_OUT,
                store=False,
            )
            asking.answered(answer)
            if _refused(answer):
                raise ModelFailure("refused")
            return form.model_validate_json(answer.output_text)

    async def call(self, instructions: str, text: str, tool: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of the one tool it must call. Raises ModelFailure."""
        function: FunctionToolParam = {
            "type": "function",
            "name": tool["name"],
            "description": tool["description"],
            "parameters": tool["parameters"],
            "strict": False,
        }
        with _Asking(self.purse, instructions, text + json.dumps(function)) as asking:
            answer = await self._client.responses.create(
                model=self.name,
                instructions=instructions,
                input=text,
                tools=[function],
                tool_choice={"type": "function", "name": tool["name"]},
                max_output_tokens=MOST_OUT,
                store=False,
            )
            asking.answered(answer)
        for item in answer.output:
            if item.type == "function_call":
                return _object(item.arguments)
        raise ModelFailure("refused" if _refused(answer) else "not_in_form")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()


class _Asking:
    """One question: its cost set aside and paid, its failures named."""

    def __init__(self, purse: Purse, *texts: str) -> None:
        into = sum(map(len, texts)) // CHARACTERS_PER_TOKEN + FORM_TOKENS
        self._purse, self._paid = purse, (0, 0)
        self._aside = purse.take(into, MOST_OUT)

    def answered(self, answer: Any) -> None:
        """Note what it cost; an answer that was cut off is none."""
        if answer.usage is not None:
            self._paid = (answer.usage.input_tokens, answer.usage.output_tokens)
        if answer.status == "incomplete":
            raise ModelFailure("cut_short")

    def __enter__(self) -> _Asking:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._purse.pay(self._aside, *self._paid)
        if isinstance(error, openai.OpenAIError | ValidationError):
            raise ModelFailure(_reason(error)) from None


def _reason(error: Exception) -> Reason:
    match error:
        case openai.APITimeoutError():
            return "timeout"
        case openai.APIConnectionError():
            return "unreachable"
        case openai.RateLimitError():
            return "no_access" if error.code == "insufficient_quota" else "busy"
        case openai.InternalServerError():
            return "server_error"
        case openai.APIStatusError():
            return "no_access"  # a wrong key, an unknown model, a request it does not take
    return "not_in_form"


def _refused(answer: Any) -> bool:
    return any(
        part.type == "refusal" for item in answer.output if item.type == "message" for part in item.content
    )


def _object(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        raise ModelFailure("not_in_form") from None
    if not isinstance(told, dict):
        raise ModelFailure("not_in_form")
    return told


class Deed(BaseModel):
    """What a caller does now."""

    model_config = ConfigDict(extra="forbid")

    does: Literal["say", "press", "silence", "hang_up"]
    words: str
    keys: str


class Verdict(BaseModel):
    """One property judged. `quote` is copied from the transcript."""

    model_config = ConfigDict(extra="forbid")

    number: int
    verdict: Literal["holds", "fails", "unclear"]
    quote: str
    why: str


class Verdicts(BaseModel):
    """All properties judged."""

    model_config = ConfigDict(extra="forbid")

    verdicts: list[Verdict]
