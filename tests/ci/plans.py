"""Whole plan files for the tests: what `plan --out` saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.model.plan import Change, GitState, Plan
from reconciler.planning.order import order
from reconciler.planning.plan_file import plan_json
from tests.report import factory

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def plan(
    changes: Sequence[Change] = (), *, portal_id: int = 1234567, name: str = "production"
) -> Plan:
    """A plan that `read_plan` accepts."""
    portal = replace(factory.PORTAL, portal_id=portal_id, name=name)
    made = factory.plan(*changes, portal=portal, git=GitState(COMMIT, dirty=False))
    return replace(made, batches=order(made.changes))


def small() -> Plan:
    """A plan with one create, two updates and a delete."""
    return plan(factory.small_changes())


def save(plan: Plan, path: Path) -> Path:
    """Write the plan as `plan --out` does."""
    path.write_text(plan_json(plan), encoding="utf-8")
    return path
