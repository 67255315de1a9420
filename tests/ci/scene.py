"""A repository on GitHub with a portal beside it, and the runners that work for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.server import Server, serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN, Options, Sandbox
from tests.ci.actions import Runner
from tests.ci.forges import serving
from tests.ci.github_api import GitHub
from tests.ci.here import run_here
from tests.ci.machine import Machine
from tests.ci.repository import Repository
from tests.ci.shell import Coverage
from tests.cli.running import Desk
from tests.sandbox.talking import decoded, get, limits_path, one, write

TWIN_ID, TWIN_TOKEN = 89, "sandbox-token-of-the-twin"
"""Another portal behind the same address, with the same limits."""

LIMIT = 279
BILLING = 28


@dataclass
class Scene:
    """`top` holds it all; every runner has a machine of its own."""

    top: Path
    server: Server
    github: GitHub
    repository: Repository
    coverage: Coverage
    real: bool = False
    runners: list[Runner] = field(default_factory=list)

    @classmethod
    @contextmanager
    def playing(cls, top: Path, coverage: Coverage, *, real: bool = False) -> Iterator[Scene]:
        """A new scene: the main branch says what the portal has. `real`: see `Machine`."""
        github = GitHub()
        twin = Sandbox(example_portal(TWIN_ID), Options(TWIN_TOKEN))
        with serve(example_portal(), others=[twin]) as server, serving(github):
            yield cls(top, server, github, Repository.start(top), coverage, real)

    def pull_request(self, repository: str = "acme/limits") -> Runner:
        """The runner of a pull request from the branch `change`, its merge checked out."""
        head = self.repository.git("rev-parse", "change")
        merge = self.repository.check_out_merge()
        request = {"number": 7, "head": {"sha": head, "repo": {"full_name": repository}}}
        return self.runner(
            {"pull_request": request},
            GITHUB_EVENT_NAME="pull_request",
            GITHUB_BASE_REF="main",
            GITHUB_SHA=merge,
        )

    def merge_group(self) -> Runner:
        """The runner of a merge queue: the branch `change`, merged into what main is now."""
        base = self.repository.git("rev-parse", "main")
        merge = self.repository.check_out_merge()
        ref = f"refs/heads/gh-readonly-queue/main/pr-7-{base}"
        group = {
            "head_sha": merge,
            "head_ref": ref,
            "base_sha": base,
            "base_ref": "refs/heads/main",
        }
        return self.runner(
            {"action": "checks_requested", "merge_group": group},
            GITHUB_EVENT_NAME="merge_group",
            GITHUB_REF=ref,
            GITHUB_SHA=merge,
        )

    def push(self) -> Runner:
        """The runner of a push to main."""
        return self.runner(
            {"ref": "refs/heads/main"},
            GITHUB_EVENT_NAME="push",
            GITHUB_REF="refs/heads/main",
            GITHUB_REF_NAME="main",
            GITHUB_SHA=self.repository.head,
            GITHUB_WORKFLOW="HubSpot apply",
            GITHUB_WORKFLOW_REF="acme/limits/.github/workflows/hubspot-apply.yml@refs/heads/main",
        )

    def runner(self, event: dict[str, Any], **more: str) -> Runner:
        """A runner with the variables that GitHub sets, no secret among them."""
        machine = Machine(self.top / f"machine-{len(self.runners)}", self.real)
        path = machine.top / "event.json"
        path.write_text(json.dumps(event))
        standard = {
            name: value
            for name, value in self.github.variables.items()
            if name not in {"GITHUB_TOKEN", "GITHUB_REF"}
        }
        env = {**standard, "GITHUB_EVENT_PATH": str(path), "HUBSPOT_BASE_URL": self.server.url}
        context = {"event": event, "repository": "acme/limits"}
        secrets = {"HUBSPOT_READ_TOKEN": DEFAULT_TOKEN, "HUBSPOT_ACCESS_TOKEN": DEFAULT_TOKEN}
        runner = Runner(
            self.repository.folder, machine, self.coverage, context, {**env, **more}, secrets
        )
        self.runners.append(runner)
        return runner

    def planned(self, object_limit: int) -> Path:
        """A branch with a change is planned as the recipes do it: the plans that are kept."""
        self.repository.branch(object_limit=object_limit, billing=1)
        self.repository.check_out_merge()
        plans = self.top / f"plans-{object_limit}"
        plans.mkdir()
        variables = {"HUBSPOT_BASE_URL": self.server.url, "HUBSPOT_ACCESS_TOKEN": DEFAULT_TOKEN}
        desk = Desk(self.repository.folder, variables=variables)
        made = run_here(desk, "plan", "--base", "main", "--out", str(plans / "default.json"))
        assert made.code == 0, made.err
        digest = json.loads((plans / "default.json").read_text("utf-8"))["digest"]
        (plans / "digests").write_text(f"default {digest}\n")
        return plans

    # ------------------------------------------------------------ the portal

    def set_limit(self, type_id: int, maximum: int) -> None:
        """Somebody changes a limit of contacts → companies in HubSpot."""
        category = "HUBSPOT_DEFINED" if type_id == LIMIT else "USER_DEFINED"
        answer = write(self.server, "update", one(type_id, maximum, category))
        assert answer.status == 200, answer.body

    def limits(self) -> dict[int, int]:
        """The portal's limits of contacts → companies, by type ID."""
        rows = decoded(get(self.server, limits_path("2026-03")))["results"]
        return {row["typeId"]: row["userEnforcedMaxToObjectIds"] for row in rows}
