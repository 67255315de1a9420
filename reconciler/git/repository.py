"""Asking git: where the repository is, and which commit two histories have in common."""

from __future__ import annotations

import os
import posixpath
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import GitError

_HARDENING = (
    *("-c", "safe.bareRepository=explicit"),
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "protocol.allow=never"),
    "--no-pager",
)
"""What keeps the configuration of a repository from choosing a command for git to run.

The commands used here (rev-parse, merge-base, rev-list, cat-file, ls-files, remote get-url) run
no filter, text conversion, external diff, pager, alias or signature check; they refresh no index,
and no object is fetched.
"""

_KEPT = frozenset(
    [
        "PATH",
        "HOME",
        "XDG_CONFIG_HOME",
        "TMPDIR",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "SUDO_UID",
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
        "COMSPEC",
        "PATHEXT",
        "TEMP",
        "TMP",
        "USERPROFILE",
        "APPDATA",
        "LOCALAPPDATA",
        "PROGRAMDATA",
        "HOMEDRIVE",
        "HOMEPATH",
        "GIT_EXEC_PATH",
        "GIT_CEILING_DIRECTORIES",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_QUARANTINE_PATH",
        "GIT_TEST_ASSUME_DIFFERENT_OWNER",
    ]
)
_KEPT_WITH_WORK_TREE = ("GIT_WORK_TREE", "GIT_DIR", "GIT_INDEX_FILE", "GIT_COMMON_DIR")
_SECONDS = 60.0
_FULL_HISTORY = (
    "fetch the complete history: git fetch --unshallow; in GitHub Actions, "
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
    """The work tree a directory lies in; `prefix` leads from its top to the directory.

    `top` is a real path, and where git runs.
    """

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
        return printable(posixpath.relpath("/".join(("/", *parts)), "/".join(("/", *self.prefix))))


def _below_top(steps: Sequence[str]) -> tuple[str, ...] | None:
    normal = os.path.normpath("/".join(steps)).replace(os.sep, "/")
    parts = tuple(part for part in normal.split("/") if part != ".")
    return None if ".." in parts else parts


def printable(path: str) -> str:
    """The path with bytes that are not UTF-8 replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def find_top(directory: Path) -> Path | None:
    """The top of the repository that a directory lies in, by its real path; None: in none.

    Found without git, by the nearest `.git`, since git takes any folder with the right names in
    it for a repository and obeys the configuration there. GIT_DIR and GIT_WORK_TREE together
    are somebody's choice and come first.
    """
    real = os.path.realpath(directory)
    chosen = os.environ.get("GIT_WORK_TREE")
    if chosen and os.environ.get("GIT_DIR"):
        top = os.path.realpath(chosen)
        if is_below(real, top):
            return Path(top)
    for folder in (Path(real), *Path(real).parents):
        if has_git(folder):
            return folder
    return None


def has_git(folder: Path) -> bool:
    """Whether a folder is the top of a work tree, by its `.git`."""
    try:
        mode = (folder / ".git").stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(mode) or stat.S_ISREG(mode)


def is_below(path: str, root: str) -> bool:
    """Whether a real path is a folder or lies in it."""
    return path == root or path.startswith(root if root.endswith(os.sep) else root + os.sep)


def command(*arguments: str) -> list[str]:
    """The command line of a git process that runs nothing a repository names."""
    return ["git", *_HARDENING, *arguments]


def environment() -> dict[str, str]:
    """What git needs to run and to find its user's configuration, and no token.

    English words, no prompts, no locks, no replaced objects, nothing fetched, no protocol to
    fetch it by. The repository is found from the directory: a hook's GIT_DIR would make git take
    any directory for the top of the work tree. Whoever sets GIT_WORK_TREE too means both. Of the
    configuration in GIT_CONFIG_COUNT, where tokens are found, only `safe.directory` is passed on.
    """
    kept = {name: value for name, value in os.environ.items() if name.upper() in _KEPT}
    kept["PATH"] = _absolute_only(kept.get("PATH", os.defpath))
    if os.environ.get("GIT_WORK_TREE"):
        chosen = {name: os.environ.get(name) for name in _KEPT_WITH_WORK_TREE}
        kept |= {name: value for name, value in chosen.items() if value is not None}
    return (
        kept
        | _safe_directories()
        | {
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
        }
    )


def _absolute_only(path: str) -> str:
    """The folders of PATH that do not depend on where git runs: no repository brings its own git."""
    return os.pathsep.join(each for each in path.split(os.pathsep) if Path(each).is_absolute())


def _safe_directories() -> dict[str, str]:
    """The directories that GIT_CONFIG_COUNT and its like declare safe, as container jobs do."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    numbers = range(min(int(count), 100)) if count.isdecimal() else range(0)
    found = [
        os.environ.get(f"GIT_CONFIG_VALUE_{number}", "")
        for number in numbers
        if os.environ.get(f"GIT_CONFIG_KEY_{number}", "").casefold() == "safe.directory"
    ]
    passed = {"GIT_CONFIG_COUNT": str(len(found))} if found else {}
    for number, value in enumerate(found):
        passed |= {
            f"GIT_CONFIG_KEY_{number}": "safe.directory",
            f"GIT_CONFIG_VALUE_{number}": value,
        }
    return passed


def run(directory: Path, *arguments: str) -> Answer:
    """Run git in a directory. Raises GitError where there is no git, or it does not end."""
    try:
        done = subprocess.run(
            command(*arguments),
            cwd=directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"git {arguments[0]} did not end within {_SECONDS:.0f} s") from None
    except (OSError, ValueError) as error:
        raise not_runnable(error) from None
    return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace").strip())


def not_runnable(error: Exception) -> GitError:
    """Git could not be started."""
    if isinstance(error, FileNotFoundError) and error.filename == "git":
        return GitError("git is not installed", hint="install git, or plan without --base")
    return GitError(f"git cannot be run: {error}")


def find_repository(directory: Path) -> Repository:
    """The repository a directory lies in. Raises GitError in git's own words.

    Git runs at its top, which is found without git: in a folder that only looks like a bare
    repository, an old git would obey the configuration there.
    """
    top = find_top(directory)
    if top is None:
        raise GitError(
            f"{printable(str(directory))} is not in a git repository",
            hint="--base needs the repository that the configuration is in",
        )
    answer = run(
        top,
        *("rev-parse", "--is-shallow-repository", "--git-path", "shallow"),
        *("--absolute-git-dir", "--show-toplevel"),
    )
    if answer.status != 0:
        raise _not_usable(top, answer)
    shallow, shallow_file, git_directory, *found = answer.lines
    if [os.path.realpath(each) for each in found] != [str(top)] or Path(git_directory) == top:
        raise GitError(
            f"git takes {printable(os.linesep.join(found) or git_directory)} for the repository of "
            f"{printable(str(top))}",
            hint=f"repair or remove {printable(str(top / '.git'))}",
        )
    prefix = Path(os.path.realpath(directory)).relative_to(top).parts
    return Repository(directory, top, prefix, top / shallow_file if shallow == "true" else None)


def in_words(answer: Answer) -> str:
    """Git's own words on one line."""
    words = " ".join(line.strip() for line in answer.problem.splitlines())
    return words.removeprefix("fatal: ") or f"git ended with status {answer.status}"


def _not_usable(top: Path, answer: Answer) -> GitError:
    if "not a git repository" in answer.problem:
        return GitError(
            f"{printable(str(top / '.git'))} is not a git repository",
            hint="repair or remove it",
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
        raise GitError(f'"{printable(ref)}" is not a git ref', hint="give a branch, tag or commit")
    answer = run(repository.top, "merge-base", "--end-of-options", ref, "HEAD")
    if answer.status == 0:
        commit = answer.lines[0]
        _refuse_hidden_history(repository, ref, commit)
        return commit
    if answer.status == 1 and not answer.problem:
        raise _nothing_in_common(repository, ref)
    raise _unknown(repository, ref, answer)


def commit_id(repository: Repository, ref: str) -> str:
    """The commit that a ref names, once `merge_base` has accepted it. Raises GitError."""
    answer = run(
        repository.top, *("rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    )
    if answer.status != 0:
        raise _unknown(repository, ref, answer)
    return answer.lines[0]


def _refuse_hidden_history(repository: Repository, ref: str, base: str) -> None:
    """In a shallow clone, a nearer common commit may hide behind a cut that is not behind `base`."""
    if repository.shallow_file is None:
        return
    cuts = set(repository.shallow_file.read_text(encoding="ascii").split())
    answer = run(repository.top, "rev-list", "--end-of-options", ref, "HEAD", f"^{base}", "--")
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
    return run(repository.top, *arguments).status == 0
