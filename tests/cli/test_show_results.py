"""`show` over the results of an apply: those of shards become one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import jsonschema
import pytest

from reconciler.applying.result_file import result_json, results_schema
from reconciler.model.limits import AccountType
from reconciler.model.plan import (
    ChangeError,
    ChangeResult,
    Destination,
    Outcome,
    Result,
    Status,
)
from tests.applying.factory import change
from tests.cli.running import Desk
from tests.report.factory import HOSTILE, is_printable

SET = ChangeResult(change(1, before=None), Status.VERIFIED)
RAISED = ChangeResult(change(2), Status.VERIFIED)
REMOVED = ChangeResult(change(3, after=None), Status.VERIFIED)
FAILED = ChangeResult(change(4), Status.FAILED, ChangeError("HubSpot refused it", "BAD", "the-id"))
LEFT = ChangeResult(change(5), Status.NOT_ATTEMPTED, ChangeError("it waited"))


def result(
    name: str,
    *changes: ChangeResult,
    outcome: Outcome = Outcome.APPLIED,
    message: str | None = None,
    minute: int = 0,
) -> str:
    """The result document of one portal."""
    portal = Destination(name, "https://api.hubapi.com", "2026-09", 1234567, AccountType.STANDARD)
    times = (f"2026-11-21T09:{minute:02}:00Z", f"2026-11-21T09:{minute:02}:05Z")
    return result_json(Result(outcome, changes, 7, *times, message, portal))


def error(name: str, code: int = 3) -> str:
    """The document of a portal that an error kept from having a result."""
    details: dict[str, object] = {"hint": None, "details": [], "exit_code": code}
    words = {"message": "configuration invalid: 1 error", **details}
    return json.dumps({"format_version": "1.0", "portal": name, "error": words, "diagnostics": []})


def array(documents: Iterable[str]) -> str:
    """As `apply --all-portals --format json` prints them."""
    return f"[{','.join(documents)}]"


INCOMPLETE = result(
    "nordics", RAISED, FAILED, LEFT, outcome=Outcome.INCOMPLETE, message="no answer", minute=9
)
REFUSED = result("us", LEFT, outcome=Outcome.REFUSED, message="this is not the plan")


@pytest.fixture
def shards(offline: Desk) -> Desk:
    """The results of two shards, one an array and one a document per line."""
    first = [result("emea", SET, RAISED), result("apac", outcome=Outcome.NOTHING)]
    offline.write("1.json", array(first))
    offline.write("2.json", result("latam", REMOVED, minute=3) + result("anz", RAISED))
    return offline


# ---------------------------------------------------------------- one summary


def test_the_results_of_shards_become_one_summary(shards: Desk) -> None:
    """Each portal with its outcome; the last line counts as that of one apply does."""
    ran = shards.run_here("show", "1.json", "2.json")
    assert (ran.code, ran.err) == (0, "")
    assert (
        ran.out
        == """\
4 portals: 3 applied, 1 no changes
  emea   applied     1 created, 1 updated, 0 deleted
  apac   no changes
  latam  applied     0 created, 0 updated, 1 deleted
  anz    applied     0 created, 1 updated, 0 deleted

