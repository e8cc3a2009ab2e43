"""Settings every test shares. Hypothesis has no deadline: a busy machine is not a failing law."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("dev", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
