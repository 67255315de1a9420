"""`explain`: a page in the terminal, every code in a list, and what was meant by a misspelt one."""

from __future__ import annotations

import importlib.metadata
import io
import json
import re
import tomllib
from unittest import mock

import pytest

from reconciler import explanations
from reconciler.explanations import SOURCE, codes, explanation, files_at
from tests.cli.running import Desk
from tests.cli.test_completion import completed
from tests.project.command import ROOT

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_page_in_the_terminal(offline: Desk) -> None:
    """Cause, example and cure; no markup; prose is wrapped and examples are not."""
    ran = offline.run_here("explain", "label-unknown")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("label-unknown\n\n  Error. This portal has no label of this text")
    assert re.findall(r"^\w+$", ran.out, re.MULTILINE) == ["Cause", "Example", "Cure"]
    assert "```" not in ran.out
    assert "**" not in ran.out
    assert "\n    labels:\n      Biling contact: 1\n\n    $ reconciler plan\n" in ran.out
    prose = [line for line in ran.out.splitlines() if not line.startswith("    ")]
    assert max(map(len, prose)) <= 80
    assert "\n\n\n" not in ran.out


def test_colour_only_where_it_is_wanted(offline: Desk) -> None:
    """The code in the colour of its severity."""
    shown = offline.run_here("explain", "yaml-tab", "--color", "always").out
    assert shown.startswith("\x1b[1;31myaml-tab\x1b[0m\n")
    assert "\x1b" not in offline.run_here("explain", "yaml-tab").out


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Label-Unknown", "label-unknown"),
        ("LABEL_UNKNOWN", "label-unknown"),
        ("error[label-unknown]:", "label-unknown"),
        ("max-deletes", "max_deletes"),
        ("max_deletes", "max_deletes"),
        ("4", "4"),
        ("exit code 4", "4"),
    ],
)
def test_a_code_may_be_written_as_it_is_printed(offline: Desk, typed: str, meant: str) -> None:
    """Copied from a message, from an enum, or said in words."""
    assert offline.run_here("explain", typed).out.partition("\n")[0] == meant


def test_an_unknown_code_offers_the_nearest(offline: Desk) -> None:
    """Exit 64, and a document where one was asked for."""
    ran = offline.run_here("explain", "lable-unknown")
    assert (ran.code, ran.out) == (64, "")
    assert 'unknown code "lable-unknown"' in ran.err
    assert "did you mean label-unknown" in ran.err
    nothing_near = offline.run_here("explain", "zzzz\x1b")
    assert "hint: `reconciler explain` lists all codes" in nothing_near.err
    assert "\x1b" not in nothing_near.err
    error = offline.run_here("explain", "lable-unknown", "--format", "json").json["error"]
    assert error["exit_code"] == 64


def test_without_a_code_all_are_listed(offline: Desk) -> None:
    """A line each, with what it means; as JSON with the address of its page."""
    lines = offline.run_here("explain").out.splitlines()
    listed = [line.split()[0] for line in lines if re.match(r"  \S", line)]
    assert listed == list(codes())
    assert max(map(len, lines)) <= 80
    documents = offline.run_here("explain", "--format", "json").json["codes"]
    assert [each["code"] for each in documents] == list(codes())
    assert {each["kind"] for each in documents} == {"diagnostic", "refusal", "status", "exit"}
    assert offline.run_here("explain", "--format", "markdown").out.startswith("## Diagnostics")


def test_other_formats(offline: Desk) -> None:
    """Markdown is the page itself, JSON has it with what a tool wants to know."""
    page = (ROOT / "docs" / "diagnostics" / "yaml-tab.md").read_text(encoding="utf-8")
    assert offline.run_here("explain", "yaml-tab", "--format", "markdown").out == page
    document = offline.run_here("explain", "yaml-tab", "--format", "json").json
    assert document == {
        "format_version": "1.0",
        "code": "yaml-tab",
        "kind": "diagnostic",
        "severity": "error",
        "summary": "There is a tab outside a comment.",
        "url": f"{SOURCE}/blob/main/docs/diagnostics/yaml-tab.md",
        "markdown": page,
    }