Apply complete: 1 created, 2 updated, 1 deleted.
"""
    )


def test_what_is_not_done_is_shown_in_full(shards: Desk) -> None:
    """The changes that failed with their reasons, above the table."""
    shards.write("3.json", array([INCOMPLETE, REFUSED, error("north")]))
    ran = shards.run_here("show", "1.json", "2.json", "3.json")
    assert ran.code == 5
    assert ran.out.startswith("nordics\nFailed: HubSpot refused these, or shows another value.\n")
    assert "category BAD, correlation ID the-id" in ran.out
    assert "  us       refused     this is not the plan\n" in ran.out
    assert "  north    failed      configuration invalid: 1 error\n" in ran.out
    assert ran.last_line == (
        "Apply incomplete: 5 verified, 1 failed, 0 uncertain, 2 not attempted (nordics, us, north)."
    )


def test_the_json_has_counts_and_every_result_as_it_was(shards: Desk) -> None:
    """With the exit code, and the time from the first to the last."""
    shards.write("3.json", array([INCOMPLETE, error("north")]))
    ran = shards.run_here("show", "1.json", "2.json", "3.json", "--format", "json")
    document = ran.json
    assert (ran.code, document["exit_code"]) == (5, 5)
    assert document["summary"] == {
        "portals": 6,
        "outcomes": {"applied": 3, "nothing": 1, "incomplete": 1, "failed": 1, "refused": 0},
        "changes": {"verified": 5, "failed": 1, "uncertain": 0, "not_attempted": 1},
        "requests": 35,
        "started_at": "2026-11-21T09:00:00Z",
        "finished_at": "2026-11-21T09:09:05Z",
    }
    assert document["results"][-2:] == [json.loads(INCOMPLETE), json.loads(error("north"))]
    jsonschema.validate(document, results_schema())
    assert shards.run_here("schema", "results").json == results_schema()


def test_results_that_were_put_together_are_put_together_with_more(shards: Desk) -> None:
    """A pipeline may do it step by step."""
    shards.write("both.json", shards.run_here("show", "1.json", "--format", "json").out)
    together = shards.run_here("show", "both.json", "2.json")
    assert together == shards.run_here("show", "1.json", "2.json")


def test_the_markdown_begins_with_what_is_not_done(shards: Desk) -> None:
    """For a job's summary, where the first lines are read."""
    shards.write("3.json", array([INCOMPLETE, REFUSED]))
    ran = shards.run_here("show", "1.json", "3.json", "--format", "markdown")
    assert (
        ran.out
        == """\
## Apply: 4 portals, 1 applied, 1 no changes, 1 incomplete, 1 refused

Apply incomplete: 3 verified, 1 failed, 0 uncertain, 2 not attempted (nordics, us).

| Portal | Outcome | Changes |
| --- | --- | --- |
| `nordics` | **incomplete** | 1 verified, 1 failed, 0 uncertain, 1 not attempted |
| `us` | **refused** | this is not the plan |
| `emea` | applied | 1 created, 1 updated, 0 deleted |
| `apac` | no changes |  |
"""
    )


def test_the_markdown_fits_into_a_job_s_summary(offline: Desk) -> None:
    """Which takes 1 MiB of bytes, not of characters."""
    offline.write("many.json", array(result(f"{'長' * 90}{at}") for at in range(4_000)))
    out = offline.run_here("show", "many.json", "--format", "markdown").out
    assert 500_000 < len(out.encode()) < 1 << 20
    left_out = 4_000 - out.count("長" * 90)
    assert out.endswith(f"\n{left_out:,} more portals are left out.\n")


def test_one_result_reads_as_apply_showed_it(offline: Desk) -> None:
    """On standard input, too."""
    ran = offline.run_here("show", "-", stdin=result("emea", SET))
    assert (ran.code, ran.out) == (0, "Apply complete: 1 created, 0 updated, 0 deleted.\n")


@pytest.mark.parametrize("format_", ["text", "markdown", "json", "html", "mermaid"])
def test_a_shard_without_portals_is_shown_in_every_format(offline: Desk, format_: str) -> None:
    """An empty array is of plans as well as of results."""
    offline.write("empty.json", "[]\n")
    ran = offline.run_here("show", "empty.json", "--format", format_)
    assert (ran.code, ran.err) == (0, "")
    if format_ in ("text", "markdown"):
        assert "0 portals\n\nNo portals.\n" in ran.out


def test_a_shard_without_portals_adds_nothing(shards: Desk) -> None:
    """`apply --all-portals --shard 7/9` may have nothing to do, and prints an empty array."""
    shards.write("empty.json", "[]\n")
    assert shards.run_here("show", "1.json", "empty.json") == shards.run_here("show", "1.json")
    ran = shards.run_here("show", "empty.json")
    assert (ran.code, ran.last_line) == (0, "No portals.")


# ---------------------------------------------------------------- the exit code


@pytest.mark.parametrize(
    ("documents", "code", "words"),
    [
        ([REFUSED, result("a", outcome=Outcome.NOTHING)], 4, "Apply refused: nothing was written"),
        ([error("a", 3), error("b", 1)], 3, "Apply failed: nothing was written (a, b)."),
        ([error("a", 1), result("b", outcome=Outcome.NOTHING)], 1, "Apply failed"),
        ([error("a", 1), result("b", SET)], 5, "Apply incomplete: 1 verified"),
        ([REFUSED, result("b", SET)], 4, "Apply incomplete: 1 verified"),
        ([INCOMPLETE, REFUSED, error("a")], 5, "Apply incomplete"),
    ],
)
def test_the_exit_code_is_that_of_an_apply_to_all(
    offline: Desk, documents: list[str], code: int, words: str
) -> None:
    """The worst; and 1 says that nothing was written, so not where something was."""
    offline.write("all.json", array(documents))
    ran = offline.run_here("show", "all.json")
    assert ran.code == code
    assert ran.last_line.startswith(words)


