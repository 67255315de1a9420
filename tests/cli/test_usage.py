"""A plan says whom it affects, in every format, and never fails or hangs for it."""

from __future__ import annotations

import json
from html import unescape

import pytest

from reconciler.sandbox.faults.language import parse_fault
from tests.cli.running import Desk, git

KNOWN = "12 records at the present limit, 40 near it"
NO_SCOPE = "usage unknown: needs a crm.objects.*.read scope"
NOT_OFFERED = "usage unknown: HubSpot does not offer it here"
NO_ANSWER = "usage unknown: HubSpot did not answer"
FORMATS = ("text", "markdown", "html")
PAIR = """\
from: contacts
to: companies
max: 4          # 5 in the portal
labels:
  Billing contact: 2   # 1
inverse:
  labels:
    Billing contact: 7   # 2
"""
CONTACTS_COMPANIES = {"from_id": "0-1", "to_id": "0-2"}
UNKNOWN = {"limit": None, "at_limit": None, "near_limit": None}


@pytest.fixture
def lowering(desk: Desk) -> Desk:
    """One direction gets a lower object limit and a higher label limit, the other is raised."""
    desk.write("configs/contacts-companies.yaml", PAIR)
    return desk


def spoil(desk: Desk, *faults: str) -> None:
    """Let the portal misbehave."""
    assert desk.server is not None
    desk.server.set_faults(map(parse_fault, faults))


def asked(desk: Desk) -> int:
    """How many requests asked for usage."""
    assert desk.server is not None
    return sum("/limits/" in each.path for each in desk.server.requests)


def shown(desk: Desk, format_: str, *arguments: str) -> str:
    """A plan as a reader sees it."""
    ran = desk.run_here("plan", "--format", format_, *arguments)
    assert ran.code == 0, ran.err
    return unescape(ran.out)


@pytest.mark.parametrize("format_", FORMATS)
def test_each_format_says_whom_the_plan_affects(lowering: Desk, format_: str) -> None:
    """Once, beside the limit that is lowered."""
    assert shown(lowering, format_).count(KNOWN) == 1
    assert asked(lowering) == 1


def test_the_document_has_the_directions_that_are_restricted(lowering: Desk) -> None:
    """And no other, with the numbers that HubSpot states."""
    ran = lowering.run_here("plan", "--format", "json")
    counts = {"limit": 5, "at_limit": 12, "near_limit": 40}
    assert ran.json["usage"] == [CONTACTS_COMPANIES | counts]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_saved_plan_says_it_as_well(lowering: Desk, format_: str) -> None:
    """`show` asks nobody."""
    lowering.run_here("plan", "--out", "plan.json")
    lowering.server = None
    assert (
        unescape(lowering.run_here("show", "plan.json", "--format", format_).out).count(KNOWN) == 1
    )


@pytest.mark.parametrize(
    ("fault", "words", "why"),
    [
        ("usage:403", NO_SCOPE, None),
        ("usage:403,body=empty", NO_SCOPE, None),
        ("usage:403,scopes=crm.objects.contacts.read", NO_SCOPE, None),
        ("usage:404", NOT_OFFERED, "not offered"),
        ("usage:404,body=html", NOT_OFFERED, "not offered"),
        ("usage:400", NOT_OFFERED, "not offered"),
        ("usage:401", NO_ANSWER, "no answer"),
        ("usage:500", NO_ANSWER, "no answer"),
        ("usage:429", NO_ANSWER, "no answer"),
        ("usage:429,retry-after=3600", NO_ANSWER, "no answer"),
        ("usage:429,policy=DAILY", NO_ANSWER, "no answer"),
        ("usage:477,retry-after=86400", NO_ANSWER, "no answer"),
        ("usage:drop", NO_ANSWER, "no answer"),
        ("usage:hang,seconds=30", NO_ANSWER, "no answer"),
        ("usage:200,body=html", NO_ANSWER, "no answer"),
        ("usage:200,body=cut", NO_ANSWER, "no answer"),
        ("usage:207", NO_ANSWER, "no answer"),
        ("usage:huge,mb=40", NO_ANSWER, "no answer"),
        ("usage:redirect,to=https://elsewhere.example/", NO_ANSWER, "no answer"),
    ],
)
def test_whatever_usage_does_the_plan_is_made(
    lowering: Desk, fault: str, words: str, why: str | None
) -> None:
    """It is unknown, never 0; its reason is a warning, and nothing else is asked for again."""
    digest = lowering.run_here("plan", "--format", "json").json["digest"]
    spoil(lowering, fault)
    assert lowering.server is not None
    before = len(lowering.server.requests)
    ran = lowering.run_here("plan", "--timeout", "1", "--out", "plan.json")
    sent = sorted(str(each.operation) for each in lowering.server.requests[before:])
    assert [each for each in sent if each != "usage"] == ["account", "read", "read"]
    assert ran.code == 0, ran.err
    assert words in ran.out
    assert " 0 records" not in ran.out
    document = json.loads((lowering.folder / "plan.json").read_text())
    reason = {} if why is None else {"unknown_because": why}
    assert document["usage"] == [CONTACTS_COMPANIES | UNKNOWN | reason]
    assert document["digest"] == digest
    warned = [each for each in document["warnings"] if each.startswith("usage unknown: ")]
    assert len(warned) == (why == "no answer")
    assert words in lowering.run_here("show", "plan.json").out


