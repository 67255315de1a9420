"""`validate` as a process, without a portal."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import Desk

BAD = "from: contacts\nto: companies\nmax: 0\nlabel:\n  A: 1\n"


def test_valid_files_are_counted(offline: Desk) -> None:
    """Exit 0 and one line."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    ran = offline.run_here("validate")
    assert (ran.code, ran.out) == (0, "Valid: 1 file, 1 direction, 1 limit.\n")


def test_all_errors_of_all_files_are_told_in_one_go(offline: Desk) -> None:
    """With place, code, the source line with a caret, and a hint; exit 3."""
    offline.write("configs/a.yaml", BAD)
    offline.write("configs/b.yaml", "from: deals\nto: contacts\nmax: 1_000\n")
    ran = offline.run_here("validate")
    assert ran.code == 3
    assert ran.out == ""
    for place in ("configs/a.yaml:3:6", "configs/a.yaml:4:1", "configs/b.yaml:3:6"):
        assert place in ran.err
    assert "max: 1_000" in ran.err
    assert "^" in ran.err
    assert "labels" in ran.err


@pytest.mark.parametrize("format_", ["json", "github", "sarif"])
def test_machines_read_stdout(offline: Desk, format_: str) -> None:
    """Each format holds every finding; exit 3 all the same."""
    offline.write("configs/a.yaml", BAD)
    ran = offline.run_here("validate", "--format", format_)
    assert ran.code == 3
    if format_ == "github":
        assert ran.out.startswith("::error file=configs/a.yaml,line=3,col=6")
    else:
        assert "configs/a.yaml" in json.dumps(ran.json)


def test_a_warning_is_not_an_error(offline: Desk) -> None:
    """Above 10,000 HubSpot's settings page does not go."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 20000\n")
    ran = offline.run_here("validate")
    assert ran.code == 0
    assert "configs/a.yaml:3:6: warning" in ran.err
    assert ran.last_line == "Valid: 1 file, 1 direction, 1 limit. With 1 warning."
    quiet = offline.run_here("validate", "-q")
    assert (quiet.out, quiet.err) == (ran.out, "")


def test_the_last_line_counts_errors_and_warnings(offline: Desk) -> None:
    """Warnings are not shown with -q, and are counted all the same."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 0\n")
    offline.write("reconciler.yaml", "version: 1\nportals: {a: {token: {env: ANOTHER_NAME}}}\n")
    for options in ((), ("-q",)):
        ran = offline.run_here("validate", *options)
        assert ran.code == 3
        assert ran.err.endswith("\n\nerror: configuration invalid: 1 error, 1 warning\n")
        assert ("warning[" in ran.err) is (not options)


def test_no_files_is_an_error(offline: Desk) -> None:
    """An empty folder must not look like a valid one."""
    assert offline.run_here("validate").code == 3


def test_the_workspace_file_is_checked_too(offline: Desk) -> None:
    """Unknown keys name the nearest known one."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    offline.write("reconciler.yaml", "version: 1\nprunes: true\n")
    ran = offline.run_here("validate")
    assert ran.code == 3
    assert "reconciler.yaml:2:1" in ran.err
    assert "prune" in ran.err


def test_a_bad_workspace_does_not_hide_bad_pair_files(offline: Desk) -> None:
    """All errors of all files in one go."""
    offline.write("configs/a.yaml", BAD)
    offline.write("reconciler.yaml", "version: 2\n")
    ran = offline.run_here("validate")
    assert ran.code == 3
    assert "reconciler.yaml:1:10" in ran.err
    assert "configs/a.yaml:3:6" in ran.err


def test_a_named_workspace_must_exist(offline: Desk) -> None:
    """Wrong usage, not a silent default."""
    assert offline.run_here("--workspace", "nowhere.yaml", "validate").code == 64


TOKEN = "pat-na1-01234567-89ab-cdef-0123-456789abcdef"
WORKSPACES = {
    "a token as it is": "version: 1\nportals:\n  p:\n    token: {secret}\n",
    "a token as a portal": "version: 1\nportals: {{p: {secret}}}\n",
    "a token as portals": "version: 1\nportals: {secret}\n",
    "a token as a key": "version: 1\nportals:\n  p:\n    token: {{{secret}: 1}}\n",
    "a token as a portal ID": "version: 1\nportals:\n  p:\n    portal_id: {secret}\n",
    "a token below a misspelt key": "version: 1\nportal:\n  p:\n    tokn: {secret}\n",
    "a token at the top": "token: {secret}\nversion: 2\n",
    "a token before a mistake in YAML": "version: 1\nportals:\n  p:\n    token: {secret} : x\n",
    "a token over lines": 'version: 1\nportals:\n  p:\n    token: "{secret}\n      {secret}"\n',
    "a token beside an anchor": "version: 1\nportals:\n  p: {{token: &a {secret}}}\n",
    "two portals of one ID": (
        "version: 1\nportals:\n  a: {{portal_id: 7, token: {{env: HUBSPOT_{secret}}}}}\n"
        "  b: {{portal_id: 7, token: {{env: HUBSPOT_B}}}}\n"
    ),
}


@pytest.mark.parametrize("secret", [TOKEN, "hunter2hunter2"])
@pytest.mark.parametrize("written", WORKSPACES.values(), ids=WORKSPACES)
@pytest.mark.parametrize("format_", ["text", "json", "github", "sarif"])
def test_a_token_in_the_workspace_file_is_never_shown(
    offline: Desk, format_: str, written: str, secret: str
) -> None:
    """Whatever it looks like, and whatever else is wrong: no line at or below `portals` is shown."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    offline.write("reconciler.yaml", written.format(secret=secret))
    ran = offline.run_here("validate", "--format", format_)
    assert ran.code == 3
    shown = ran.out + ran.err
    assert secret not in shown
    assert secret.lower() not in shown.lower()


