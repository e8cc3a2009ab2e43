"""Many calls spread over processes or machines. A way to spread is one function and one line in ENGINES.

Law: the same wishes give the same calls in the same order, on whatever they are made.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from typing import Any, Final

from runtime.simulate.cover.classes import contexts
from runtime.simulate.crowd.run import Had, Wish, one, some
from runtime.simulate.drive.hearing import Hearing
from voiceflow_compiler.artifact import Artifact, decode, encode
from voiceflow_compiler.extras import missing

CHUNK: Final = 200
REACH_S: Final = 5.0


class SpreadError(Exception):
    """The calls cannot be spread this way; the message is one plain line for who asked."""


def crowd(
    artifact: Artifact, wishes: Sequence[Wish], processes: int = 1, engine: str = "local"
) -> Iterator[Had]:
    """Make these calls, in order. Raises SpreadError."""
    yield from ENGINES[engine](artifact, wishes, processes)


def _local(artifact: Artifact, wishes: Sequence[Wish], processes: int) -> Iterator[Had]:
    if processes <= 1:
        yield from some(artifact, wishes)
        return
    with ProcessPoolExecutor(processes, initializer=_open, initargs=(encode(artifact),)) as pool:
        for done in pool.map(_kept_chunk, _chunks(wishes)):
            yield from done


def _chunks(wishes: Sequence[Wish]) -> list[Sequence[Wish]]:
    return [wishes[at : at + CHUNK] for at in range(0, len(wishes), CHUNK)]


_KEPT: list[bytes] = []


def _open(content: bytes) -> None:
    _KEPT[:] = [content]


def _kept_chunk(wishes: Sequence[Wish]) -> list[Had]:
    return chunk(_KEPT[0], wishes)


def chunk(content: bytes, wishes: Sequence[Wish]) -> list[Had]:
    """Some of the calls, in a process that may be asked for more of the same artifact."""
    artifact, ears, mixes = _world(content)
    return [one(artifact, wish, ears, mixes) for wish in wishes]


@lru_cache(maxsize=1)
def _world(content: bytes) -> tuple[Artifact, Hearing, tuple[Mapping[str, Any] | None, ...]]:
    artifact = decode(content)
    return artifact, Hearing(artifact), contexts(artifact)


def _ray(artifact: Artifact, wishes: Sequence[Wish], processes: int) -> Iterator[Had]:
    """On a Ray cluster: the one at RAY_ADDRESS, else one of this machine's processors.

    Every machine of the cluster needs this package at the same version.
    """
    try:
        import ray
    except ImportError:
        raise SpreadError(missing("--engine ray needs Ray, which is not installed", "ray")) from None
    _reach(os.environ.get("RAY_ADDRESS", ""))
    try:
        ray.init(log_to_driver=False, include_dashboard=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise SpreadError(f"the Ray cluster cannot be joined ({type(error).__name__})") from None
    try:
        task = ray.remote(chunk)
        content = ray.put(encode(artifact))
        for waiting in [task.remote(content, wishes) for wishes in _chunks(wishes)]:
            yield from ray.get(waiting)
    except ray.exceptions.RayError as error:
        raise SpreadError(
            f"a machine of the Ray cluster failed ({type(error).__name__}); each needs this package"
        ) from None
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Ray itself asks a cluster that is gone for minutes. Raises SpreadError."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S).close()
    except OSError:
        raise SpreadError(f"nothing answers at RAY_ADDRESS ({address})") from None


ENGINES: Final[Mapping[str, Callable[[Artifact, Sequence[Wish], int], Iterator[Had]]]] = {
    "local": _local,
    "ray": _ray,
}
