"""Settings with tables of facts, for the tests of every source."""

from pathlib import Path

import pytest

from runtime.context import Source, open_source
from runtime.ports import OutsideFailure
from runtime.settings import Settings, load
from runtime.settings.keys import SettingsError

ENVIRONMENT = {
    "VFC_PUBLIC_URL": "https://c.example",
    "OPENAI_API_KEY": "k",
    "TWILIO_AUTH_TOKEN": "t",
    "CRM_TOKEN": "s3cret",
    "VFC_PRIVATE_HOSTS": "127.0.0.1",
}
DANA = "+12025550101"


def settings(folder: Path, toml: str, **environment: str) -> Settings:
    """Settings with this file."""
    (folder / "vfc.toml").write_text(toml)
    return load(folder / "vfc.toml", ENVIRONMENT | environment)


def opened(folder: Path, toml: str, name: str = "crm", **environment: str) -> Source:
    """The source of this name."""
    return open_source(name, settings(folder, toml, **environment))


async def reason(source: Source, number: str = DANA) -> str:
    """Why a look-up fails."""
    with pytest.raises(OutsideFailure) as told:
        await source.look_up(number)
    return told.value.reason


def problem(folder: Path, toml: str, name: str = "crm", **environment: str) -> str:
    """The one line an operator reads."""
    with pytest.raises(SettingsError) as told:
        opened(folder, toml, name, **environment)
    (line,) = told.value.problems
    return line
