"""A real git repository with its origin: a main branch, a branch with a change, their merge."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

PAIR = """\
from: contacts
to: companies
max: {object_limit}
labels:
  Billing contact: {billing}
inverse:
  labels:
    Billing contact: 2
"""
_IDENTITY = ("-c", "user.name=Dana", "-c", "user.email=dana@example.org")


@dataclass(frozen=True)
class Repository:
    """A clone; `origin` is a bare repository beside it."""

    folder: Path
    origin: Path

    @classmethod
    def start(cls, top: Path) -> Repository:
        """`main` says what the example portal has."""
        repository = cls(top / "clone", top / "origin.git")
        git(top, "init", "-q", "--bare", "-b", "main", str(repository.origin))
        git(top, "clone", "-q", str(repository.origin), str(repository.folder))
        repository.git("checkout", "-q", "-b", "main")
        repository.commit_pair(object_limit=5, billing=1)
        repository.git("push", "-q", "-u", "origin", "main")
        return repository

    def git(self, *arguments: str) -> str:
        """Run git in the clone."""
        return git(self.folder, *arguments)

    def write(self, path: str, text: str) -> None:
        """Put a file into the clone."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def commit(self, message: str = "Change limits") -> str:
        """Commit everything; its ID."""
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head

    def commit_pair(self, *, object_limit: int, billing: int) -> str:
        """Commit a pair file with these limits; its commit."""
        text = PAIR.format(object_limit=object_limit, billing=billing)
        self.write("configs/contacts-companies.yaml", text)
        return self.commit(f"Let a contact have {object_limit} companies")

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def branch(self, *, object_limit: int, billing: int) -> str:
        """A pushed branch from main with one change; its head."""
        self.git("checkout", "-q", "-B", "change", "main")
        head = self.commit_pair(object_limit=object_limit, billing=billing)
        self.git("push", "-q", "--force", "origin", "change")
        return head

    def branch_that_lowers_what_is_protected(self) -> str:
        """A pushed branch whose plan `apply` refuses; its head, checked out."""
        self.git("checkout", "-q", "-B", "change", "main")
        text = PAIR.format(object_limit="{max: 2, protect: true}", billing=1)
        self.write("configs/contacts-companies.yaml", text)
        head = self.commit("Lower a protected limit")
        self.git("push", "-q", "--force", "origin", "change")
        return head

    def name_a_label_that_is_gone(self) -> str:
        """Commit a label limit, and a later commit: the portal no longer has the label."""
        text = PAIR.format(object_limit=5, billing=1)
        self.write(
            "configs/contacts-companies.yaml", text.replace("inverse", "  Old label: 3\ninverse")
        )
        return self.commit("Limit what was called so then")

    def check_out_merge(self) -> str:
        """What actions/checkout does for a pull request: a detached merge with main."""
        self.git("checkout", "-q", "--detach", "main")
        self.git("merge", "-q", "--no-ff", "--no-edit", "change")
        return self.head

    def merge(self) -> str:
        """Merge the branch into main and push; the merge commit."""
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "--no-edit", "change")
        self.git("push", "-q", "origin", "main")
        return self.head


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; what it says."""
    done = subprocess.run(
        ["git", *_IDENTITY, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()
