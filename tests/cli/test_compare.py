"""How two portals differ, by object types and labels, without any file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.sandbox.example import bare_portal, example_portal
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.portal import AccountType, AssociationType, Category, ObjectType, Portal
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import Options, Sandbox
from tests.cli.running import Desk

OTHER_TOKEN = "pat-eu1-of-the-sandbox-account"
WORKSPACE = """version: 1
portals:
  production: {token: {env: HUBSPOT_ACCESS_TOKEN}}
  sandbox: {token: {env: HUBSPOT_SANDBOX_TOKEN}}
"""


def other_portal() -> Portal:
    """A sandbox account: other type IDs, a custom object of the same name, some limits differ."""
    car = ObjectType("2-77", "car", "cars", "p7654321_car")
    portal = bare_portal(7654321, AccountType.SANDBOX)
    portal = replace(portal, object_types=portal.object_types.extended([car]))
    for start, end, label, type_id in (
        ("contacts", "companies", "Billing contact", 901),
        ("companies", "contacts", "Billing contact", 902),
        ("deals", "contacts", "Champion", 903),
        ("2-77", "contacts", None, 904),
    ):
        one = AssociationType(Category.USER_DEFINED, type_id, label)
        portal = portal.with_type(start, end, one)
    for start, end, type_id, limit in (
        ("contacts", "companies", 279, 10),
        ("contacts", "companies", 901, 1),
        ("companies", "contacts", 902, 2),
        ("2-77", "contacts", 904, 4),
        ("companies", "deals", 342, 9),
    ):
        portal = portal.with_limit(start, end, type_id, limit)
    return portal


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Desk]:
    """A production portal and its sandbox account, in one workspace."""
    other = Sandbox(other_portal(), Options(OTHER_TOKEN))
    with serve(example_portal(), others=[other]) as server:
        desk = Desk(tmp_path, server, {"HUBSPOT_SANDBOX_TOKEN": OTHER_TOKEN})
        desk.write("reconciler.yaml", WORKSPACE)
        yield desk


def test_what_differs_is_named_by_object_types_and_labels(two: Desk) -> None:
    """Other type IDs and another ID of the custom object are no difference."""
    ran = two.run_here("compare", "production", "sandbox", "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.json["shared"] == 3
    assert [
        (each["from"], each["to"], each["label"], each["values"], each["lacking"])
        for each in ran.json["differences"]
    ] == [
        ("companies", "deals", None, [None, 9], None),
        ("contacts", "companies", None, [5, 10], None),
        ("contacts", "contacts", "Manager", [1, None], "label"),
        ("deals", "contacts", "Champion", [1, None], None),
    ]
    assert [each["portal_id"] for each in ran.json["portals"]] == [1234567, 7654321]
    assert two.writes() == []


def test_the_text_says_what_exists_on_one_side_only(two: Desk) -> None:
    """With the counts on the last line, to grep."""
    ran = two.run_here("compare", "production", "sandbox")
    assert "sandbox (portal 7654321, SANDBOX)" in ran.out
    assert "sandbox has no such label" in ran.out
    assert ran.last_line == (
        "4 limits differ: 1 with another value, 2 only in production, 1 only in sandbox. "
        "The same in both: 3."
    )


def test_what_cannot_be_read_is_not_said_to_be_missing(tmp_path: Path) -> None:
    """A token may not read the custom objects: whether the other portal has one is not known."""
    faults = (parse_fault("schemas:403"),)
    other = Sandbox(example_portal(), Options(OTHER_TOKEN, faults=faults))
    with serve(example_portal(), others=[other]) as server:
        desk = Desk(tmp_path, server, {"HUBSPOT_SANDBOX_TOKEN": OTHER_TOKEN})
        desk.write("reconciler.yaml", WORKSPACE)
        ran = desk.run_here("compare", "production", "sandbox", "--write", "out")
        assert ran.code == 0, ran.err
        assert "sandbox may have it: its custom objects cannot be read" in ran.out
        assert "has no such object type" not in ran.out
        found = desk.run_here("compare", "production", "sandbox", "--format", "json").json
        assert {each["lacking"] for each in found["differences"]} == {"unknown"}


def test_an_error_says_which_portal_it_is_of(two: Desk) -> None:
    """Of the two that are read."""
    two.write(
        "reconciler.yaml", WORKSPACE.replace("SANDBOX_TOKEN}", "SANDBOX_TOKEN}, portal_id: 9")
    )
    ran = two.run_here("compare", "production", "sandbox")
    assert ran.code == 4
    assert "error: portal sandbox: the workspace names portal 9, " in ran.err


def test_the_markdown_is_one_table(two: Desk) -> None:
    """For a comment or an issue."""
    out = two.run_here("compare", "production", "sandbox", "--format", "markdown").out
    assert "| direction | limit | `production` | `sandbox` | |" in out
    assert "| `contacts → companies` | `object limit` | 5 | 10 |  |\n" in out


def test_the_portals_are_compared_in_the_order_given(two: Desk) -> None:
    """Not in that of the workspace file."""
    found = two.run_here("compare", "sandbox", "production", "--format", "json").json
    assert [each["name"] for each in found["portals"]] == ["sandbox", "production"]
    assert found["differences"][1]["values"] == [10, 5]


def test_equal_portals_have_no_differences(two: Desk) -> None:
    """Two tokens of one portal."""
    two.variables["HUBSPOT_SANDBOX_TOKEN"] = "sandbox-token"
    ran = two.run_here("compare", "production", "sandbox", "--detailed-exitcode")
    assert (ran.code, ran.last_line) == (0, "No differences. 6 limits in both portals.")


def test_the_exit_code_can_say_that_they_differ(two: Desk) -> None:
    """As `plan --detailed-exitcode` does."""
    assert two.run_here("compare", "production", "sandbox", "--detailed-exitcode").code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["production", "production"], "two different portals"),
        (["production", "nowhere"], "nowhere"),
        (["production", "sandbox", "--all-portals"], "two portals"),
    ],
)
def test_wrong_names_are_wrong_usage(two: Desk, arguments: list[str], words: str) -> None:
    """Before anything is sent."""
    ran = two.run_here("compare", *arguments)
    assert ran.code == 64
    assert words in ran.err


def test_a_portal_that_fails_is_named(two: Desk) -> None:
    """Half a comparison would be none."""
    two.variables["HUBSPOT_SANDBOX_TOKEN"] = "pat-wrong"
    ran = two.run_here("compare", "production", "sandbox")
    assert ran.code == 1
    assert "HUBSPOT_SANDBOX_TOKEN" in ran.err


# ---------------------------------------------------------------- --write


CARRIED = """\
from: contacts
to: companies
max: 5
labels:
  Billing contact: 1
