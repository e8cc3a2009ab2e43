"""What must hold before a server starts: settings that fit together, and a socket to listen on."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Final

from runtime.settings import Settings, is_loopback_url
from runtime.settings.keys import SettingsError
from runtime.telephony import PROVIDERS
from voiceflow_compiler.artifact import Artifact

UNSENT: Final = 4096  # bytes; a third of a second of mu-law in JSON


def check(artifacts: Sequence[Artifact], settings: Settings) -> None:
    """Raises SettingsError with everything that keeps these flows from being served."""
    flows = {artifact.flow for artifact in artifacts}
    names = ", ".join(sorted(flows))
    problems = [
        f"numbers.{number} names the flow {flow!r}, which is not served: name one of {names}."
        for number, flow in settings.numbers.items()
        if flow not in flows
    ]
    if len(flows) < len(artifacts):
        problems.append("two of the flows have the same name: give each its own `flow:`.")
    if len(flows) > 1 and not settings.numbers:
        problems.append("with several flows, say which answers which number: write [numbers] in vfc.toml.")
    problems += _line_problems(settings)
    if problems:
        raise SettingsError(problems)


def _line_problems(settings: Settings) -> list[str]:
    telephony = settings.telephony
    provider = PROVIDERS.get(telephony.provider)
    if provider is None:
        return [f"telephony.provider must be one of {', '.join(PROVIDERS)}: set it in vfc.toml."]
    names = [one.name for one in provider.FORMATS]
    if telephony.audio and telephony.audio not in names:
        return [f"telephony.audio: {telephony.provider} carries {' or '.join(names)}: leave it away."]
    return []


def listen(host: str, port: int) -> socket.socket:
    """A socket bound there. Raises SettingsError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named; with it a frame may wait 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        # Sound that a carrier does not take must wait with us, where it is dropped once it is old, and not in
        # megabytes of the system's buffers. Sockets that are accepted have it from this one.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise SettingsError(
            [f"listen.port: {host}:{port} cannot be listened on ({error.strerror}): set VFC_PORT to another."]
        ) from None
    return listening


def public_url(settings: Settings, listening: socket.socket) -> str:
    """The public address; on this machine alone, with a port taken as it came, that port."""
    host, port = settings.listen.host, listening.getsockname()[1]
    public = settings.public_url
    if public and not (settings.listen.port == 0 and is_loopback_url(public)):
        return public
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
