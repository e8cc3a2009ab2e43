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
    31: ("the CRM is slow, down or wrong", "the disclosure at once; the call goes on without it"),
    32: ("the CRM knows another person, or two", "nothing personal"),
    33: ("an action is slow", "words within 1.2 s, again every 6 to 8 s, an honest end"),
    34: (
        "an action was done and its answer lost",
        '"I\'m checking whether that went through.", then the truth',
    ),
    35: ("the same action asked for two to five times", "one result"),
    36: ("the process dies around an action", "the truth, when they call again"),
    37: ("an action fails again and again", "the flow's way out at once"),
    38: ("the caller hangs up while an action runs", "-"),
    39: (
        "nobody answers, busy, declined, voicemail, closed, or a person who drops off",
        "within 30 s that nobody is free, and on with the assistant",
    ),
    40: ("the context package cannot be delivered", "no promise; that somebody will call back"),
    41: ("who hangs up when, while a person is brought in", "no two voices"),
    42: ("a person asked for in any words, at any node", "a person, or why not, within a turn"),
    43: ("the transfer's interface is slow or fails", "the assistant, then within 8 s ringing"),
    44: ("a worker is killed with its calls", "one honest sentence within 5 s, and on from the same place"),
    45: ("SIGTERM with live calls", "nothing"),
    46: ("the event loop is blocked", "one gap of that length"),
    47: ("anything raises inside a call", "the last words, then the net"),
    48: ("a call takes too much memory", "the last words, then the net"),
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
    60: ("callers who give orders to the model, in many disguises", "the flow; a kind refusal"),
    61: ("records and results that hold instructions, markup, 100 KB", "words at most"),
    62: ("a caller or the model wants another number dialled", "the flow's own people"),
    63: ("another customer's data is asked for; keys nobody asked for", "nothing of it"),
    64: ("a secret or a card's number, told or keyed in", "the flow; nothing keeps it"),
    65: ("forged, replayed and stale signatures and tokens", "refused before any work"),
    66: ("an address that leads inside, by name, number or redirect", "the action's way of a failure"),
    67: ("words that would be lines, markup or commands", "nothing"),
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
    22: (
        "tests/runtime/test_server.py::test_too_many_sockets_that_never_start_are_turned_away",
        "tests/runtime/test_server.py::test_a_silent_socket_is_closed",
        "tests/runtime/test_websocket.py::test_a_message_that_is_too_long_closes_with_1009",
        "tests/runtime/test_websocket.py::test_a_length_that_is_a_lie_is_refused_at_once",
    ),
    28: ("tests/runtime/test_server.py::test_the_same_call_asked_twice_is_one_call",),
    29: ("tests/runtime/test_server.py::test_a_call_that_ends_before_its_stream_is_let_go",),
    30: (
        "tests/pitfalls/test_e_carriers.py::test_E7_the_answer_does_not_wait_for_the_crm",
        "tests/runtime/test_outside_faults.py::test_the_first_word_waits_for_nobody",
    ),
    31: (
        "tests/runtime/test_outside_faults.py::test_a_bad_crm_ends_in_the_flow_s_own_values",
        "tests/runtime/test_outside_faults.py::test_the_first_word_waits_for_nobody",
    ),
    32: ("tests/runtime/test_outside_faults.py::test_the_wrong_person_is_never_spoken_of",),
    33: (
        "tests/runtime/call/test_unknown.py::test_a_slow_action_leaves_no_dead_air",
        "tests/runtime/call/test_unknown.py::test_a_person_asked_for_while_an_action_runs_is_brought",
    ),
    34: (
        "tests/runtime/call/test_unknown.py::test_a_lost_answer_is_told_looked_for_and_found",
        "tests/runtime/call/test_unknown.py::test_what_nobody_can_tell_is_not_called_a_failure",
    ),
    37: (
        "tests/runtime/actions/test_once.py::test_a_storm_of_failures_opens_the_breaker_of_that_action_alone",
    ),
    38: (
        "tests/runtime/actions/test_once.py::test_a_deed_goes_on_when_nobody_waits_any_more",
        "tests/runtime/call/test_unknown.py::test_what_a_caller_left_behind_is_taken_back",
    ),
    45: ("tests/runtime/test_server_stop.py::test_a_drain_takes_no_call_and_lets_live_ones_finish",),
    47: (
        "tests/runtime/call/test_call.py::test_a_bug_inside_a_call_ends_that_call_with_a_designed_line",
        "tests/runtime/test_server.py::test_a_crash_in_one_call_is_that_call_s_alone",
    ),
    49: ("tests/runtime/call/test_call.py::test_nothing_is_changed_outside_without_a_record",),
    50: (
        "tests/runtime/test_record.py::test_a_torn_record_gives_every_whole_line_and_no_other",
        "tests/runtime/test_record.py::test_a_changed_line_ends_what_can_be_believed",
    ),
    51: ("tests/runtime/test_server_keeping.py::test_rows_wait_while_the_store_is_away",),
    56: ("tests/runtime/test_server.py::test_a_call_past_the_cap_is_told_and_rings_a_person",),
    63: ("tests/faults/test_attacks.py::test_row_62_63_no_other_number_and_no_other_caller",),
    64: (
        "tests/runtime/call/test_sensitive.py::test_a_code_is_keyed_in_and_nobody_has_it",
        "tests/runtime/call/test_sensitive.py::test_a_card_keyed_in_where_none_is_asked_for",
        "tests/runtime/call/test_sensitive.py::test_a_card_told_where_none_is_asked_for",
        "tests/runtime/call/test_sensitive.py::test_nobody_hears_the_caller_where_a_code_is_asked_for",
    ),
    66: (
        "tests/runtime/outbound/test_guard.py::test_an_odd_address_is_refused_when_it_is_read",
        "tests/runtime/outbound/test_guard.py::test_an_odd_address_is_refused_when_it_is_asked",
        "tests/runtime/outbound/test_guard.py::test_a_name_that_leads_inside_reaches_nothing",
        "tests/runtime/outbound/test_tls.py::test_another_name_s_certificate_is_refused",
    ),
    65: (
        "tests/runtime/test_server.py::test_a_request_nobody_signed_is_refused",
        "tests/runtime/test_server.py::test_a_token_is_for_its_own_call_and_account",
        "tests/runtime/telephony/test_twilio.py::test_a_signature_that_is_not_ours_is_refused",
    ),
    68: (
        "tests/runtime/test_server_measured.py::test_without_the_token_there_is_no_page",
        "tests/runtime/test_server_measured.py::test_this_machine_reads_the_numbers_of_its_calls",
    ),
    72: ("tests/compiler/test_artifact.py::test_an_edited_artifact_is_refused",),
}
# Rows that no test shows yet; the page says so.
OWED: Final[frozenset[int]] = frozenset()


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
