"""The configuration at the merge base, from real repositories in every state CI leaves them in."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from reconciler.config import sources
from reconciler.config.base import Base, parse_base, read_base
from reconciler.config.head import at_head
from reconciler.config.sources import collect
from reconciler.errors import GitError
from reconciler.model.limits import Desired, Place
from reconciler.model.plan import GitState
from tests.config.repository import Repository, pair

pytestmark = pytest.mark.usefixtures("git_environment")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """`main` with one pair file, and a branch with HEAD on it."""
    repository = Repository.create(tmp_path / "repository")
    repository.commit({"configs/a.yaml": pair(5)})
    repository.git("checkout", "--quiet", "-b", "feature")
    return repository


def base(
    repository: Repository,
    ref: str = "main",
    *paths: str,
    workspace: str | None = None,
    at: str = ".",
) -> Base:
    """The base as seen from a directory of the work tree."""
    return read_base(ref, directory=repository.top / at, workspace_path=workspace, paths=paths)


def files(found: Base) -> dict[str, str]:
    """Paths and contents at the base."""
    return {each.path: each.content.decode() for each in found.sources}


def state_of(repository: Repository, *paths: str, at: str = ".") -> GitState | None:
    """What git says of the files at paths, as they are read from a directory."""
    directory = repository.top / at
    given = [directory / path for path in paths]
    found, _ = collect(given)
    head = at_head(directory, [str(path) for path in given], found)
    return None if head is None else GitState(head.commit, head.dirty)


def refused(repository: Repository, ref: str = "main", *paths: str) -> GitError:
    """The error of reading a base that cannot be read."""
    with pytest.raises(GitError) as caught:
        base(repository, ref, *paths)
    return caught.value


def known_base(clone: Repository) -> str | None:
    """The base of a shallow clone; None where too little was fetched to know it."""
    try:
        return base(clone, "origin/main").commit
    except GitError as error:
        if "shallow" not in error.message:
            raise
        return None


# ---------------------------------------------------------------- which commit


def test_the_base_is_where_the_branch_began(repository: Repository) -> None:
    """What the target branch got since then is not this branch's doing."""
    began = repository.git("rev-parse", "main")
    repository.commit({"configs/a.yaml": pair(6)})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"configs/a.yaml": pair(7)})
    repository.git("checkout", "--quiet", "feature")
    found = base(repository)
    assert (found.ref, found.commit) == ("main", began)
    assert files(found) == {"configs/a.yaml": pair(5)}


def test_the_work_tree_does_not_matter(repository: Repository) -> None:
    """Changed, deleted and untracked files are the head's business."""
    repository.write({"configs/a.yaml": "changed", "configs/b.yaml": "untracked"})
    assert files(base(repository)) == {"configs/a.yaml": pair(5)}
    (repository.top / "configs/a.yaml").unlink()
    assert files(base(repository)) == {"configs/a.yaml": pair(5)}


@pytest.mark.parametrize("ref", ["main", "HEAD", "HEAD~0", "refs/heads/main", "v1", "annotated"])
def test_any_name_of_a_commit_will_do(repository: Repository, ref: str) -> None:
    """Branches, tags of both kinds, and git's own notation."""
    repository.git("tag", "v1", "main")
    repository.git("tag", "-a", "-m", "x", "annotated", "main")
    assert files(base(repository, ref)) == {"configs/a.yaml": pair(5)}
    assert files(base(repository, repository.git("rev-parse", "main")[:10]))


def test_a_detached_head_has_a_base_too(repository: Repository) -> None:
    """As in most CI."""
    repository.commit({"configs/a.yaml": pair(6)})
    repository.git("checkout", "--quiet", "--detach")
    assert files(base(repository)) == {"configs/a.yaml": pair(5)}


def test_an_unknown_ref_says_how_to_fetch_it(repository: Repository) -> None:
    """Never a silent two-way plan."""
    error = refused(repository, "production")
    assert error.message == "git knows no commit production"
    assert error.hint == "fetch it: git fetch origin production"


