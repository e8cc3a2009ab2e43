"""What commands beside a server need of the settings: not what only a server must have."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runtime.commands.base import stop

if TYPE_CHECKING:
    from runtime.settings import Settings

# A key, an address and a token are for serving; a command that only reads may go without.
_UNNEEDED: Final = {
    "telephony.insecure": True,
    "listen.host": "127.0.0.1",
    "public_url": "http://127.0.0.1",
    "model.base_url": "http://127.0.0.1/v1",
}


def settings_of(file: Path | None) -> Settings:
    """The settings of a file (None: `vfc.toml` here) and the environment; what is wrong ends the command."""
    from runtime.settings import load
    from runtime.settings.keys import SettingsError

    try:
        return load(file, os.environ, _UNNEEDED)
    except SettingsError as error:
        stop(*error.problems)
