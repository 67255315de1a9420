"""Random portals, configurations, edits and faults: what holds after any sequence of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from reconciler.errors import ConfigurationInvalid, ExitCode
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.limits import (
    ByTypeId,
    Category,
    Desired,
    DesiredDirection,
    DesiredLimit,
    Label,
    Place,
    TypeKey,
    Unlabelled,
)
from reconciler.model.plan import Outcome, Plan
from reconciler.sandbox.portal import Portal as PortalState
from reconciler.sandbox.rules import Judging, Mixed, Rules, Verdict
from tests.applying import scenario, truth
from tests.applying.faults import Stopping
from tests.applying.scenario import COMPANIES, CONTACTS, DEALS, TICKETS
from tests.applying.world import Ran, World

DIRECTIONS = (
    (CONTACTS, COMPANIES),
    (COMPANIES, CONTACTS),
    (DEALS, CONTACTS),
    (CONTACTS, CONTACTS),
    (TICKETS, CONTACTS),
    (DEALS, COMPANIES),
)
Name = int
"""The type ID; none is used by two types of a direction here."""
Limits = Mapping[Name, int]


def types(number: int) -> dict[Name, str | None]:
    """The types of a direction: their labels by type ID."""
    from_, to = DIRECTIONS[number]
    portal = scenario.portal()
    known = portal.associations(portal.direction(from_.id, to.id)).types
    return {key.type_id: each.label for key, each in known.items()}


def holds(limits: Limits, labels: Mapping[Name, str | None], equality: Verdict) -> bool:
    """Whether HubSpot's rule holds, under one reading of equality."""
    objects = [limits[name] for name in limits if labels[name] is None]
    highest = max((limits[name] for name in limits if labels[name] is not None), default=0)
    return not objects or highest < min(objects) + (equality is Verdict.ACCEPT)


@st.composite
def some_limits(draw: st.DrawFn, number: int, equality: Verdict) -> Limits:
    """Limits of a direction that HubSpot would accept."""
    labels = types(number)
    names = draw(st.sets(st.sampled_from(sorted(labels))))
    limits = {name: draw(st.integers(1, 6)) for name in sorted(names)}
    return (
        limits
        if holds(limits, labels, equality)
        else {name: value + 6 * (labels[name] is None) for name, value in limits.items()}
    )


NUMBERS = st.integers(0, len(DIRECTIONS) - 1)
RULES = st.builds(
    Rules,
    equality=st.sampled_from(Verdict),
    judging=st.sampled_from(Judging),
    mixed=st.sampled_from(Mixed),
    update_of_missing=st.sampled_from(Verdict),
    create_of_existing=st.sampled_from(Verdict),
    max_inputs=st.sampled_from([None, None, 2]),
)

WHEN = st.sampled_from(["any", "write", "update", "purge", "create", "read"])
WHICH = st.builds(
    lambda first, lasts: f"#{first}{lasts}", st.integers(1, 12), st.sampled_from(["", "-", "-20"])
)
ACTION = st.sampled_from(
    [
        *("503", "500,wrote=yes", "504,body=html,wrote=yes", "524,body=short", "423", "400"),
        *("429", "429,policy=DAILY", "429,retry-after=2", "477,retry-after=86400"),
        *("401", "403", "404", "405,body=empty", "redirect,to=https://elsewhere.test/"),
        *("drop", "drop,wrote=yes", "hang,seconds=99", "hang,seconds=99,wrote=yes", "huge,mb=20"),
        *("cancel", "lose", "pend", "pend,seconds=2", "pend,seconds=30", "part,inputs=1"),
        *("part,inputs=2+3", "alter,type=28,as=5", "alter,type=50,as=2", "omit,types=28+50+279"),
        *("400,wrote=yes", "409,wrote=3", "omit,keys=label", "row,type=999,category=LATER,max=3"),
        *("refuse,types=28+41", "nulls", "delay,seconds=3", "rate,max=100,remaining=0"),
    ]
)
FAULTS = st.lists(
    st.builds(lambda *parts: "{}{}:{}".format(*parts), WHEN, WHICH, ACTION), max_size=3
)
STOPS = st.none() | st.none() | st.integers(1, 20)
"""At which request a signal asks to stop."""
LAGS = st.builds(
    lambda way, seconds: [f"read:{way},seconds={seconds}"],
    st.sampled_from(["lag", "flap", "flap,first=new"]),
    st.integers(1, 30),
)
"""On their own: what lags may show what was true before, and with it what was asked for."""


