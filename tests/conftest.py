"""Settings every test shares. Hypothesis has no deadline: a busy machine is not a failing law."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("dev", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# A shell's background job has Ctrl-C ignored, and every process that a test starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TRIES = int(os.environ.get("TRIES", "1"))  # .ci/run gives two
HERE = Path(__file__).parent
# Where tests start processes, browsers and databases, or hold whole calls over sockets.
REAL = (
    *(
        "stack/",
        "faults/",
        "compiler/lsp/",
        "compiler/test_interrupted",
        "flows/test_spoken",
        "test_benchmarks",
    ),
    *("runtime/actions/", "runtime/call/", "runtime/commands/", "runtime/console/", "runtime/context/"),
    *("runtime/outbound/", "runtime/rollout/", "runtime/session/", "runtime/simulate/", "runtime/store/"),
    "runtime/test_",
)
# Files that take long, mostly waiting: where several run at once they begin, and none is left for the end.
LONG = (
    *("stack/test_workers", "stack/", "test_benchmarks", "runtime/test_example", "compiler/lsp/", "faults/"),
    *("compiler/test_interrupted", "compiler/test_bad_input", "runtime/simulate/", "runtime/rollout/"),
    *("runtime/test_cli", "runtime/test_server", "runtime/console/", "runtime/actions/", "runtime/engine/"),
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What depends on more than its own code may be tried again; what does not must not fail once. The order
    is changed between files only, and only where their tests do not share a process anyway.
    """
    place = {item: item.path.relative_to(HERE).as_posix() for item in items}
    for item in items if TRIES > 1 else ():
        if place[item].startswith(REAL) or item.get_closest_marker("faults"):
            item.add_marker(pytest.mark.flaky(reruns=TRIES - 1, reruns_delay=1))
    if hasattr(config, "workerinput"):
        items.sort(
            key=lambda item: next((n for n, one in enumerate(LONG) if place[item].startswith(one)), len(LONG))
        )