def test_a_branch_that_only_the_remote_has_is_pointed_out(
    repository: Repository, tmp_path: Path
) -> None:
    """It is not taken silently: it may be older than what was meant."""
    repository.git("branch", "release", "main")
    clone = repository.clone(tmp_path / "clone")
    assert refused(clone, "release").hint == "did you mean origin/release?"
    assert files(base(clone, "origin/release")) == {"configs/a.yaml": pair(5)}


@pytest.mark.parametrize("ref", ["--all", "-h", "--output=/tmp/x", "", "  "])
def test_a_ref_is_never_an_option(repository: Repository, ref: str) -> None:
    """It comes from the command line of a pipeline."""
    assert "is not a git ref" in refused(repository, ref).message


@pytest.mark.parametrize("ref", ["main:configs", "main..HEAD", "^main", "a\0b", "a b", "HEAD^9"])
def test_what_is_no_commit_is_refused(repository: Repository, ref: str) -> None:
    """Whatever git makes of it, it ends in words."""
    assert refused(repository, ref).message


def test_all_zeros_are_explained(repository: Repository) -> None:
    """GitHub and GitLab name the commit before a branch's first push so."""
    assert "first push" in str(refused(repository, "0" * 40).hint)


def test_histories_without_a_common_commit_are_refused(repository: Repository) -> None:
    """There is no base to tell drift from."""
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.commit({"configs/a.yaml": pair(6)})
    assert refused(repository).message == "main and HEAD have no commit in common"


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    """Nothing to compare with yet."""
    empty = Repository.create(tmp_path / "empty")
    assert refused(empty, "HEAD").message == "git knows no commit HEAD"


# ---------------------------------------------------------------- shallow clones


def test_a_shallow_clone_without_the_ref_says_how_to_fetch(
    repository: Repository, tmp_path: Path
) -> None:
    """The default of actions/checkout."""
    repository.commit({"configs/a.yaml": pair(6)})
    clone = repository.clone(tmp_path / "clone", "--depth=1", "--branch=feature")
    error = refused(clone, "origin/main")
    assert error.message == "git knows no commit origin/main"
    assert "git fetch origin main" in str(error.hint)
    assert "fetch-depth: 0" in str(error.hint)


def test_a_shallow_clone_without_the_merge_base_says_how_to_fetch(
    repository: Repository, tmp_path: Path
) -> None:
    """Both branches are there, where they began is not."""
    repository.commit({"configs/a.yaml": pair(6)})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"configs/b.yaml": pair(7, "deals")})
    repository.git("checkout", "--quiet", "feature")
    clone = repository.clone(tmp_path / "clone", "--depth=1", "--no-single-branch")
    error = refused(clone, "origin/main")
    assert "this clone is shallow" in error.message
    assert "git fetch --unshallow" in str(error.hint)
    clone.git("fetch", "--quiet", "--unshallow")
    assert files(base(clone, "origin/main")) == {"configs/a.yaml": pair(5)}


def test_a_shallow_clone_that_reaches_the_merge_base_is_enough(
    repository: Repository, tmp_path: Path
) -> None:
    """All that is cut off lies behind it."""
    repository.commit({"configs/a.yaml": pair(6)})
    clone = repository.clone(tmp_path / "clone", "--depth=2", "--no-single-branch")
    assert files(base(clone, "origin/main")) == {"configs/a.yaml": pair(5)}
    assert files(base(clone, "HEAD~1")) == {"configs/a.yaml": pair(5)}


def test_a_nearer_merge_base_behind_the_cut_is_not_overlooked(
    repository: Repository, tmp_path: Path
) -> None:
    """A shallow clone sees an old common commit through merges; the right one is cut off."""
    old = repository.git("rev-parse", "main")
    right = repository.commit({"configs/a.yaml": pair(6)})
    for branch in ("main", "topic"):
        repository.git("checkout", "--quiet", "-B", branch, right)
        for number in range(4):
            tip = repository.commit({f"configs/{branch}.yaml": pair(number + 1, branch)})
        merge = ("commit-tree", "-m", "merge", "-p", tip, "-p", old, f"{tip}^{{tree}}")
        repository.git("reset", "--quiet", "--hard", repository.git(*merge))
    assert base(repository).commit == right
    clone = repository.clone(tmp_path / "clone", "--depth=3", "--no-single-branch")
    assert clone.git("merge-base", "origin/main", "HEAD") == old
    assert known_base(clone) is None


