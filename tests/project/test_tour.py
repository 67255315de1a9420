"""The README's tour can be followed: typed word for word, it prints what the README says."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from tests.chromium import has_chromium, launched
from tests.project.command import ROOT, on_path
from tests.project.tour import (
    Saved,
    Set,
    Step,
    Typed,
    background,
    opening,
    retyped,
    steps,
    terminal,
)
from tests.sandbox.pages import alert, press

README = (ROOT / "README.md").read_text(encoding="utf-8")
TOURS = {
    "README.md": "A tour",
    "docs/adopt.md": "The first hour",
    "docs/promote.md": "A sandbox and a production portal",
}
"""The tours, by document and heading."""
PORT = "8111"
RETYPE = "python -m tests.project.retype puts in what is printed now"

LEFT_OUT = ("HUBSPOT_", "GIT_", "CI", "GITHUB_", "GITLAB_", "COLUMNS", "SSL_CERT_")
_DIFFERS = (
    (re.compile(r"\b[0-9a-f]{12}\b"), "COMMIT"),
    (re.compile(r"on Python [0-9.]+"), "on Python VERSION"),
    (re.compile(r"answered in [0-9]+ ms"), "answered in TIME"),
    (re.compile(r"supported for [0-9]+ more days"), "supported for DAYS"),
)

Person = Callable[[str, Set], None]


def over_http(url: str, wanted: Set) -> None:
    """Fill in the form of the page as a browser would, and send it."""

    def send(method: str, target: str, body: str) -> str:
        headers = {"Origin": url, "Content-Type": "application/x-www-form-urlencoded"}
        with httpx.Client(base_url=url, headers=headers, follow_redirects=True) as http:
            return http.request(method, target, content=body).text

    assert alert(press(send, wanted.direction, wanted.label, "Set", wanted.value)) is None


def in_chromium(url: str, wanted: Set) -> None:
    """Type into the page and press its button."""
    with launched() as browser:
        page = browser.new_page()
        page.goto(url)
        page.get_by_label(f"Limit of {wanted.label}, {wanted.direction}").fill(wanted.value)
        page.get_by_label(f"Set {wanted.label}, {wanted.direction}").click()
        page.wait_for_url("**#*")
        assert page.get_by_role("alert").count() == 0


def environment(tmp_path: Path) -> Mapping[str, str]:
    """That of a person who has git set up, and no settings of another portal."""
    name = {"NAME": "A Person", "EMAIL": "person@example.com"}
    inherited = {
        key: value
        for key, value in on_path(tmp_path / "bin", real=False).items()
        if not key.startswith(LEFT_OUT)
    }
    return {
        **inherited,
        **{
            f"GIT_{who}_{key}": value
            for who in ("AUTHOR", "COMMITTER")
            for key, value in name.items()
        },
        "HOME": str(tmp_path),
        "PYTHONUTF8": "1",
    }


def free_port() -> str:
    """A port in place of the README's, which another run of this test may have at this moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def comparable(text: str) -> str:
    """Without what differs from one person to the next, beside the port: commits, times, Python."""
    for pattern, word in _DIFFERS:
        text = pattern.sub(word, text)
    return text


def all_steps(document: str) -> list[Step]:
    """A tour, on a port that is free."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return steps(text.replace(PORT, free_port()), TOURS[document])


def test_the_tour_shows_what_there_is_to_show() -> None:
    """The steps are found: a tour of nothing would be followed easily."""
    found = steps(README)
    commands = [one.command for one in found if isinstance(one, Typed)]
    assert commands[0].startswith("reconciler sandbox ")
    for word in ("git init", "plan --out", "apply plan.json", "plan --base"):
        assert any(word in command for command in commands)
    assert [one.path for one in found if isinstance(one, Saved)] == [
        "configs/contacts-companies.yaml"
    ]
    assert len([one for one in found if isinstance(one, Set)]) == 1


# What a person can do with a browser, the form alone can do, too: tests/sandbox proves that.
@pytest.mark.parametrize("person", [in_chromium if has_chromium() else over_http])
@pytest.mark.parametrize("document", TOURS)
def test_a_person_can_follow_the_tour_word_for_word(
    tmp_path: Path, person: Person, document: str
) -> None:
    """Every command prints what the page shows, every value is legal where it is typed."""
    saved, start, rest = opening(all_steps(document))
    surroundings = environment(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    for one in saved:
        (home / one.path).write_text(one.text, encoding="utf-8")
    expected = start.output.splitlines()
    folder = home / "limits"
    with (
        background(start.command, home, surroundings, len(expected)) as shown,
        terminal(home, surroundings) as screen,
    ):
        assert shown == expected
        for step in rest:
            match step:
                case Typed(command, output, line):
                    printed = screen.type(command)
                    wanted = comparable(output)
                    assert comparable(printed) == wanted, f"{document}:{line}; {RETYPE}"
                case Saved(path, text):
                    (folder / path).write_text(text, encoding="utf-8")
                case Set():
                    person(shown[0], step)


def test_the_tour_can_be_typed_again() -> None:
    """What is printed replaces what stood there, and nothing else of the README moves."""
    found = [one for one in steps(README) if isinstance(one, Typed)]
    outputs = {one.line: one.output for one in found}
    assert retyped(README, outputs) == README
    changed = retyped(README, {found[4].line: "something else"})
    assert [one.output for one in steps(changed) if isinstance(one, Typed)] == [
        *(one.output for one in found[:4]),
        "something else",
        *(one.output for one in found[5:]),
    ]
