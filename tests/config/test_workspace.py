"""The workspace file: found upwards, read strictly, and never repeating a token."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.workspace import (
    EnvToken,
    FileToken,
    OverlayFolder,
    PortalSettings,
    Workspace,
    find_workspace,
)
from reconciler.config.workspace_file import load_workspace
from reconciler.errors import ConfigurationInvalid
from reconciler.model.limits import Place, Safety
from tests.config.support import where, workspace, workspace_problems

TOKEN = "pat-na1-0a1b2c3d-4e5f-6789-abcd-ef0123456789"

SAMPLE = """
    version: 1
    configs: limits
    api_version: 2026-09
    prune: false
    safety: {max_deletes: 1, max_delete_percent: 2, max_changes: 3}
    portals:
      production:
        portal_id: 1234567                      # the token must belong to this portal
        token: {env: HUBSPOT_PRODUCTION_TOKEN}  # or {file: /run/secrets/hubspot}
      sandbox-1:
        token: {file: secrets/hubspot}
        overlays: [overlays/sandbox, overlays/local]
"""


def test_the_sample_says_what_it_says() -> None:
    """Every key of the format."""
    assert workspace(SAMPLE) == Workspace(
        path=Path("reconciler.yaml"),
        root=Path(),
        configs="limits",
        api_version="2026-09",
        prune=False,
        safety=Safety(1, 2, 3),
        portals=(
            PortalSettings("production", 1234567, EnvToken("HUBSPOT_PRODUCTION_TOKEN")),
            PortalSettings(
                "sandbox-1",
                None,
                FileToken(Path("secrets/hubspot")),
                (OverlayFolder("overlays/sandbox"), OverlayFolder("overlays/local")),
            ),
        ),
    )


def test_the_smallest_file_means_the_defaults() -> None:
    """One portal named `default`, its token in HUBSPOT_ACCESS_TOKEN, files in configs."""
    read = workspace("version: 1\n")
    default = Workspace()
    assert read.portals == default.portals == (PortalSettings("default"),)
    assert default.portals[0].token == EnvToken("HUBSPOT_ACCESS_TOKEN")
    assert (read.configs, read.api_version, read.prune) == ("configs", "2026-09", True)
    assert read.safety == Safety() == default.safety
    assert default.config_directory == Path("configs")


def test_a_single_portal_needs_no_token_key() -> None:
    """There is only one token it can be."""
    for written in ("{}", "{portal_id: 5}"):
        (portal,) = workspace(f"version: 1\nportals:\n  main: {written}\n").portals
        assert portal.token == EnvToken("HUBSPOT_ACCESS_TOKEN")


def test_several_portals_each_need_a_token() -> None:
    """Guessing would write one portal's limits with another's token."""
    problems = workspace_problems("version: 1\nportals:\n  a: {}\n  b: {token: {env: B}}\n")
    assert where(problems) == [("token-missing", 3, 3)]
    assert problems[0].hint == "add token: {env: HUBSPOT_A_TOKEN}"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("", [("workspace-documents", 1, 1)]),
        ("# nothing\n", [("workspace-documents", 1, 1)]),
        ("version: 1\n---\nversion: 1\n", [("workspace-documents", 3, 1)]),
        ("version: [\n", [("yaml-syntax", 2, 1)]),
        ("version: 1\nversion: 1\n", [("key-duplicate", 2, 1)]),
        ("- version: 1\n", [("value-not-a-mapping", 1, 1)]),
        ("configs: x\n", [("key-missing", 1, 1)]),
        ("version: 2\n", [("version-unknown", 1, 10)]),
        ("version: '1'\n", [("version-unknown", 1, 10)]),
        ("version: 1.0\n", [("version-unknown", 1, 10)]),
        ("version: true\n", [("version-unknown", 1, 10)]),
        ("version:\n", [("value-null", 1, 1)]),
        ("version: 1\nconfig: x\n", [("key-unknown", 2, 1)]),
        ("version: 1\nconfigs: 5\n", [("value-not-text", 2, 10)]),
        ("version: 1\nconfigs: ' '\n", [("path-invalid", 2, 10)]),
        ("version: 1\nconfigs: ~\n", [("value-null", 2, 10)]),
        ("version: 1\napi_version: v3\n", [("api-version-unknown", 2, 14)]),
        ("version: 1\napi_version: 2026-3\n", [("api-version-unknown", 2, 14)]),
        ("version: 1\nprune: no\n", [("value-not-a-boolean", 2, 8)]),
        ("version: 1\nsafety: 5\n", [("value-not-a-mapping", 2, 9)]),
        ("version: 1\nsafety: {max_deletes: -1}\n", [("value-not-a-number", 2, 23)]),
        ("version: 1\nsafety: {max_changes: 1_0}\n", [("value-not-a-number", 2, 23)]),
        ("version: 1\nsafety: {max_delete_percent: 101}\n", [("value-not-a-number", 2, 30)]),
        ("version: 1\nsafety: {max_delete: 1}\n", [("key-unknown", 2, 10)]),
        ("version: 1\nportals:\n", [("value-null", 2, 1)]),
        ("version: 1\nportals: {}\n", [("portals-missing", 2, 10)]),
        ("version: 1\nportals: [a]\n", [("value-not-a-mapping", 2, 10)]),
        ("version: 1\nportals: {a: }\n", [("value-null", 2, 11)]),
        ("version: 1\nportals: {a: 5}\n", [("value-not-a-mapping", 2, 14)]),
        ("version: 1\nportals: {-a: {}}\n", [("portal-name-invalid", 2, 11)]),
        ("version: 1\nportals: {a/b: {}}\n", [("portal-name-invalid", 2, 11)]),
        ("version: 1\nportals: {'': {}}\n", [("portal-name-invalid", 2, 11)]),
        ("version: 1\nportals: {a: {portal_id: 0}}\n", [("value-not-a-number", 2, 26)]),
        ("version: 1\nportals: {a: {portal_id: '5'}}\n", [("value-not-a-number", 2, 26)]),
        ("version: 1\nportals: {a: {portalid: 5}}\n", [("key-unknown", 2, 15)]),
        ("version: 1\nportals: {a: {token: {}}}\n", [("token-invalid", 2, 22)]),
        ("version: 1\nportals: {a: {token: {env: A, file: b}}}\n", [("token-invalid", 2, 22)]),
        ("version: 1\nportals: {a: {token: {env: 'A B'}}}\n", [("token-invalid", 2, 28)]),
        ("version: 1\nportals: {a: {token: {env: 5}}}\n", [("value-not-text", 2, 28)]),
        ("version: 1\nportals: {a: {token: {file: ''}}}\n", [("path-invalid", 2, 29)]),
        ("version: 1\nportals: {a: {token: ~}}\n", [("value-null", 2, 22)]),
        ("version: 1\nportals: {a: {overlays: }}\n", [("value-null", 2, 15)]),
        ("version: 1\nportals: {a: {overlays: x}}\n", [("value-not-a-list", 2, 25)]),
        ("version: 1\nportals: {a: {overlays: [5]}}\n", [("value-not-text", 2, 26)]),
        ("version: 1\nportals: {a: {overlays: [/x]}}\n", [("path-invalid", 2, 26)]),
        (
            (
                "version: 1\nportals:\n  a: {portal_id: 5, token: {env: A}}\n"
                "  b: {portal_id: 5, token: {env: B}}\n"
            ),
            [("portal-duplicate", 4, 18)],
        ),
        (
            "version: 3\nconfigs: 5\nprune: 1\nportals: {a b: {token: x}}\n",
            [
                ("version-unknown", 1, 10),
                ("value-not-text", 2, 10),
                ("value-not-a-boolean", 3, 8),
                ("portal-name-invalid", 4, 11),
                ("token-in-file", 4, 24),
            ],
        ),
    ],
)
def test_a_mistake_is_diagnosed_at_its_place(
    document: str, expected: list[tuple[str, int, int]]
) -> None:
    """All of a file's mistakes in one go, each with a way to mend it."""
    problems = workspace_problems(document)
    assert where(problems) == expected
    assert all(problem.hint for problem in problems)


