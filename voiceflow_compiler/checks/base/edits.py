"""Edits that keep the shape of what stands around them, in block style and in flow style."""

from voiceflow_compiler.diagnostics import Edit, Path, Places, Span


def before(places: Places, path: Path, written: str) -> tuple[Edit, ...]:
    """Write an entry of a map, or an item of a list, before the one at `path`, in its style."""
    span = places.key(path)
    text = places.texts.get(span.file, "")
    line = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[span.line - 1]
    ahead = line[: span.column - 1]
    at = Span(span.file, span.line, span.column, span.line, span.column)
    if ahead.strip(" -"):
        return (Edit(at, f"{written}, "),)
    indent = ahead if isinstance(path[-1], int) else ahead.replace("-", " ")
    ending = "\r\n" if "\r\n" in text else "\n"
    return (Edit(at, f"{written}{ending}{indent}"),)
