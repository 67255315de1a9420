"""Files of a pull request run nothing, and lead to no file outside the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.ci import plans
from tests.cli.conftest import PAIR
from tests.cli.running import Desk, Ran

SECRET = "very-secret-value"
PROGRAMS = (
    "core.fsmonitor",
    "core.sshCommand",
    "core.gitProxy",
    "core.pager",
    "core.editor",
    "core.askPass",
    "core.alternateRefsCommand",
    "credential.helper",
    "diff.external",
    "diff.x.textconv",
    "diff.x.command",
    "filter.x.clean",
    "filter.x.smudge",
    "filter.x.process",
    "gpg.program",
    "interactive.diffFilter",
    "merge.x.driver",
    "pager.status",
    "pager.rev-parse",
    "pager.ls-files",
    "pager.cat-file",
    "sequence.editor",
    "uploadpack.packObjectsHook",
    "remote.origin.uploadpack",
    "remote.origin.receivepack",
)
HOOKS = ("post-index-change", "fsmonitor-watchman", "pre-auto-gc", "post-checkout")


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody with a name."""
    done = subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(pair: Desk) -> Desk:
    """A repository with one pair file, and a workspace file, committed."""
    pair.write("reconciler.yaml", "version: 1\n")
    git(pair.folder, "init", "-qb", "main")
    git(pair.folder, "add", ".")
    git(pair.folder, "commit", "-qm", "x")
    return pair


@pytest.fixture
def marker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that exists once an attacker's program ran, with the environment it saw."""
    return tmp_path_factory.mktemp("marker") / "ran"


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory, marker: Path) -> Path:
    """The attacker's program."""
    path = tmp_path_factory.mktemp("program") / "attack"
    path.write_text(f"#!/bin/sh\nenv >>'{marker}'\n", encoding="ascii")
    path.chmod(0o755)
    return path


def arm(git_directory: Path, program: Path) -> None:
    """Let the configuration in a git directory name the program wherever git may run one."""
    git_directory.joinpath("hooks").mkdir(exist_ok=True)
    for name in HOOKS:
        shutil.copy(program, git_directory / "hooks" / name)
    for key in PROGRAMS:
        git(git_directory, "config", "--file", str(git_directory / "config"), key, str(program))
    promisor = {
        "core.hooksPath": str(git_directory / "hooks"),
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::{program}",
        "protocol.ext.allow": "always",
        "protocol.allow": "always",
    }
    for key, value in promisor.items():
        git(git_directory, "config", "--file", str(git_directory / "config"), key, value)


def every_command(desk: Desk) -> list[Ran]:
    """All that reads files or asks git; a plan shown has links, as its comment does."""
    plans.save(plans.small(), desk.folder / "plan.json")
    commands = (
        ("validate",),
        ("plan",),
        ("plan", "--base", "main"),
        ("plan", "--base", "HEAD~1"),
        ("apply", "--auto-approve"),
        ("apply", "--auto-approve", "--base", "main"),
        ("show", "plan.json"),
        ("show", "--format", "markdown", "plan.json"),
    )
    return [desk.run_here(*arguments) for arguments in commands]


def test_the_attack_would_work(repository: Desk, program: Path, marker: Path) -> None:
    """`git status` obeys what is armed here: the tests below do not pass for want of an attack."""
    arm(repository.folder / ".git", program)
    subprocess.run(["git", "status"], cwd=repository.folder, check=False, capture_output=True)
    assert marker.exists()


