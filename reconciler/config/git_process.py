"""Asking git: where the repository is, and which commit two histories have in common."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import GitError

_SET_BY_HOOKS = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
_FULL_HISTORY = (
    "fetch the whole history: git fetch --unshallow; in GitHub Actions, "
    "actions/checkout with fetch-depth: 0; in GitLab CI, GIT_DEPTH: 0"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a git process said."""

    status: int
    output: bytes
    problem: str

    @property
    def lines(self) -> list[str]:
        return os.fsdecode(self.output).removesuffix("\n").split("\n")


@dataclass(frozen=True, slots=True)
class Repository:
    """The work tree a directory lies in; `prefix` leads from its top to the directory."""

    directory: Path
    top: Path
    prefix: tuple[str, ...]
    shallow_file: Path | None

    def parts(self, path: str) -> tuple[str, ...] | None:
        """The steps from the top of the work tree to a path; None if it lies outside."""
        if not Path(path).is_absolute():
            return _below_top((*self.prefix, path))
        seen = os.path.relpath(path, os.path.abspath(self.directory))  # noqa: PTH100 - keeps links
        return _below_top((*self.prefix, seen)) or _below_top(
            (os.path.relpath(os.path.realpath(path), self.top),)
        )

    def shown(self, parts: Sequence[str]) -> str:
        """How the path below the top reads from the directory."""
        path = os.path.relpath("/".join(("/", *parts)), "/".join(("/", *self.prefix)))
        return printable(path.replace(os.sep, "/"))


def _below_top(steps: Sequence[str]) -> tuple[str, ...] | None:
    normal = os.path.normpath("/".join(steps)).replace(os.sep, "/")
    parts = tuple(part for part in normal.split("/") if part != ".")
    return None if ".." in parts else parts


def printable(path: str) -> str:
    """The path with bytes that are no UTF-8 replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def environment() -> dict[str, str]:
    """English words, no prompts, no locks; and the repository is found from the directory.

    A hook's GIT_DIR would make git take any directory for the top of the work tree. Whoever sets
    GIT_WORK_TREE too means both.
    """
    kept = dict(os.environ)
    if "GIT_WORK_TREE" not in kept:
        for name in _SET_BY_HOOKS:
            kept.pop(name, None)
    kept.pop("LANGUAGE", None)
    return kept | {
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
    }


def run(directory: Path, *arguments: str) -> Answer:
    """Run git in a directory. Raises GitError where there is no git."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except (OSError, ValueError) as error:
        raise not_runnable(error) from None
    return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace").strip())


def not_runnable(error: Exception) -> GitError:
    """Git could not be started."""
    if isinstance(error, FileNotFoundError) and error.filename == "git":
        return GitError("git is not installed", hint="install git, or plan without --base")
    return GitError(f"git cannot be run: {error}")


def find_repository(directory: Path) -> Repository:
    """The repository a directory lies in. Raises GitError in git's own words."""
    answer = run(
        directory,
        *("rev-parse", "--is-shallow-repository", "--git-path", "shallow"),
        *("--show-toplevel", "--show-prefix"),
    )
    if answer.status != 0:
        raise _no_repository(directory, answer)
    shallow, shallow_file, top, *prefix = answer.lines
    return Repository(
        directory,
        Path(top),
        tuple(part for part in "".join(prefix).split("/") if part),
        directory / shallow_file if shallow == "true" else None,
    )


def in_words(answer: Answer) -> str:
    """Git's own words on one line."""
    words = " ".join(line.strip() for line in answer.problem.splitlines())
    return words.removeprefix("fatal: ") or f"git ended with status {answer.status}"


def _no_repository(directory: Path, answer: Answer) -> GitError:
    if "not a git repository" in answer.problem:
        return GitError(
            f"{printable(str(directory))} is not in a git repository",
            hint="--base needs the repository that the configuration is in",
        )
    if "dubious ownership" in answer.problem:
        first, _, _ = answer.problem.partition("\n")
        return GitError(
            f"git: {first.removeprefix('fatal: ')}",
            hint="git config --global --add safe.directory <that directory>",
        )
    return GitError(f"git: {in_words(answer)}")


def merge_base(repository: Repository, ref: str) -> str:
    """The commit from which `ref` and HEAD went apart.

    Raises GitError where the ref is unknown, or the history at hand is too short to tell.
    """
    if ref.startswith("-") or not ref.strip():
        raise GitError(f'"{printable(ref)}" is no git ref', hint="give a branch, tag or commit")
    answer = run(repository.directory, "merge-base", "--end-of-options", ref, "HEAD")
    if answer.status == 0:
        commit = answer.lines[0]
        _refuse_hidden_history(repository, ref, commit)
        return commit
    if answer.status == 1 and not answer.problem:
        raise _nothing_in_common(repository, ref)
    raise _unknown(repository, ref, answer)


def _refuse_hidden_history(repository: Repository, ref: str, base: str) -> None:
    """In a shallow clone, a nearer common commit may hide behind a cut that is not behind `base`."""
    if repository.shallow_file is None:
        return
    cuts = set(repository.shallow_file.read_text(encoding="ascii").split())
    answer = run(
        repository.directory, "rev-list", "--end-of-options", ref, "HEAD", f"^{base}", "--"
    )
    if answer.status != 0:
        raise GitError(f"git: {in_words(answer)}", hint=_FULL_HISTORY)
    if cuts.intersection(answer.lines):
        raise GitError(
            f"this clone is shallow: the merge base of {printable(ref)} and HEAD may lie in history that "
            "was not fetched",
            hint=_FULL_HISTORY,
        )


def _nothing_in_common(repository: Repository, ref: str) -> GitError:
    if repository.shallow_file is not None:
        return GitError(
            f"this clone is shallow: no merge base of {printable(ref)} and HEAD in what was fetched",
            hint=_FULL_HISTORY,
        )
    return GitError(
        f"{printable(ref)} and HEAD have no commit in common",
        hint="give a ref of the same history as HEAD",
    )


def _unknown(repository: Repository, ref: str, answer: Answer) -> GitError:
    if _is_commit(repository, ref):
        if not _is_commit(repository, "HEAD"):
            return GitError("HEAD has no commit yet", hint="commit first, or plan without --base")
        hint = _FULL_HISTORY if repository.shallow_file is not None else None
        return GitError(f"git: {in_words(answer)}", hint=hint)
    return GitError(f"git knows no commit {printable(ref)}", hint=_how_to_get(repository, ref))


def _how_to_get(repository: Repository, ref: str) -> str:
    if not ref.strip("0"):
        return "all zeros stand for no commit, as on a branch's first push: plan without --base"
    if _is_commit(repository, f"origin/{ref}"):
        return f"did you mean origin/{printable(ref)}?"
    name = printable(ref).removeprefix("origin/")
    fetch = f"fetch it: git fetch origin {name}"
    return f"{fetch}; or {_FULL_HISTORY}" if repository.shallow_file is not None else fetch


def _is_commit(repository: Repository, ref: str) -> bool:
    arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return run(repository.directory, *arguments).status == 0
