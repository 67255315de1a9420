"""Whole applies with one fault each, at a fifth of all requests; `make torture` takes all.

`play` demands that the report is true and that one more apply puts everything right.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import ExitCode
from reconciler.hubspot.versions import ApiVersion
from reconciler.sandbox.rules import Judging, Mixed, Rules, Verdict
from tests.applying.faults import LASTING, ONCE, Fault
from tests.applying.faults_table import LASTING_TITLE, ONCE_TITLE, Row, committed, played
from tests.applying.scenario import USUAL, Variation, phases, play, positions

FAULTS = [
    pytest.param(title, index, fault, id=f"{kind}: {fault}")
    for kind, title, faults in (
        ("once", ONCE_TITLE, ONCE),
        ("lasting", LASTING_TITLE, LASTING),
    )
    for index, fault in enumerate(faults)
]


@pytest.mark.parametrize(("title", "index", "fault"), FAULTS)
def test_a_fault_at_a_fifth_of_the_requests(
    title: str, index: int, fault: Fault, tmp_path: Path
) -> None:
    """The apply ends as docs/faults.md says, and its report is true."""
    possible = positions(fault, USUAL)
    chosen = possible[index % 5 :: 5] or possible[:1]
    runs = [
        (phases(USUAL)[number - 1], play(fault, number, number + index, tmp_path))
        for number in chosen
    ]
    if fault.passes:
        assert {ran.code for _, ran in runs} == {ExitCode.DONE}
    assert Row.of(fault, runs) <= committed()[title][fault.name]


@pytest.mark.parametrize("fault", [each for each in ONCE if each.passes], ids=str)
def test_one_bad_answer_of_any_kind_at_any_request_ends_in_exit_0(fault: Fault) -> None:
    """By the table; the tests above play a fifth of it again, `make torture` all."""
    cells = committed()[ONCE_TITLE][fault.name].cells
    assert {code for cell in cells for code in cell.codes} == {0}


OTHERWISE = (
    Variation(
        Rules(
            equality=Verdict.REFUSE,
            judging=Judging.BEFORE,
            mixed=Mixed.PARTIAL,
            update_of_missing=Verdict.REFUSE,
        ),
        ApiVersion.V2025_09,
    ),
    Variation(Rules(max_inputs=1, create_of_existing=Verdict.ACCEPT), ApiVersion.V4),
    Variation(Rules(update_of_missing=Verdict.REFUSE), ApiVersion.V2026_09, concurrency=4),
)
"""Portals that behave in ways that are not known of HubSpot; the last is written in parallel."""


@pytest.mark.parametrize(("title", "index", "fault"), FAULTS)
def test_a_fault_of_a_portal_that_behaves_otherwise(
    title: str, index: int, fault: Fault, tmp_path: Path
) -> None:
    """However it ends, its report is true, and one more apply puts everything right."""
    del title
    variation = OTHERWISE[index % len(OTHERWISE)]
    possible = positions(fault, variation)
    for number in possible[index % 12 :: 12] or possible[:1]:
        play(fault, number, number + index, tmp_path, variation)


@pytest.mark.torture
@pytest.mark.parametrize("variation", OTHERWISE)
@pytest.mark.parametrize(("title", "index", "fault"), FAULTS)
def test_every_request_of_a_portal_that_behaves_otherwise(
    title: str, index: int, fault: Fault, variation: Variation, tmp_path: Path
) -> None:
    """As above, at every request."""
    del title
    for number in positions(fault, variation):
        play(fault, number, number + index, tmp_path, variation)


@pytest.mark.torture
@pytest.mark.parametrize(("title", "index", "fault"), FAULTS)
def test_every_variant_of_a_fault_at_every_request(title: str, index: int, fault: Fault) -> None:
    """What docs/faults.md says is what a run sees, no more and no less."""
    del index
    row, _ = played(fault)
    assert str(row) == str(committed()[title][fault.name])


def test_the_page_has_these_faults_and_no_other() -> None:
    """A fault that is taken out of the harness leaves the page too."""
    assert {title: list(rows) for title, rows in committed().items()} == {
        ONCE_TITLE: [fault.name for fault in ONCE],
        LASTING_TITLE: [fault.name for fault in LASTING],
    }