def test_the_configuration_of_an_unpacked_archive_runs_nothing(
    repository: Desk, program: Path, marker: Path
) -> None:
    """`.git/config` names a program for everything that git may run, and an object is missing."""
    repository.write(".gitattributes", "* filter=x diff=x merge=x\n")
    repository.write("configs/more.yaml", "from: deals\nto: contacts\nlabels: {Champion: 1}\n")
    git(repository.folder, "add", ".")
    git(repository.folder, "commit", "-qm", "y")
    blob = git(repository.folder, "rev-parse", "HEAD~1:configs/contacts-companies.yaml")
    repository.write("configs/more.yaml", "# changed\n")
    repository.folder.joinpath("configs/contacts-companies.yaml").touch()
    repository.folder.joinpath(".git/objects", blob[:2], blob[2:]).unlink()
    arm(repository.folder / ".git", program)
    ran = every_command(repository)
    assert ran[0].code == 0
    assert "git has no object" in ran[3].err
    assert not marker.exists()


def test_a_folder_that_looks_like_a_bare_repository_is_none(
    repository: Desk, program: Path, marker: Path
) -> None:
    """`cd` into a committed folder with HEAD, config, objects and refs: the one around counts."""
    evil = repository.folder / "evil"
    git(repository.folder, "init", "-q", "--bare", str(evil))
    arm(evil, program)
    for key, value in {"core.bare": "false", "core.worktree": str(repository.folder)}.items():
        git(evil, "config", "--file", str(evil / "config"), key, value)
    desk = Desk(evil, repository.server)
    ran = every_command(desk)
    assert not marker.exists()
    assert ran[1].code == 0
    assert "../configs/contacts-companies.yaml" in ran[1].out


def test_a_bare_repository_without_one_around_it_is_no_repository(
    offline: Desk, program: Path, marker: Path
) -> None:
    """An unpacked archive that is nothing else: words, and nothing runs."""
    git(offline.folder, "init", "-q", "--bare", ".")
    arm(offline.folder, program)
    for key, value in {"core.bare": "false", "core.worktree": "."}.items():
        git(offline.folder, "config", "--file", "config", key, value)
    offline.write("configs/a.yaml", PAIR)
    ran = every_command(offline)
    assert "is not in a git repository" in ran[2].err
    assert not marker.exists()


@pytest.mark.parametrize("content", ["", "gitdir: ../evil\n", "gitdir: ", "x" * 5000])
def test_a_git_entry_that_is_none_ends_in_words(
    repository: Desk, program: Path, marker: Path, content: str
) -> None:
    """An empty `.git`, or one that leads to a folder of the repository."""
    inner = repository.folder / "inner"
    evil = repository.folder / "evil"
    git(repository.folder, "init", "-q", "--bare", str(evil))
    arm(evil, program)
    inner.mkdir()
    inner.joinpath(".git").write_text(content, encoding="ascii")
    desk = Desk(inner, repository.server)
    desk.write("configs/a.yaml", PAIR)
    ran = every_command(desk)
    assert not marker.exists()
    assert ran[0].code == 0
    assert ran[2].code == 1
    assert "git" in ran[2].err


def test_git_never_sees_a_token(
    repository: Desk, tmp_path_factory: pytest.TempPathFactory, marker: Path
) -> None:
    """Neither HubSpot's nor the forge's, nor one in git's own configuration variables."""
    real = shutil.which("git")
    folder = tmp_path_factory.mktemp("bin")
    folder.joinpath("git").write_text(
        f"#!/bin/sh\nenv >>'{marker}'\necho \"$@\" >>'{marker}.arguments'\nexec {real} \"$@\"\n",
        encoding="ascii",
    )
    folder.joinpath("git").chmod(0o755)
    repository.variables = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "GITHUB_TOKEN": SECRET,
        "GITLAB_TOKEN": SECRET,
        "CI_JOB_TOKEN": SECRET,
        "MY_OWN": SECRET,
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "http.extraheader",
        "GIT_CONFIG_VALUE_0": SECRET,
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
        "GIT_SSH_COMMAND": SECRET,
        "GIT_ASKPASS": SECRET,
        "GIT_EXTERNAL_DIFF": SECRET,
    }
    assert repository.run_here("plan", "--base", "main").code == 0
    seen = marker.read_text("utf-8")
    assert "GIT_CONFIG_VALUE_0=*" in seen
    assert SECRET not in seen
    assert DEFAULT_TOKEN not in seen
    for line in marker.with_name("ran.arguments").read_text("utf-8").splitlines():
        for setting in (
            "safe.bareRepository=explicit",
            "core.fsmonitor=false",
            f"core.hooksPath={os.devnull}",
        ):
            assert f"-c {setting}" in line
        assert " status" not in line


