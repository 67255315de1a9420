"""The documents lead to each other: every link has a target, and every page is in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.project.command import ROOT

PAGES = sorted(
    page for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md") for page in ROOT.glob(pattern)
)
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """To a file of the repository, and to a heading in it where one is named."""
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    for one, other in _LINK.findall(text):
        target, _, anchor = (one or other).partition("#")
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file = page if not target else (page.parent / target).resolve()
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


def test_the_readme_knows_every_page() -> None:
    """A page that nothing leads to is not read."""
    index = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Documentation\n")[2]
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in index, page.name
