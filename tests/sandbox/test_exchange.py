"""Usual answers shown in another way: late, in pieces, out of date, with nulls."""

from __future__ import annotations

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Trickled
from tests.sandbox.talking import Clock, decoded, get, limits_path, one, options, send, write

BILLING = ("USER_DEFINED", 28)


def billing(sandbox: Sandbox) -> int | None:
    """The limit of type 28 as a client reads it."""
    for row in decoded(get(sandbox, limits_path("2026-03")))["results"]:
        if row["typeId"] == 28:
            value: int = row["userEnforcedMaxToObjectIds"]
            return value
    return None


def test_a_lagging_read_shows_the_state_of_a_while_ago() -> None:
    """The write is done at once, and seen only when so much time has passed."""
    clock = Clock()
    sandbox = Sandbox(example_portal(), options("read:lag,seconds=2"), clock=clock)
    clock.time += 10
    write(sandbox, "update", one(28, 2))
    clock.time += 1
    write(sandbox, "update", one(28, 3))
    assert sandbox.limits("contacts", "companies")[BILLING] == 3
    seen = []
    for _ in range(4):
        seen.append(billing(sandbox))
        clock.time += 1
    assert seen == [1, 2, 3, 3]


def test_object_schemas_can_lag_behind_the_labels() -> None:
    """A label made a moment ago is in the labels at once, in the schemas later, as observed."""
    clock = Clock()
    sandbox = Sandbox(example_portal(), options("schemas:lag,seconds=60"), clock=clock)
    clock.time += 100
    path = "/crm/associations/v4/2-4021/contacts/labels"
    made = decoded(send(sandbox, "POST", path, {"name": "owner", "label": "Owner"}))["results"]
    type_id = str(made[0]["typeId"])

    def in_schemas() -> bool:
        rows = decoded(get(sandbox, "/crm-object-schemas/v3/schemas"))["results"]
        return type_id in {one["id"] for one in rows[0]["associations"]}

    assert "Owner" in {row["label"] for row in decoded(get(sandbox, path))["results"]}
    assert not in_schemas()
    clock.time += 60
    assert in_schemas()


def test_a_lag_before_the_start_shows_the_start() -> None:
    """There is no older state than the first one; a write does not lag."""
    sandbox = Sandbox(example_portal(), options("limits:lag,seconds=1000"))
    assert write(sandbox, "update", one(28, 2)).status == 200
    assert billing(sandbox) == 1
    assert sandbox.limits("contacts", "companies")[BILLING] == 2


def test_rows_can_come_with_null_for_no_limit() -> None:
    """A null means no limit, as was observed; other operations are as usual."""
    sandbox = Sandbox(example_portal(), options("any:nulls"))
    rows = decoded(get(sandbox, limits_path("2026-03")))["results"]
    assert {row["typeId"]: row["userEnforcedMaxToObjectIds"] for row in rows} == {
        1: None,
        279: 5,
        931: None,
        28: 1,
        30: None,
    }
    assert write(sandbox, "update", one(28, 2)).status == 200
    assert get(sandbox, limits_path("2026-03", "car")).status == 400


def test_an_answer_can_trickle_or_come_late() -> None:
    """The answer is the usual one; it says how it is to be sent."""
    sandbox = Sandbox(
        example_portal(), options("read#1:trickle,seconds=3", "read#2:delay,seconds=2")
    )
    first, second = (get(sandbox, limits_path("2026-03")) for _ in range(2))
    assert (first.delivery, second.delay) == (Trickled(3), 2)
    assert first.body == second.body


def test_rate_headers_can_say_anything() -> None:
    """On an exempt endpoint too, and in place of the window's own."""
    sandbox = Sandbox(example_portal(), options("any:rate,max=100,remaining=1,interval=500"))
    for path in (limits_path("2026-03"), "/account-info/2026-03/details"):
        headers = get(sandbox, path).headers
        assert [value for name, value in headers if name.endswith("Limit-Remaining")] == ["1"]
        assert dict(headers)["X-HubSpot-RateLimit-Interval-Milliseconds"] == "500"


def test_an_edit_happens_right_before_the_request_it_is_for() -> None:
    """The second read is the first to show it, without any write of the client."""
    rule = "read#2:edit,from=contacts,to=companies,type=28,max=4"
    sandbox = Sandbox(example_portal(), options(rule))
    assert [billing(sandbox) for _ in range(3)] == [1, 4, 4]


def test_reads_alternate_between_old_and_new_for_a_while() -> None:
    """A replica that is behind answers every other read, until it has caught up."""
    clock = Clock()
    sandbox = Sandbox(example_portal(), options("read:flap,seconds=4"), clock=clock)
    clock.time += 10
    assert [billing(sandbox), billing(sandbox)] == [1, 1]
    write(sandbox, "update", one(28, 2))
    assert [billing(sandbox) for _ in range(4)] == [1, 2, 1, 2]
    clock.time += 3
    write(sandbox, "update", one(28, 3))
    assert [billing(sandbox) for _ in range(4)] == [1, 3, 1, 3]
    clock.time += 1
    assert [billing(sandbox) for _ in range(2)] == [2, 3]
    clock.time += 3
    assert [billing(sandbox) for _ in range(4)] == [3, 3, 3, 3]


def test_so_many_reads_of_a_direction_alternate() -> None:
    """Counted per direction from its last change on, by whomever; then they agree."""
    sandbox = Sandbox(example_portal(), options("read:flap,reads=3,first=new"))
    write(sandbox, "update", one(28, 2))
    other = limits_path("2026-09", "deals", "contacts")
    before = get(sandbox, other).body
    assert [billing(sandbox) for _ in range(5)] == [2, 1, 2, 2, 2]
    assert get(sandbox, other).body == before
    sandbox.edit("contacts", "companies", 28, 4)
    assert [billing(sandbox) for _ in range(5)] == [4, 2, 4, 4, 4]


def test_reads_can_alternate_for_ever() -> None:
    """Without seconds or reads they never agree; writes are answered as usual."""
    sandbox = Sandbox(example_portal(), options("limits:flap"))
    assert write(sandbox, "purge", one(28)).status in (200, 204)
    assert [billing(sandbox) for _ in range(6)] == [1, None, 1, None, 1, None]


def test_any_kind_of_read_can_alternate() -> None:
    """Labels of the direction, and the limits of the whole portal."""
    sandbox = Sandbox(example_portal(), options("labels:flap", "all:flap"))
    path = "/crm/associations/v4/contacts/companies/labels"
    send(sandbox, "POST", path, {"name": "payer", "label": "Payer"})
    labels = ["Payer" in get(sandbox, path).body.decode() for _ in range(4)]
    assert labels == [False, True, False, True]
    write(sandbox, "purge", one(28))
    whole = "/crm/associations/v4/definitions/configurations/all"
    seen = [get(sandbox, whole).body for _ in range(4)]
    assert seen[0] != seen[1]
    assert (seen[0], seen[1]) == (seen[2], seen[3])
    unknown = "/crm/associations/v4/contacts/unicorns/labels"
    assert get(sandbox, unknown).status == 400
