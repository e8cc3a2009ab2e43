"""The JSON Schemas of every file this project reads or writes, shipped inside the wheel."""

from importlib.resources import files
from importlib.resources.abc import Traversable


def path(name: str) -> Traversable:
    """Where the schema called `name` lies, for example `path("flow")` for `flow.schema.json`.

    The result may be inside a zip file: open it through its own methods. Whether it exists is not checked.
    """
    return files(__name__) / f"{name}.schema.json"


def read(name: str) -> str:
    """The JSON text of the schema called `name`.

    Raises FileNotFoundError when this version of the project ships no such schema.
    """
    return path(name).read_text(encoding="utf-8")
