"""`plan` and `show` as a process against the sandbox."""

from __future__ import annotations

import json
import shlex

import jsonschema
import pytest

from reconciler.planning.saved import plan_schema
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN, Options
from tests.cli.running import OTHER_TOKEN, Desk


def test_a_plan_ends_in_a_line_to_grep(pair: Desk) -> None:
    """Results on stdout, exit 0, and nothing was written."""
    ran = pair.run_here("plan")
    assert (ran.code, ran.last_line) == (0, "Plan: 1 to create, 2 to update, 0 to delete.")
    assert pair.writes() == []


def test_every_change_names_its_line(pair: Desk) -> None:
    """File and line of the value in the pair file."""
    out = pair.run_here("plan").out
    assert "5 → 8" in out
    assert "configs/contacts-companies.yaml:3" in out
    assert "configs/contacts-companies.yaml:5" in out
    assert "configs/contacts-companies.yaml:10" in out


def test_detailed_exitcode_says_whether_changes_are_pending(pair: Desk) -> None:
    """2 with changes, 0 without."""
    assert pair.run_here("plan", "--detailed-exitcode").code == 2
    assert pair.run_here("apply", "--auto-approve").code == 0
    ran = pair.run_here("plan", "--detailed-exitcode")
    assert (ran.code, ran.last_line) == (0, "No changes. The portal matches the configuration.")


def test_a_steady_state_costs_a_request_per_direction_and_one(pair: Desk) -> None:
    """Labels are not read when the rows name everything; `unlimited` asks for nothing."""
    pair.run_here("apply", "--auto-approve")
    assert pair.server is not None
    before = len(pair.server.requests)
    assert pair.run_here("plan").code == 0
    assert len(pair.server.requests) - before == 2 + 1


def test_json_is_the_document_of_the_schema(pair: Desk) -> None:
    """And the saved file is the same document."""
    ran = pair.run_here("plan", "--format", "json", "--out", "plan.json")
    jsonschema.validate(ran.json, plan_schema())
    assert json.loads((pair.folder / "plan.json").read_text("utf-8")) == ran.json
    assert [(each["label"], each["source"]) for each in ran.json["changes"]] == [
        ("Decision maker", source(10, 21)),
        (None, source(3, 6)),
        ("Billing contact", source(5, 20)),
    ]


def source(line: int, column: int) -> dict[str, object]:
    """A place in the pair file, as a plan states it."""
    return {"path": "configs/contacts-companies.yaml", "line": line, "column": column}


def test_the_same_plan_has_the_same_digest_any_day(pair: Desk) -> None:
    """Times and file positions do not enter it."""
    first = pair.run_here("plan", "--format", "json").json
    file = pair.folder / "configs/contacts-companies.yaml"
    file.write_text("# a comment\n" + file.read_text("utf-8"), encoding="utf-8")
    second = pair.run_here("plan", "--format", "json").json
    assert first["digest"] == second["digest"]
    assert first["config"]["files"] != second["config"]["files"]


def test_show_renders_a_saved_plan_without_a_portal(pair: Desk) -> None:
    """Text from `show` is text from `plan`."""
    planned = pair.run_here("plan", "--out", "plan.json").out
    assert pair.server is not None
    before = len(pair.server.requests)
    assert pair.run_here("show", "plan.json").out == planned
    assert len(pair.server.requests) == before


def test_the_token_is_in_no_plan(pair: Desk) -> None:
    """A plan file never holds a secret."""
    pair.run_here("plan", "--out", "plan.json")
    assert "sandbox-token" not in (pair.folder / "plan.json").read_text("utf-8")


@pytest.mark.parametrize("version", ["v4", "2025-09", "2026-03", "2026-09"])
def test_every_api_version_plans_applies_and_converges(pair: Desk, version: str) -> None:
    """The four versions answer in their own ways and mean the same."""
    assert pair.run_here("apply", "--auto-approve", "--api-version", version).code == 0
    ran = pair.run_here("plan", "--detailed-exitcode", "--api-version", version)
    assert ran.code == 0


