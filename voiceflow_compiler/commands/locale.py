"""`vfc locale`: a file for a translator, written or brought up to date."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer

from voiceflow_compiler.commands.base import Format, flow_file, print_findings, put, put_error, stop, write
from voiceflow_compiler.commands.explain import Form

FormOption = Annotated[Form, typer.Option("--format", help="How it is told.")]


def locale(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    tag: Annotated[str, typer.Argument(help="The locale, such as es-MX.", metavar="TAG")],
    all_texts: Annotated[
        bool, typer.Option("--all", help="List what only the model reads, too: it may be translated.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where something would be written.")
    ] = False,
    format: FormOption = Form.TEXT,  # noqa: A002 - the option is called so
) -> None:
    """Write locales/TAG.yaml beside a flow for a translator; what is translated already is kept."""
    from voiceflow_compiler.locales import texts, written
    from voiceflow_compiler.pipeline import load

    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag):
        stop(f"{tag!r} is no locale: write a tag such as es-MX")
    path = flow_file(flow)
    loaded = load(str(path))
    if loaded.flow is None or loaded.whole is None:
        print_findings(loaded.findings, loaded.source.places.texts, Format.TEXT, to_stderr=True)
        raise typer.Exit(1)
    if tag == loaded.flow.locale:
        stop(f"{tag} is the flow's own locale")
    file = path.parent / "locales" / f"{tag}.yaml"
    known = next((each.locale for each in loaded.locales if each.locale.file == str(file)), None)
    if known is not None and known.source.data is None:
        print_findings(known.findings, loaded.source.places.texts, Format.TEXT, to_stderr=True)
        raise typer.Exit(1)
    old = loaded.source.places.texts.get(str(file), "")
    head = "\n".join(takewhile(lambda line: line.startswith("#") or not line.strip(), old.splitlines()))
    done = written(tag, texts(loaded.whole.data), known and known.source.data, head, all_texts=all_texts)
    if done.gone and not loaded.flow.whole:  # what could not be read of the flow is not gone from it
        print_findings(loaded.findings, loaded.source.places.texts, Format.TEXT, to_stderr=True)
        stop(f"{path}: not all of this flow could be read, and {len(done.gone)} texts would be dropped")
    changes = {"new": done.new, "changed": done.stale, "moved": done.moved, "gone": done.gone}
    if not check:
        try:
            write(file, done.text.encode())
        except OSError as error:
            stop(f"{error.filename or file}: {(error.strerror or 'cannot be written').lower()}")
    if format is Form.JSON:
        listed = {what: list(keys) for what, keys in changes.items()}
        told = {"version": 1, "file": str(file), "locale": tag, "current": done.text == old, **listed}
        put(json.dumps({**told, "written": not check}, indent=2, ensure_ascii=False) + "\n", sys.stdout)
    else:
        _tell(file, changes, check=check)
    raise typer.Exit(int(check and done.text != old))


def _tell(file: Path, changes: Mapping[str, Sequence[str]], *, check: bool) -> None:
    for what, keys in changes.items():
        for key in keys[:200]:
            put_error(f"{what}: {key}")
    if not check:
        new, stale, gone = (len(changes[what]) for what in ("new", "changed", "gone"))
        counts = f"{new} to translate, {stale} to look at again, {gone} dropped"
        put(f"{file}: {counts}\n", sys.stdout)
