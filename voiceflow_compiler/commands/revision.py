"""What stands beside a flow, and what stood in a folder at a git revision."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from voiceflow_compiler.commands.base import stop

# what a flow, its includes, an artifact and a project may be called
_READ: Final = (".yaml", ".yml", ".json", ".toml")


def checked_out(revision: str, inside: str, kept: ExitStack) -> Path:
    """A path as it was at a git revision, in a folder of its own that is there while `kept` is open.

    Ends the command where git knows no such revision, or the revision no such path.
    """
    prefix = git("rev-parse", "--show-prefix", revision=revision).decode().strip()
    root = git("rev-parse", "--show-toplevel", revision=revision).decode().strip()
    listed = git("ls-tree", "-r", "-z", "--name-only", revision, revision=revision, folder=root)
    folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="vfc-")))
    for ending in _READ:
        if f"{ending}\0".encode() in listed:  # git refuses a pattern that matches nothing
            only = f":(glob)**/*{ending}"
            archive = git("archive", "--format=tar", revision, only, revision=revision, folder=root)
            with tarfile.open(fileobj=io.BytesIO(archive)) as files:
                files.extractall(folder, filter="data")
    (folder / ".git").mkdir()  # here ends what a flow may include, as it does where it was checked out
    path = folder / prefix / inside
    if not path.exists():
        stop(f"{revision}:{inside}: there is no such path at this revision")
    return path


def git(*words: str, revision: str, folder: str = ".") -> bytes:
    """What git prints; its first line of complaint ends the command."""
    try:
        ran = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        stop(f"{revision}: no such file, and git, which would know a revision, is not installed")
    if ran.returncode:
        lines = ran.stderr.decode(errors="replace").strip().splitlines() or ["git failed"]
        stop(f"{revision}: {lines[0]}")
    return ran.stdout


def beside(folder: Path) -> Iterator[tuple[str, Any]]:
    """The callers and scenarios in a flow's folder; one that cannot be read is nobody's change."""
    from voiceflow_compiler.include import read
    from voiceflow_compiler.source import Budget

    for kind in ("callers", "scenarios"):
        for path in sorted((folder / kind).glob("*.yaml")):
            result = read(path, str(path), Budget())
            if not result.findings:
                yield f"{kind}/{path.name}", result.data
