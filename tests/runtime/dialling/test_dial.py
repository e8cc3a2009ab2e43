"""`vfc dial` before anything rings."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.cli import app

NUMBER = "+12025550123"
FLOW = str(Path(__file__).parents[3] / "flows" / "lead_qualification")
SETTINGS = """
public_url = "https://calls.example.com"
[telephony]
account = "AC1"
[dialling]
number = "+15005550001"
"""
SECRETS = {"OPENAI_API_KEY": "k", "TWILIO_AUTH_TOKEN": "t"}


def dial(folder: Path, consent: str, text: str = SETTINGS) -> tuple[int, str]:
    (folder / "vfc.toml").write_text(text)
    done = CliRunner().invoke(
        app,
        ["dial", FLOW, NUMBER, "--consent", consent, "--settings", str(folder / "vfc.toml")],
        env=SECRETS,
    )
    return done.exit_code, done.output


def test_nobody_is_called_without_consent(tmp_path: Path) -> None:
    """Without a record the command says so and ends with 1."""
    code, told = dial(tmp_path, "c-1")
    assert code == 1
    assert "not called: there is no record of consent" in told
    assert NUMBER not in told


def test_a_consent_is_found_by_its_id(tmp_path: Path) -> None:
    """An id names a file in the folder of consents; a revoked one calls nobody."""
    (tmp_path / "consents").mkdir()
    record = {"id": "c-1", "number": NUMBER, "given_at": "2020-01-01T00:00:00Z", "how": "form"}
    record["revoked_at"] = "2020-02-01T00:00:00Z"
    (tmp_path / "consents" / "c-1.json").write_text(json.dumps(record))
    code, told = dial(tmp_path, "c-1")
    assert code == 1
    assert "not called: the consent was revoked" in told


@pytest.mark.parametrize("consent", ["../../nowhere/passwd", "a/b", ".."])
def test_an_id_leads_nowhere_else(tmp_path: Path, consent: str) -> None:
    """What is no id and no file is no consent."""
    code, told = dial(tmp_path, consent)
    assert code == 1
    assert "no record of consent" in told


def test_a_list_that_cannot_be_read_calls_nobody(tmp_path: Path) -> None:
    """A do-not-call list that is named and missing stops every call."""
    code, told = dial(tmp_path, "c-1", SETTINGS + 'do_not_call = "never.txt"\n')
    assert code == 2
    assert "do_not_call" in told


def test_what_calls_are_placed_with_must_be_set(tmp_path: Path) -> None:
    """Without our number and the account the command cannot run, and names both."""
    code, told = dial(tmp_path, "c-1", 'public_url = "https://calls.example.com"\n')
    assert code == 2
    assert "dialling.number" in told
    assert "telephony.account" in told
