"""A folder and an example portal for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.example import PORTAL_ID, example_portal
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import Options, Sandbox
from tests.ci import plans
from tests.ci.forges import serving
from tests.ci.github_api import GitHub
from tests.cli.running import OTHER_TOKEN, Desk

PAIR = """\
from: contacts
to: companies
max: 8
labels:
  Billing contact: 2
  Decision maker: unlimited
inverse:
  labels:
    Billing contact: {max: 2, reason: one invoice address and a stand-in}
    Decision maker: 7
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty folder beside the example portal, and another one behind the same address."""
    other = Sandbox(example_portal(PORTAL_ID + 1), Options(OTHER_TOKEN))
    with serve(example_portal(), others=[other]) as server:
        yield Desk(tmp_path, server)


@pytest.fixture
def pair(desk: Desk) -> Desk:
    """A folder with one pair file: two to update, one to create, nothing to delete."""
    desk.write("configs/contacts-companies.yaml", PAIR)
    return desk


@pytest.fixture
def offline(tmp_path: Path) -> Desk:
    """An empty folder and no portal."""
    return Desk(tmp_path)


@pytest.fixture
def github() -> Iterator[GitHub]:
    """A repository with an open pull request and nothing said on it."""
    forge = GitHub()
    with serving(forge):
        yield forge


@pytest.fixture
def job(tmp_path: Path, github: GitHub) -> Desk:
    """A workflow's job for that pull request, with a plan."""
    plans.save(plans.small(), tmp_path / "plan.json")
    plans.save(plans.plan(), tmp_path / "empty.json")
    return Desk(tmp_path, variables=github.variables)
