"""Git without the configuration of whoever runs the tests."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def git_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An author, no global configuration, and nothing that a hook around the tests has set."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    values = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        values |= {f"GIT_{role}_NAME": "test", f"GIT_{role}_EMAIL": "test@example.com"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