def test_two_results_of_one_portal_are_reported_by_name(shards: Desk) -> None:
    """Shards that overlap, or a file given twice; everything is shown all the same."""
    shards.write("3.json", result("latam", RAISED))
    ran = shards.run_here("show", "1.json", "2.json", "3.json")
    assert ran.code == 64
    assert "2 of the results are of portal latam: 2.json, 3.json" in ran.err
    assert ran.last_line == "Apply complete: 1 created, 3 updated, 1 deleted."


# ---------------------------------------------------------------- what is refused


def altered(**parts: object) -> str:
    """A result in which something was changed by hand."""
    return json.dumps(json.loads(result("emea", SET)) | parts)


def changed(**parts: object) -> str:
    """A result whose first change was changed by hand."""
    (first,) = json.loads(result("emea", SET))["changes"]
    return altered(changes=[first | parts])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (result("emea", SET)[:-30], "the result file is not complete"),
        (altered(outcome="fine"), "outcome: input should be"),
        (altered(format_version="2.0"), "format_version: input should be '1.0'"),
        (altered(requests=-1), "requests: "),
        (altered(requests="7"), "requests: "),
        (altered(extra=1), "extra: "),
        (altered(message="\ud800"), "unexpected end of hex escape"),
        (altered(portal="emea"), "portal: "),
        (changed(status="failed"), "it is applied, and not all its changes are"),
        (changed(action="delete"), "is not what its values say"),
        (changed(after=None), "is not what its values say"),
        (changed(id="a>b/USER_DEFINED/1"), "is not the ID of its limit"),
        (changed(id="contacts>companies/NONE/x"), "is not the ID of its limit"),
        (changed(to="deals"), "is not the ID of its limit"),
        (error("a", 99), "error.exit_code: "),
        ('{"error": 1}', "the error of a portal is not complete"),
        ('{"outcome": {"outcome": []}}', "the result of an apply is not complete"),
        ("[1]", "it is not a JSON object"),
        ("[[]]", "it is not a JSON object"),
        ('{"results": [1]}', "it is not a JSON object"),
        ("outcome", "not a plan, and not the result of an apply"),
    ],
)
def test_what_is_not_a_result_is_refused_in_words(offline: Desk, text: str, words: str) -> None:
    """Damaged, foreign or altered: exit 4, and the file is named."""
    offline.write("x.json", text)
    ran = offline.run_here("show", "x.json")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.startswith("error: x.json")
    assert words in ran.err


def test_the_line_of_a_bad_result_among_others_is_named(offline: Desk) -> None:
    """A file of five hundred results is not searched by eye."""
    offline.write("x.json", result("emea", SET) + altered(outcome="fine") + "\n")
    assert offline.run_here("show", "x.json").err.startswith("error: x.json:2: the result of")


def test_plans_and_results_are_shown_apart(shards: Desk, job: Desk) -> None:
    """Both are named."""
    assert shards.folder == job.folder
    ran = job.run_here("show", "plan.json", "1.json")
    assert ran.code == 64
    assert "1.json holds the result of an apply, plan.json does not" in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "html"), "results are not shown as html"),
        (("--format", "mermaid"), "results are not shown as mermaid"),
    ],
)
def test_what_makes_no_sense_for_results_is_refused(
    shards: Desk, arguments: tuple[str, str], words: str
) -> None:
    """As wrong usage."""
    ran = shards.run_here("show", "1.json", *arguments)
    assert ran.code == 64
    assert words in ran.err


@pytest.mark.parametrize("kind", sorted(HOSTILE.keys() - {"surrogate"}))
def test_hostile_words_stay_on_their_line(offline: Desk, kind: str) -> None:
    """Of a portal's name and of what a result says: they come from files and from HubSpot."""
    text = HOSTILE[kind]
    document: Any = json.loads(REFUSED)
    document["message"] = text
    document["portal"]["name"] = text
    offline.write("x.json", array([json.dumps(document), result("emea", SET)]))
    ran = offline.run_here("show", "x.json")
    assert ran.code == 4
    assert len(ran.out.splitlines()) == 5
    assert all(map(is_printable, ran.out.splitlines()))
    markdown = offline.run_here("show", "x.json", "--format", "markdown").out
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert len(rows) == 4
    assert all(map(is_printable, markdown.splitlines()))