@pytest.mark.parametrize("command", [("plan",), ("apply", "--auto-approve")])
def test_no_command_shows_a_token_of_the_workspace_file(
    offline: Desk, command: tuple[str, ...]
) -> None:
    """The file is read by every command that talks to a portal."""
    offline.write("reconciler.yaml", f"version: 1\nportals:\n  p:\n    token: {TOKEN}\n")
    ran = offline.run_here(*command)
    assert ran.code == 3
    assert "token-in-file" in ran.err
    assert TOKEN not in ran.out + ran.err


def test_a_token_in_a_pair_file_is_masked(offline: Desk) -> None:
    """In the message and in the line below it."""
    offline.write("configs/a.yaml", f"from: contacts\nto: companies\nmax: {TOKEN}\n")
    ran = offline.run_here("validate")
    assert ran.code == 3
    assert "max: ****" in ran.err
    assert TOKEN not in ran.err


def test_the_word_that_is_wrong_is_underlined(offline: Desk) -> None:
    """From end to end."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 1_000\nlable: {A: 1}\n")
    ran = offline.run_here("validate")
    assert "    3 | max: 1_000\n      |      ^^^^^\n" in ran.err
    assert "    4 | lable: {A: 1}\n      | ^^^^^\n" in ran.err


def test_the_hint_for_a_tab_is_one_backslash_and_a_letter(offline: Desk) -> None:
    """As it is to be typed."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax:\t5\n")
    assert 'write "\\t" in double quotes' in offline.run_here("validate").err


def test_thousands_of_mistakes_are_counted_and_not_all_shown(offline: Desk) -> None:
    """The first fifty are printed, and how many more there are."""
    labels = "".join(f"  Label {number}: 0\n" for number in range(3_000))
    offline.write("configs/a.yaml", f"from: contacts\nto: companies\nlabels:\n{labels}")
    ran = offline.run_here("validate")
    assert ran.code == 3
    assert ran.err.count("error[limit-out-of-range]") == 50
    assert "\n\n… 2,950 more, not shown: 2950 errors\n\nerror: " in ran.err
    assert "configuration invalid: 3000 errors" in ran.err


@pytest.mark.parametrize("name", ["reconciler.yml", "Reconciler.yaml", "reconciler.YAML"])
def test_a_workspace_file_under_another_name_is_a_warning(offline: Desk, name: str) -> None:
    """Its portals and thresholds would silently not hold."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    offline.write(name, "version: 1\nprune: false\n")
    ran = offline.run_here("validate")
    assert ran.code == 0
    assert f"{name}:1:1: warning[file-suffix]" in ran.err
    assert "hint: rename it to reconciler.yaml" in ran.err


def test_a_workspace_file_that_is_read_hides_no_other(offline: Desk) -> None:
    """What is found is meant."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    offline.write("reconciler.yml", "version: 2\n")
    offline.write("reconciler.yaml", "version: 1\n")
    assert offline.run_here("validate").err == ""


def test_an_invalid_workspace_file_above_does_not_hide_pair_files(offline: Desk) -> None:
    """They are looked for beside it, and where it may name another folder, none is missing."""
    offline.write("reconciler.yaml", "version: 1\nsafty: {}\n")
    offline.write("configs/deep/a.yaml", BAD)
    here = Desk(offline.folder / "configs" / "deep")
    found = here.run_here("validate", "--format", "json").json["diagnostics"]
    assert {each["path"] for each in found} == {"../../reconciler.yaml", "../deep/a.yaml"}
    (offline.folder / "configs").rename(offline.folder / "pairs")
    found = offline.run_here("validate", "--format", "json").json["diagnostics"]
    assert {each["path"] for each in found} == {"reconciler.yaml"}


def test_a_missing_folder_is_reported_where_the_workspace_names_it(offline: Desk) -> None:
    """An annotation needs a line that exists."""
    offline.write("reconciler.yaml", "version: 1\nconfigs: limits\n")
    for command in ("validate", "plan", "fmt"):
        ran = offline.run_here(command)
        assert ran.code == 3
        assert (
            "reconciler.yaml:2:10: error[file-missing]: the folder limits does not exist" in ran.err
        )
