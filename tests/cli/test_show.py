"""`show` over saved plans: one or many, and what changed since earlier ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.model.plan import Change, Origin
from tests.ci import plans
from tests.cli.running import Desk
from tests.report import factory
from tests.report.factory import CAR, CONTACTS, DEALS, HOSTILE, change, label, object_limit

LOWERED = change(CONTACTS, CAR, object_limit(5), 10, 8, line=4, origin=Origin.CONFIG)
REMOVED = change(CONTACTS, DEALS, label("Champion"), 20, None, line=5, origin=Origin.CONFIG)
RAISED = change(DEALS, CONTACTS, label("Champion", 29), 1, 2, line=6, origin=Origin.CONFIG)
SINCE = (
    "Since the previous plan: 1 limit more is lowered (contacts → car), "
    '1 change is gone (contacts → deals "Champion"), '
    '1 change differs (deals → contacts "Champion" 1 → 3 instead of 1 → 2).'
)


def save(
    desk: Desk, file: str, changes: Sequence[Change], *, name: str = "production", portal: int = 1
) -> None:
    """A saved plan in the folder."""
    plans.save(plans.plan(changes, portal_id=portal, name=name), desk.folder / file)


@pytest.fixture
def saved(offline: Desk) -> Desk:
    """Two plans of one portal, and one each of two others."""
    save(offline, "old.json", [REMOVED, RAISED])
    save(offline, "new.json", [LOWERED, replace(RAISED, after=3)])
    save(offline, "emea.json", [LOWERED], name="emea", portal=7)
    save(offline, "apac.json", [], name="apac", portal=8)
    return offline


# ---------------------------------------------------------------- since


def test_the_text_begins_with_what_changed(saved: Desk) -> None:
    """Above the plan, whose last line stays the one to grep."""
    ran = saved.run_here("show", "new.json", "--since", "old.json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{SINCE}\n\n{saved.run_here('show', 'new.json').out}"


def test_nothing_changed_is_said(saved: Desk) -> None:
    """In each format."""
    words = "Nothing changed since the previous plan."
    for format_ in ("text", "markdown", "html"):
        ran = saved.run_here("show", "new.json", "--since", "new.json", "--format", format_)
        assert ran.out.count(words) == 1, format_
    ran = saved.run_here("show", "new.json", "--since", "new.json", "--format", "json")
    assert ran.json["since"] | {"created_at": None} == {
        "digest": ran.json["plan"]["digest"],
        "created_at": None,
        "same_digest": True,
        "portal_id": None,
        "api_version": None,
        "added": [],
        "gone": [],
        "revised": [],
        "moved": [],
        "refusals": {"added": [], "gone": []},
    }


def test_markdown_and_the_page_say_it_beside_the_plan(saved: Desk) -> None:
    """Once, and with nothing else changed."""
    for format_, sentence in (("markdown", SINCE), ("html", SINCE.replace('"', "&#34;"))):
        ran = saved.run_here("show", "new.json", "--since", "old.json", "--format", format_)
        assert ran.out.count(sentence) == 1, format_
        assert (
            "ince the previous plan"
            not in saved.run_here("show", "new.json", "--format", format_).out
        )


def test_the_json_has_the_plan_and_what_changed(saved: Desk) -> None:
    """The plan's document as it was saved; without --since it is all there is."""
    document = json.loads((saved.folder / "new.json").read_text("utf-8"))
    assert saved.run_here("show", "new.json", "--format", "json").json == document
    found = saved.run_here("show", "new.json", "--since", "old.json", "--format", "json").json
    assert found["plan"] == document
    since = found["since"]
    assert [each["id"] for each in since["added"]] == ["contacts>car/HUBSPOT_DEFINED/5"]
    assert [each["label"] for each in since["gone"]] == ["Champion"]
    assert [(each["was"]["after"], each["now"]["after"]) for each in since["revised"]] == [(2, 3)]


def test_another_portal_is_wrong_usage(saved: Desk) -> None:
    """There is nothing to compare; both are named."""
    ran = saved.run_here("show", "new.json", "--since", "emea.json")
    assert (ran.code, ran.out) == (64, "")
    assert "emea.json is for portal emea (7), and what is shown is not" in ran.err


def test_an_earlier_shard_without_portals_is_nothing_to_compare_with(saved: Desk) -> None:
    """Its plans are `[]`; every portal of the shard is new since then."""
    saved.write("old.json", "[]\n")
    ran = saved.run_here("show", "new.json", "--since", "old.json")
    assert (ran.code, "Since the previous plan" in ran.out) == (0, False)
    assert ran.out == saved.run_here("show", "new.json").out


def test_another_api_version_is_said(saved: Desk) -> None:
    """It is under the digest, so the plans are not the same."""
    plan = plans.plan([LOWERED], portal_id=1)
    plans.save(
        replace(plan, portal=replace(plan.portal, api_version="v4")), saved.folder / "x.json"
    )
    ran = saved.run_here("show", "x.json", "--since", "new.json")
    assert "Since the previous plan: it is for API version v4 instead of 2026-03, " in ran.out


def test_an_altered_earlier_plan_is_refused(saved: Desk) -> None:
    """As one that is shown."""
    text = (saved.folder / "old.json").read_text("utf-8")
    saved.write("old.json", text.replace('"after":2', '"after":9'))
    ran = saved.run_here("show", "new.json", "--since", "old.json")
    assert ran.code == 4
    assert "old.json: the plan file was altered" in ran.err


