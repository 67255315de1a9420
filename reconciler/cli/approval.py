"""The question before an apply of what nobody has reviewed: what is about to happen, and where."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

import click

from reconciler.cli.process import Outlet, interrupting_on_signals
from reconciler.errors import PlanRefused, plural
from reconciler.http.clock import Stop
from reconciler.model.plan import Action, Plan
from reconciler.report.escape import visible
from reconciler.report.view import Effect, effect_counts

SHOWN_DELETES = 20


def approve(plans: Sequence[Plan], stop: Stop, *, is_shown: bool) -> None:
    """Raise PlanRefused unless somebody at a terminal answers "yes"; end of input is a no.

    There is one question, whichever number of plans there is.

    Nobody is asked about a plan that could not be shown, or with a question that cannot be.
    """
    stdin = sys.stdin
    if stdin is None or stdin.closed or not stdin.isatty():
        raise PlanRefused(
            "not approved: stdin is not a terminal",
            hint="--auto-approve, --expect-digest, or a saved plan that was reviewed",
        )
    if not is_shown:
        raise PlanRefused(
            "not approved: the plan could not be shown",
            hint="--auto-approve, --expect-digest, or a saved plan that was reviewed",
        )
    click.echo(question(plans), err=True, nl=False)
    if isinstance(sys.stderr, Outlet) and sys.stderr.problem is not None:
        raise PlanRefused("not approved: the question could not be shown")
    if _answer(stdin, stop).strip() != "yes":
        raise PlanRefused("not approved: nothing was written")


def _answer(stdin: TextIO, stop: Stop) -> str:
    """One line; nothing where a signal ends the question or the terminal goes away."""
    with interrupting_on_signals(stop):
        try:
            # A signal between the question and this block asked to stop, and interrupts no read.
            return "" if stop.requested else stdin.readline()
        except KeyboardInterrupt:
            click.echo(err=True)
        except (OSError, ValueError):
            click.echo("no answer could be read", err=True)
    return ""


def question(plans: Sequence[Plan]) -> str:
    """What is about to happen, and where."""
    portals = [
        f"{each.name} ({each.portal_id}, {each.account_type})"
        for each in (plan.portal for plan in plans)
    ]
    what = f"portal {portals[0]}" if len(plans) == 1 else plural(len(plans), "portal")
    addresses = dict.fromkeys(visible(plan.portal.base_url) for plan in plans)
    lines = ["", f"Apply to {what}?", *(f"  address: {each}" for each in addresses)]
    for portal, plan in zip(portals, plans, strict=True):
        to_be = effect_counts(map(Effect.of, plan.changes))
        lines.append(f"  {to_be}" if len(plans) == 1 else f"  {portal}: {to_be}")
    deletes = [
        (each, "" if len(plans) == 1 else f" in {plan.portal.name}")
        for plan in plans
        for each in plan.changes
        if each.action is Action.DELETE
    ]
    lines += [
        f"  - remove {visible(str(each.direction))}: {visible(str(each.type))} (was {each.before})"
        f"{where}"
        for each, where in deletes[:SHOWN_DELETES]
    ]
    if len(deletes) > SHOWN_DELETES:
        lines.append(f"  … and {len(deletes) - SHOWN_DELETES} more to remove")
    return "\n".join([*lines, 'Type "yes" to apply: '])