def test_a_portal_that_limits_the_rate_of_usage_is_still_planned_with_drift(lowering: Desk) -> None:
    """A 429 stops everybody: so the reads that confirm drift begin before a hint is asked for."""
    git(lowering, "init", "-q", "-b", "main")
    git(lowering, "add", ".")
    git(lowering, "commit", "-q", "-m", "limits")
    spoil(lowering, "usage:429,retry-after=3600")
    ran = lowering.run_here("plan", "--base", "main", "--settle", "0.1", "--timeout", "3")
    assert ran.code == 0, ran.err
    assert NO_ANSWER in ran.out
    assert "Drift" in ran.out


def test_one_direction_of_two_may_be_unknown(lowering: Desk) -> None:
    """Each says what is known of it."""
    lowering.write(
        "configs/contacts-companies.yaml", PAIR.replace("Billing contact: 7", "Billing contact: 1")
    )
    spoil(lowering, "usage@companies/contacts:404")
    ran = lowering.run_here("plan")
    assert KNOWN in ran.out
    assert NOT_OFFERED in ran.out


def test_no_usage_asks_for_none(lowering: Desk) -> None:
    """Neither known nor unknown, and the same plan to approve."""
    digest = lowering.run_here("plan", "--format", "json").json["digest"]
    before = asked(lowering)
    ran = lowering.run_here("plan", "--no-usage", "--format", "json")
    assert ran.json["usage"] == []
    assert ran.json["digest"] == digest
    for format_ in FORMATS:
        text = shown(lowering, format_, "--no-usage")
        assert "at the present limit" not in text
        assert "usage unknown" not in text
    assert asked(lowering) == before


def test_a_plan_that_restricts_nobody_asks_for_none(pair: Desk) -> None:
    """What is raised or removed refuses nothing that was accepted before."""
    pair.write("configs/contacts-companies.yaml", "from: contacts\nto: companies\nmax: 9\n")
    assert pair.run_here("plan", "--format", "json").json["usage"] == []
    assert asked(pair) == 0


def test_apply_says_it_only_where_it_asks(lowering: Desk) -> None:
    """Nobody reads it where the approval came before; a saved plan shows what it was made with."""
    digest = lowering.run_here("plan", "--format", "json").json["digest"]
    before = asked(lowering)
    refused = lowering.run_here("apply")
    assert refused.code == 4
    assert KNOWN in refused.out
    assert asked(lowering) == before + 1
    refused = lowering.run_here("apply", "--no-usage")
    assert refused.code == 4
    assert "at the present limit" not in refused.out
    done = lowering.run_here("apply", "--expect-digest", digest)
    assert done.code == 0, done.err
    assert asked(lowering) == before + 1


def test_apply_with_auto_approve_asks_for_none(lowering: Desk) -> None:
    """It costs no request."""
    assert lowering.run_here("apply", "--auto-approve").code == 0
    assert asked(lowering) == 0


def test_another_count_does_not_make_a_plan_stale(lowering: Desk) -> None:
    """Records come and go while a plan is reviewed."""
    lowering.run_here("plan", "--out", "plan.json")
    spoil(lowering, "usage:503")
    assert lowering.run_here("apply", "plan.json", "--dry-run").code == 0
    assert lowering.run_here("apply", "plan.json").code == 0


def test_status_is_unknown_in_the_words_of_its_reason(lowering: Desk) -> None:
    """A portal that does not answer is not a token that lacks a scope."""
    for fault, words in (
        ("usage-types:403", NO_SCOPE),
        ("usage-types:503", "usage unknown: the portal did not serve"),
        ("usage@contacts/companies:403", NO_SCOPE),
        ("usage@contacts/companies:503", "usage unknown: the portal did not serve"),
    ):
        spoil(lowering, fault)
        ran = lowering.run_here("status", "--timeout", "1")
        assert ran.code == 0, ran.err
        assert words in ran.out
        assert " 0 at the limit" not in ran.out
