"""A plan, and the result of an apply, as text."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.limits import Place
from reconciler.model.plan import (
    Origin,
    Plan,
    Refusal,
    RefusalCode,
)
from reconciler.report.escape import prose_lines
from reconciler.report.html import plan_html
from reconciler.report.markdown import plan_markdown
from reconciler.report.terminal import Style, cells
from reconciler.report.text import plan_text, plans_text
from reconciler.report.view import Unplanned
from tests.report.factory import (
    COMPANIES,
    CONTACTS,
    DEALS,
    FILE,
    HOSTILE,
    PORTAL,
    big_plan,
    change,
    eleven,
    hostile_plan,
    is_printable,
    label,
    object_limit,
    plan,
    small_changes,
)

PLAIN = Style(ansi_codes=False)


def test_a_plan_without_a_base() -> None:
    """What a reader of the terminal sees: effect, direction, limit, values in line, place, reason."""
    assert (
        plan_text(plan(*small_changes(), unchanged=7, unmanaged=2), style=PLAIN)
        == """\
production (portal 1234567, STANDARD, API 2026-03)

Changes
  ↓ lowered    contacts → companies  object limit                         5 → 3          configs/contacts-companies.yaml:4
  ↓ lowered    contacts → companies  "Primary" (HUBSPOT_DEFINED)          2 → 1 (of 3)   configs/contacts-companies.yaml:7
  + new limit  contacts → companies  "Billing contact"            unlimited → 2 (of 3)   configs/contacts-companies.yaml:6
               one invoice address and a stand-in
  − removed    companies → contacts  "Former employer"                   10 → unlimited  configs/contacts-companies.yaml:9

7 limits unchanged, 2 unmanaged (left alone).

Plan: 1 to create, 2 to update, 1 to delete."""
    )


def test_no_changes() -> None:
    """The last line says so, and nothing pretends to be a change."""
    assert plan_text(plan(unchanged=1), style=PLAIN).splitlines()[1:] == [
        "",
        "1 limit unchanged.",
        "",
        "No changes. The portal matches the configuration.",
    ]


def test_each_origin_has_a_section_and_all_share_their_columns() -> None:
    """The branch, then drift, then conflicts; within each, what restricts comes first."""
    assert (
        plan_text(eleven(), style=PLAIN)
        == """\
production (portal 1234567, STANDARD, API 2026-03)
compared with the base bbbbbbbbbbbb

This branch (7)
  ↓ lowered    contacts → car        object limit              10 → 8            configs/cars.yaml:8
               12 records at the present limit, 40 near it
  − removed    contacts → deals      "Champion"                20 → unlimited    configs/deals-contacts.yaml:7
  ↑ raised     car → contacts        object limit               2 → 3            configs/cars.yaml:4
  ↑ raised     car → contacts        "Driver"                   1 → 2 (of 3)     configs/cars.yaml:6
  ↑ raised     companies → contacts  object limit             500 → 1000         configs/contacts-companies.yaml:9
  ↑ raised     contacts → companies  object limit               5 → 6            configs/contacts-companies.yaml:5
  ↑ raised     deals → contacts      "Champion"                 1 → 2 (of 25)    configs/deals-contacts.yaml:6
               deputies count since June

Drift (3): somebody changed these in HubSpot; apply puts them back
  ↓ lowered    companies → contacts  "Decision maker"           5 → 3 (of 1000)  configs/contacts-companies.yaml:11
  ↓ lowered    deals → contacts      "Deputy"                   4 → 3 (of 25)    configs/deals-contacts.yaml:8
  + new limit  contacts → tickets    object limit       unlimited → 50           configs/contacts-companies.yaml:3

Conflict (1): changed here and in HubSpot; the file wins
  ↓ lowered    contacts → companies  "Billing contact"          4 → 2 (of 6)     configs/contacts-companies.yaml:7

12 limits unchanged.

