"""`vfc recall`: phrases that ask for a person, asked of a model over the documented interface."""

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.runtime.simulate.llm.answers import Told, answering, called, error, response

ROOT = Path(__file__).parents[4]
FLOW = "flows/lead_qualification"


def hears(asked: Told) -> tuple[int, Told]:
    """A model that knows an agent when it hears of one, and whom some words make refuse service."""
    words = json.loads(asked["input"])[-1]["said"]
    if "broken" in words:
        return error(400, "invalid_request_error")
    intent = "wants_person" if "agent" in words else "digression"
    told = {"intent": intent, "confidence": 0.9, "sentiment": "neutral", "slots": {}, "heard": words}
    return response(called("take_turn", told))


async def recalled(*options: str, key: str = "sk-nobody") -> tuple[int, str, str, list[Told]]:
    """The command against a server on loopback: code, stdout, stderr, and what was asked."""
    async with answering(hears) as server:
        environment = {**os.environ, "OPENAI_API_KEY": key, "OPENAI_BASE_URL": server.url}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "runtime", "recall", FLOW, *options),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode(), server.asked


async def test_recall_is_what_the_model_takes_for_asking_for_a_person(tmp_path: Path) -> None:
    """Each phrase is a question with the flow's own instructions and tool; what was missed is named, with
    what it was taken for."""
    (tmp_path / "phrases.txt").write_text("an agent now\n\nlet me have your boss\n", encoding="utf-8")
    code, out, err, asked = await recalled("--phrases", str(tmp_path / "phrases.txt"), "--format", "json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["asked"], told["understood"], told["not_asked"]) == (2, 1, {})
    assert told["missed"] == [{"words": "let me have your boss", "intent": "digression"}]
    assert {one["tool_choice"]["name"] for one in asked} == {"take_turn"}
    assert all("Harbour" in one["instructions"] or "Now at:" in one["instructions"] for one in asked)


async def test_recall_of_the_phrases_that_are_ours() -> None:
    """Without a file 160 phrases are asked, and told in words."""
    code, out, err, asked = await recalled()
    assert (code, err, len(asked)) == (0, "", 160)
    assert "20 of 160 phrases that ask for a person were understood" in out
    assert "and 120 more" in out


async def test_recall_that_cannot_be_had_says_why(tmp_path: Path) -> None:
    """No key, no phrase, and a model that refuses: one line and exit code 2."""
    for words, options, key in (("", (), ""), ("", ("--phrases",), "k"), ("broken", ("--phrases",), "k")):
        file = tmp_path / "phrases.txt"
        file.write_text(words, encoding="utf-8")
        code, out, err, _ = await recalled(*options, *([str(file)] if options else []), key=key)
        assert (code, out, len(err.splitlines())) == (2, "", 1), err
