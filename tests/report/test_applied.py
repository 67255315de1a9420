"""An apply as text: the list of what is verified, and lines that say the effect of a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.model.limits import Place
from reconciler.model.plan import Change, ChangeError, ChangeResult, Origin, Outcome, Result, Status
from reconciler.report.applied import MOST_LISTED, ChangeLines, Verified, result_text
from reconciler.report.terminal import Style, cells
from tests.report.factory import FILE, HOSTILE, hostile_plan, is_printable, small_changes

PLAIN = Style(ansi_codes=False)


def results(changes: Sequence[Change], status: Status = Status.VERIFIED) -> Sequence[ChangeResult]:
    """All of one status."""
    return [ChangeResult(each, status) for each in changes]


def lines(changes: Sequence[Change], status: Status = Status.VERIFIED) -> list[str]:
    """What an apply of these changes lists, the count at its end included."""
    verified = Verified(changes, PLAIN)
    return [*verified.settled(results(changes, status)), *verified.finished()]


def test_each_verified_change_is_a_line_in_columns() -> None:
    """Effect, direction, limit, values and place, as the plan has them."""
    shown = lines(small_changes())
    assert len(shown) == len(small_changes())
    for line, change in zip(shown, small_changes(), strict=True):
        assert line.startswith("  ✓ ")
        assert str(change.direction) in line
        assert change.source is None or line.endswith(f"{change.source.path}:{change.source.line}")
    columns = {cells(line[: line.index(" → ")]) for line in shown}
    assert len(columns) <= len({str(each.direction.from_) for each in small_changes()})


@pytest.mark.parametrize(
    ("before", "after", "words", "values"),
    [
        (None, 7, "+ new limit", "unlimited → 7"),
        (5, 6, "↑ raised", "5 → 6"),
        (10, 8, "↓ lowered", "10 → 8"),
        (20, None, "− removed", "20 → unlimited"),
    ],
)
def test_a_line_says_the_effect(
    before: int | None, after: int | None, words: str, values: str
) -> None:
    """By the plan's words and signs, and coloured by it where there is colour."""
    change = replace(small_changes()[0], before=before, after=after)
    assert words in ChangeLines([change], PLAIN).line(change)
    assert values in ChangeLines([change], PLAIN).line(change)
    coloured = ChangeLines([change], Style(ansi_codes=True)).line(change)
    restricts = after is not None and (before is None or after < before)
    assert f"\x1b[{'33' if restricts else '94'}m{words}" in coloured


def test_more_than_forty_are_counted() -> None:
    """However many directions they come from; 300 are 40 lines and one."""
    change = small_changes()[0]
    verified = Verified([change] * 300, PLAIN)
    shown = [line for _ in range(6) for line in verified.settled(results([change] * 50))]
    assert len(shown) == MOST_LISTED == 40
    assert list(verified.finished()) == ["  … 260 more verified"]
    assert len(lines([change] * 40)) == 40


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.VERIFIED])
def test_what_is_not_verified_is_not_listed(status: Status) -> None:
    """The result has it, with why."""
    assert lines(small_changes(), status) == []


def test_a_narrow_terminal_is_shown_the_files_without_their_folders() -> None:
    """One line for each all the same."""
    change = replace(small_changes()[0], source=Place("configs/of/a/long/way/contacts.yaml", 7, 3))
    assert ChangeLines([change], PLAIN, 200).line(change).endswith("/way/contacts.yaml:7")
    assert ChangeLines([change], PLAIN, 80).line(change).endswith("  …/contacts.yaml:7")


