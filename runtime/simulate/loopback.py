"""A whole telephone world on this machine: the stand-in, the real server and its settings, for one call or
many.

The server runs by a settings file like any deployment's (it is left in the folder to be read); only keys
and ports are made up.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec

from runtime import server, settings
from runtime.ports import Watch
from runtime.session.stand_in import StandIn
from runtime.settings.keys import FILE_NAME
from runtime.simulate.carriers import CARRIERS
from runtime.simulate.colleague import pick_up
from runtime.simulate.interface import serve_interface
from runtime.simulate.network import Network
from runtime.simulate.phone import Subscription, poster
from runtime.simulate.profile import Profile
from runtime.voices import VoiceMissing
from voiceflow_compiler.artifact import Artifact

PERSON: Final = "+12025550199"
CRM: Final = "crm.csv"
RECORDS: Final = "records"
NONE: Final[Mapping[str, Any]] = {}
AUDIO: Final = {"l16": "audio/pcm"}
UNREACHABLE: Final = "http://127.0.0.1:9/"  # the discard port: nothing listens there


@dataclass(frozen=True, slots=True)
class World:
    """A running world: the number to call."""

    subscription: Subscription


@asynccontextmanager
async def open_world(
    artifact: Artifact,
    flow: Path,
    profile: Profile,
    folder: Path,
    voice: str,
    watch: Watch = lambda call_id, line: None,
    line: str = "twilio",
    given: Path | None = None,
    *,
    apart: bool = False,
) -> AsyncIterator[World]:
    """Start everything for calls of this caller to the flow in the folder `flow`. `given`: a settings file
    whose facts, actions, handoffs and store are used instead of made-up ones. `apart`: the stand-in is a
    process of its own, as a model is, so that its hearing takes no time from the calls. Raises VoiceMissing,
    SettingsError.
    """
    own = settings.load_tables(given) if given else {}
    file = write_settings(artifact, flow, profile, folder, own)
    token = secrets.token_hex(16)
    async with AsyncExitStack() as undo:
        model_url = await undo.enter_async_context(_process(voice) if apart else _here(voice))
        options = {"model.base_url": model_url, "telephony.auth_token": token}
        provider, _, audio = line.partition("-")
        options |= {"telephony.provider": provider, "telephony.account": CARRIERS[provider].account}
        options |= {"telephony.audio": AUDIO[audio]} if audio else {}
        http = await undo.enter_async_context(httpx2.AsyncClient(timeout=15.0, trust_env=False))
        network = Network(CARRIERS[provider], token, poster(http), profile.person, pick_up)
        undo.push_async_callback(network.close)
        options["dialling.api_url"] = await undo.enter_async_context(serve_interface(network))
        options["dialling.secret"] = _secret(provider)
        # Not into the file that is left behind: the store's address may hold a password.
        options |= {"store.url": own.get("store", {}).get("url")}
        # The port is known only once the server listens, and the public address follows from it.
        chosen = replace(settings.load(file, {}, options), public_url="")
        if given:
            chosen = replace(chosen, folder=given.parent, environment=os.environ)
        running = await server.start([artifact], chosen, watch=watch)
        try:
            yield World(Subscription(running.voice_url, token, provider=provider, network=network))
        finally:
            await running.aclose()


@asynccontextmanager
async def _here(voice: str) -> AsyncIterator[str]:
    async with StandIn(voice=voice) as stand_in:
        yield stand_in.base_url


@asynccontextmanager
async def _process(voice: str) -> AsyncIterator[str]:
    """The address of a stand-in that runs as `vfc stand-in` does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "runtime", "stand-in", "--port", "0", "--voice", voice),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is ours to answer
    )
    try:
        assert process.stdout is not None
        told = (await process.stdout.readline()).decode().strip()
        if not told.startswith("OPENAI_BASE_URL="):
            raise VoiceMissing("the stand-in did not start; why is said above")
        yield told.partition("=")[2]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)  # as Ctrl-C: it ends what it started itself
        await process.wait()


def _secret(provider: str) -> str:
    """What opens the REST interface: made up, and for Vonage a key that signs."""
    if provider != "vonage":
        return secrets.token_hex(16)
    from cryptography.hazmat.primitives.asymmetric import rsa  # comes with the extra that Vonage needs
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def write_settings(
    artifact: Artifact, flow: Path, profile: Profile, folder: Path, own: settings.Table = NONE
) -> Path:
    """The settings file of the server in this folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE_NAME
    file.write_text(settings_text(artifact, flow, profile, own), encoding="utf-8")
    return file


def settings_text(artifact: Artifact, flow: Path, profile: Profile, own: settings.Table = NONE) -> str:
    """The settings of the server, as TOML; tables of `own` stand instead of those made up."""
    tables: dict[str, Mapping[str, Any]] = {}
    if artifact.fact_source is not None:
        tables[f"facts.{artifact.fact_source}"] = {"source": "csv_file", "path": str((flow / CRM).resolve())}
    for name, action in artifact.actions.items():
        tables[f"actions.{action.called or name}"] = _action(profile, name)
    for name in artifact.handoffs:
        tables[f"handoffs.{name}"] = {"number": PERSON}
    if profile.locale is not None:
        tables["locales"] = {artifact.flow: profile.locale}
    for kind in ("facts", "actions", "handoffs"):
        tables |= {f"{kind}.{name}": table for name, table in own.get(kind, {}).items()}
    head = "# The settings this call ran with; keys and ports were made up for it.\n"
    head += 'public_url = "http://127.0.0.1"\n'
    head += f'records = "{RECORDS}"\n\n[listen]\nport = 0\n\n[outbound]\nprivate_hosts = ["127.0.0.1"]\n'
    return head + "".join(f"\n[{name}]\n" + "".join(_pairs(table)) for name, table in tables.items())


def _action(profile: Profile, name: str) -> Mapping[str, Any]:
    told = profile.office.get(name, {})
    if "fails" in told:
        return {"executor": "http", "url": UNREACHABLE}
    return {"executor": "local", "returns": told}


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {_toml(value)}\n" for name, value in table.items()]


def _toml(value: Any) -> str:
    """A value as TOML: JSON's texts, numbers and booleans are TOML's, only tables are written otherwise."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + "}"
    return msgspec.json.encode(value).decode()
