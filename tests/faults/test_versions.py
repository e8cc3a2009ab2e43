"""Rows 54 and 72: a new version while calls live, good or bad."""

import asyncio
import gc
import json
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from runtime.simulate.profile import Line
from tests.faults import beside
from tests.faults.bed import (
    BOOKS,
    DISCLOSURE,
    FLOW,
    PATIENCE_S,
    QUESTION,
    Bed,
    Later,
    artifact_of,
    live,
    profile,
)
from tests.faults.conftest import Open
from voiceflow_compiler.artifact import Artifact, decode, encode, seal

pytestmark = pytest.mark.faults

NEW_QUESTION = "For how many shall I lay the table?"
NEW = FLOW.replace(QUESTION, NEW_QUESTION).replace('version: "1"', 'version: "2"')
OTHERS = artifact_of(beside.FLOW)
SLOW = profile(Line(say="four people"), Line(say="four people"), patience_ms=2500)


async def in_a_call(bed: Bed) -> asyncio.Task[Later]:
    """A call that lives, its disclosure begun."""
    call = asyncio.create_task(bed.call(SLOW))
    await bed.begun(1)
    await asyncio.sleep(2)
    return call


def test_row_54_a_call_keeps_the_version_it_began_with(bed: Open) -> None:
    """A new version taken in the middle of a call: it is asked and answered by the old one to its end, and
    the next caller is asked by the new one."""

    async def renewed() -> tuple[Later, Later, bool]:
        async with bed() as one:
            first = await in_a_call(one)
            taken = await one.running.renewal.renew(lambda: [artifact_of(NEW), OTHERS])
            assert not first.done()
            return await first, await one.call(BOOKS), taken

    first, second, taken = live(renewed())
    assert taken
    old, new = first(), second()
    assert old.outcome == new.outcome == "booked"
    assert (old.times(QUESTION), new.times(QUESTION)) == (1, 0)
    assert NEW_QUESTION in " ".join(new.said)
    assert old.record.header["artifact"]["hash"] == artifact_of(FLOW).content_hash
    assert new.record.header["artifact"]["hash"] == artifact_of(NEW).content_hash


def test_a_version_that_was_replaced_is_let_go_with_its_last_call(bed: Open) -> None:
    """While a call runs on it a replaced version is kept; when the call is over nothing holds it any more,
    however many calls are remembered."""

    async def renewed() -> None:
        async with bed() as one:
            kept = weakref.ref(one.running.calls.deployments["table"])
            first = await in_a_call(one)
            assert await one.running.renewal.renew(lambda: [artifact_of(NEW), OTHERS])
            gc.collect()
            assert kept() is not None
            await first
            async with asyncio.timeout(PATIENCE_S):
                while kept() is not None:
                    await asyncio.sleep(0.1)
                    gc.collect()

    live(renewed())


def test_row_54_a_version_the_settings_do_not_fit_is_refused(
    bed: Open, log_lines: list[dict[str, str]]
) -> None:
    """A version that needs facts from a source nobody set up is refused with the reason; the old one serves
    on, in the call that lives and in the next."""
    needs = seal(replace(artifact_of(NEW), fact_source="archive"))

    async def refused() -> list[Later]:
        async with bed() as one:
            first = await in_a_call(one)
            assert not await one.running.renewal.renew(lambda: [needs, OTHERS])
            assert one.alerts("flow.refused") == 1
            return [await first, await one.call(BOOKS)]

    for made in live(refused()):
        assert made().outcome == "booked"
        assert made().times(DISCLOSURE) == made().times(QUESTION) == 1
    assert "archive" in next(
        line["why"] for line in log_lines if line["event"] == "flow.refused" and "why" in line
    )


def flipped(content: bytes) -> bytes:
    """With another question, and the hash it had before."""
    return content.replace(NEW_QUESTION.encode(), b"How many people are YOU?")


def of_version(content: bytes) -> bytes:
    return json.dumps(json.loads(content) | {"artifact": 2}).encode()


def renamed(content: bytes) -> bytes:
    return encode(artifact_of(NEW.replace("flow: table", "flow: chair")))


DAMAGE: dict[str, tuple[Callable[[bytes], bytes | None], str]] = {
    "edited": (flipped, "changed after it was compiled"),
    "of another version": (of_version, "version 2"),
    "cut": (lambda content: content[: len(content) // 2], "not a compiled flow"),
    "without its nodes": (lambda content: content.replace(b'"nodes"', b'"knots"'), "damaged"),
    "empty": (lambda content: b"", "not a compiled flow"),
    "missing": (lambda content: None, "No such file"),
    "of another name": (renamed, "other flows than beside, table"),
}


def test_row_72_a_changed_artifact_is_refused_and_the_old_one_goes_on(
    bed: Open, tmp_path: Path, log_lines: list[dict[str, str]]
) -> None:
    """Whatever became of the file while a call lives, the server says why it does not take it and serves what
    it served, in that call and in the next; a good one is taken after all the bad ones."""
    path = tmp_path / "table.json"

    def read() -> list[Artifact]:
        return [decode(path.read_bytes()), OTHERS]

    async def work() -> list[Later]:
        async with bed() as one:
            first = await in_a_call(one)
            before = one.running.calls.deployments["table"]
            for number, (change, _) in enumerate(DAMAGE.values(), start=1):
                left = change(encode(artifact_of(NEW)))
                path.unlink(missing_ok=True)
                if left is not None:
                    path.write_bytes(left)
                assert not await one.running.renewal.renew(read)
                assert one.running.calls.deployments["table"] is before
                assert one.alerts("flow.refused") == number
            assert not first.done()
            made = [await first, await one.call(BOOKS)]
            path.write_bytes(encode(artifact_of(NEW)))
            assert await one.running.renewal.renew(read)
            return made

    for later in live(work()):
        assert later().outcome == "booked"
        assert later().times(QUESTION) == 1
    told = [line["why"] for line in log_lines if line["event"] == "flow.refused" and "why" in line]
    assert len(told) == len(DAMAGE)
    for line, (_, why) in zip(told, DAMAGE.values(), strict=True):
        assert why in line