def test_codes_are_completed(offline: Desk) -> None:
    """Of every kind."""
    assert completed(offline, "explain", "label-s") == ["label-spelling"]
    assert completed(offline, "explain", "max_d") == ["max_deletes", "max_delete_percent"]


# ---------------------------------------------------------------- where a page is read


@pytest.mark.parametrize(
    ("address", "files"),
    [
        ("https://github.com/acme/reconciler", f"https://github.com/acme/reconciler/blob/{COMMIT}"),
        ("https://u:secret@github.com/a/r.git", f"https://github.com/a/r/blob/{COMMIT}"),
        ("ssh://git@github.com/a/r.git", f"https://github.com/a/r/blob/{COMMIT}"),
        ("git@gitlab.example:a/b/r.git", f"https://gitlab.example/a/b/r/-/blob/{COMMIT}"),
        ("https://gitlab.com/a/b/r", f"https://gitlab.com/a/b/r/-/blob/{COMMIT}"),
        ("file:///home/me/reconciler", None),
        ("http://github.com/a/r", None),
        ("https://github.com/a/r?x=<y>", f"https://github.com/a/r/blob/{COMMIT}"),
        ("https://[github.com/a/r", None),
        ("https://github.com/", None),
    ],
)
def test_pages_are_read_at_the_commit_that_was_installed(address: str, files: str | None) -> None:
    """On GitHub and GitLab, without what is secret in an address; nothing else is a link."""
    assert files_at(address, COMMIT) == files
    assert files_at(address, "main") is None


@pytest.mark.parametrize(
    ("origin", "files"),
    [
        (
            {"url": "https://github.com/acme/limits.git", "vcs_info": {"commit_id": COMMIT}},
            f"https://github.com/acme/limits/blob/{COMMIT}",
        ),
        ({"url": "file:///work", "dir_info": {}}, f"{SOURCE}/blob/main"),
        (None, f"{SOURCE}/blob/main"),
    ],
)
def test_the_origin_is_what_pip_wrote_down(origin: object, files: str) -> None:
    """PEP 610: `uv tool install git+ADDRESS` leaves address and commit behind."""
    written = None if origin is None else json.dumps(origin)
    explanations._files.cache_clear()
    try:
        with mock.patch.object(
            importlib.metadata.PathDistribution, "read_text", return_value=written
        ):
            assert explanation("4").url == f"{files}/docs/exit-codes/4.md"
    finally:
        explanations._files.cache_clear()


def test_the_address_of_the_project_is_in_one_place() -> None:
    """What the package index shows is what links lead to."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Source"] == SOURCE


# ---------------------------------------------------------------- who is pointed here


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("arguments", "last"),
    [
        (("validate",), "Cause and cure: reconciler explain limit-out-of-range"),
        (("validate", "-q"), "error: configuration invalid: 2 errors"),
        (("plan",), "Cause and cure: reconciler explain limit-out-of-range"),
        (("validate", "good"), "Cause and cure"),
    ],
    ids=" ".join,
)
def test_a_run_with_mistakes_ends_with_the_command_that_explains_one(
    offline: Desk, arguments: tuple[str, ...], last: str
) -> None:
    """On a terminal, after mistakes, for the first of them; not with -q, and not in a log."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 0\nlabel: {}\n")
    offline.write("good/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    offline.variables["TERM"] = "dumb"
    screen = Screen()
    offline.run_onto(io.StringIO(), screen, *arguments)
    shown = screen.getvalue()
    if "good" in arguments:
        assert last not in shown
        return
    assert shown.splitlines()[-1] == last
    assert "explain" not in offline.run_here(*arguments).err