inverse:
  labels:
    Billing contact: 2
"""


def written(two: Desk, folder: str) -> dict[str, str]:
    """The files of a folder, by name."""
    return {each.name: each.read_text(encoding="utf-8") for each in (two.folder / folder).iterdir()}


def lacking(two: Desk) -> set[tuple[str, str, str | None]]:
    """What still differs, of which the sandbox has no label."""
    differences = two.run_here("compare", "production", "sandbox", "--format", "json").json
    assert all(each["lacking"] == "label" for each in differences["differences"])
    return {(each["from"], each["to"], each["label"]) for each in differences["differences"]}


def test_pair_files_that_make_one_portal_like_the_other(two: Desk) -> None:
    """Every pair that differs, complete; what the sandbox has no label for is listed."""
    ran = two.run_here("compare", "production", "sandbox", "--write", "out")
    assert ran.code == 0, ran.err
    assert written(two, "out") == {
        "contacts-companies.yaml": CARRIED,
        "contacts-deals.yaml": "from: deals\nto: contacts\nlabels:\n  Champion: 1\n",
        "companies-deals.yaml": "from: companies\nto: deals\nmax: unlimited\n",
    }
    assert "created out/contacts-companies.yaml (3 limits)" in ran.out
    assert 'left out: contacts → contacts, "Manager" 1: sandbox has no such label\n' in ran.out
    assert ran.last_line == "Next: reconciler plan out --portal sandbox"
    assert two.run_here("fmt", "--check", "out").code == 0
    assert two.writes() == []


@pytest.mark.parametrize("workspace", ["", "prune: false\n"])
def test_a_plan_of_the_files_leaves_no_difference(two: Desk, workspace: str) -> None:
    """But for what was left out, whether or not the workspace removes what no file names."""
    two.write("reconciler.yaml", workspace + WORKSPACE)
    assert two.run_here("compare", "production", "sandbox", "--write", "out").code == 0
    applied = two.run_here("apply", "out", "--portal", "sandbox", "--auto-approve")
    assert applied.code == 0, applied.err
    assert applied.last_line == "Apply complete: 1 created, 1 updated, 1 deleted."
    assert lacking(two) == {("contacts", "contacts", "Manager")}


def test_a_label_of_hubspot_is_named_to_remove_its_limit(two: Desk) -> None:
    """Such a limit stays where no file names it."""
    assert two.server is not None
    two.server.edit("contacts", "companies", 1, 1)
    ran = two.run_here("compare", "sandbox", "production", "--write", "out")
    assert ran.code == 0, ran.err
    assert "  Primary: unlimited\n" in written(two, "out")["contacts-companies.yaml"]
    applied = two.run_here("apply", "out", "--portal", "production", "--auto-approve")
    assert applied.code == 0, applied.err
    after = two.run_here("compare", "sandbox", "production")
    assert after.last_line == "No differences. 5 limits in both portals."


def test_writing_again_changes_nothing_and_overwrites_nothing(two: Desk) -> None:
    """The same files are left as they are; one that says something else stops all of them."""
    arguments = ("compare", "production", "sandbox", "--write", "out")
    two.run_here(*arguments)
    again = two.run_here(*arguments)
    assert (again.code, "unchanged out/contacts-companies.yaml (3 limits)" in again.out) == (
        0,
        True,
    )
    two.write("out/contacts-companies.yaml", "# mine\n")
    (two.folder / "out" / "contacts-deals.yaml").unlink()
    refused = two.run_here(*arguments)
    assert refused.code == 1
    assert "out/contacts-companies.yaml is there and says something else" in refused.err
    assert (two.folder / "out" / "contacts-companies.yaml").read_text() == "# mine\n"
    assert not (two.folder / "out" / "contacts-deals.yaml").exists()


def test_a_link_is_not_followed_out_of_the_folder(two: Desk) -> None:
    """A file that is to be made is made in the folder or not at all."""
    (two.folder / "out").mkdir()
    (two.folder / "out" / "contacts-companies.yaml").symlink_to(two.folder / "elsewhere.yaml")
    ran = two.run_here("compare", "production", "sandbox", "--write", "out")
    assert ran.code == 1
    assert not (two.folder / "elsewhere.yaml").exists()
    assert list((two.folder / "out").iterdir()) == [two.folder / "out" / "contacts-companies.yaml"]


def test_an_overlay_says_what_differs_and_no_more(two: Desk) -> None:
    """Over the files that declare the pair; a direction that no file declares is complete."""
    two.write("configs/contacts-companies.yaml", CARRIED.replace("max: 5", "max: 10"))
    two.write("configs/companies-deals.yaml", "from: companies\nto: deals\nmax: 9\n")
    ran = two.run_here("compare", "production", "sandbox", "--write", "over", "--overlay")
    assert ran.code == 0, ran.err
    assert written(two, "over") == {
        "contacts-companies.yaml": "from: contacts\nto: companies\nmax: 5\n",
        "contacts-deals.yaml": "from: deals\nto: contacts\nlabels:\n  Champion: 1\n",
        "companies-deals.yaml": "from: companies\nto: deals\nmax: unlimited\n",
    }
    assert ran.last_line.endswith("once over is in the overlays of sandbox in the workspace file")
    two.write(
        "reconciler.yaml", WORKSPACE.replace("SANDBOX_TOKEN}", "SANDBOX_TOKEN}, overlays: [over]")
    )
    applied = two.run_here("apply", "--portal", "sandbox", "--auto-approve")
    assert applied.code == 0, applied.err
    assert lacking(two) == {("contacts", "contacts", "Manager")}


def test_an_overlay_that_the_workspace_names_need_not_be_there_yet(two: Desk) -> None:
    """It is what is written; git keeps no empty folder."""
    two.write("configs/contacts-companies.yaml", CARRIED.replace("max: 5", "max: 10"))
    overlay = WORKSPACE.replace("SANDBOX_TOKEN}", "SANDBOX_TOKEN}, overlays: [over]")
    two.write("reconciler.yaml", overlay)
    ran = two.run_here("compare", "production", "sandbox", "--write", "over", "--overlay")
    assert ran.code == 0, ran.err
    assert ran.last_line == "Next: reconciler plan --portal sandbox"
    assert written(two, "over")["contacts-companies.yaml"] == (
        "from: contacts\nto: companies\nmax: 5\n"
    )


def test_an_overlay_for_an_undeclared_direction_removes_nothing_that_is_equal(two: Desk) -> None:
    """An overlay adds a direction that no file declares: then it has to say all of it."""
    ran = two.run_here("compare", "production", "sandbox", "--write", "over", "--overlay")
    assert ran.code == 0, ran.err
    assert written(two, "over")["contacts-companies.yaml"] == (
        "from: contacts\nto: companies\nmax: 5\nlabels:\n  Billing contact: 1\n"
    )


def test_what_is_written_is_in_the_json(two: Desk) -> None:
    """For a pipeline: files, what was left out and why, and the next command."""
    arguments = ("compare", "production", "sandbox", "--write", "out", "--format")
    ran = two.run_here(*arguments, "json")
    assert ran.json["written"]["files"][0] == {
        "path": "out/contacts-companies.yaml",
        "limits": 3,
        "status": "created",
    }
    assert ran.json["written"]["left_out"] == [
        {
            "from": "contacts",
            "to": "contacts",
            "label": "Manager",
            "max": 1,
            "reason": "sandbox has no such label",
        }
    ]
    assert ran.json["written"]["next"] == "reconciler plan out --portal sandbox"
    assert "- Next: reconciler plan out" in two.run_here(*arguments, "markdown").out


@pytest.mark.parametrize(
    "arguments", [["--overlay"], ["--write", ""], ["--write", "reconciler.yaml"]]
)
def test_a_folder_is_needed_to_write_into(two: Desk, arguments: list[str]) -> None:
    """Before anything is sent."""
    assert two.run_here("compare", "production", "sandbox", *arguments).code == 64


def test_object_types_that_the_other_portal_does_not_associate(tmp_path: Path) -> None:
    """It has the custom object, and no association of it: the limit is left out."""
    car = ObjectType("2-77", "car", "cars", "p7654321_car")
    bare = bare_portal(7654321)
    bare = replace(bare, object_types=bare.object_types.extended([car]))
    with serve(example_portal(), others=[Sandbox(bare, Options(OTHER_TOKEN))]) as server:
        desk = Desk(tmp_path, server, {"HUBSPOT_SANDBOX_TOKEN": OTHER_TOKEN})
        desk.write("reconciler.yaml", WORKSPACE)
        ran = desk.run_here("compare", "production", "sandbox", "--write", "out")
    assert ran.code == 0, ran.err
    why = "sandbox has no such association between these object types"
    assert f"left out: car → contacts, object limit 4: {why}" in ran.out
    assert set(written(desk, "out")) == {"contacts-companies.yaml"}


def test_a_custom_object_that_is_called_like_a_standard_type(tmp_path: Path) -> None:
    """Its limits are not taken for those of the standard type."""
    orders = ObjectType("2-88", "orders", "orders", "p1234567_orders")
    portal = example_portal()
    portal = replace(portal, object_types=portal.object_types.extended([orders]))
    own = AssociationType(Category.USER_DEFINED, 990, None)
    portal = portal.with_type("2-88", "contacts", own).with_limit("2-88", "contacts", 990, 3)
    portal = portal.with_limit("0-123", "contacts", 507, 7)
    with serve(portal, others=[Sandbox(other_portal(), Options(OTHER_TOKEN))]) as server:
        desk = Desk(tmp_path, server, {"HUBSPOT_SANDBOX_TOKEN": OTHER_TOKEN})
        desk.write("reconciler.yaml", WORKSPACE)
        found = desk.run_here("compare", "production", "sandbox", "--format", "json").json
    values = {(each["from"], each["to"]): each["values"] for each in found["differences"]}
    assert values["orders", "contacts"] == [7, None]
    assert values["orders (custom object)", "contacts"] == [3, None]


def test_what_else_a_plan_of_the_files_takes_into_account_is_said(two: Desk) -> None:
    """Files that lie in the folder already, and the portal's overlays."""
    two.write("out/quotes.yaml", "from: quotes\nto: contacts\nmax: 3\n")
    two.write("over/quotes.yaml", "from: quotes\nto: contacts\nmax: 4\n")
    two.write(
        "reconciler.yaml", WORKSPACE.replace("SANDBOX_TOKEN}", "SANDBOX_TOKEN}, overlays: [over]")
    )
    ran = two.run_here("compare", "production", "sandbox", "--write", "out")
    assert ran.code == 0, ran.err
    assert "warning: out has other pair files, which are planned with these" in ran.err
    assert "warning: the overlays of sandbox are laid over these files" in ran.err


