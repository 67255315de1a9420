"""The list of portals: what a person and a pipeline want to know of them, and no token."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import Desk

WORKSPACE = """\
version: 1
portals:
  production: {portal_id: 1234567, token: {env: HUBSPOT_PRODUCTION_TOKEN}, overlays: [overlays/eu, overlays/big]}
  staging: {token: {file: secrets/staging}}
  other: {token: {env: MY_SECRET}}
"""


@pytest.fixture
def listed(offline: Desk) -> Desk:
    """Three portals, of which one has its token at hand."""
    offline.write("reconciler.yaml", WORKSPACE)
    offline.variables["HUBSPOT_PRODUCTION_TOKEN"] = "pat-eu1-0123-secret"
    return offline


def test_the_list_says_where_tokens_are_and_never_what(listed: Desk) -> None:
    """By name, in the workspace's order; what is missing is said below, and it is no failure."""
    listed.variables["MY_SECRET"] = "pat-eu1-4567-secret"
    ran = listed.run_here("portals")
    assert ran.code == 0
    rows = [line.split() for line in ran.out.splitlines()]
    assert rows[1] == ["production", "1234567", "HUBSPOT_PRODUCTION_TOKEN", "yes",
                       "overlays/eu,", "overlays/big"]  # fmt: skip
    assert rows[2] == ["staging", "any", "secrets/staging", "no"]
    assert rows[3][:2] == ["other", "any"]
    assert "may not be read from MY_SECRET, which does not begin with HUBSPOT_" in ran.out
    assert ran.last_line == "3 portals, 2 without a token at hand."
    assert "secret" not in ran.out.replace("secrets/staging", "")


def test_the_list_as_json(listed: Desk) -> None:
    """The token's source, whether it is at hand, and why not."""
    listed.variables["MY_SECRET"] = "pat-eu1-4567-secret"
    ran = listed.run_here("portals", "--format", "json", "--allow-token-env", "MY_SECRET")
    assert ran.json["workspace"] == "reconciler.yaml"
    production, staging, other = ran.json["portals"]
    assert production == {
        "name": "production",
        "portal_id": 1234567,
        "overlays": ["overlays/eu", "overlays/big"],
        "token": {"env": "HUBSPOT_PRODUCTION_TOKEN", "at_hand": True, "problem": None},
    }
    assert staging["token"]["file"] == "secrets/staging"
    assert "secrets/staging" in staging["token"]["problem"]
    assert other["token"] == {"env": "MY_SECRET", "at_hand": True, "problem": None}


def test_what_looks_like_a_token_is_not_shown_as_a_name(offline: Desk) -> None:
    """Pasted in the place of the variable's name."""
    token = "0123456789abcdef" * 3
    offline.write("reconciler.yaml", f"version: 1\nportals: {{a: {{token: {{env: a{token}}}}}}}\n")
    for format_ in ("text", "json"):
        ran = offline.run_here("portals", "--format", format_)
        assert token not in ran.out + ran.err


def test_a_matrix_is_one_line_with_a_job_per_portal(listed: Desk) -> None:
    """`--portal` chooses some of them; the order is the workspace's."""
    ran = listed.run_here("portals", "--format", "github-matrix")
    assert (
        ran.out == '{"include":[{"portal":"production"},{"portal":"staging"},{"portal":"other"}]}\n'
    )
    ran = listed.run_here(
        *("portals", "--format", "github-matrix", "--portal", "other", "--portal", "production")
    )
    assert ran.json == {"include": [{"portal": "production"}, {"portal": "other"}]}


def test_more_portals_than_github_has_jobs_become_shards(offline: Desk) -> None:
    """At most 256, each with a portal, and together all of them."""
    names = [f"p{at:03}" for at in range(300)]
    portals = ", ".join(f"{each}: {{token: {{env: HUBSPOT_{each.upper()}}}}}" for each in names)
    offline.write("reconciler.yaml", f"version: 1\nportals: {{{portals}}}\n")
    jobs = offline.run_here("portals", "--format", "github-matrix").json["include"]
    assert 128 < len(jobs) <= 256
    few = offline.run_here("portals", "--format", "github-matrix", "--shards", "4").json["include"]
    assert few == [{"shard": f"{at}/4"} for at in (1, 2, 3, 4)]
    found = []
    for job in few:
        ran = offline.run_here("portals", "--shard", job["shard"], "--format", "json")
        found += [each["name"] for each in ran.json["portals"]]
    assert sorted(found) == names


@pytest.mark.parametrize(
    "arguments",
    [
        ("--shard", "3/2"),
        ("--portal", "nobody"),
        ("--shards", "4"),
        ("--format", "github-matrix", "--shards", "257"),
        ("--format", "github-matrix", "--shards", "2", "--shard", "1/2"),
    ],
)
def test_wrong_usage(listed: Desk, arguments: tuple[str, ...]) -> None:
    """Exit 64."""
    assert listed.run_here("portals", *arguments).code == 64


def test_two_portals_with_one_id_are_reported_at_their_line(listed: Desk) -> None:
    """Before anything is listed."""
    text = WORKSPACE.replace("staging: {", "staging: {portal_id: 1234567, ")
    listed.write("reconciler.yaml", text)
    ran = listed.run_here("portals", "--format", "json")
    assert ran.code == 3
    assert (ran.json["diagnostics"][0]["code"], ran.json["diagnostics"][0]["line"]) == (
        "portal-duplicate",
        4,
    )
    assert json.dumps(ran.json).count("1234567") == 0


def test_a_name_that_is_wrong_or_missing_shows_a_few_of_many(offline: Desk) -> None:
    """A misspelt one shows the nearest; none of five hundred portals' names fill the screen."""
    names = "\n".join(f"  client-{n:03}: {{token: {{env: HUBSPOT_P{n}}}}}" for n in range(500))
    offline.write("reconciler.yaml", f"version: 1\nportals:\n{names}\n")
    offline.write("configs/pair.yaml", "from: contacts\nto: companies\nmax: 5\n")
    ran = offline.run_here("plan", "--portal", "clint-017")
    assert ran.code == 64
    assert 'the workspace has no portal named "clint-017"' in ran.err
    assert "did you mean client-017?" in ran.err
    missing = offline.run_here("plan")
    assert missing.code == 64
    assert "client-009 and 490 more; or --all-portals" in missing.err


def test_options_of_requests_are_accepted_and_not_shown(listed: Desk) -> None:
    """No portal is asked, so the help need not explain how."""
    shown = listed.run_here("portals", "--help").out
    assert "--timeout" not in shown
    assert "--base-url" not in shown
    assert "--shard" in shown
    assert listed.run_here("portals", "--timeout", "5").code == 0
