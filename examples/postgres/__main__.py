"""`python -m examples.postgres [--out FOLDER] [--voice spoken|tones] [--speed N]`: every shipped flow, one
call each, with its facts from a CRM over HTTP, its actions done there, and its store in PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from examples.postgres.crm import Crm, answering, read_people
from runtime.database import read_url
from runtime.store import open_store
from tests.runtime import postgres

FLOWS: Final = Path("flows")
NAMES: Final = ("lead_qualification", "appointment_scheduling", "insurance_claim")


def main() -> int:
    """Start PostgreSQL, place the calls, and tell what the store and the CRM have of them."""
    parser = argparse.ArgumentParser(prog="python -m examples.postgres", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/demo-postgres"))
    parser.add_argument("--voice", choices=("spoken", "tones"), default="spoken")
    parser.add_argument("--speed", default="1")
    chosen = parser.parse_args()
    if postgres.binaries() is None:
        print("no PostgreSQL server is installed here: apt-get install postgresql", file=sys.stderr)
        return 2
    with postgres.running() as server:
        return asyncio.run(_calls(server.new(), chosen.out, chosen.voice, chosen.speed))


async def _calls(url: str, out: Path, voice: str, speed: str) -> int:
    codes = []
    for name in NAMES:
        crm = Crm(read_people(FLOWS / name / "crm.csv"), _answers(FLOWS / name))
        async with answering(crm):
            folder = out / name
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / "settings.toml"
            file.write_text(settings(url, crm), encoding="utf-8")
            codes.append(await _call(name, file, folder, voice, speed))
        for action, _ in crm.done.values():
            print(f"{name}: the CRM did {action}", flush=True)
    await _tell(url)
    return max(codes)


def settings(url: str, crm: Crm) -> str:
    """The settings of the calls: what a deployment would write into vfc.toml."""
    facts = "{ " + ", ".join(f'{name} = "fields.{name}"' for name in _columns(crm)) + " }"
    text = f'[store]\nurl = "{url}"\n\n[outbound]\nprivate_hosts = ["127.0.0.1"]\n\n'
    text += f'[facts.crm]\nsource = "http"\nurl = "{crm.url}/people/{{number}}"\n'
    text += f'find = "people"\nnumber = "phone"\nfacts = {facts}\n'
    for action in crm.answers:
        text += f'\n[actions.{action}]\nexecutor = "http"\nurl = "{crm.url}/actions/{action}"\n'
    return text


def _columns(crm: Crm) -> list[str]:
    return list(next(iter(crm.people.values()), {}))


def _answers(flow: Path) -> dict[str, dict[str, Any]]:
    """What the CRM answers for each action: what the default caller's office would."""
    actions = yaml.safe_load((flow / "flow.yaml").read_text(encoding="utf-8")).get("actions") or {}
    told: dict[str, Any] = {}
    for path in sorted((flow / "callers").glob("*.yaml")):
        caller = yaml.safe_load(path.read_text(encoding="utf-8"))
        if caller.get("default") or not told:
            told = caller.get("office") or told
    return {
        name: {
            field: told.get(name, {}).get(field, _PLAIN.get(one.get("type"), "C-1"))
            for field, one in (action.get("returns") or {}).items()
        }
        for name, action in actions.items()
    }


_PLAIN: Final[dict[str, Any]] = {
    "integer": 1,
    "number": 1,
    "boolean": True,
    "date": "2030-01-01",
    "time": "09:00",
}


async def _call(name: str, file: Path, out: Path, voice: str, speed: str) -> int:
    print(f"--- {name}", flush=True)
    options = ["--settings", str(file), "--out", str(out), "--voice", voice, "--speed", speed]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "runtime", "call", str(FLOWS / name), *options, env=os.environ
    )
    return await child.wait()


async def _tell(url: str) -> None:
    store = await open_store(read_url(url, Path()))
    try:
        calls = await store.calls()
        for call in reversed(calls):
            kept = len(await store.packages(call["call_id"]))
            print(f"store: {call['flow']}: {call['reason']}, outcome {call['outcome']}, packages {kept}")
        print(f"store: {len(await store.unknown())} actions nobody knows the end of")
    finally:
        await store.close()


if __name__ == "__main__":
    raise SystemExit(main())