def test_a_token_that_may_not_read_object_schemas_is_named(tmp_path: Path) -> None:
    """What is not seen there is not compared."""
    faulty = Options(OTHER_TOKEN, faults=(parse_fault("schemas:403"),))
    with serve(example_portal(), others=[Sandbox(other_portal(), faulty)]) as server:
        desk = Desk(tmp_path, server, {"HUBSPOT_SANDBOX_TOKEN": OTHER_TOKEN})
        desk.write("reconciler.yaml", WORKSPACE)
        ran = desk.run_here("compare", "production", "sandbox")
    assert "warning: sandbox: the token may not read the object schemas" in ran.err


def test_nothing_is_written_where_a_label_holds_the_token(tmp_path: Path) -> None:
    """A portal cannot have a token committed."""
    label = AssociationType(Category.USER_DEFINED, 990, f"a {OTHER_TOKEN}")
    sides = [
        portal.with_type("contacts", "companies", label)
        for portal in (example_portal(), other_portal())
    ]
    first = sides[0].with_limit("contacts", "companies", 990, 1)
    with serve(first, others=[Sandbox(sides[1], Options(OTHER_TOKEN))]) as server:
        desk = Desk(tmp_path, server, {"HUBSPOT_SANDBOX_TOKEN": OTHER_TOKEN})
        desk.write("reconciler.yaml", WORKSPACE)
        ran = desk.run_here("compare", "production", "sandbox", "--write", "out")
    assert ran.code == 1
    assert OTHER_TOKEN not in ran.out + ran.err
    assert not (tmp_path / "out").exists()