def test_several_plans_are_compared_by_their_portals(saved: Desk) -> None:
    """A portal without an earlier plan says nothing of one."""
    shown = ("show", "new.json", "emea.json", "--since", "old.json", "--since", "emea.json")
    text = saved.run_here(*shown).out
    same = "Nothing changed since the previous plan."
    assert text.startswith(f"production: {SINCE}\nemea: {same}\n\nproduction (portal 1, ")
    found = saved.run_here(*shown[:-2], "--format", "json").json
    assert [each["since"] is None for each in found] == [False, True]
    html = saved.run_here(*shown, "--format", "html").out
    assert (html.count('<p class="since">'), html.count(same)) == (2, 1)


def test_two_earlier_plans_of_one_portal_are_wrong_usage(saved: Desk) -> None:
    """Which of them is meant?"""
    ran = saved.run_here("show", "new.json", "--since", "old.json", "--since", "new.json")
    assert ran.code == 64
    assert "two earlier plans are for portal production (1)" in ran.err


def test_a_picture_has_no_room_for_words(saved: Desk) -> None:
    """Nothing that was asked for is left out in silence."""
    ran = saved.run_here("show", "new.json", "--since", "old.json", "--format", "mermaid")
    assert ran.code == 64
    assert "choose another format" in ran.err


@pytest.mark.parametrize("kind", sorted(HOSTILE.keys() - {"surrogate"}))
def test_hostile_names_are_one_harmless_line(offline: Desk, kind: str) -> None:
    """In the terminal, in the page, and in the JSON."""
    strange = change(replace(CAR, name=HOSTILE[kind]), CONTACTS, label(HOSTILE[kind]), 10, 8)
    save(offline, "old.json", [])
    save(offline, "new.json", [strange])
    shown = ("show", "new.json", "--since", "old.json")
    first, blank, _ = offline.run_here(*shown).out.split("\n", 2)
    assert first.startswith("Since the previous plan: 1 limit more is lowered (")
    assert factory.is_printable(first)
    assert blank == ""
    html = offline.run_here(*shown, "--format", "html").out
    (words,) = [line for line in html.split("\n") if '<p class="since">' in line]
    assert words.count("<") == 4
    assert factory.is_printable(words)
    assert offline.run_here(*shown, "--format", "json").json["since"]["gone"] == []


# ---------------------------------------------------------------- several plans


def test_several_plans_are_one_document(saved: Desk) -> None:
    """In the order given, with a table of all of them."""
    shown = ("show", "new.json", "emea.json", "apac.json")
    text = saved.run_here(*shown)
    assert text.last_line == "Plan: 0 to create, 3 to update, 0 to delete."
    assert "\n3 portals\n  production  1 lowered, 1 raised\n  emea        1 lowered\n" in text.out
    markdown = saved.run_here(*shown, "--format", "markdown").out
    assert markdown.startswith("## 3 portals: 2 to change\n")
    html = saved.run_here(*shown, "--format", "html").out
    assert html.count("<html") == 1
    picture = saved.run_here(*shown, "--format", "mermaid").out
    assert picture.count("flowchart LR") == 1
    assert '    subgraph p1["emea"]' in picture
    assert '    same["1 portal without changes"]' in picture


def test_several_plans_are_one_array(saved: Desk) -> None:
    """Each as it was saved; an array is read again."""
    files = ("new.json", "emea.json")
    ran = saved.run_here("show", *files, "--format", "json")
    assert ran.json == [json.loads((saved.folder / each).read_text("utf-8")) for each in files]
    saved.write("both.json", ran.out)
    assert saved.run_here("show", "both.json") == saved.run_here("show", *files)
    again = saved.run_here("show", "both.json", "--format", "json")
    assert again.out == ran.out


def test_a_portal_without_a_plan_is_shown_beside_the_others(saved: Desk) -> None:
    """As `plan --all-portals --format json` prints it."""
    error: dict[str, object] = {"message": "no token", "hint": None, "details": [], "exit_code": 1}
    failed = {"format_version": "1.0", "portal": "latam", "error": error, "diagnostics": []}
    plan = json.loads((saved.folder / "new.json").read_text("utf-8"))
    saved.write("all.json", json.dumps([plan, failed]))
    ran = saved.run_here("show", "all.json")
    assert "  latam       no plan: no token\n" in ran.out
    assert saved.run_here("show", "all.json", "--format", "json").json == [plan, failed]


def test_two_plans_of_one_portal_are_wrong_usage(saved: Desk) -> None:
    """They cannot both be what happens; the hint says how to compare them."""
    ran = saved.run_here("show", "old.json", "emea.json", "new.json")
    assert ran.code == 64
    assert "2 of the plans are for portal production" in ran.err
    assert "--since" in ran.err


def test_a_bad_plan_among_others_is_named(saved: Desk) -> None:
    """By its file, or its line where a file holds several."""
    saved.write("x.json", '{"batches": []}')
    assert "error: x.json: " in saved.run_here("show", "new.json", "x.json").err
    new = (saved.folder / "new.json").read_text("utf-8").strip()
    saved.write("x.json", f'[{new},\n{{"batches": []}}]')
    assert "error: x.json:2: " in saved.run_here("show", "x.json").err
