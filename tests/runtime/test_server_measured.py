"""The page of numbers of a running server, and who may read it."""

import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.runtime.switchboard import CALLER, Switchboard, open_switchboard, stop_message

TOKEN = "a-token-of-the-scraper"


async def ask(board: Switchboard, **headers: str) -> httpx2.Response:
    """Ask for the numbers."""
    return await board.http.get(board.running.url + "/metrics", headers=headers)


async def test_this_machine_reads_the_numbers_of_its_calls(tmp_path: Path) -> None:
    """After one call the page has it begun, over and its alerts, and holds no number and no call id."""
    async with open_switchboard(tmp_path) as board:
        assert (await board.post("/twilio/voice", signature="forged")).status_code == 403
        async with board.stream(await board.answer()) as socket:
            await socket.send(stop_message())
            await board.over()
        page = (await ask(board)).text
    assert "vfc_calls_begun_total 1.0" in page
    assert 'vfc_calls_ended_total{reason="caller_hangup"} 1.0' in page
    assert 'vfc_alert_total{code="security.request_refused",priority="P3"} 1.0' in page
    assert CALLER not in page
    assert "CA111" not in page


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong-token-of-nobody", TOKEN])
async def test_without_the_token_there_is_no_page(tmp_path: Path, sent: str) -> None:
    """Where a token is set, nothing else opens the page: it is 404 for everybody else, on loopback too."""
    async with open_switchboard(tmp_path, toml=f'[metrics]\ntoken = "{TOKEN}"\n') as board:
        assert (await ask(board, authorization=sent)).status_code == 404
        assert (await ask(board, authorization=f"Bearer {TOKEN}")).status_code == 200


def test_workers_tell_the_sums_of_all(tmp_path: Path) -> None:
    """With the folder of PROMETHEUS_MULTIPROC_DIR any worker's page has every worker's counts."""
    program = "from runtime.metrics import Metrics; m = Metrics(); m.begun.inc(); print(m.text().decode())"
    for _ in range(2):
        page = subprocess.run(
            [sys.executable, "-c", program],
            env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert "vfc_calls_begun_total 2.0" in page