def test_a_git_in_the_repository_is_not_the_git_that_runs(
    repository: Desk, program: Path, marker: Path
) -> None:
    """A PATH with relative folders does not lead into the checkout."""
    for name in ("git", "node_modules/.bin/git"):
        target = repository.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, target)
    repository.variables = {"PATH": f".:node_modules/.bin::{os.environ['PATH']}"}
    assert repository.run_here("plan", "--base", "main").code == 0
    assert not marker.exists()


@pytest.fixture
def old_git(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH whose git does not know `safe.bareRepository`, as before version 2.38."""
    folder = tmp_path_factory.mktemp("old")
    folder.joinpath("git").write_text(
        "#!/bin/bash\n"
        'for each in "$@"; do\n'
        '  arguments+=("${each/safe.bareRepository=explicit/core.abbrev=12}")\n'
        "done\n"
        f'exec {shutil.which("git")} "${{arguments[@]}}"\n',
        encoding="ascii",
    )
    folder.joinpath("git").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize("beside", [False, True], ids=["a folder", "beside an empty .git"])
def test_an_old_git_takes_no_folder_for_a_repository(
    offline: Desk, old_git: str, program: Path, marker: Path, *, beside: bool
) -> None:
    """Where the repository is was found without git, and held against its answer."""
    git(offline.folder, "init", "-q", "--bare", ".")
    arm(offline.folder, program)
    for key, value in {"core.bare": "false", "core.worktree": "."}.items():
        git(offline.folder, "config", "--file", "config", key, value)
    if beside:
        offline.folder.joinpath(".git").mkdir()
    offline.write("configs/a.yaml", PAIR)
    offline.variables = {"PATH": old_git}
    ran = every_command(offline)
    assert ran[2].code == 1
    assert "git" in ran[2].err
    assert not marker.exists()


# ---------------------------------------------------------------- links out of the repository


@pytest.fixture
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file outside the repository."""
    path = tmp_path_factory.mktemp("secrets") / "hubspot.yaml"
    path.write_text(f"{SECRET}: {SECRET}\n", encoding="ascii")
    return path


def refused(desk: Desk, path: str, *arguments: str) -> None:
    """Every command that reads the files exits 3, names the path, and shows nothing of it."""
    for command in (
        ("validate",),
        ("validate", "--format", "json"),
        ("validate", "--format", "github"),
        ("validate", "--format", "sarif"),
        ("plan",),
        ("plan", "--format", "json"),
        ("plan", "--base", "main"),
        ("apply", "--auto-approve"),
    ):
        ran = desk.run_here(*command, *arguments)
        assert ran.code == 3, (command, ran)
        assert path in ran.out + ran.err
        assert "path-outside" in ran.out + ran.err
        assert SECRET not in ran.out + ran.err


@pytest.mark.parametrize("relative", [True, False], ids=["relative", "absolute"])
def test_a_linked_pair_file_is_not_read(repository: Desk, secret: Path, *, relative: bool) -> None:
    """Found in the folder, and given by itself as pre-commit does."""
    configs = repository.folder / "configs"
    target = os.path.relpath(secret, configs) if relative else str(secret)
    configs.joinpath("z.yaml").symlink_to(target)
    refused(repository, "configs/z.yaml")
    refused(repository, "configs/z.yaml", "configs/z.yaml")


def test_a_linked_folder_is_not_searched(repository: Desk, secret: Path) -> None:
    """At any depth, through another link, and where it is `configs` itself."""
    folder = repository.folder
    folder.joinpath("elsewhere").symlink_to(secret.parent)
    folder.joinpath("configs/team").symlink_to("../elsewhere")
    refused(repository, "configs/team")
    refused(repository, "elsewhere/hubspot.yaml", "elsewhere/hubspot.yaml")
    shutil.rmtree(folder / "configs")
    folder.joinpath("configs").symlink_to(secret.parent)
    refused(repository, "configs")
    folder.joinpath("reconciler.yaml").unlink()
    refused(repository, "configs")


def test_a_linked_workspace_file_is_not_read(repository: Desk, secret: Path) -> None:
    """Found, and given by itself."""
    workspace = repository.folder / "reconciler.yaml"
    workspace.unlink()
    workspace.symlink_to(secret)
    refused(repository, "reconciler.yaml")
    ran = repository.run_here("--workspace", "reconciler.yaml", "plan")
    assert ran.code == 3
    assert SECRET not in ran.err


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_a_link_into_git_s_own_folder_is_not_read(repository: Desk, command: str) -> None:
    """`.git/config` may hold the token of the checkout; a work tree's is outside of it."""
    git(repository.folder, "config", "http.extraheader", SECRET)
    repository.folder.joinpath("configs/z.yaml").symlink_to("../.git/config")
    ran = repository.run_here(command)
    assert (ran.code, SECRET in ran.out + ran.err) == (3, False)
    repository.folder.joinpath("configs/z.yaml").unlink()
    repository.folder.joinpath(".git").rename(repository.folder / "moved")
    repository.write(".git", "gitdir: moved\n")
    assert repository.run_here(command).code == 0
    repository.folder.joinpath("configs/z.yaml").symlink_to("../moved/config")
    ran = repository.run_here(command)
    assert (ran.code, SECRET in ran.out + ran.err) == (3, False)


@pytest.mark.parametrize(
    "configs", ["/", "/etc", "../..", "../../../../../../..", "x/../../..", "linked"]
)
def test_configs_cannot_lead_out(repository: Desk, secret: Path, configs: str) -> None:
    """A diagnostic at the key, and nothing is searched."""
    repository.folder.joinpath("linked").symlink_to(secret.parent)
    repository.write("reconciler.yaml", f"version: 1\nconfigs: {configs}\n")
    for command in ("validate", "plan"):
        ran = repository.run_here(command)
        assert ran.code == 3, ran
        assert "reconciler.yaml:2:10: error[path-" in ran.err


def test_links_within_the_repository_are_followed(repository: Desk) -> None:
    """To files and folders, and through a folder that a person gives by another name."""
    repository.write("shared/b.yaml", "from: deals\nto: contacts\nlabels: {Champion: 1}\n")
    repository.folder.joinpath("configs/b.yaml").symlink_to("../shared/b.yaml")
    assert repository.run_here("validate").out == "Valid: 2 files, 3 directions, 6 limits.\n"


def test_a_path_outside_is_the_user_s_choice(repository: Desk, secret: Path) -> None:
    """It is read; a link below it that leaves it is not."""
    outside = secret.parent / "limits"
    outside.mkdir()
    outside.joinpath("a.yaml").write_text(PAIR, encoding="utf-8")
    for given in (outside, outside / "a.yaml"):
        assert repository.run_here("validate", str(given)).code == 0
    outside.joinpath("z.yaml").symlink_to(secret)
    for given in (outside, outside / "z.yaml"):
        ran = repository.run_here("validate", str(given))
        assert (ran.code, SECRET in ran.err) == (3, False)


def test_a_link_to_another_repository_does_not_choose_its_boundary(
    repository: Desk, secret: Path
) -> None:
    """Seen from outside both, the repository that holds the link counts."""
    git(secret.parent, "init", "-q")
    repository.folder.joinpath("linked").symlink_to(secret.parent)
    desk = Desk(repository.folder.parent, repository.server)
    ran = desk.run_here("validate", f"{repository.folder.name}/linked")
    assert (ran.code, SECRET in ran.err) == (3, False)


def test_a_folder_mounted_with_hidden_links_is_read(offline: Desk) -> None:
    """Kubernetes mounts a ConfigMap so; there is no repository there."""
    offline.write("..2026/a.yaml", PAIR)
    offline.folder.joinpath("..data").symlink_to("..2026")
    offline.folder.joinpath("a.yaml").symlink_to("..data/a.yaml")
    assert offline.run_here("validate", str(offline.folder)).code == 0


@pytest.mark.parametrize("given", [(), ("configs/pipe.yaml",)], ids=["found", "given"])
def test_a_pipe_or_a_device_is_not_read(offline: Desk, given: tuple[str, ...]) -> None:
    """Neither hangs nor fills the memory."""
    offline.write("configs/a.yaml", PAIR)
    os.mkfifo(offline.folder / "configs/pipe.yaml")
    ran = offline.run_here("validate", *given)
    assert ran.code == 3
    assert "configs/pipe.yaml is not a regular file" in ran.err
    ran = offline.run_here("validate", "/dev/zero")
    assert (ran.code, "is not a regular file" in ran.err) == (3, True)


# ---------------------------------------------------------------- where the workspace is


def test_a_workspace_above_the_repository_is_not_used(repository: Desk) -> None:
    """Neither the file nor `configs`: what lies above is not under review."""
    inner = Desk(repository.folder / "inner", repository.server)
    inner.write("limits/a.yaml", PAIR)
    git(inner.folder, "init", "-q")
    ran = inner.run_here("plan")
    assert ran.code == 3
    assert "configs does not exist" in ran.err
    outside = Desk(repository.folder / "plain", repository.server)
    outside.write("x.txt", "")
    assert "../configs/contacts-companies.yaml" in outside.run_here("plan").out
    repository.folder.joinpath("reconciler.yaml").unlink()
    assert "../configs/contacts-companies.yaml" in outside.run_here("plan").out


# ---------------------------------------------------------------- small repositories that hang


def test_links_that_multiply_are_followed_once(offline: Desk) -> None:
    """18 folders with two links each to the next one: 2^18 paths to the same file."""
    for number in range(18):
        folder = offline.folder / f"configs/{number}"
        folder.mkdir(parents=True)
        for name in ("a", "b"):
            folder.joinpath(name).symlink_to(f"../{number + 1}")
    offline.write("configs/18/a.yaml", PAIR)
    begun = time.monotonic()
    assert offline.run_here("validate").out == "Valid: 1 file, 2 directions, 5 limits.\n"
    assert time.monotonic() - begun < 10


def test_nested_folders_are_bounded(offline: Desk) -> None:
    """900 within each other: a diagnostic, as for links that make a path as long."""
    folder = offline.folder
    for name in ["configs", *["d"] * 900]:
        folder.joinpath(name).mkdir()
        folder /= name
        os.chdir(folder)
        folder = Path()
    ran = offline.run_here("validate")
    assert ran.code == 3
    assert "error[folders-too-deep]" in ran.err


def test_mistakes_are_bounded(offline: Desk) -> None:
    """A mebibyte of keys that nobody knows, and as many wrong documents, in many files."""
    keys = "".join(f"k{number}: 1\n" for number in range(90_000))
    documents = "---\nfrom: contacts\nto: companies\nmax: 0\n" * 20_000
    for number in range(2):
        offline.write(f"configs/{number}.yaml", f"from: contacts\nto: companies\n{keys}")
        offline.write(f"configs/{number}-b.yaml", documents)
    begun = time.process_time()
    ran = offline.run_here("validate", "--format", "json")
    assert time.process_time() - begun < 30
    assert ran.code == 3
    assert "mistakes-too-many" in ran.out


def test_warnings_are_no_mistakes(offline: Desk) -> None:
    """However many there are."""
    labels = "".join(f"  Label {number}: 20000\n" for number in range(1_200))
    offline.write("configs/a.yaml", f"from: contacts\nto: companies\nlabels:\n{labels}")
    assert offline.run_here("validate").code == 0
