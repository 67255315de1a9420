"""Ask a person: destination, counts and deletes on the screen, and a plain "yes"."""

from __future__ import annotations

import sys

import click

from reconciler.errors import PlanRefused
from reconciler.model import Action, Plan
from reconciler.report.escape import visible

SHOWN_DELETES = 20


def approve(plan: Plan) -> None:
    """Raise PlanRefused unless somebody at a terminal answers "yes"; end of input is a no."""
    if not sys.stdin.isatty():
        raise PlanRefused(
            "not approved: nobody is there to ask",
            hint="--auto-approve, --expect-digest, or a saved plan that was reviewed",
        )
    click.echo(question(plan), err=True, nl=False)
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        answer = ""
        click.echo(err=True)
    if answer.strip() != "yes":
        raise PlanRefused("not approved: nothing was written")


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
        f"  - delete {visible(str(each.direction))}: {visible(str(each.type))} (was {each.before})"
        for each in deletes[:SHOWN_DELETES]
    ]
    if len(deletes) > SHOWN_DELETES:
        lines.append(f"  … and {len(deletes) - SHOWN_DELETES} deletes more")
    return "\n".join([*lines, 'Only "yes" is a yes: '])
