"""What a plan makes of odd answers of the portal: nothing untrue, and no stop for one odd row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from reconciler.sandbox.example import bare_portal
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.portal import AssociationType, Category, ObjectType
from reconciler.sandbox.server import serve
from tests.cli.running import Desk

CHAMPION = 131


@pytest.fixture
def champion(offline: Desk) -> Iterator[Desk]:
    """Deals → contacts: "Champion" has the limit 1, the direction has no object limit."""
    label = AssociationType(Category.USER_DEFINED, CHAMPION, "Champion")
    portal = bare_portal().with_type("deals", "contacts", label)
    portal = portal.with_limit("deals", "contacts", CHAMPION, 1)
    offline.write(
        "configs/deals-contacts.yaml", "from: deals\nto: contacts\nmax: 5\nprune: false\n"
    )
    with serve(portal) as server:
        offline.server = server
        yield offline


def spoil(desk: Desk, *rules: str) -> None:
    """Put these fault rules in force."""
    assert desk.server is not None
    desk.server.set_faults(parse_fault(rule) for rule in rules)


@pytest.mark.parametrize("fault", ["read:omit,keys=label", 'read:put,key=label,value=""'])
def test_a_label_left_out_is_not_the_unlabelled_type(champion: Desk, fault: str) -> None:
    """The object limit is set, and the limit of "Champion" is not overwritten."""
    spoil(champion, fault)
    planned = champion.run_here("plan", "--format", "json", "--out", "plan.json")
    assert planned.code == 0, planned.err
    (change,) = planned.json["changes"]
    assert (change["category"], change["label"]) == ("HUBSPOT_DEFINED", None)
    assert (change["before"], change["after"]) == (None, 5)
    assert planned.json["summary"]["unmanaged"] == 1
    applied = champion.run_here("apply", "plan.json")
    assert applied.code == 0, applied.err
    assert champion.server is not None
    limits = champion.server.limits("deals", "contacts")
    assert limits["USER_DEFINED", CHAMPION] == 1
    assert sorted(limits.values()) == [1, 5]


def test_a_label_that_nobody_states_leaves_its_limit_unmanaged(champion: Desk) -> None:
    """Pruning does not touch it either, and the plan says so."""
    champion.write("configs/deals-contacts.yaml", "from: deals\nto: contacts\nmax: 5\n")
    spoil(champion, f"any:omit,keys=label,types={CHAMPION}")
    ran = champion.run_here("plan", "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.json["summary"] == {
        "create": 1, "update": 0, "delete": 0, "unchanged": 0, "unmanaged": 1
    }  # fmt: skip
    assert (
        f"deals → contacts: this version does not know the label of USER_DEFINED/{CHAMPION}: "
        "it is unmanaged, not compared with the files, and not changed"
    ) in ran.json["warnings"]


@pytest.mark.parametrize(
    ("fault", "unknown"),
    [
        ("read:row,type=777,category=PARTNER_DEFINED,max=3", "the category of PARTNER_DEFINED/777"),
        ("read:row,type=777,max=0", "the limit 0 of USER_DEFINED/777"),
        ("read:row,type=777,max=-1", "the limit -1 of USER_DEFINED/777"),
        ("read:row,type=777,max=5.0", "the limit 5.0 of USER_DEFINED/777"),
        ("read:row,type=777,max=2147483648", "the limit 2147483648 of USER_DEFINED/777"),
    ],
)
def test_one_row_that_this_version_does_not_know_stops_nothing_else(
    pair: Desk, fault: str, unknown: str
) -> None:
    """It is reported and counted as unmanaged, the rest is planned and can be applied."""
    before = pair.run_here("plan", "--format", "json").json
    spoil(pair, f"{fault},label=Odd")
    ran = pair.run_here("plan", "--format", "json", "--out", "plan.json")
    assert ran.code == 0, ran.err
    assert ran.json["changes"] == before["changes"]
    assert ran.json["summary"]["unmanaged"] == before["summary"]["unmanaged"] + 2
    for direction in ("contacts → companies", "companies → contacts"):
        assert any(
            warning.startswith(f"{direction}: this version does not know {unknown}")
            for warning in ran.json["warnings"]
        )
    assert pair.run_here("show", "plan.json").code == 0
    applied = pair.run_here("apply", "plan.json")
    assert applied.code == 0, applied.err


def test_a_limit_whose_present_value_is_not_known_is_not_changed(pair: Desk) -> None:
    """The file names "Billing contact", the portal says 0: nobody can say what would change."""
    spoil(pair, "read@contacts/companies:put,key=userEnforcedMaxToObjectIds,value=0,types=28")
    ran = pair.run_here("plan", "--format", "json")
    assert ran.code == 0, ran.err
    ids = [each["id"] for each in ran.json["changes"]]
    assert "contacts>companies/USER_DEFINED/28" not in ids
    assert any(
        'the limit 0 of USER_DEFINED/28 "Billing contact"' in w for w in ran.json["warnings"]
    )


def test_a_plan_for_a_limit_that_became_unknown_is_stale(pair: Desk) -> None:
    """The present value of the limit is not what the plan expects, and cannot be known."""
    assert pair.run_here("plan", "--out", "plan.json").code == 0
    spoil(pair, "read:put,key=userEnforcedMaxToObjectIds,value=0")
    ran = pair.run_here("apply", "plan.json")
    assert ran.code == 4
    assert "this version does not know the limit 0 of" in ran.err
    assert pair.writes() == []


def test_a_label_of_an_unknown_category_stops_nothing(pair: Desk) -> None:
    """The labels are read for "Decision maker", whose limit no row states yet."""
    spoil(pair, "labels:row,type=777,category=PARTNER_DEFINED,label=Reseller")
    ran = pair.run_here("plan", "--format", "json")
    assert ran.code == 0, ran.err
    assert 'the category of PARTNER_DEFINED/777 "Reseller"' in " ".join(ran.json["warnings"])


def test_a_label_of_an_unknown_category_is_not_said_to_be_missing_without_a_word(
    pair: Desk,
) -> None:
    """The file names it: the message says why it cannot be used."""
    pair.write(
        "configs/contacts-companies.yaml", "from: contacts\nto: companies\nlabels: {Reseller: 2}\n"
    )
    spoil(pair, "labels:row,type=777,category=PARTNER_DEFINED,label=Reseller")
    ran = pair.run_here("plan")
    assert ran.code == 3
    assert 'this version does not know the category of PARTNER_DEFINED/777 "Reseller"' in ran.err


def test_further_pages_are_refused_at_once(pair: Desk) -> None:
    """A part of the limits would be taken for all of them."""
    assert pair.server is not None
    spoil(pair, "read:say,key=paging.next.after,value=2")
    ran = pair.run_here("plan", "--concurrency", "1")
    assert ran.code == 1
    assert "one page of several, and this version does not read further pages" in ran.err
    assert "proxy" not in ran.err
    assert len([each for each in pair.server.requests if each.operation == "read"]) == 1


@pytest.mark.parametrize(
    "fault", ["read:202", "labels:204,body=empty", "account:say,key=numErrors,value=1"]
)
def test_a_read_that_is_not_a_sound_200_is_never_empty(pair: Desk, fault: str) -> None:
    """One such answer is asked for again; the plan is that of a sound portal."""
    before = pair.run_here("plan", "--format", "json").json
    spoil(pair, f"{fault},times=1")
    ran = pair.run_here("plan", "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.json["changes"] == before["changes"]
    spoil(pair, fault)
    ran = pair.run_here("plan", "--timeout", "2")
    assert ran.code == 1
    assert "unusable answer to GET" in ran.err


@pytest.fixture
def projects(offline: Desk) -> Iterator[Desk]:
    """A portal with a custom object `project` beside HubSpot's projects."""
    portal = bare_portal()
    custom = ObjectType("2-777", "project", "projects", f"p{portal.portal_id}_project")
    objects = portal.object_types.extended([custom])
    label = AssociationType(Category.USER_DEFINED, 55, "Owner")
    portal = replace(portal, object_types=objects)
    for to in ("0-970", "2-777"):
        portal = portal.with_type("contacts", to, label)
    with serve(portal) as server:
        offline.server = server
        yield offline


