"""The faults that touch a live call, by number: what goes wrong, and what the caller hears of it.

A row is shown by every test named `test_row_NN_…` in tests/; `ELSEWHERE` names tests of other names.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROWS: Final[dict[int, tuple[str, str]]] = {
    1: (
        "the model's connection is reset in mid-sentence",
        "the hold line within 1 s, speech again within 3 s",
    ),
    2: ("the model falls silent, its socket open", "the hold line within 2.5 s, a new session within 5 s"),
    3: ("the model's peer reads nothing and answers no ping", "as row 2"),
    4: ("the session expires", "nothing (moved before); or as row 1"),
    5: (
        "the model refuses: port, TLS, 401, quota, 429, 503",
        "the disclosure, then within 1.5 s the designed line",
    ),
    6: ("the model accepts and closes at once", "as row 5; for ten seconds no call asks again"),
    7: ("a response fails, is cut or filtered", "the same once more; then the designed line"),
    8: ("errors that change nothing", "nothing"),
    9: ("events nobody can read", "nothing; of more than fifty in ten seconds, as row 1"),
    10: ("two responses at once", "one voice"),
    11: ("audio after the cancel", "nothing of it"),
    12: ("half a minute of audio in one burst", "its own pace; silence within 250 ms of a word"),
    13: ("audio slower than it is heard", "gaps, all of the words"),
    14: ("audio of nothing", "the same once more; then the designed line"),
    15: ("arguments no schema allows", "the question again"),
    16: ("a deed the model only claims", "the truth, within the turn"),
    17: ("a model off the graph", "the disclosure, and the flow's own ways"),
    18: ("a model that goes in circles", "the bound's way out"),
    19: ("the caller hangs up, with and without a goodbye", "-"),
    20: ("a stream that does not begin as it should", "-"),
    21: ("garbage on the line", "nothing; of a flood, a sentence and a person"),
    22: ("floods, huge frames, slow and idle sockets", "-"),
    23: ("frames lost, doubled, out of order, late together", "a gap at most"),
    24: ("a carrier that stops reading", "the newest when it reads again"),
    25: ("marks that do not come back as they should", "nothing"),
    26: ("a word at every moment of an answer", "silence within 250 ms; the disclosure to its end"),
    27: ("everything we send to the carrier", "-"),
    28: ("the same call announced twice", "one assistant"),
    29: ("status callbacks in any order, or none", "-"),
    30: ("a CRM that takes twenty seconds", "the disclosure at once"),
    44: ("a worker is killed with its calls", "one honest sentence within 5 s, and on from the same place"),
    45: ("SIGTERM with live calls", "nothing"),
    46: ("the event loop is blocked", "one gap of that length"),
    47: ("anything raises inside a call", "the last words, then the net"),
    48: ("a call takes too much memory", "the net"),
    49: ("the disk is full, slow or gone", "nothing; no deed is done that is not recorded"),
    50: ("a record is torn", "-"),
    51: ("the store is away", "nothing"),
    52: ("the clock leaps", "nothing"),
    53: ("no descriptor, no name, no port is left", "new calls: a sentence"),
    54: ("a new version during a call, good or bad", "nothing"),
    55: ("a recording cannot be kept", "-"),
    56: ("half as many and three times as many calls as fit", "those too many: a sentence and a person"),
    57: ("a hundred calls in a second", "as row 56"),
    58: ("the processor is taken away", "late audio is dropped, not queued"),
    59: ("one number that abuses us", "it is limited"),
    65: ("forged, replayed and stale signatures and tokens", "refused before any work"),
    68: ("pages asked for by strangers", "404 or 403"),
    72: ("an artifact that was changed", "the old one goes on"),
}
ELSEWHERE: Final[dict[int, tuple[str, ...]]] = {
    4: ("tests/runtime/session/test_long_call.py::test_a_call_of_62_minutes_is_not_cut",),
    19: (
        "tests/runtime/call/test_call.py::test_a_caller_may_hang_up_in_mid_sentence",
        "tests/runtime/call/test_call.py::test_a_line_that_is_cut_is_lost",
        "tests/runtime/call/test_call.py::test_a_line_that_falls_silent_is_gone",
    ),
    20: (
        "tests/runtime/test_server.py::test_a_stream_that_does_not_start_is_closed",
        "tests/runtime/test_server.py::test_a_silent_socket_is_closed",
        "tests/runtime/call/test_call.py::test_a_second_stream_is_the_same_call",
    ),
    28: ("tests/runtime/test_server.py::test_the_same_call_asked_twice_is_one_call",),
    29: ("tests/runtime/test_server.py::test_a_call_that_ends_before_its_stream_is_let_go",),
    45: ("tests/runtime/test_server_stop.py::test_a_drain_takes_no_call_and_lets_live_ones_finish",),
    47: (
        "tests/runtime/call/test_call.py::test_a_bug_inside_a_call_ends_that_call_with_a_designed_line",
        "tests/runtime/test_server.py::test_a_crash_in_one_call_is_that_call_s_alone",
    ),
    49: ("tests/runtime/call/test_call.py::test_nothing_is_changed_outside_without_a_record",),
    51: ("tests/runtime/test_server_keeping.py::test_rows_wait_while_the_store_is_away",),
    65: (
        "tests/runtime/test_server.py::test_a_request_nobody_signed_is_refused",
        "tests/runtime/test_server.py::test_a_token_is_for_its_own_call_and_account",
        "tests/runtime/telephony/test_twilio.py::test_a_signature_that_is_not_ours_is_refused",
    ),
    68: (
        "tests/runtime/test_server_measured.py::test_without_the_token_there_is_no_page",
        "tests/runtime/test_server_measured.py::test_this_machine_reads_the_numbers_of_its_calls",
    ),
}
# Rows that no test shows yet; the page says so.
OWED: Final[frozenset[int]] = frozenset({22, 30, 44, 46, 48, 50, 52, 53, 54, 55, 56, 57, 58, 59, 72})


def functions(path: Path) -> set[str]:
    """The functions of a file."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def proofs() -> dict[int, list[str]]:
    """The tests of each row, as `file::test`."""
    found: dict[int, list[str]] = {number: list(ELSEWHERE.get(number, ())) for number in ROWS}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in sorted(functions(path)):
            if name.startswith("test_row_"):
                found.setdefault(int(name[9:11]), []).append(f"{path.relative_to(ROOT)}::{name}")
    return found


def table() -> str:
    """The rows as the page has them."""
    proved = proofs()
    lines = ["| row | fault | the caller hears | tests |", "|---|---|---|---|"]
    for number, (fault, heard) in ROWS.items():
        names = ", ".join(f"`{one.rpartition('::')[2]}`" for one in sorted(set(proved[number])))
        lines.append(f"| {number} | {fault} | {heard} | {names or 'none yet'} |")
    return "\n".join(lines) + "\n"