def test_a_shallow_clone_never_gives_another_base_than_the_whole_history(
    repository: Repository, tmp_path: Path
) -> None:
    """At every depth: the same commit, or an error."""
    for number in range(3):
        repository.commit({"configs/a.yaml": pair(number + 6)})
        repository.git("checkout", "--quiet", "main")
        repository.commit({"configs/b.yaml": pair(number + 1, "deals")})
        repository.git("checkout", "--quiet", "feature")
        if number == 1:
            repository.git("merge", "--quiet", "--no-edit", "main")
    full, answers = base(repository).commit, set()
    for depth in range(1, 9):
        clone = repository.clone(tmp_path / f"{depth}", f"--depth={depth}", "--no-single-branch")
        answers.add(known_base(clone))
    assert answers == {None, full}


# ---------------------------------------------------------------- which files


def test_files_come_as_they_would_from_disk(repository: Repository) -> None:
    """Sorted, at any depth, hidden ones and others left out; spaces and letters of any script."""
    names = ["configs/é 😀/ü x.yml", "configs/z.yaml", "configs/-dash.yaml", "configs/B.yaml"]
    names += ["configs/tab\there.yaml", 'configs/"quoted".yaml', "configs/new\nline.yaml"]
    others = ["configs/.hidden.yaml", "configs/.git-x/a.yaml", "configs/a.json", "other/a.yaml"]
    others += ["configs/reconciler.yaml"]
    repository.commit(dict.fromkeys([*names, *others], "# x\n"))
    repository.git("branch", "--force", "main")
    assert [each.path for each in base(repository).sources] == sorted(
        [*names, "configs/a.yaml"], key=lambda name: name.split("/")
    )


def test_a_base_without_configuration_is_empty(repository: Repository) -> None:
    """Everything is new: no error."""
    repository.git("rm", "--quiet", "-r", "configs")
    first = repository.commit({"readme.md": "x"})
    repository.commit({"configs/a.yaml": pair(5)})
    found = base(repository, first)
    assert (found.sources, found.workspace) == ((), None)
    assert parse_base(found).desired == Desired(())


def test_given_paths_are_read_at_the_base(repository: Repository) -> None:
    """Files and directories, each file once, named as on the command line."""
    repository.commit({"x/b.yaml": pair(1, "deals"), "x/c.yaml": pair(2, "tickets")})
    repository.git("branch", "--force", "main")
    assert list(files(base(repository, "main", "x/c.yaml", "x"))) == ["x/c.yaml", "x/b.yaml"]
    assert list(files(base(repository, "main", str(repository.top / "x")))) == [
        "x/b.yaml",
        "x/c.yaml",
    ]
    assert list(files(base(repository, "main", "../x", at="configs"))) == [
        "../x/b.yaml",
        "../x/c.yaml",
    ]


def test_renamed_files_are_read_where_they_were(repository: Repository) -> None:
    """The directory is what counts."""
    repository.git("mv", "configs/a.yaml", "configs/b.yaml")
    repository.commit()
    assert files(base(repository)) == {"configs/a.yaml": pair(5)}


def test_a_moved_directory_is_found_through_the_base_s_own_workspace(
    repository: Repository,
) -> None:
    """Each commit's workspace file says where its configuration is."""
    repository.commit({"reconciler.yaml": "version: 1\n"})
    repository.git("branch", "--force", "main")
    repository.git("mv", "configs", "limits")
    repository.commit({"reconciler.yaml": "version: 1\nconfigs: limits\n"})
    found = base(repository, workspace="reconciler.yaml")
    assert files(found) == {"configs/a.yaml": pair(5)}
    assert files(base(repository, "main", "limits", workspace="reconciler.yaml")) == files(found)


