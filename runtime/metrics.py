"""What one process counts and measures, in a registry of its own, in the text format of Prometheus.

1. Labels are closed sets of words: no call id, no number, no name of a caller's.
2. Where PROMETHEUS_MULTIPROC_DIR is set before Python starts, each worker writes into that folder and any of
   them tells the sums of all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
# Seconds; 0.3 is the line for what the software takes (model and bridge).
BUCKETS: Final = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
# Detection is the VAD's wait, answer is model and bridge together, total is what the caller waited.
PARTS: Final = ("detection", "model", "bridge", "answer", "total")
REASONS: Final = frozenset(
    {
        "assistant_hangup",
        "caller_hangup",
        "drained",
        "cancelled",
        "internal_error",
        "line_lost",
        "malformed_flood",
        "never_started",
        "over_budget",
        "transferred",
        "worker_lost",
    }
)
STATUSES: Final = ("completed", "cancelled", "failed", "incomplete")
TOKENS: Final = ("text_in", "audio_in", "text_cached", "audio_cached", "text_out", "audio_out")


def share(folder: Path) -> None:
    """Count into this folder from here on, beside the processes that were started with it."""
    os.environ[SHARED] = str(folder)
    # Chosen when it was imported, which is over.
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


class Metrics:
    """One process's numbers. Make one for each server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        mine: dict[str, Any] = {"registry": self.registry}
        self.alerts = Counter("vfc_alert", "Alerts by code.", ["code", "priority"], **mine)
        self.live = Gauge("vfc_calls_live", "Calls that are not over.", multiprocess_mode="livesum", **mine)
        self.begun = Counter("vfc_calls_begun", "Calls admitted.", **mine)
        self.ended = Counter("vfc_calls_ended", "Calls that are over, by the reason.", ["reason"], **mine)
        self.latency = Histogram(
            "vfc_turn_seconds",
            "From the end of a caller's turn to the first audio of the answer, by part.",
            ["part"],
            buckets=BUCKETS,
            **mine,
        )
        self.responses = Counter("vfc_responses", "Responses of the model, by status.", ["status"], **mine)
        self.tokens = Counter("vfc_tokens", "Tokens of the model's responses, by kind.", ["kind"], **mine)

    def ended_call(self, reason: str) -> None:
        """A call is over; a reason that is not of the set counts as `other`."""
        self.ended.labels(reason if reason in REASONS else "other").inc()

    def turn(self, latency: Mapping[str, Any]) -> None:
        """The latency note of a record: one answered turn."""
        ms = {part: latency[f"{part}_ms"] for part in PARTS if part != "answer"}
        ms["answer"] = ms["model"] + ms["bridge"]
        for part, value in ms.items():
            self.latency.labels(part).observe(max(0, value) / 1000)

    def response(self, status: str, tokens: Mapping[str, int] | None) -> None:
        """The response note of a record."""
        self.responses.labels(status if status in STATUSES else "other").inc()
        for kind in TOKENS if tokens else ():
            self.tokens.labels(kind).inc((tokens or {}).get(kind, 0))

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        folder = os.environ.get(SHARED)
        if not folder:
            return generate_latest(self.registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone, folder)  # type: ignore[no-untyped-call]
        return generate_latest(everyone)
