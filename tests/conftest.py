"""What holds for every test: machines are shared and noisy, so no test is judged by its time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")

# Commands that tests start would otherwise compile every module again: 0.1 s each.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
