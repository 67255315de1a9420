"""Short ways to state directions, limits and portals in tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.model.limits import (
    Account,
    AccountType,
    AssociationType,
    ByTypeId,
    Category,
    DesiredLimit,
    Direction,
    Label,
    ObjectType,
    Observed,
    ObservedDirection,
    ObservedLimit,
    Place,
    ResolvedDirection,
    Safety,
    Selector,
    TypeKey,
    Unlabelled,
)
from reconciler.model.plan import Plan
from reconciler.planning.origin import History, Observation, Past
from reconciler.planning.plan import PlanContext, make_plan

CONTACTS = ObjectType("0-1", "contacts")
COMPANIES = ObjectType("0-2", "companies")
DEALS = ObjectType("0-3", "deals")
CONTACTS_COMPANIES = Direction(CONTACTS, COMPANIES)
COMPANIES_CONTACTS = Direction(COMPANIES, CONTACTS)

OBJECT = AssociationType(TypeKey(Category.HUBSPOT_DEFINED, 279), None)
PRIMARY = AssociationType(TypeKey(Category.HUBSPOT_DEFINED, 1), "Primary")
BILLING = AssociationType(TypeKey(Category.USER_DEFINED, 28), "Billing contact")
DECISION = AssociationType(TypeKey(Category.USER_DEFINED, 30), "Decision maker")
TYPES = (OBJECT, PRIMARY, BILLING, DECISION)

CONTEXT = PlanContext(
    tool_version="0.1.0",
    created_at="2026-11-21T09:00:00Z",
    portal_name="production",
    base_url="https://api.hubapi.com",
    api_version="2026-03",
)


def selector(type_: AssociationType) -> Selector:
    """The usual way a file names this type."""
    return Unlabelled() if type_.label is None else Label(type_.label)


def limit(
    named: Selector | AssociationType,
    maximum: int | None,
    *,
    line: int = 1,
    protect: bool = False,
    reason: str | None = None,
) -> DesiredLimit:
    """A limit at a line of `configs/a.yaml`."""
    chosen = selector(named) if isinstance(named, AssociationType) else named
    return DesiredLimit(chosen, maximum, Place("configs/a.yaml", line, 1), protect, reason)


def declared(
    *limits: DesiredLimit, direction: Direction = CONTACTS_COMPANIES, prune: bool = True
) -> ResolvedDirection:
    """A direction declared at line 1."""
    return ResolvedDirection(direction, limits, prune, Place("configs/a.yaml", 1, 7))


def portal(
    values: Mapping[AssociationType, int],
    *,
    labels: Sequence[AssociationType] | None = TYPES,
    direction: Direction = CONTACTS_COMPANIES,
) -> Observed:
    """A portal with one direction read."""
    rows = tuple(ObservedLimit(type_, value) for type_, value in values.items())
    read = ObservedDirection(direction, rows, None if labels is None else tuple(labels))
    return Observed(Account(1234567, AccountType.STANDARD), (read,))


def plan(
    head: ResolvedDirection,
    values: Mapping[AssociationType, int],
    *,
    base: Sequence[ResolvedDirection] | None = None,
    tip: Sequence[ResolvedDirection] | None = None,
    safety: Safety | None = None,
) -> Plan:
    """The plan of one declared direction; `tip` None: the ref has not moved on since the base."""
    past = None if base is None else history(base, tip)
    return make([head], portal(values, direction=head.direction), history=past, safety=safety)


def make(
    head: Sequence[ResolvedDirection],
    observed: Observed,
    *,
    history: History | None = None,
    safety: Safety | None = None,
) -> Plan:
    """The plan of these directions over what was read of them."""
    return make_plan(Observation(tuple(head), history, observed), context=CONTEXT, safety=safety)


def history(
    base: Sequence[ResolvedDirection],
    tip: Sequence[ResolvedDirection] | None = None,
    *,
    complete: bool = True,
) -> History:
    """The merge base and the tip of `main`, by default the same."""
    before = Past(tuple(base), complete)
    return History(before, before if tip is None else Past(tuple(tip)), "main")


def by_id(key: TypeKey) -> ByTypeId:
    """Name a type by category and type ID."""
    return ByTypeId(key)