class Portals(RuleBasedStateMachine):
    """People edit in HubSpot, files change, plans are saved, applied, interrupted, repeated."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._desired: dict[int, tuple[Limits, bool]] = {}
        self._plan: Plan | None = None

    def teardown(self) -> None:
        self._folder.cleanup()

    @initialize(
        rules=RULES, version=st.sampled_from(ApiVersion), several=st.booleans(), data=st.data()
    )
    def start(
        self, rules: Rules, version: ApiVersion, data: st.DataObject, *, several: bool
    ) -> None:
        """A portal with some limits."""
        state = scenario.portal()
        for number, (from_, to) in enumerate(DIRECTIONS):
            found = data.draw(some_limits(number, rules.equality))
            for name in types(number):
                state = state.with_limit(from_.id, to.id, name, found.get(name))
        self._rules = rules
        for number in range(len(DIRECTIONS)):
            self._declare(number, data)
        self._world = World.in_process(
            Path(self._folder.name),
            state,
            rules=rules,
            version=version,
            concurrency=4 if several else 1,
        )

    # ------------------------------------------------------------ what people do

    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=4), data=st.data())
    def edit(self, numbers: list[int], data: st.DataObject) -> None:
        """Somebody changes limits in HubSpot, which accepts them."""
        for number in numbers:
            from_, to = DIRECTIONS[number]
            name = data.draw(st.sampled_from(sorted(types(number))))
            value = data.draw(st.none() | st.integers(1, 12))
            after = {**self._limits(number), name: value}
            kept = {each: limit for each, limit in after.items() if limit is not None}
            if holds(kept, types(number), self._rules.equality):
                self._world.sandbox.edit(from_.id, to.id, name, value)
                self._world.clock.wait(1.0)

    @rule(numbers=st.sets(NUMBERS, min_size=1), data=st.data())
    def change_files(self, numbers: set[int], data: st.DataObject) -> None:
        """The files say something else of some directions, or nothing any more."""
        for number in sorted(numbers):
            self._declare(number, data)

    # ------------------------------------------------------------ what the tool does

    @rule()
    def save_a_plan(self) -> None:
        """For review; it may be applied much later."""
        self._plan = self._planned()

    @rule(faults=FAULTS | LAGS, stop=STOPS)
    def apply_the_saved_plan(self, faults: list[str], stop: int | None) -> None:
        """As it was reviewed, or refused."""
        if self._plan is not None and self._is_possible(self._plan):
            self._apply(self._plan, faults, stop)

    @rule(faults=FAULTS | LAGS, stop=STOPS)
    def apply_a_new_plan(self, faults: list[str], stop: int | None) -> None:
        """Whatever goes wrong, the report is true and nothing else is touched."""
        plan = self._planned()
        if plan is not None and self._is_possible(plan):
            self._apply(plan, faults, stop)

    @rule()
    def converge(self) -> None:
        """Without faults: the plan of the state after an apply is empty, a second writes nothing."""
        plan = self._planned()
        if plan is None or not self._is_possible(plan):
            return
        ran = self._apply(plan)
        assert ran.code is ExitCode.DONE
        empty = self._planned()
        assert empty is not None
        assert empty.changes == ()
        assert self._apply(empty).result.outcome is Outcome.NOTHING

    @invariant()
    def the_rule_holds(self) -> None:
        """Under the reading of equality that this portal has."""
        for number in range(len(DIRECTIONS) if hasattr(self, "_world") else 0):
            assert holds(self._limits(number), types(number), self._rules.equality)

    # ------------------------------------------------------------ in words

    def _declare(self, number: int, data: st.DataObject) -> None:
        self._desired.pop(number, None)
        if data.draw(st.integers(0, 3)):
            limits = data.draw(some_limits(number, self._rules.equality))
            self._desired[number] = (limits, data.draw(st.booleans()))

    def _limits(self, number: int) -> dict[Name, int]:
        from_, to = DIRECTIONS[number]
        found = self._world.sandbox.limits(from_.id, to.id)
        return {type_id: limit for (_, type_id), limit in found.items()}

    def _planned(self) -> Plan | None:
        """The plan; None where the files contradict a limit that they leave alone."""
        try:
            return self._world.plan(self._configuration())
        except ConfigurationInvalid:
            return None

    def _configuration(self) -> Desired:
        return Desired(
            tuple(
                _declared(number, limits, prune=prune)
                for number, (limits, prune) in sorted(self._desired.items())
            )
        )

    def _is_possible(self, plan: Plan) -> bool:
        """Whether HubSpot accepts the state that the plan leads to, and the one it starts from."""
        portal = self._world.sandbox.portal
        for key in plan.by_direction:
            direction = portal.associations(portal.direction(*key))
            target = truth.target(plan, key, direction)
            labels = {name.type_id: each.label for name, each in direction.types.items()}
            after = {name.type_id: value for name, value in target.items()}
            if not holds(after, labels, self._rules.equality):
                return False
        return True

    def _apply(self, plan: Plan, faults: Sequence[str] = (), stop: int | None = None) -> Ran:
        trouble = None if stop is None else Stopping(stop, self._world.clock)
        ran = self._world.apply(plan, faults, trouble=trouble)
        truth.check(ran, stopped=stop is not None)
        self._world.recover()
        untouched = set(DIRECTIONS) - {
            (each.direction.from_, each.direction.to) for each in plan.changes
        }
        for from_, to in untouched:
            assert _same_limits(ran.before, self._world.sandbox.portal, (from_.id, to.id))
        if ran.result.outcome in (Outcome.FAILED, Outcome.REFUSED, Outcome.NOTHING):
            assert truth.effective(self._world.sandbox.history[ran.history :]) == []
        return ran


def _same_limits(before: PortalState, after: PortalState, ends: tuple[str, str]) -> bool:
    return before.limits(*ends) == after.limits(*ends)


def _declared(number: int, limits: Limits, *, prune: bool) -> DesiredDirection:
    from_, to = DIRECTIONS[number]
    place = Place(f"configs/{number}.yaml", 1, 1)
    labels = types(number)
    return DesiredDirection(
        from_,
        to,
        tuple(
            DesiredLimit(_selector(name, labels[name]), value, place)
            for name, value in limits.items()
        ),
        prune=prune,
        place=place,
    )


def _selector(name: Name, label: str | None) -> Unlabelled | Label | ByTypeId:
    if label is None:
        return Unlabelled()
    if label == "Primary":
        return ByTypeId(TypeKey(Category.HUBSPOT_DEFINED, name))
    return Label(label)


def test_no_sequence_of_events_breaks_a_promise() -> None:
    """A few hundred of them, the same every time."""
    run_state_machine_as_test(
        Portals,
        settings=settings(
            max_examples=20,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.torture
def test_no_long_sequence_of_events_breaks_a_promise() -> None:
    """Tens of thousands, others every time."""
    run_state_machine_as_test(
        Portals,
        settings=settings(
            max_examples=600,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
