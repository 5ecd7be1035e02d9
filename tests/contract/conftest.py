"""Hypothesis profiles: how many examples the differential tests draw, chosen by HYPOTHESIS_PROFILE (suite, fuzz)."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "suite",
    max_examples=1000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("fuzz", settings.get_profile("suite"), max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