@pytest.mark.parametrize("label", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_are_harmless_in_the_list(label: str) -> None:
    """A label may be anything that somebody typed."""
    change = small_changes()[0]
    hostile = replace(change, type=replace(change.type, label=label))
    for line in (*lines([hostile]), ChangeLines([hostile], PLAIN).line(hostile)):
        assert is_printable(line)


# ---------------------------------------------------------------- the result of an apply


def result(
    outcome: Outcome, *changes: ChangeResult, message: str | None = None, requests: int = 4
) -> Result:
    """A result of these changes."""
    return Result(
        outcome, changes, requests, "2026-11-21T09:00:00Z", "2026-11-21T09:00:02Z", message
    )


def test_complete() -> None:
    """One line is enough when everything was read back."""
    verified = [ChangeResult(each, Status.VERIFIED) for each in small_changes()]
    assert (
        result_text(result(Outcome.APPLIED, *verified), style=PLAIN)
        == "Apply complete: 1 created, 2 updated, 1 deleted."
    )


def test_a_reason_that_many_share_is_told_once() -> None:
    """An interrupted apply of hundreds of changes stays readable."""
    why = ChangeError("interrupted: no further request was sent")
    untried = [ChangeResult(each, Status.NOT_ATTEMPTED, why) for each in small_changes()]
    out = result_text(result(Outcome.INCOMPLETE, *untried), style=PLAIN)
    assert out.count("interrupted") == 1
    assert "      all 4: interrupted: no further request was sent" in out.splitlines()


def test_incomplete() -> None:
    """Every change that is not verified, with HubSpot's words and what its support asks for."""
    lowered, created, primary, deleted = small_changes(Origin.CONFIG)
    refused = ChangeError(
        "0-5 is not a valid association type between CONTACT and DEAL",
        "VALIDATION_ERROR",
        "aeb5f871-7f07-4993-9211-075dc63e7cbf",
    )
    assert (
        result_text(
            result(
                Outcome.INCOMPLETE,
                ChangeResult(lowered, Status.VERIFIED),
                ChangeResult(created, Status.FAILED, refused),
                ChangeResult(primary, Status.UNCERTAIN, ChangeError("no answer in 30 s")),
                ChangeResult(deleted, Status.NOT_ATTEMPTED),
                message="interrupted: no further request was sent",
            ),
            style=PLAIN,
        )
        == """\
Failed: HubSpot refused these, or shows another value.
  + new limit  contacts → companies  "Billing contact"            unlimited → 2   configs/contacts-companies.yaml:6
      0-5 is not a valid association type between CONTACT and DEAL
      category VALIDATION_ERROR, correlation ID aeb5f871-7f07-4993-9211-075dc63e7cbf

Uncertain: these were sent, and no reads of the portal confirm them.
  ↓ lowered    contacts → companies  "Primary" (HUBSPOT_DEFINED)  2 → 1           configs/contacts-companies.yaml:7
      no answer in 30 s

Not attempted: these were never sent.
  − removed    companies → contacts  "Former employer"            10 → unlimited  configs/contacts-companies.yaml:9

interrupted: no further request was sent
Run plan again: it shows what is left to do.

Apply incomplete: 1 verified, 1 failed, 1 uncertain, 1 not attempted."""
    )


def test_failed() -> None:
    """Nothing was written, and why."""
    failed = ChangeResult(
        small_changes()[1], Status.FAILED, ChangeError("This portal is locked", "LOCKED")
    )
    assert result_text(
        result(Outcome.FAILED, failed, message="HubSpot refused every change"), style=PLAIN
    ).splitlines() == [
        "Failed: HubSpot refused these, or shows another value.",
        f'  + new limit  contacts → companies  "Billing contact"  unlimited → 2  {FILE}:6',
        "      This portal is locked",
        "      category LOCKED",
        "",
        "Apply failed: nothing was written. HubSpot refused every change",
    ]


@pytest.mark.parametrize(
    ("outcome", "message", "line"),
    [
        (Outcome.NOTHING, None, "No changes. The portal matches the configuration."),
        (
            Outcome.REFUSED,
            "the portal changed since the plan was made",
            "Apply refused: the portal changed since the plan was made",
        ),
        (Outcome.REFUSED, None, "Apply refused: nothing was written."),
        (Outcome.FAILED, None, "Apply failed: nothing was written."),
    ],
)
def test_last_lines(outcome: Outcome, message: str | None, line: str) -> None:
    """Each outcome has its own line to grep."""
    assert result_text(result(outcome, message=message), style=PLAIN) == line


def test_a_refused_apply_lists_no_changes() -> None:
    """Nothing was attempted; the reason is all there is to say."""
    waiting = [ChangeResult(each, Status.NOT_ATTEMPTED) for each in small_changes()]
    text = result_text(result(Outcome.REFUSED, *waiting, message="stale"), style=PLAIN)
    assert text == "Apply refused: stale"


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_messages(kind: str) -> None:
    """HubSpot's messages come from strangers, too."""
    hostile = HOSTILE[kind]
    text = result_text(
        result(
            Outcome.INCOMPLETE,
            *(
                ChangeResult(each, Status.FAILED, ChangeError(hostile, hostile, hostile))
                for each in hostile_plan(hostile).changes
            ),
            message=hostile,
        ),
        style=PLAIN,
        width=70,
    )
    assert all(map(is_printable, text.split("\n")))
    assert not any(line.lstrip().startswith("::") for line in text.split("\n"))
    assert text.endswith("\nApply incomplete: 0 verified, 3 failed, 0 uncertain, 0 not attempted.")
