"""Git without the configuration of whoever runs the tests, and YAML with and without its C part."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.parser import Parser


@pytest.fixture(scope="module", params=["with the C parser", "without the C parser"])
def parser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run a module's tests twice; without: as on Python 3.15, where the C part is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "without the C parser":
            patch.setattr("ruamel.yaml.main.CParser", None)
        elif YAML(typ="safe").Parser is Parser:
            pytest.skip("the C part of ruamel.yaml is not installed")
        yield


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