def test_a_given_path_that_is_new_does_not_plan_the_rest_for_deletion(
    repository: Repository,
) -> None:
    """What is still in its place was not moved."""
    repository.commit({"configs/new.yaml": pair(1, "deals"), "team/b.yaml": pair(1, "tickets")})
    assert files(base(repository, "main", "configs/new.yaml")) == {}
    assert files(base(repository, "main", "team")) == {}
    repository.git("mv", "configs/a.yaml", "configs/moved.yaml")
    repository.commit()
    assert files(base(repository, "main", "configs/moved.yaml")) == {"configs/a.yaml": pair(5)}


def test_a_workspace_in_a_subfolder(repository: Repository) -> None:
    """Paths are seen from the directory, as the head's are."""
    repository.commit(
        {
            "hub/reconciler.yaml": "version: 1\nprune: false\n",
            "hub/configs/b.yaml": pair(1, "deals"),
        }
    )
    repository.git("branch", "--force", "main")
    found = base(repository, workspace="reconciler.yaml", at="hub")
    assert list(files(found)) == ["configs/b.yaml"]
    assert found.workspace is not None
    assert (found.prune, found.workspace.path) == (False, Path("reconciler.yaml"))
    from_top = base(repository, workspace="hub/reconciler.yaml")
    assert list(files(from_top)) == ["hub/configs/b.yaml"]
    (repository.top / "hub/deep").mkdir()
    from_below = base(repository, workspace="../reconciler.yaml", at="hub/deep")
    assert list(files(from_below)) == ["../configs/b.yaml"]


def test_a_new_workspace_file_may_name_an_old_directory(repository: Repository) -> None:
    """Where the base has none, the working tree's is asked; without one it is `configs`."""
    repository.git("mv", "configs", "limits")
    repository.commit()
    repository.git("branch", "--force", "main")
    assert files(base(repository)) == {}
    repository.commit({"reconciler.yaml": "version: 1\nconfigs: limits\nprune: false\n"})
    found = base(repository, workspace="reconciler.yaml")
    assert files(found) == {"limits/a.yaml": pair(5)}
    assert (found.workspace, found.prune) == (None, True)


def test_a_workspace_that_moved_is_found_above(repository: Repository) -> None:
    """As it would be on disk; and one that the head no longer has is the base's all the same."""
    repository.git("mv", "configs", "limits")
    repository.commit({"reconciler.yaml": "version: 1\nconfigs: limits\n"})
    repository.git("branch", "--force", "main")
    repository.git("mv", "reconciler.yaml", "limits/reconciler.yaml")
    repository.commit()
    assert list(files(base(repository, workspace="limits/reconciler.yaml"))) == ["limits/a.yaml"]
    assert list(files(base(repository))) == ["limits/a.yaml"]


def test_links_are_followed_as_on_disk(repository: Repository) -> None:
    """To files and directories of the repository, each file once; loops end."""
    repository.write({"shared/b.yaml": pair(1, "deals"), "shared/deep/c.yaml": pair(2, "tickets")})
    configs = repository.top / "configs"
    (configs / "b.yaml").symlink_to("../shared/b.yaml")
    (configs / "deep").symlink_to("../shared/deep")
    (configs / "again.yaml").symlink_to("b.yaml")
    (configs / "up").symlink_to("..")
    (configs / "dangling.yaml").symlink_to("nowhere.yaml")
    (configs / "self.yaml").symlink_to("self.yaml")
    repository.commit()
    repository.git("branch", "--force", "main")
    assert files(base(repository)) == {
        "configs/a.yaml": pair(5),
        "configs/again.yaml": pair(1, "deals"),
        "configs/deep/c.yaml": pair(2, "tickets"),
    }


@pytest.mark.parametrize("target", ["/etc/hostname", "../../outside.yaml"])
def test_a_link_out_of_the_repository_says_nothing(repository: Repository, target: str) -> None:
    """Git does not know what was there: the base says so, and is not complete."""
    (repository.top / "configs/x.yaml").symlink_to(target)
    repository.commit()
    repository.git("branch", "--force", "main")
    found = base(repository)
    assert files(found) == {"configs/a.yaml": pair(5)}
    assert "configs/x.yaml is a link that leads out of the repository" in found.problems[0]
    assert not parse_base(found).desired.complete


