"""A repository on GitLab with a portal beside it, and the jobs of its pipelines."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.ci.forges import serving
from tests.ci.gitlab_job import Job, Project
from tests.ci.machine import Machine
from tests.ci.scene import Scene
from tests.ci.shell import Coverage, Done

KEPT = "hubspot-kept"


@dataclass
class Stage:
    """A scene whose repository is on GitLab."""

    scene: Scene
    project: Project
    machine: Machine

    @classmethod
    @contextmanager
    def playing(cls, top: Path, *, real: bool = False) -> Iterator[Stage]:
        """A new stage: the main branch says what the portal has. `real`: see `Machine`."""
        top.mkdir(exist_ok=True)
        project = Project()
        with Scene.playing(top, Coverage()) as scene, serving(project):
            yield cls(scene, project, Machine(top / "machine", real))

    @property
    def folder(self) -> Path:
        return self.scene.repository.folder

    def job(self, name: str, **more: str) -> Done:
        """Run a job with the variables that GitLab and the project set."""
        env = {
            **self.project.variables,
            "CI_DEFAULT_BRANCH": "main",
            "HUBSPOT_BASE_URL": self.scene.server.url,
            "HUBSPOT_READ_TOKEN": DEFAULT_TOKEN,
            "HUBSPOT_ACCESS_TOKEN": "",
            "CI_COMMIT_SHA": self.scene.repository.head,
        }
        if name in {"apply", "approve"}:
            env["HUBSPOT_ACCESS_TOKEN"] = DEFAULT_TOKEN
            env["CI_ENVIRONMENT_NAME"] = "hubspot"
        return Job(name, self.folder, self.machine, self.scene.coverage, {**env, **more}).run()

    def next_job(self, name: str, **more: str) -> Done:
        """A job that needs the one before: a clean checkout with that one's artifacts laid over."""
        kept = self.keep("between-jobs")
        self.clean()
        shutil.copytree(kept, self.folder, dirs_exist_ok=True)
        return self.job(name, **more)

    def keep(self, name: str) -> Path:
        """What GitLab keeps of a job as its artifacts."""
        kept = self.scene.top / name
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        if (self.folder / KEPT).exists():
            shutil.copytree(self.folder / KEPT, kept / KEPT)
        return kept

    def clean(self) -> None:
        """A runner starts each job without what the one before left behind."""
        self.scene.repository.git("checkout", "-q", "-f", "HEAD")
        self.scene.repository.git("clean", "-qfdx")
