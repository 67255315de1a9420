"""The result of an apply as text."""

from __future__ import annotations

import pytest

from reconciler.model.plan import ChangeError, ChangeResult, Origin, Outcome, Result, Status
from reconciler.report.terminal import Style
from reconciler.report.text import result_text
from tests.report.factory import FILE, HOSTILE, hostile_plan, is_printable, small_changes
from tests.report.test_text import PLAIN


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
  + contacts → companies "Billing contact"  unlimited → 2  configs/contacts-companies.yaml:6
      0-5 is not a valid association type between CONTACT and DEAL
      category VALIDATION_ERROR, correlation ID aeb5f871-7f07-4993-9211-075dc63e7cbf

Uncertain: these were sent, and no reads of the portal confirm them.
  ~ contacts → companies "Primary" (HUBSPOT_DEFINED)  2 → 1  configs/contacts-companies.yaml:7
      no answer in 30 s

Not attempted: these were never sent.
  - companies → contacts "Former employer"  10 → unlimited  configs/contacts-companies.yaml:9

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
        f'  + contacts → companies "Billing contact"  unlimited → 2  {FILE}:6',
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
        style=Style(ansi_codes=False),
        width=70,
    )
    assert all(map(is_printable, text.split("\n")))
    assert not any(line.lstrip().startswith("::") for line in text.split("\n"))
    assert text.endswith("\nApply incomplete: 0 verified, 3 failed, 0 uncertain, 0 not attempted.")