@pytest.mark.parametrize(
    ("yaml", "code", "line"),
    [
        ("from: contacts\nto: companies\nlabels:\n  Biling contact: 1\n", "label-unknown", 4),
        ("from: contacts\nto: companies\nlabels:\n  billing contact: 1\n", "label-spelling", 4),
        ("from: contacts\nto: cra\nmax: 1\n", "object-type-unknown", 2),
        (
            "from: quotes\nto: contacts\nlabels:\n  Quote to billing contact: 1\n",
            "label-ambiguous",
            4,
        ),
        (
            "{from: contacts, to: companies,\n\n types:\n  [{category: WORK, type_id: 9, max: 1}]}\n",
            "type-unknown",
            4,
        ),
    ],
)
def test_what_only_the_portal_knows_is_told_at_the_line(
    desk: Desk, yaml: str, code: str, line: int
) -> None:
    """Exit 3, with the place, the source line and a hint."""
    desk.write("configs/a.yaml", yaml)
    ran = desk.run_here("plan")
    assert ran.code == 3
    assert f"configs/a.yaml:{line}:" in ran.err
    assert code in ran.err
    assert "hint" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("yaml", "place"),
    [
        ("from: contacts\nto: contcts\nmax: 5\ninverse: {max: 5}\n", "configs/a.yaml:2:5"),
        ("from: contcts\nto: companies\nmax: 5\n", "configs/a.yaml:1:7"),
    ],
)
def test_a_misspelt_object_type_is_reported_once_where_it_is(
    desk: Desk, yaml: str, place: str
) -> None:
    """One error at the word, with the standard name that is meant; `inverse` or not."""
    desk.write("configs/a.yaml", yaml)
    ran = desk.run_here("plan")
    assert ran.code == 3
    assert ran.err.count("contcts") == 2  # the message and the source line
    assert f'{place}: error[object-type-unknown]: unknown object type "contcts"' in ran.err
    assert "hint: did you mean contacts?" in ran.err
    assert "configuration invalid: 1 error" in ran.err


def test_custom_objects_and_standard_names_are_both_offered(desk: Desk) -> None:
    """The nearest of all names, not of custom objects only."""
    desk.write("configs/a.yaml", "from: contacts\nto: cart_\nmax: 5\n")
    ran = desk.run_here("plan")
    assert ran.code == 3
    assert "did you mean" in ran.err
    assert "cart" in ran.err.split("did you mean")[1]


def test_a_custom_object_is_resolved_by_name(desk: Desk) -> None:
    """One request more, for the object schemas."""
    desk.write("configs/car.yaml", "from: car\nto: contacts\nmax: 3\n")
    (change,) = desk.run_here("plan", "--format", "json").json["changes"]
    assert (change["from"], change["from_id"], change["before"], change["after"]) == (
        "car", "2-4021", 4, 3,
    )  # fmt: skip


# ---------------------------------------------------------------- plans that apply would refuse


REFUSED = (
    "from: contacts\nto: companies\nmax: {max: 3, protect: true}\nlabels: {Billing contact: 1}\n"
)


def test_a_plan_that_apply_would_refuse_exits_4_after_rendering_and_saving(desk: Desk) -> None:
    """The plan is complete on stdout and in the file; `--detailed-exitcode` does not hide the 4."""
    desk.write("configs/a.yaml", REFUSED)
    for extra in ((), ("--detailed-exitcode",), ("--format", "json")):
        ran = desk.run_here("plan", "--out", "plan.json", *extra)
        assert ran.code == 4
        assert "apply would refuse the plan of portal default: protected" in ran.err
        assert ran.out
        saved = json.loads((desk.folder / "plan.json").read_text("utf-8"))
        assert [each["code"] for each in saved["refusals"]] == ["protected"]
        (desk.folder / "plan.json").unlink()


def test_a_plan_past_a_threshold_exits_4(desk: Desk) -> None:
    """Exactly when `apply` would refuse it without `--force`."""
    desk.write("reconciler.yaml", "version: 1\nsafety: {max_deletes: 0}\n")
    desk.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    assert desk.run_here("plan").code == 4
    desk.write("reconciler.yaml", "version: 1\nsafety: {max_deletes: 1}\n")
    assert desk.run_here("plan").code == 0


# ---------------------------------------------------------------- the digests of a run


def test_the_digests_file_has_a_line_per_portal(pair: Desk) -> None:
    """`PORTAL sha256:…`, ended by a newline, the digest being that of the plan."""
    planned = pair.run_here("plan", "--format", "json", "--digests", "digests")
    assert (pair.folder / "digests").read_text("utf-8") == f"default {planned.json['digest']}\n"


