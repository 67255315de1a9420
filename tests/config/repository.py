"""Real git repositories for tests."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Repository:
    """A work tree to commit in."""

    top: Path

    @classmethod
    def create(cls, top: Path) -> Repository:
        top.mkdir(parents=True, exist_ok=True)
        repository = cls(top)
        repository.git("init", "--quiet", "--initial-branch=main")
        return repository

    def git(self, *arguments: str) -> str:
        """What git prints; the test fails if git does."""
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.top,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def write(self, files: dict[str, str]) -> None:
        for name, content in files.items():
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def commit(self, files: dict[str, str] | None = None) -> str:
        """Write files, commit all that differs, and say which commit it is."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=change")
        return self.git("rev-parse", "HEAD")

    def clone(self, to: Path, *arguments: str) -> Repository:
        self.git("clone", "--quiet", *arguments, f"file://{self.top}", str(to))
        return Repository(to)


def pair(maximum: int, from_: str = "contacts", to: str = "companies") -> str:
    """A pair file."""
    return f"from: {from_}\nto: {to}\nmax: {maximum}\n"
