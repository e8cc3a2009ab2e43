"""The rules of the house that no other tool checks."""

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import schemas

ROOT = Path(__file__).parent.parent
PACKAGES = ("runtime", "schemas", "voiceflow_compiler")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

MODULE_LINES = 400
FUNCTION_LINES = 60
VAGUE_NAMES = {"common", "data", "handler", "helper", "helpers", "info", "manager", "misc", "util", "utils"}

# Written in pieces so that this file does not find itself.
REGISTRY_HOSTS = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "pypi" + ".python",
)

# Importing the left loads none of the right, so that `vfc --help` and `vfc check` answer at once.
IMPORT_COSTS = {
    "voiceflow_compiler.cli": {"agents", "networkx", "openai", "starlette", "uvicorn", "websockets"},
    "voiceflow_compiler.artifact": {"jinja2", "jsonschema", "networkx", "openai", "typer", "yaml"},
    "runtime.cli": {
        "agents",
        "alembic",
        "mcp",
        "networkx",
        "openai",
        "phonenumbers",
        "pocketsphinx",
        "sqlalchemy",
        "starlette",
        "uvicorn",
        "websockets",
    },
    "runtime.engine": {"asyncio", "jinja2", "networkx", "openai", "typer", "yaml"},
    "runtime.engine.step": {"asyncio", "jinja2", "networkx", "openai", "typer", "yaml"},
}


def name_of(path: Path) -> str:
    """A file as the reader knows it, for example `runtime/engine/step.py`."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method in a file, nested ones too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines a function takes from its `def` to its end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def tracked_files() -> list[Path]:
    """The files git knows that still exist."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("module", [name for name in IMPORT_COSTS if importlib.util.find_spec(name)])
def test_an_import_stays_cheap(module: str) -> None:
    """Importing a module at the front of a command loads no heavy library that only other commands need."""
    program = f"import sys, {module}; print(*(name for name in sys.modules if '.' not in name))"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert not IMPORT_COSTS[module] & set(ran.stdout.split())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_fits_in_one_reading(path: Path) -> None:
    """No module is longer than the wall."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_function_fits_on_one_page(path: Path) -> None:
    """No function is longer than the wall."""
    long = {
        function.name: lines_of(function)
        for function in functions(path)
        if lines_of(function) > FUNCTION_LINES
    }
    assert not long


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_owns(path: Path) -> None:
    """Every module begins with a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_no_name_is_vague() -> None:
    """No module or folder is called by a word that says nothing about what it owns."""
    vague = [
        name_of(path)
        for path in [*MODULES, *TESTS]
        if VAGUE_NAMES & {part.removeprefix("test_") for part in path.relative_to(ROOT).with_suffix("").parts}
    ]
    assert not vague


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_a_test_says_what_it_shows(path: Path) -> None:
    """Every test states its behaviour in a docstring."""
    silent = [
        function.name
        for function in functions(path)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]
    assert not silent


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the business of the machine that installs, so no tracked file says it."""
    found = [
        f"{name_of(path)} names {host}"
        for path in tracked_files()
        for host in REGISTRY_HOSTS
        if host.encode() in path.read_bytes()
    ]
    assert not found


def test_the_lock_is_hashed_and_names_no_place() -> None:
    """Every locked version carries a hash, and the lock holds no address and no index option."""
    entries = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    assert entries
    for entry in entries:
        assert "==" in entry, entry
        assert "--hash=sha256:" in entry, entry
        assert "://" not in entry, entry


def test_a_schema_the_project_does_not_have_is_a_missing_file() -> None:
    """Reading a schema by a wrong name raises FileNotFoundError and does not return something empty."""
    with pytest.raises(FileNotFoundError):
        schemas.read("no-such-schema")