@pytest.mark.parametrize(
    "written",
    [
        f"token: {TOKEN}",
        f'token: "{TOKEN}"',
        f"token: [{TOKEN}]",
        f"token: {{{TOKEN}: 1}}",
        f"token: {{env: {TOKEN}}}",
        f"token: {{value: {TOKEN}}}",
        f"token: {{env: {{a: {TOKEN}}}}}",
        f"token: {{file: [{TOKEN}]}}",
        f"token: &x {TOKEN}",
        f"token: *{TOKEN}",
        f"token: !{TOKEN} x",
        f"token: {{{TOKEN}: 1, {TOKEN}: 2}}",
        f"portal_id: {TOKEN}",
        f"{TOKEN}: x",
        f"access_token: {TOKEN}",
        f"overlays: {TOKEN}",
        "token: secret-without-any-form",
        "token: {env: secret-without-any-form}",
        "token: {secret-without-any-form: 1}",
    ],
)
def test_a_token_in_the_file_is_never_repeated(written: str) -> None:
    """Diagnostics end up in the logs of CI."""
    problems = workspace_problems(f"version: 1\nportals:\n  a:\n    {written}\n")
    assert problems
    for problem in problems:
        said = f"{problem.message} {problem.hint}".lower()
        assert "ef0123456789" not in said
        assert "secret-without" not in said


def test_a_portal_that_is_only_a_token_is_not_repeated_either() -> None:
    """One level too high."""
    problems = workspace_problems("version: 1\nportals:\n  a: secret-without-any-form\n")
    assert where(problems) == [("value-not-a-mapping", 3, 6)]
    assert "secret-without" not in problems[0].message


def test_the_file_is_found_here_or_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest one; relative where the start is relative."""
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "reconciler.yaml").write_text("version: 1\n", encoding="utf-8")
    (tmp_path / "a/b/reconciler.yaml").mkdir()
    monkeypatch.chdir(tmp_path / "a/b/c")
    assert find_workspace(Path()) == Path("../../../reconciler.yaml")
    assert find_workspace(tmp_path / "a/b/c") == tmp_path / "reconciler.yaml"
    (tmp_path / "a/b/c/reconciler.yaml").write_text("version: 1\n", encoding="utf-8")
    assert find_workspace(Path()) == Path("reconciler.yaml")


def test_there_may_be_none(tmp_path: Path) -> None:
    """Up to the root of the file system."""
    assert find_workspace(tmp_path) is None


def test_a_file_is_loaded_from_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its directory is the root that `configs` is seen from."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "reconciler.yaml").write_text("version: 1\nconfigs: x\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "sub")
    read = load_workspace(Path("../reconciler.yaml"))
    assert (read.path, read.root) == (Path("../reconciler.yaml"), Path(".."))
    assert read.config_directory == Path("../x")


def test_a_file_that_cannot_be_read_is_a_diagnostic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, or a directory."""
    monkeypatch.chdir(tmp_path)
    for path, code in (("none.yaml", "file-missing"), (".", "file-unreadable")):
        with pytest.raises(ConfigurationInvalid) as caught:
            load_workspace(Path(path))
        (problem,) = caught.value.diagnostics
        assert (problem.code, problem.place) == (code, Place(path, 1, 1))
