"""Hypothesis profiles: how many examples the differential tests draw, chosen by HYPOTHESIS_PROFILE (suite, fuzz).

The suite draws the same examples in each run, so that an unchanged tree gives an unchanged result. `make
fuzz-differential` searches for new ones.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "suite",
    max_examples=300,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("fuzz", settings.get_profile("suite"), max_examples=20_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