def test_paths_outside_the_repository_are_refused(repository: Repository, tmp_path: Path) -> None:
    """They have no history."""
    assert "outside the git repository" in refused(repository, "main", str(tmp_path)).message
    assert "outside the git repository" in refused(repository, "main", "../x").message


def test_a_large_file_is_cut_off(repository: Repository) -> None:
    """Enough of it is read for the parser to refuse it."""
    repository.commit({"configs/big.yaml": "#" * (3 << 20), "configs/c.yaml": pair(1, "deals")})
    repository.git("branch", "--force", "main")
    found = base(repository)
    assert [len(each.content) for each in found.sources][1] == (1 << 20) + 1
    assert files(found)["configs/c.yaml"] == pair(1, "deals")
    (problem,) = parse_base(found).problems
    assert "larger than 1 MiB" in problem


def test_files_are_read_as_committed_whatever_the_work_tree_does(repository: Repository) -> None:
    """Line endings and filters of a checkout do not matter."""
    repository.git("config", "core.autocrlf", "true")
    repository.git("config", "color.ui", "always")
    repository.git("config", "core.quotepath", "true")
    assert files(base(repository)) == {"configs/a.yaml": pair(5)}


# ---------------------------------------------------------------- where git is


def test_a_submodule_has_a_history_of_its_own(repository: Repository, tmp_path: Path) -> None:
    """Inside it, its own repository is read; from outside it cannot be."""
    outer = Repository.create(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", f"file://{repository.top}", "limits")
    first = outer.commit({"x": "y"})
    inner = Repository(outer.top / "limits")
    inner.git("checkout", "--quiet", "-B", "change", "origin/main")
    inner.commit({"configs/a.yaml": pair(6)})
    assert files(base(inner, "origin/main")) == {"configs/a.yaml": pair(5)}
    assert "limits is a submodule" in refused(outer, first, "limits/configs").message
    state = state_of(inner, "configs")
    assert state is not None
    assert state.commit == inner.git("rev-parse", "HEAD")


def test_a_linked_work_tree_is_a_repository(repository: Repository, tmp_path: Path) -> None:
    """`git worktree` leaves a file instead of a directory."""
    repository.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "main")
    assert files(base(Repository(tmp_path / "linked"), "feature")) == {"configs/a.yaml": pair(5)}


