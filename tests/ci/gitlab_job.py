"""What the pipeline asks of GitLab beside notes, and a job as GitLab's runner runs it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.ci.actions import load
from tests.ci.forges import Asked, Route, Told
from tests.ci.gitlab_api import GitLab
from tests.ci.machine import ROOT, Machine
from tests.ci.repository import git
from tests.ci.shell import Coverage, Done, run_script

PIPELINE: Mapping[str, Any] = load("examples/ci/gitlab/.gitlab-ci.yml")
JOBS = [name for name, job in PIPELINE.items() if "script" in job and name != "default"]


@dataclass(frozen=True)
class Merged:
    """What GitLab says of a merge request that holds a commit."""

    iid: int = 7
    state: str = "merged"
    source_project_id: int = 42
    target_project_id: int = 42
    target_branch: str = "main"
    sha: str = "0" * 40
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None


@dataclass
class Issue:
    """An issue of the project."""

    iid: int
    fields: dict[str, str]
    state: str = "opened"


class Project(GitLab):
    """Project 42 with what its pipelines did: merges, kept plans, deployments, issues."""

    def __init__(self) -> None:
        super().__init__()
        self.merged: list[Merged] = []
        self.kept: dict[str, Path] = {}
        self.deployed: list[tuple[str, str]] = []
        self.issues: list[Issue] = []
        self.proposals: list[Issue] = []
        project = "/api/v4/projects/42"
        self.routes += [
            Route(rf"GET {project}/repository/commits/(\w+)/merge_requests", self._requests),
            Route(rf"GET {project}/jobs/artifacts/(refs/[\w/-]+)/raw/([\w/-]+)", self._artifact),
            Route(f"GET {project}/deployments", self._deployments),
            Route(f"GET {project}/issues", self._issues),
            Route(f"POST {project}/issues", self._open),
            Route(rf"PUT {project}/issues/(\d+)", self._change),
            Route(f"GET {project}/merge_requests", self._proposals),
            Route(f"POST {project}/merge_requests", self._propose),
            Route(rf"PUT {project}/merge_requests/(\d+)", self._withdraw),
        ]

    def _requests(self, _: Asked, __: re.Match[str]) -> Told:
        """Every merge request that holds the commit, the newest first."""
        return Told(200, [asdict(each) for each in self.merged])

    def _artifact(self, asked: Asked, found: re.Match[str]) -> Told:
        assert asked.query == {"job": "plan"}
        folder = self.kept.get(found[1])
        if folder is None:
            return Told(404, {"message": "404 Not Found"})
        return Told(200, (folder / found[2]).read_bytes(), {"Content-Type": "text/plain"})

    def _deployments(self, asked: Asked, _: re.Match[str]) -> Told:
        assert (asked.query["environment"], asked.query["status"]) == ("hubspot", "success")
        assert (asked.query["order_by"], asked.query["sort"]) == ("id", "desc")
        return Told(200, [{"sha": sha, "ref": ref} for ref, sha in reversed(self.deployed)])

    def _issues(self, asked: Asked, _: re.Match[str]) -> Told:
        found = [
            {"iid": issue.iid}
            for issue in self.issues
            if issue.state == asked.query["state"]
            and issue.fields["labels"] == asked.query["labels"]
        ]
        return Told(200, found)

    def _open(self, asked: Asked, _: re.Match[str]) -> Told:
        self.issues.append(Issue(len(self.issues) + 1, dict(asked.body)))
        return Told(201, {"iid": len(self.issues)})

    def _change(self, asked: Asked, found: re.Match[str]) -> Told:
        issue = self.issues[int(found[1]) - 1]
        issue.fields |= asked.body
        issue.state = "closed" if asked.body.get("state_event") == "close" else issue.state
        return Told(200, {"iid": issue.iid})

    def _proposals(self, asked: Asked, _: re.Match[str]) -> Told:
        found = [
            {"iid": each.iid}
            for each in self.proposals
            if each.state == asked.query["state"]
            and each.fields["source_branch"] == asked.query["source_branch"]
        ]
        return Told(200, found)

    def _propose(self, asked: Asked, _: re.Match[str]) -> Told:
        self.proposals.append(Issue(len(self.proposals) + 1, dict(asked.body)))
        return Told(201, {"iid": len(self.proposals)})

    def _withdraw(self, asked: Asked, found: re.Match[str]) -> Told:
        assert asked.body == {"state_event": "close"}
        self.proposals[int(found[1]) - 1].state = "closed"
        return Told(200, {"iid": int(found[1])})


@dataclass
class Job:
    """One job in a folder; `env`: the variables GitLab sets, and the project's own."""

    name: str
    folder: Path
    machine: Machine
    coverage: Coverage
    env: dict[str, str] = field(default_factory=dict)

    def run(self) -> Done:
        """Run the lines of `before_script` and `script` in one shell."""
        variables = {**PIPELINE["variables"], **PIPELINE[self.name].get("variables", {})}
        env = {**self.machine.env, **variables, **self.tool(), **self.env}
        return run_script(script(self.name), self.folder, env, self.coverage, self.machine.temp)

    def tool(self) -> dict[str, str]:
        """Where the pipeline takes this project from: a repository with its two files for pip."""
        folder = self.machine.top / "tool"
        if not folder.exists():
            (folder / ".ci").mkdir(parents=True)
            for name in ("pyproject.toml", ".ci/requirements.txt"):
                shutil.copy(ROOT / name, folder / name)
            git(folder, "init", "-q")
            git(folder, "add", ".")
            git(folder, "commit", "-q", "-m", "This version")
        head = git(folder, "rev-parse", "HEAD")
        return {"RECONCILER_REPOSITORY": str(folder), "RECONCILER_COMMIT": head}


def script(name: str) -> str:
    """All lines of a job, as one script."""
    lines = [*PIPELINE["default"]["before_script"], *PIPELINE[name]["script"]]
    return "\n".join(line.rstrip("\n") for line in lines) + "\n"
