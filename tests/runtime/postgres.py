"""A real PostgreSQL server in a temporary folder, on loopback, for tests; never run by root."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt", "/usr/pgsql")
USER = "vfc"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    port: int
    folder: Path
    binaries: Path

    def url(self, name: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def new(self) -> str:
        """The address of a fresh, empty database."""
        name = "t" + secrets.token_hex(6)
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, name)
        return self.url(name)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs as the server's user; what it says is shown when it fails."""
        done = subprocess.run(
            [self.binaries / program, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
            **_as_nobody_special(),
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it; `at_once` as a crash does."""
        how = "immediate" if at_once else "fast"
        self.run("pg_ctl", "stop", "-D", str(self.folder / "data"), "-m", how, "-w")

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        # The machine does not lose power in a test, and a restart must not recover for half a minute.
        options += " -c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0"
        log = str(self.folder / "log")
        self.run(
            "pg_ctl", "start", "-D", str(self.folder / "data"), "-w", "-t", "120", "-l", log, "-o", options
        )


def binaries() -> Path | None:
    """Where the server's programs are, the newest version first."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    for place in PLACES:
        for path in sorted(Path(place).glob("*/bin/initdb"), reverse=True):
            return path.parent
    return None


@contextmanager
def running() -> Iterator[Server]:
    """A server for as long as this lasts; skips the test where none is installed."""
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="vfc-pg-"))
    folder.chmod(0o755)
    if os.getuid() == 0:
        who = pwd.getpwnam("postgres")
        os.chown(folder, who.pw_uid, who.pw_gid)
    server = Server(_free_port(), folder, programs)
    try:
        server.run(
            "initdb", "-D", str(folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "-N"
        )
        server.start()
        try:
            yield server
        finally:
            server.stop(at_once=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_nobody_special() -> dict[str, Any]:
    """The server refuses to be run by root, rightly."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