def project_file(desk: Desk, to: str) -> None:
    """Contacts → that object type."""
    desk.write("configs/a.yaml", f"from: contacts\nto: {to}\nlabels: {{Owner: 2}}\n")


@pytest.mark.parametrize("name", ["project", "projects", "Project"])
def test_a_name_of_a_standard_type_and_a_custom_object_is_ambiguous(
    projects: Desk, name: str
) -> None:
    """Both IDs are offered, and nothing is planned."""
    project_file(projects, name)
    ran = projects.run_here("plan")
    assert ran.code == 3
    assert "projects (0-970) or the custom object project (2-777)" in ran.err
    assert "write the object type ID: 0-970 or 2-777" in ran.err


@pytest.mark.parametrize(
    ("to", "id_"), [("0-970", "0-970"), ("2-777", "2-777"), ("p1234567_project", "2-777")]
)
def test_an_id_or_a_full_name_says_which_is_meant(projects: Desk, to: str, id_: str) -> None:
    """It is never ambiguous."""
    project_file(projects, to)
    ran = projects.run_here("plan", "--format", "json")
    assert ran.code == 0, ran.err
    assert [each["to_id"] for each in ran.json["changes"]] == [id_]


def test_the_name_needs_the_schemas_and_the_id_does_not(projects: Desk) -> None:
    """A token that may not read them is refused, and hears of the way without."""
    spoil(projects, "schemas:403,scopes=crm.schemas.custom.read")
    project_file(projects, "projects")
    ran = projects.run_here("plan")
    assert ran.code == 1
    assert "crm.schemas.custom.read" in ran.err
    assert "0-970 for projects" in ran.err
    project_file(projects, "0-970")
    assert projects.run_here("plan").code == 0


def test_the_oldest_standard_names_cost_no_request(pair: Desk) -> None:
    """One request a direction, one for its labels where a label is not named yet, one more."""
    assert pair.server is not None
    assert pair.run_here("plan").code == 0
    assert "schemas" not in [str(each.operation) for each in pair.server.requests]


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan"],
        ["status"],
        ["import"],
        ["import", "--pair", "contacts:companies"],
        ["schema", "pair", "--portal", "default"],
        ["compare", "default", "other"],
        ["compare", "default", "other", "--write", "out"],
        ["compare", "other", "default"],
    ],
    ids=" ".join,
)
def test_the_token_of_another_portal_is_refused(champion: Desk, arguments: list[str]) -> None:
    """Nothing is shown or written under the name of a portal that it does not come from."""
    champion.write(
        "reconciler.yaml",
        "version: 1\nportals:\n  default: {portal_id: 42, token: {env: HUBSPOT_ACCESS_TOKEN}}\n"
        "  other: {token: {env: HUBSPOT_ACCESS_TOKEN}}\n",
    )
    if arguments[0] in {"plan", "status", "import"}:
        arguments = [*arguments, "--portal", "default"]
    ran = champion.run_here(*arguments)
    assert (ran.code, ran.out.strip()) == (4, "")
    assert "the workspace names portal 42, the token belongs to portal" in ran.err
    assert not (champion.folder / "out").exists()
