"""How to get a token of HubSpot: said in one place, with its date, which the others point to."""

from __future__ import annotations

import re

import pytest

from tests.project.command import ROOT

SECTION = "Access to HubSpot"
POINTER = rf"{SECTION}|README\.md#access-to-hubspot"
POINTERS = (
    "docs/review.md",
    "SECURITY.md",
    "examples/ci/github/hubspot-plan.yml",
    "examples/ci/github/hubspot-apply.yml",
    "examples/ci/gitlab/.gitlab-ci.yml",
    "reconciler/cli/workspace.py",
)


def section() -> str:
    """The README's words about access, on one line."""
    text = (ROOT / "README.md").read_text("utf-8").partition(f"### {SECTION}\n")[2]
    return " ".join(re.split(r"\n#", text)[0].split())


def test_the_readme_leads_with_what_can_be_created() -> None:
    """A service key; a private app only where one exists, with the date since when."""
    text = section()
    assert 0 <= text.index("service key") < text.index("private app")
    assert "26 October 2026" in text
    assert "**A token for reading is not a boundary.**" in text


@pytest.mark.parametrize("path", POINTERS)
def test_other_places_point_there(path: str) -> None:
    """And tell nobody to create a private app."""
    text = re.sub(r"\s+(?:# )?", " ", (ROOT / path).read_text("utf-8"))
    assert re.search(POINTER, text)
    assert "private app" not in text.lower()
    assert "can only read" not in text