Plan: 1 to create, 9 to update, 1 to delete."""
    )


@pytest.mark.parametrize(("width", "lines"), [(116, 1), (115, 2), (80, 2)])
def test_paths_are_on_a_line_of_their_own_where_they_do_not_fit(width: int, lines: int) -> None:
    """All of them, so that the table stays one; what is below a row is in its second column."""
    text = plan_text(eleven(), style=PLAIN, width=width)
    at = text.index("  ↓ lowered    contacts → car ")
    first, second = text[at:].splitlines()[:2]
    if lines == 1:
        assert first.endswith("  configs/cars.yaml:8")
        assert second == "               12 records at the present limit, 40 near it"
    else:
        assert first.endswith("10 → 8")
        assert second == "               configs/cars.yaml:8"


def test_a_row_wider_than_the_terminal_is_broken_between_its_columns() -> None:
    """A long label is broken between words, and no value in the middle."""
    long = "Decision maker for the renewal of the framework agreement"
    found = plan(
        change(CONTACTS, COMPANIES, label("Billing contact"), 5, None),
        change(CONTACTS, DEALS, label(long), 5, 4),
    )
    lines = plan_text(found, style=PLAIN, width=60).splitlines()
    assert lines[3:8] == [
        "  ↓ lowered    contacts → deals",
        '               "Decision maker for the renewal of the',
        '               framework agreement"  5 → 4',
        '  − removed    contacts → companies  "Billing contact"',
        "               5 → unlimited",
    ]
    assert max(map(cells, lines)) <= 60


def test_several_plans_end_in_a_table_of_portals_and_one_line() -> None:
    """The text of each portal that has something to say, a line for each, and one to grep."""
    refusals = (Refusal(RefusalCode.MAX_DELETES, "too many"),)
    one = plan(*small_changes())
    two = plan(*small_changes(), refusals=refusals, portal=replace(PORTAL, name="staging"))
    same = plan(portal=replace(PORTAL, name="same"))
    plans: list[Plan | Unplanned] = [one, Unplanned("gone", "HubSpot answered 401"), two, same]
    text = plans_text(plans, style=PLAIN)
    bodies = [plan_text(each, style=PLAIN) for each in (one, two)]
    assert text == "\n\n".join(
        [
            *bodies,
            """\
4 portals
  production  2 lowered, 1 new limit, 1 removed
  gone        no plan: HubSpot answered 401
  staging     2 lowered, 1 new limit, 1 removed · apply will refuse this plan
  same        no changes""",
            "Plan: 2 to create, 4 to update, 2 to delete.",
        ]
    )
    assert plans_text([one], style=PLAIN) == bodies[0]
    nothing = plans_text([same, same], style=PLAIN)
    assert nothing.endswith("\n\nNo changes. The portal matches the configuration.")
    missing = plans_text([same, Unplanned("gone", "HubSpot answered 401")], style=PLAIN)
    assert missing.endswith("\n\nPlan: 0 to create, 0 to update, 0 to delete.")
    lost = [Unplanned("gone", "HubSpot answered 401"), Unplanned("far", "no answer")]
    assert plans_text(lost, style=PLAIN).endswith("\n\nNo portal could be planned.")


def test_a_reason_of_several_lines_keeps_them() -> None:
    """In every format that shows reasons, and no line end spelt out."""
    of = plan(change(CONTACTS, COMPANIES, label("B"), 1, 2, reason="first\n\nsecond ::error::x"))
    text = plan_text(of, style=PLAIN)
    indent = " " * 15
    assert f'  "B"  1 → 2\n{indent}first\n{indent}second \\x3a:error::x\n' in text
    markdown = plan_markdown(of)
    assert "<br><em>first</em><br><em>`second ::error::x`</em> |" in markdown
    html = plan_html(of)
    assert '<div class="why"><bdi>first</bdi><br><bdi>second ::error::x</bdi></div>' in html


def test_refusals_come_first_and_warnings_after_the_changes() -> None:
    """Why apply will refuse, and what would override it, wrapped to the width of the terminal."""
    refusals = (
        Refusal(RefusalCode.MAX_DELETES, "25 limits would be deleted; max_deletes allows 20"),
        Refusal(
            RefusalCode.PROTECTED,
            '"Billing contact" of contacts → companies is protected at 3; '
            "this plan would delete it",
            "contacts>companies/USER_DEFINED/28",
            Place(FILE, 6, 4),
        ),
    )
    text = plan_text(
        plan(
            change(CONTACTS, COMPANIES, label("Billing contact"), 3, None),
            refusals=refusals,
            warnings=("1 limit set or lowered: records already above keep their associations",),
        ),
        style=PLAIN,
        width=60,
    )
    assert (
        text
        == """\
production (portal 1234567, STANDARD, API 2026-03)

