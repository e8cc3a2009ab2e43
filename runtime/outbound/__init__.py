"""The way out to other systems over HTTP: where it may lead, what is asked, and what may come back."""

from runtime.outbound.exchange import (
    KEY_HEADER,
    KEYS,
    Endpoint,
    Question,
    Reply,
    ask,
    exchange,
    object_of,
    open_endpoint,
    read_headers,
    read_secrets,
    secret,
)
from runtime.outbound.guard import Reach, open_client, reach_of, refusal
from runtime.outbound.paths import Path, read_path, read_paths

__all__ = [
    "KEYS",
    "KEY_HEADER",
    "Endpoint",
    "Path",
    "Question",
    "Reach",
    "Reply",
    "ask",
    "exchange",
    "object_of",
    "open_client",
    "open_endpoint",
    "reach_of",
    "read_headers",
    "read_path",
    "read_paths",
    "read_secrets",
    "refusal",
    "secret",
]