def test_the_digests_of_several_portals_stand_in_their_order(pair: Desk) -> None:
    """One line each, those of refused plans included, so that a pipeline has the full list."""
    pair.write("reconciler.yaml", TWO_PORTALS)
    pair.variables["HUBSPOT_STAGING_TOKEN"] = OTHER_TOKEN
    ran = pair.run_here("plan", "--all-portals", "--out", "{portal}.json", "--digests", "digests")
    assert ran.code == 0
    plans = [json.loads((pair.folder / f"{name}.json").read_text("utf-8")) for name in PORTALS]
    assert (pair.folder / "digests").read_text("utf-8") == "".join(
        f"{name} {plan['digest']}\n" for name, plan in zip(PORTALS, plans, strict=True)
    )


def test_a_refused_plan_has_its_digest(desk: Desk) -> None:
    """Exit 4 with a digests file: planned and refused; exit 4 without: not planned."""
    desk.write("configs/a.yaml", REFUSED)
    assert desk.run_here("plan", "--digests", "digests").code == 4
    assert (desk.folder / "digests").read_text("utf-8").startswith("default sha256:")


def test_no_digests_unless_every_portal_was_planned(pair: Desk) -> None:
    """Nor those of an earlier run, which would be taken for this one's."""
    pair.write("reconciler.yaml", WORKSPACE)
    pair.write("digests", f"staging sha256:{'0' * 64}\n")
    assert pair.run_here("plan", "--all-portals", "--digests", "digests").code == 4
    assert not (pair.folder / "digests").exists()


def test_the_digests_do_not_overwrite_the_plan(pair: Desk) -> None:
    """One file name for both is wrong usage."""
    assert pair.run_here("plan", "--out", "plan.json", "--digests", "./plan.json").code == 64


@pytest.mark.parametrize("option", ["--out", "--digests"])
def test_the_diagnostics_do_not_overwrite_a_plan_or_its_digest(pair: Desk, option: str) -> None:
    """Which they did after the plan was saved, without a word."""
    (pair.folder / "link").symlink_to("a.json")
    ran = pair.run_here(
        "plan", option, "link", "--diagnostics", "json", "--diagnostics-file", "a.json"
    )
    assert ran.code == 64
    assert f"{option} and --diagnostics-file name the same file" in ran.err


# ---------------------------------------------------------------- bad portals


def test_a_wrong_token_is_one_error(pair: Desk) -> None:
    """Exit 1; the value is not shown."""
    pair.variables["HUBSPOT_ACCESS_TOKEN"] = "pat-na1-wrong-secret"
    ran = pair.run_here("plan")
    assert ran.code == 1
    assert "pat-na1-wrong-secret" not in ran.err
    assert ran.err.count("error:") == 1


def test_no_token_says_which_variable(pair: Desk) -> None:
    """Before anything is sent."""
    pair.variables["HUBSPOT_ACCESS_TOKEN"] = ""
    ran = pair.run_here("plan")
    assert ran.code == 1
    assert "HUBSPOT_ACCESS_TOKEN" in ran.err
    assert pair.server is not None
    assert not pair.server.requests


@pytest.mark.parametrize(
    "url", ["http://example.com", "ftp://127.0.0.1", "https://user:pw@example.com", "nonsense"]
)
def test_an_unsafe_address_is_wrong_usage(pair: Desk, url: str) -> None:
    """The token goes nowhere."""
    assert pair.run_here("plan", "--base-url", url).code == 64


def test_nobody_there_is_an_error_within_the_time_allowed(pair: Desk) -> None:
    """Connection refused: exit 1."""
    ran = pair.run("plan", "--base-url", "http://127.0.0.1:9", "--timeout", "2", seconds=20)
    assert ran.code == 1


@pytest.mark.parametrize(
    "fault",
    ["any:hang,seconds=30", "any:503", "read:403", "any:500,body=html", "read:404"],
)
def test_a_portal_that_gives_no_answer_is_never_taken_as_empty(pair: Desk, fault: str) -> None:
    """Exit 1 and no plan."""
    with serve(options=Options(faults=(parse_fault(fault),))) as server:
        pair.server = server
        ran = pair.run_here("plan", "--timeout", "2")
    assert (ran.code, ran.out) == (1, "")


# ---------------------------------------------------------------- workspaces


