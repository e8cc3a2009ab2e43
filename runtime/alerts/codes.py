"""Every alert there is: its priority, what it means, and what an operator does about it.

P1 pages at once, P2 pages when its rate is unusual, P3 is read once a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Priority = Literal["P1", "P2", "P3"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One code of the closed set. `means` and `do` are sentences for docs/operations.md."""

    priority: Priority
    means: str
    do: str


CODES: Final[Mapping[str, Alert]] = {
    # the model
    "model.lost": Alert(
        "P2",
        "The connection to the speech model broke; the call went on by its lost-model line.",
        "One now and then is the network. Many at once: look at the provider's status page.",
    ),
    "model.stalled": Alert(
        "P2",
        "The speech model went silent on an open connection, and the watchdog left it.",
        "As `model.lost`.",
    ),
    "model.unreachable": Alert(
        "P2",
        "Every attempt to reach the speech model failed; the caller heard the designed last line.",
        "Check the network to `model.base_url` and the provider's status page.",
    ),
    "model.unusable": Alert(
        "P1",
        "The speech model refuses us for good: key, quota or configuration. Every call fails.",
        "Check the key and the account's balance; `detail` says which it is.",
    ),
    "model.rotated": Alert(
        "P3", "A long call moved to a fresh session before the provider's limit.", "Nothing."
    ),
    "model.malformed": Alert(
        "P2",
        "More than ten events of one session could not be read.",
        "Report it to the provider with the time and the call's record.",
    ),
    "model.error": Alert(
        "P3", "The model answered with an error that changed nothing.", "Look at `detail` when they gather."
    ),
    "response.failed": Alert(
        "P2",
        "A response of the model failed or came incomplete; it was asked for again.",
        "Above two of a hundred: check the account's rate limits.",
    ),
    "response.suppressed": Alert(
        "P3", "The model spoke unasked and was stopped before anybody heard it.", "Nothing."
    ),
    "tool.rejected": Alert(
        "P3",
        "The model reported or asked something the flow does not allow; it was told what is allowed.",
        "When they gather at one node, sharpen the intents there.",
    ),
    "claim.unbacked": Alert(
        "P2",
        "The model claimed a deed that was not done; the call repaired it aloud.",
        "Listen to the call; sharpen the node's words.",
    ),
    "loop.detected": Alert(
        "P3",
        "A call made no progress, or came to one node too often, and took its bound's way out.",
        "Listen to one of them.",
    ),
    # the line
    "line.lost": Alert(
        "P3", "The line went silent without a goodbye (half-open).", "Many at once: the carrier's network."
    ),
    "line.malformed": Alert(
        "P2",
        "More than twenty messages of one line could not be read.",
        "Check who connects to the media address.",
    ),
    "line.flood": Alert(
        "P2",
        "A line sent a hundred unreadable messages in a second and was closed.",
        "It is no carrier: find out who has the address.",
    ),
    "line.marks": Alert(
        "P3",
        "The carrier did not say when audio was played; it was timed instead.",
        "Nothing, unless every call has it.",
    ),
    "audio.dropped": Alert(
        "P2",
        "Audio was dropped: the carrier or the model stopped reading, or the model flooded us.",
        "Above one call in a hundred: the network to either, or too many calls on this machine.",
    ),
    "audio.dead_air": Alert(
        "P2",
        "A caller heard nothing for three seconds or longer when it was the assistant's turn.",
        "Look at the call's record for what it waited for: `vfc latency` tells how often and how long.",
    ),
    "audio.underrun": Alert(
        "P2",
        "The model's speech came slower than it is heard: there were gaps of over 200 ms.",
        "Above one call in a hundred: the network to the model.",
    ),
    # the call
    "answer.slow": Alert(
        "P3",
        "In this call model and bridge took more than 300 ms for an answer (told once a call).",
        "Watch the histogram `vfc_turn_seconds`; see docs/metrics.md for the share that is usual.",
    ),
    "call.broken": Alert(
        "P1",
        "Something of ours raised inside a call; its caller heard the last words and the others go on.",
        "A defect: report it with `error` and `place` of the record's `internal_error` note.",
    ),
    "call.shed": Alert(
        "P2",
        "A call was declined with a sentence; the line tells why: full, slow, memory, number or day.",
        "Full, slow or memory: add processes or machines. Number or day: see `limits`.",
    ),
    "call.number_unknown": Alert(
        "P3", "A number rang that no flow answers.", "Name it under [numbers], or take it off the provider."
    ),
    "call.over_budget": Alert(
        "P2",
        "A call held more memory than `limits.call_mb` allows, and ended through the net; `detail`: what of.",
        "`model` or `speech`: a model that does not stop; `sound` or `record`: a disk that is slow.",
    ),
    "call.repeated": Alert("P3", "A call's webhook came twice; it is one call all the same.", "Nothing."),
    "call.resumed": Alert(
        "P2",
        "A call whose stream broke or whose process died went on where it stood.",
        "One now and then is the network. Many at once: look for `worker.died`.",
    ),
    "call.lost": Alert(
        "P1",
        "A process died with this call, and nobody asked to go on with it; perhaps the caller hung up.",
        "Look for `worker.died`. Check that the provider reaches the address it asks after a stream.",
    ),
    "call.superseded": Alert(
        "P2",
        "A call was gone on with elsewhere while this process still held it; here it was ended.",
        "Look for `loop.stuck` and `store.away` before it.",
    ),
    "call.unsettled": Alert(
        "P2",
        "A call's stream ended and the call did not say why within three seconds.",
        "Look for blocked processes.",
    ),
    # storage
    "store.slow": Alert(
        "P2",
        "An answer of the store was late or failed. Calls go on; it is asked again.",
        "One now and then is a busy machine. Many: the disk, the database, or too many calls here.",
    ),
    "store.away": Alert(
        "P1",
        "The store has given no answer for ten seconds. Calls go on; what is to be kept waits.",
        "Bring the store back; until then a call whose process dies begins anew.",
    ),
    "record.failed": Alert(
        "P1",
        "The disk refuses a call's record. The call goes on; nothing that changes anything outside is done.",
        "Make room, or mend the disk: up to 1,000 lines of each call wait for it, for ten minutes at most."
        " What does not fit is in the lines `record.spilled` on stderr.",
    ),
    "sound.failed": Alert("P2", "A call's sound could not be kept.", "As `record.failed`."),
    # the outside
    "context.missing": Alert(
        "P2",
        "A caller's facts did not come in time or at all; the call went on without.",
        "Check the source; `detail` says why.",
    ),
    "action.failed": Alert(
        "P2", "An action failed; the caller heard the flow's way out.", "Check the system it asks."
    ),
    "action.not_undone": Alert(
        "P2",
        "A caller hung up while something was done, and it could not be taken back; `detail` says why.",
        "Look at the call's record and take it back by hand.",
    ),
    "action.resting": Alert(
        "P1",
        "An action failed so often that it is left alone for a while; callers hear its way out at once.",
        "Mend the system it asks; it is tried again by itself.",
    ),
    "action.unknown": Alert(
        "P2",
        "Nobody knows whether an action was done.",
        "`vfc action unknown` lists them; settle them by hand.",
    ),
    "handoff.failed": Alert(
        "P2",
        "A person could not be brought onto the line; the caller was told.",
        "Check who is on duty; `detail` says why.",
    ),
    "handoff.package_failed": Alert(
        "P1",
        "A context package could not be delivered.",
        "Check the channel; packages wait in the spool and are tried again.",
    ),
    "handoff.package_lost": Alert(
        "P1",
        "A context package was tried for its whole time and is given up.",
        "It lies in the spool as `.undelivered`.",
    ),
    "handoff.spool_failed": Alert(
        "P1", "The spool of packages cannot be read or written.", "Look at the folder and the disk."
    ),
    # who may come in
    "security.request_refused": Alert(
        "P3",
        "A webhook came without a valid signature and was refused.",
        "From the fifth within an hour on it is P2: find the source.",
    ),
    "security.stream_refused": Alert(
        "P3",
        "A media stream came without a signature or a token that is valid, and was refused.",
        "From the fifth within an hour on it is P2: find the source.",
    ),
    "security.wrong_person": Alert(
        "P3",
        "A look-up found two people, or a record of another number; nobody's facts were used.",
        "Clean the CRM's numbers; many of one number may be somebody trying.",
    ),
    "security.address_refused": Alert(
        "P1",
        "An action's address led where it may not, and was not connected to.",
        "Look at the name's DNS: somebody may bend it. `outbound.private_hosts` lists what may be private.",
    ),
    "security.card_number": Alert(
        "P3",
        "A caller told a payment card's number where none is asked for; it was taken out of all texts.",
        "When they gather at one flow, ask for less, or collect it in a secret slot.",
    ),
    "security.page_refused": Alert(
        "P3",
        "Metrics or the desk were asked for without the token.",
        "From the fifth within an hour on it is P2: find the source.",
    ),
    # the process
    "loop.blocked": Alert(
        "P2",
        "The event loop stood still for more than 250 ms; the line `loop.stood_still` names the place.",
        "A machine too busy, or a defect: report it with the place.",
    ),
    "loop.stuck": Alert(
        "P1",
        "The event loop stood still for more than two seconds; its callers heard nothing meanwhile.",
        "As `loop.blocked`.",
    ),
    "worker.died": Alert(
        "P1",
        "A worker process ended by itself; it is started again, and its calls are gone on with by others.",
        "Its last lines say why. Killed by signal 9: look for a lack of memory.",
    ),
    "worker.hung": Alert(
        "P1",
        "A worker's event loop did not turn for a minute; the supervisor killed it.",
        "The stack it wrote before is on stderr: report it.",
    ),
    "worker.memory": Alert(
        "P1",
        "A process holds more memory than `limits.memory_mb` allows; it takes no further call meanwhile.",
        "Live calls go on. Does it not fall when they end: restart this worker, and report it.",
    ),
    "flow.refused": Alert(
        "P1",
        "A new version of what is served was refused; the one before goes on being served.",
        "The lines beside it say why: compile the flow again, or mend the settings and start again.",
    ),
    "drain.deadline": Alert(
        "P2",
        "Calls were still live at the end of the time to drain, and were ended.",
        "Raise `limits.drain_ms`.",
    ),
}
