"""`vfc init`: a small project that checks clean, to begin with."""

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from voiceflow_compiler.commands.base import put_error, stop, write

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")


def init(
    name: Annotated[str, typer.Argument(help="The project's name, and its folder.", metavar="NAME")],
    company: Annotated[
        str | None, typer.Option("--company", help="The company that callers hear.", metavar="TEXT")
    ] = None,
) -> None:
    """Write a small project: a flow, a shared part, a caller, scenarios and vfc.toml."""
    path = Path(name)
    if not _NAME.fullmatch(path.name):
        stop(f"{path.name!r} is no name for a project: use small letters, digits and -, such as my-calls")
    spoken = (company or path.name.replace("-", " ").replace("_", " ").title()).strip()
    if not spoken or any(each in spoken for each in "{}\"'\\:#\n"):
        stop("--company: a plain name, without braces, quotes, colons or #")
    parts = list(_below(files("voiceflow_compiler") / "templates" / "project", ""))
    taken = [path / shown for shown, _ in parts if (path / shown).exists()]
    if taken:
        stop(f"{taken[0]}: there is such a file already, and nothing was written")
    try:
        for shown, part in parts:
            text = part.read_text(encoding="utf-8")
            if shown == "vfc.toml" or shown.endswith("flow.yaml"):
                text = text.replace("{name}", path.name).replace("company: {company}", f"company: {spoken}")
            write(path / shown, text.encode())
            print(path / shown)
    except OSError as error:
        stop(f"{error.filename or path}: {(error.strerror or 'cannot be written').lower()}")
    put_error(f"now: cd {path}, then `vfc check`, `vfc test`, and `vfc graph flows/reception --open`")


def _below(folder: Traversable, above: str) -> Iterator[tuple[str, Traversable]]:
    for part in sorted(folder.iterdir(), key=lambda each: each.name):
        if part.is_dir():
            yield from _below(part, f"{above}{part.name}/")
        else:
            # The build leaves a hidden file out of the package, and git would take it for its own.
            yield f"{above}{'.gitignore' if part.name == 'gitignore' else part.name}", part