def test_a_hook_s_environment_does_not_mislead(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIT_DIR alone would make a subfolder the top of the work tree."""
    repository.commit({"hub/configs/b.yaml": pair(1, "deals")})
    repository.git("branch", "--force", "main")
    monkeypatch.setenv("GIT_DIR", str(repository.top / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(repository.top / "nowhere"))
    assert list(files(base(repository, at="hub"))) == ["configs/b.yaml"]
    state = state_of(repository, "configs", at="hub")
    assert state is not None
    assert not state.dirty


def test_a_chosen_work_tree_is_respected(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sets GIT_WORK_TREE beside GIT_DIR means it."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("GIT_DIR", str(repository.top / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "elsewhere"))
    assert files(base(Repository(tmp_path / "elsewhere"))) == {"configs/a.yaml": pair(5)}


def test_outside_a_repository_there_is_no_base(tmp_path: Path) -> None:
    """Said with the directory."""
    error = refused(Repository(tmp_path), "main")
    assert "is not in a git repository" in error.message


def test_a_bare_repository_has_no_work_tree(repository: Repository, tmp_path: Path) -> None:
    """Nothing that only looks like a repository is taken for one."""
    repository.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    message = refused(Repository(tmp_path / "bare"), "main").message
    assert "is not in a git repository" in message


def test_without_git_there_is_no_base(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said as such; a plan without --base goes on without a commit."""
    monkeypatch.setenv("PATH", "/nonexistent")
    assert refused(repository).message == "git is not installed"
    assert state_of(repository, "configs") is None


def test_dubious_ownership_is_told_in_git_s_words(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container whose user does not own the checkout."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    error = refused(repository)
    assert "dubious ownership" in error.message
    assert "safe.directory" in str(error.hint)
    assert state_of(repository, "configs") is None


def test_a_damaged_repository_ends_in_words(repository: Repository) -> None:
    """A tree that is gone is no empty configuration."""
    tree = repository.git("rev-parse", "main:configs")
    (repository.top / ".git/objects" / tree[:2] / tree[2:]).unlink()
    assert f"git has no object {tree}" in refused(repository).message


def test_a_git_that_dies_ends_in_words(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback of a broken pipe."""
    real = shutil.which("git")
    fake = tmp_path / "bin/git"
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\ncase "$*" in *cat-file*) echo gone >&2; exit 3;; esac\nexec {real} "$@"\n',
        encoding="ascii",
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    assert "git has no object" in refused(repository).message


def test_two_hundred_files_take_a_handful_of_processes(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many files: one process lists and reads them all."""
    repository.commit({f"configs/{n}.yaml": pair(5, f"p_{n}") for n in range(200)})
    repository.git("branch", "--force", "main")
    started: list[object] = []
    popen = subprocess.Popen.__init__

    def counted(process: subprocess.Popen[bytes], *arguments: object, **options: object) -> None:
        started.append(arguments)
        popen(process, *arguments, **options)  # type: ignore[call-overload]  # passed on as is

    monkeypatch.setattr(subprocess.Popen, "__init__", counted)
    assert len(base(repository).sources) == 201
    assert len(started) <= 4


def test_a_repository_of_sha_256_objects(tmp_path: Path) -> None:
    """Object IDs are longer there."""
    repository = Repository(tmp_path)
    repository.git("init", "--quiet", "--initial-branch=main", "--object-format=sha256")
    commit = repository.commit({"configs/a.yaml": pair(5), "configs/deep/b.yaml": pair(1, "deals")})
    found = base(repository)
    assert found.commit == commit
    assert list(files(found)) == ["configs/a.yaml", "configs/deep/b.yaml"]


def test_a_partial_clone_says_how_to_fetch_what_it_lacks(
    repository: Repository, tmp_path: Path
) -> None:
    """Fetching would run what the repository's configuration names, so git is not allowed to."""
    repository.commit({"configs/a.yaml": pair(6)})
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = repository.clone(tmp_path / "clone", "--filter=blob:none")
    marker = tmp_path / "fetched"
    clone.git("config", "remote.origin.uploadpack", f"touch {marker}; git-upload-pack")
    error = refused(clone, "origin/main")
    assert "git has no object" in error.message
    assert "git fetch --refetch --no-filter" in str(error.hint)
    assert not marker.exists()
    clone.git("config", "--unset", "remote.origin.uploadpack")
    clone.git("fetch", "--quiet", "--refetch", "--no-filter")
    assert files(base(clone, "origin/main")) == {"configs/a.yaml": pair(5)}


# ---------------------------------------------------------------- the base as limits


def test_the_base_is_parsed_with_its_own_workspace(repository: Repository) -> None:
    """Pruning is what it was."""
    repository.commit({"reconciler.yaml": "version: 1\nprune: false\n"})
    repository.git("branch", "--force", "main")
    repository.commit({"reconciler.yaml": "version: 1\n"})
    past = parse_base(base(repository, workspace="reconciler.yaml"))
    (direction,) = past.desired.directions
    assert not direction.prune
    assert direction.place == Place("configs/a.yaml", 1, 7)


@pytest.mark.parametrize(
    "broken",
    [
        pair(0, "deals"),
        "from: deals\n  to: [",
        "\tx",
        "from: deals\nto: contacts\nmaximum: 3\n",
        "x" * (2 << 20),
        "<<<<<<< ours\n",
    ],
    ids=["out of range", "no YAML", "tab", "unknown key", "too large", "merge conflict"],
)
def test_a_file_that_is_invalid_at_the_base_says_nothing(
    repository: Repository, broken: str
) -> None:
    """The others do; the change that repairs it can be planned."""
    repository.commit({"configs/b.yaml": broken})
    repository.git("branch", "--force", "main")
    past = parse_base(base(repository))
    assert [str(each) for each in past.desired.directions] == ["contacts → companies"]
    assert not past.desired.complete
    (problem,) = past.problems
    assert problem.startswith("main:configs/b.yaml:")


def test_a_file_that_is_not_text_at_the_base_says_nothing(repository: Repository) -> None:
    """Bytes that are not UTF-8."""
    (repository.top / "configs/b.yaml").write_bytes(b"from: \xff\n")
    repository.commit()
    repository.git("branch", "--force", "main")
    past = parse_base(base(repository))
    assert (len(past.desired.directions), past.desired.complete) == (1, False)


def test_a_direction_that_two_files_of_the_base_declare_says_nothing(
    repository: Repository,
) -> None:
    """The other directions of both files do."""
    repository.commit({"configs/b.yaml": pair(7) + "---\n" + pair(3, "deals")})
    repository.git("branch", "--force", "main")
    past = parse_base(base(repository))
    assert [str(each) for each in past.desired.directions] == ["deals → companies"]
    assert not past.desired.complete
    assert "declared more than once" in past.problems[0]


def test_an_invalid_workspace_at_the_base_leaves_no_base(repository: Repository) -> None:
    """Without it nobody knows where the base's configuration is, and what it prunes."""
    repository.commit({"reconciler.yaml": "version: 7\n"})
    repository.git("branch", "--force", "main")
    found = base(repository, workspace="reconciler.yaml")
    assert found.sources == ()
    (problem,) = found.problems
    assert problem.startswith("main:reconciler.yaml:1:10: ")
    assert parse_base(found).desired == Desired((), complete=False)


# ---------------------------------------------------------------- hostile trees


def hash_object(repository: Repository, kind: str, content: bytes) -> str:
    """Write an object that git itself would not write."""
    done = subprocess.run(
        ["git", "hash-object", "-t", kind, "-w", "--literally", "--stdin"],
        cwd=repository.top,
        input=content,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


def commit_tree(repository: Repository, tree: str) -> None:
    """Make a tree what `main` holds, and start the branch from it."""
    commit = repository.git("commit-tree", "-m", "x", tree)
    repository.git("update-ref", "refs/heads/main", commit)
    repository.git("update-ref", "refs/heads/feature", commit)


def entry(mode: str, name: str, id_: str) -> bytes:
    """One entry of a tree object."""
    return f"{mode} {name}".encode() + b"\0" + bytes.fromhex(id_)


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"40000 configs",
        b"40000 configs\0short",
        b"\xff configs\0" + b"x" * 20,
        b" \0" + b"x" * 20,
    ],
)
def test_a_malformed_tree_ends_in_words(repository: Repository, content: bytes) -> None:
    """It is a damaged repository, not a bug of the tool."""
    commit_tree(repository, hash_object(repository, "tree", content))
    assert "is malformed" in refused(repository).message


@pytest.mark.parametrize("mode", ["40000", "100644", "120000"])
def test_an_entry_of_another_kind_than_its_mode_ends_in_words(
    repository: Repository, mode: str
) -> None:
    """A commit in the place of a folder, a file or a link."""
    commit = repository.git("rev-parse", "HEAD")
    inner = hash_object(repository, "tree", entry(mode, "a.yaml", commit))
    commit_tree(repository, hash_object(repository, "tree", entry("40000", "configs", inner)))
    assert f"git's object {commit} is a commit" in refused(repository).message


def test_shared_sub_trees_are_bounded(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty trees, each twice the one below, stand for a billion folders."""
    blob = hash_object(repository, "blob", pair(5).encode())
    tree = hash_object(repository, "tree", entry("100644", "a.yaml", blob))
    for _ in range(30):
        tree = hash_object(
            repository, "tree", entry("40000", "x", tree) + entry("40000", "y", tree)
        )
    commit_tree(repository, hash_object(repository, "tree", entry("40000", "configs", tree)))
    monkeypatch.setattr(sources, "MAXIMUM_FILES", 500)
    begun = time.monotonic()
    found = base(repository)
    assert time.monotonic() - begun < 10
    assert "more than 1,000" in found.problems[0]
    assert not parse_base(found).desired.complete


def test_deep_trees_are_bounded(repository: Repository) -> None:
    """Forty folders within each other."""
    blob = hash_object(repository, "blob", pair(5).encode())
    tree = hash_object(repository, "tree", entry("100644", "a.yaml", blob))
    for _ in range(40):
        tree = hash_object(repository, "tree", entry("40000", "x", tree))
    commit_tree(repository, hash_object(repository, "tree", entry("40000", "configs", tree)))
    assert "lies deeper than 32 folders" in base(repository).problems[0]


# ---------------------------------------------------------------- the state of the work tree


def dirty(repository: Repository, *paths: str, at: str = ".") -> bool:
    """Whether the configuration differs from HEAD."""
    state = state_of(repository, *(paths or ("configs", "reconciler.yaml")), at=at)
    assert state is not None
    assert state.commit == repository.git("rev-parse", "HEAD")
    assert state.base is None
    return state.dirty


def test_a_clean_checkout_is_clean(repository: Repository) -> None:
    """Also with changes to files that are no configuration."""
    repository.commit({"readme.md": "x"})
    repository.write({"readme.md": "y", "other.yaml": "x", "configs/notes.txt": "x"})
    repository.write({"configs/.hidden.yaml": "x"})
    assert not dirty(repository)
    assert not dirty(repository, ".", at="configs")


@pytest.mark.parametrize(
    "files",
    [
        {"configs/a.yaml": "# changed\n"},
        {"configs/new.yaml": "# untracked\n"},
        {"configs/deep/new folder/é.yml": "# untracked\n"},
        {"reconciler.yaml": "# untracked\n"},
        {"configs/ignored.yaml": "x", ".gitignore": "ignored.yaml\n"},
        {"configs/ignored/a.yaml": "x", ".gitignore": "ignored/\n"},
        {"configs/ignored/a.yaml": "x", ".gitignore": "configs/\n"},
    ],
)
def test_changed_untracked_and_ignored_files_are_dirty(
    repository: Repository, files: dict[str, str]
) -> None:
    """All that is read and that the commit does not have."""
    repository.write(files)
    assert dirty(repository)


def test_staged_renamed_and_deleted_files_are_dirty(repository: Repository) -> None:
    """The index is not the commit."""
    repository.git("mv", "configs/a.yaml", "configs/b.yaml")
    assert dirty(repository)
    repository.commit()
    assert not dirty(repository)
    (repository.top / "configs/b.yaml").unlink()
    assert dirty(repository)
    repository.git("rm", "--quiet", "configs/b.yaml")
    assert dirty(repository)


def test_only_the_paths_asked_for_count(repository: Repository) -> None:
    """Also from a subfolder, absolute, and with characters that mean something to git."""
    repository.commit({"x/[a]*.yaml": pair(1, "deals")})
    repository.write({"configs/a.yaml": "# changed\n"})
    assert not dirty(repository, "x")
    assert not dirty(repository, "../x", at="configs")
    assert not dirty(repository, "x/[a]*.yaml")
    assert dirty(repository, str(repository.top / "configs"))
    repository.write({"x/[a]*.yaml": "# changed\n"})
    assert dirty(repository, "x/[a]*.yaml")


def test_configuration_outside_the_repository_is_dirty(
    repository: Repository, tmp_path: Path
) -> None:
    """The commit says nothing of it."""
    assert dirty(repository, str(tmp_path))


def test_without_a_commit_there_is_no_state(tmp_path: Path) -> None:
    """Neither outside a repository."""
    assert state_of(Repository(tmp_path), ".") is None
    empty = Repository.create(tmp_path / "empty")
    assert state_of(empty, ".") is None


def test_a_directory_reached_through_a_link(repository: Repository, tmp_path: Path) -> None:
    """Absolute paths lead to the same files whichever way they are written."""
    link = tmp_path / "link"
    link.symlink_to(repository.top)
    seen = Repository(link)
    assert files(base(seen, "main", str(link / "configs"))) == {"configs/a.yaml": pair(5)}
    assert files(base(seen, "main", str(repository.top / "configs")))
    repository.write({"configs/a.yaml": "# changed\n"})
    assert dirty(seen, str(link / "configs"))
    assert os.path.realpath(link) == str(repository.top)
