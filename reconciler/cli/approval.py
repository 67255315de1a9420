"""Ask a person: destination, counts and deletes on the screen, and a plain "yes"."""

from __future__ import annotations

import sys
from typing import TextIO

import click

from reconciler.cli.signals import interrupting_on_signals
from reconciler.cli.streams import Outlet
from reconciler.errors import PlanRefused
from reconciler.http.clock import Stop
from reconciler.model.plan import Action, Plan
from reconciler.report.escape import visible

SHOWN_DELETES = 20


def approve(plan: Plan, stop: Stop, *, is_shown: bool) -> None:
    """Raise PlanRefused unless somebody at a terminal answers "yes"; end of input is a no.

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
    click.echo(question(plan), err=True, nl=False)
    if isinstance(sys.stderr, Outlet) and sys.stderr.problem is not None:
        raise PlanRefused("not approved: the question could not be shown")
    if _answer(stdin, stop).strip() != "yes":
        raise PlanRefused("not approved: nothing was written")


def _answer(stdin: TextIO, stop: Stop) -> str:
    """One line; nothing where a signal ends the question or the terminal goes away."""
    with interrupting_on_signals(stop):
        try:
            return stdin.readline()
        except KeyboardInterrupt:
            click.echo(err=True)
        except (OSError, ValueError):
            click.echo("no answer could be read", err=True)
    return ""


def question(plan: Plan) -> str:
    """What is about to happen, and where."""
    portal, counts = plan.portal, plan.summary
    lines = [
        "",
        f"Apply to portal {portal.name} ({portal.portal_id}, {portal.account_type})?",
        f"  address: {visible(portal.base_url)}",
        f"  {counts.create} to create, {counts.update} to update, {counts.delete} to delete",
    ]
    deletes = list(plan.with_action(Action.DELETE))
    lines += [
        f"  - remove {visible(str(each.direction))}: {visible(str(each.type))} (was {each.before})"
        for each in deletes[:SHOWN_DELETES]
    ]
    if len(deletes) > SHOWN_DELETES:
        lines.append(f"  … and {len(deletes) - SHOWN_DELETES} more to remove")
    return "\n".join([*lines, 'Type "yes" to apply: '])