Refused: apply will not carry out this plan.
  ! 25 limits would be deleted; max_deletes allows 20
    (`--force` overrides this threshold)
  ! "Billing contact" of contacts → companies is protected
    at 3; this plan would delete it (`--force` does not
    override this: take `protect` off in a change of its
    own)
    configs/contacts-companies.yaml:6

Changes
  − removed    contacts → companies  "Billing contact"
               3 → unlimited

Warning: 1 limit set or lowered: records already above
  keep their associations

Plan: 0 to create, 0 to update, 1 to delete."""
    )


def test_two_limits_of_one_name_are_told_apart() -> None:
    """A label two categories share, and an object limit beside another unlabelled type."""
    text = plan_text(
        plan(
            change(CONTACTS, COMPANIES, object_limit(279), 1, 2),
            change(CONTACTS, COMPANIES, object_limit(280), 1, 2),
            change(CONTACTS, COMPANIES, label("object limit", 5), 1, 2),
        ),
        style=PLAIN,
    )
    assert "  object limit (HUBSPOT_DEFINED/279)  1 → 2\n" in text
    assert "  object limit (HUBSPOT_DEFINED/280)  1 → 2\n" in text
    assert '  "object limit"                      1 → 2 (of 2)\n' in text


def test_wide_characters_keep_the_columns() -> None:
    """Japanese labels take two cells a character."""
    lines = plan_text(
        plan(
            change(CONTACTS, COMPANIES, label("請求先", 1), 1, 2),
            change(CONTACTS, COMPANIES, label("Billing", 2), 1, 2),
        ),
        style=PLAIN,
    ).splitlines()
    assert [each.split("companies")[1] for each in lines[3:5]] == [
        '  "請求先"   1 → 2',
        '  "Billing"  1 → 2',
    ]
    assert cells(lines[3]) == cells(lines[4])


def test_colours_are_all_that_ansi_adds() -> None:
    """Without its sequences the coloured text is the plain one."""
    whole = plan(*small_changes(Origin.DRIFT), unchanged=7, warnings=("careful",))
    coloured = plan_text(whole, style=Style(ansi_codes=True))
    assert "\x1b[33m↓ lowered  \x1b[0m" in coloured
    assert "\x1b[94m−" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plan_text(whole, style=PLAIN)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_stays_on_its_line(kind: str) -> None:
    """As for a friendly name, but for the lines of reasons; no controls, no command to a runner."""
    hostile, friendly = hostile_plan(HOSTILE[kind]), hostile_plan("friend")
    text = plan_text(hostile, style=PLAIN)
    assert len(text.splitlines()) - reason_lines(hostile) == (
        len(plan_text(friendly, style=PLAIN).splitlines()) - reason_lines(friendly)
    )
    assert_harmless(text)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_portals_stay_on_their_lines(kind: str) -> None:
    """In the table below the plans of several portals, with and without a plan."""
    hostile = HOSTILE[kind]
    shown: list[Plan | Unplanned] = [hostile_plan(hostile), Unplanned(hostile, hostile)]
    text = plans_text(shown, style=PLAIN)
    assert len(text.split("\n2 portals\n")[1].splitlines()) == 4
    assert all(map(is_printable, text.split("\n")))
    assert not any(line.lstrip().startswith("::") for line in text.split("\n"))


def reason_lines(of: Plan) -> int:
    """How many lines the reasons of a plan take."""
    return sum(len(prose_lines(each.reason or "")) for each in of.changes)


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60), st.integers(20, 120))
def test_any_text_is_harmless(text: str, width: int) -> None:
    """Whatever the name, and wherever its words are wrapped."""
    assert_harmless(plan_text(hostile_plan(text), style=PLAIN, width=width))


def assert_harmless(text: str) -> None:
    """No control characters, no workflow commands, UTF-8, and the line to grep at the end."""
    assert all(map(is_printable, text.split("\n")))
    assert not any(line.lstrip().startswith("::") for line in text.split("\n"))
    assert not re.search(r"##\w*\[", text)
    assert text.endswith("\nPlan: 1 to create, 1 to update, 1 to delete.")


def test_two_thousand_changes_take_under_half_a_second() -> None:
    """Processor time, labels and reasons included."""
    big = big_plan()
    start = time.process_time()
    plan_text(big, style=Style(ansi_codes=True), width=100)
    assert time.process_time() - start < 0.5