PORTALS = ("production", "staging")
TWO_PORTALS = """\
version: 1
portals:
  production: {token: {env: HUBSPOT_ACCESS_TOKEN}}
  staging: {token: {env: HUBSPOT_STAGING_TOKEN}}
"""
WORKSPACE = """\
version: 1
portals:
  production: {portal_id: 1234567, token: {env: HUBSPOT_ACCESS_TOKEN}}
  staging: {portal_id: 7654321, token: {env: HUBSPOT_ACCESS_TOKEN}}
"""


def test_a_token_of_another_portal_is_refused(pair: Desk) -> None:
    """Exit 4, whatever else went wrong: the limits are read at the same time as the account."""
    pair.write("reconciler.yaml", WORKSPACE)
    assert pair.server is not None
    for faults in ((), ("read:404",), ("read:401",), ("account:delay,seconds=0.1", "read:404")):
        pair.server.set_faults(map(parse_fault, faults))
        ran = pair.run_here("plan", "--portal", "staging")
        assert ran.code == 4
        assert "7654321" in ran.err
        assert "HTTP" not in ran.err


def test_several_portals_need_a_choice(pair: Desk) -> None:
    """Nobody plans for the wrong one by default."""
    pair.write("reconciler.yaml", WORKSPACE)
    ran = pair.run_here("plan")
    assert ran.code == 64
    assert "production, staging" in ran.err
    assert pair.run_here("plan", "--portal", "productoin").code == 64


def test_all_portals_report_each_and_the_worst_exit_code(pair: Desk) -> None:
    """One portal's refusal does not hide the other's plan."""
    pair.write("reconciler.yaml", WORKSPACE)
    ran = pair.run_here("plan", "--all-portals", "--out", "{portal}.json")
    assert ran.code == 4
    assert "Plan: 1 to create, 2 to update, 0 to delete." in ran.out
    assert "portal staging:" in ran.err
    assert (pair.folder / "production.json").exists()
    assert not (pair.folder / "staging.json").exists()


def test_the_workspace_is_found_from_below(pair: Desk) -> None:
    """As git finds its repository."""
    pair.write("reconciler.yaml", "version: 1\nprune: false\nconfigs: configs\n")
    below = pair.folder / "docs"
    below.mkdir()
    ran = Desk(below, pair.server).run_here("plan")
    assert ran.code == 0
    assert "../configs/contacts-companies.yaml:3" in ran.out


def test_a_saved_plan_is_confirmed_with_the_next_command(pair: Desk) -> None:
    """On stderr, whatever the format of stdout is; not with -q. The command is one that works."""
    for options in ((), ("--format", "json")):
        ran = pair.run_here("plan", "--out", "my plan.json", *options)
        assert ran.err == (
            "Saved the plan to my plan.json. Next: reconciler apply 'my plan.json'\n"
        )
    assert pair.run_here("plan", "--out", "my plan.json", "-q").err == ""
    typed = shlex.split(ran.err.partition("Next: reconciler ")[2])
    assert pair.run_here(*typed).code == 0


def test_the_next_command_finds_the_same_portal_and_token(pair: Desk) -> None:
    """With the workspace, the address and the token's place that this one was given."""
    assert pair.server is not None
    pair.write("other.yaml", "version: 1\nportals: {a: {token: {env: TOKEN_OF_A}}}\n")
    pair.variables = {"TOKEN_OF_A": DEFAULT_TOKEN, "HUBSPOT_BASE_URL": "https://127.0.0.1:9"}
    ran = pair.run_here(
        *("plan", "--workspace", "other.yaml", "--base-url", pair.server.url),
        *("--allow-token-env", "TOKEN_OF_A", "--out", "-plan.json", "./configs"),
    )
    assert ran.code == 0
    next_ = ran.err.partition("Next: reconciler ")[2]
    assert next_.startswith("apply ./-plan.json --workspace other.yaml --base-url http://127.0.0.1")
    assert pair.run_here(*shlex.split(next_)).code == 0
    done = pair.run_here(*shlex.split(next_.replace("apply ./-plan.json", "plan --out x.json")))
    assert done.err == "Saved the plan to x.json.\n"  # with nothing to apply


def test_a_plan_that_would_be_refused_is_saved_and_no_apply_is_advised(pair: Desk) -> None:
    """The error says what stands against it."""
    pair.write("reconciler.yaml", "version: 1\nsafety: {max_changes: 1}\n")
    ran = pair.run_here("plan", "--out", "plan.json")
    assert ran.code == 4
    assert ran.err.startswith("Saved the plan to plan.json.\nerror: apply would refuse the plan")
