"""Every code has a page, its example leads to the code, and its cure away from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import Severity
from reconciler.explanations import Kind, Page, codes, explanation
from reconciler.sandbox.server import Server, serve
from tests.project.pages import (
    DOCS,
    INDEX,
    Example,
    Typed,
    begin,
    diagnostic_pages,
    example,
    index_text,
    portal,
    run,
    shown,
    take,
    typed_again,
)

BESIDES = {
    "mistakes-too-many": {("error", "key-duplicate")},
}
"""What an example cannot do without: many mistakes are mistakes, too."""

UNREACHED = {"format-unsafe", "value-invalid"}
"""Safety nets behind the checks that have codes of their own: nothing is known to fall into them."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The example account, which no page's command writes to."""
    with serve(portal()) as running:
        yield running


COSTLY = {"files-too-many"}
"""Twenty thousand folders take seconds."""


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.code, marks=[pytest.mark.torture] if page.code in COSTLY else [])
        for page in diagnostic_pages()
    ],
)
def test_the_example_leads_to_the_code_and_the_cure_away(
    page: Page, tmp_path: Path, server: Server
) -> None:
    """The command shows exactly this code, with the words on the page; then nothing any more."""
    steps = example(page)
    if steps is None:
        assert page.code in UNREACHED
        return
    desk = begin(tmp_path)
    desk.server = server

    take(desk, steps.faulty)
    faulty = shown(desk, steps.command)
    assert set(faulty.found) == {(page.severity, page.code)} | BESIDES.get(page.code, set())
    assert faulty.code == (3 if page.severity is Severity.ERROR else 0), faulty.err
    again = typed_again(page, steps.command, faulty.lines[page.code])
    assert page.markdown == again, "python -m tests.project.pages types it again"

    take(desk, steps.cured)
    cured = shown(desk, cured_by(steps))
    assert cured.found == (), cured.err
    assert cured.code == 0, cured.err


def of_kind(kind: Kind) -> list[Page]:
    """The pages with an example that can be carried out."""
    pages = [explanation(code) for code, of in codes().items() if of is kind]
    return [page for page in pages if example(page) is not None]


def cured_by(steps: Example) -> str:
    """The command that shows the cure: its own, or that of the example."""
    typed = [each.command for each in steps.cured if isinstance(each, Typed)]
    return next((each for each in typed if each.startswith("reconciler ")), steps.command)


@pytest.mark.parametrize("page", of_kind(Kind.REFUSAL), ids=lambda page: str(page.code))
def test_the_example_is_refused_and_the_cure_is_not(
    page: Page, tmp_path: Path, server: Server
) -> None:
    """For exactly this reason."""
    desk = begin(tmp_path)
    desk.server = server
    steps = example(page)
    assert steps is not None
    take(desk, steps.faulty)
    refused = run(desk, f"{steps.command} --format json")
    assert {each["code"] for each in refused.json["refusals"]} == {page.code}
    assert refused.code == 4
    take(desk, steps.cured)
    cured = run(desk, f"{cured_by(steps)} --format json")
    assert (cured.json["refusals"], cured.code) == ([], 0)


@pytest.mark.parametrize("page", of_kind(Kind.EXIT), ids=lambda page: str(page.code))
def test_the_example_ends_with_the_code(page: Page, tmp_path: Path) -> None:
    """And the cure with 0."""
    desk = begin(tmp_path)
    steps = example(page)
    assert steps is not None
    with serve(portal()) as server:
        desk.server = server
        take(desk, steps.faulty)
        assert run(desk, steps.command).code == int(page.code)
        take(desk, steps.cured)
        assert run(desk, cured_by(steps)).code == 0


@pytest.mark.parametrize("code", codes())
def test_a_page_has_a_summary_and_three_parts(code: str) -> None:
    """One sentence that lists and code scanning show; cause, example, cure; nothing else."""
    page = explanation(code)
    assert page.summary.endswith(".")
    assert len(page.summary) <= 160
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"```.*?```", "", page.markdown, flags=re.DOTALL), re.MULTILINE
    )
    assert headings == [code, "Cause", "Example", "Cure"]
    assert (page.severity is not None) == (page.kind is Kind.DIAGNOSTIC)


def test_no_page_is_of_a_code_that_is_gone() -> None:
    """And the index has them all."""
    for kind in Kind:
        pages = {each.stem for each in (DOCS / kind).glob("*.md")} - {"README"}
        assert pages == {code for code, of in codes().items() if of is kind}
    assert INDEX.read_text(encoding="utf-8") == index_text(), "python -m tests.project.pages"
