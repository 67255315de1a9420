"""Writes: what is sent, what an answer proves, and what is known when none comes."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator

from reconciler.errors import (
    AuthenticationFailed,
    Interrupted,
    PortalUnavailable,
    ReconcilerError,
    RequestRefused,
)
from reconciler.http.messages import (
    Answered,
    NoAnswer,
    NotSent,
    Sending,
    Unanswered,
    Waiting,
    report_to,
)
from reconciler.hubspot.batches import BatchAnswer, BatchStatus
from reconciler.hubspot.portal import PortalEvent
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.limits import Category, TypeKey
from reconciler.model.plan import Batch, BatchInput, Operation
from tests.clock import VirtualClock
from tests.hubspot.support import (
    BILLING,
    CONTACTS_COMPANIES,
    OBJECT_LIMIT,
    TOKEN,
    Recorder,
    Step,
    answer,
    batch,
    never,
    sandboxed,
    scripted,
)
from tests.hubspot.test_versions import OPENAPI, document

DONE = answer(200, {"status": "COMPLETE", "results": []})
REFUSED = answer(400, {"category": "VALIDATION_ERROR", "message": "no"})
CANCELED = {
    "status": "CANCELED",
    "results": [],
    "numErrors": 1,
    "errors": [
        {
            "status": "error",
            "category": "VALIDATION_ERROR",
            "subCategory": "crm.associations.INVALID_ASSOCIATION_TYPE",
            "message": "0-5 is not a valid association type between CONTACT and DEAL",
            "context": {
                "type": ["0-5"],
                "fromObjectType": ["CONTACT"],
                "toObjectType": ["DEAL"],
            },
        }
    ],
    "startedAt": "2026-11-21T09:00:00Z",
    "completedAt": "2026-11-21T09:00:00Z",
}


@pytest.mark.parametrize("operation", Operation)
def test_what_is_sent(operation: Operation) -> None:
    """The documented inputs: a purge names types, the others limits too."""
    portal, transport = scripted(DONE)
    inputs: tuple[BatchInput, ...] = (BatchInput(BILLING, 2), BatchInput(OBJECT_LIMIT, 5))
    if operation is Operation.PURGE:
        inputs = tuple(BatchInput(each.key, None) for each in inputs)
    portal.write(Batch(1, operation, "2-9", "0-2", inputs))
    [request] = transport.requests
    assert request.method == "POST"
    assert request.url.endswith(f"/configurations/2-9/0-2/batch/{operation}")
    assert request.headers["content-type"] == "application/json"
    expected = [
        {"category": "USER_DEFINED", "typeId": 28, "maxToObjectIds": 2},
        {"category": "HUBSPOT_DEFINED", "typeId": 279, "maxToObjectIds": 5},
    ]
    if operation is Operation.PURGE:
        expected = [{key: each[key] for key in ("category", "typeId")} for each in expected]
    assert json.loads(request.body or b"") == {"inputs": expected}


@pytest.mark.skipif(not OPENAPI.is_dir(), reason="HubSpot's published documents are not here")
@pytest.mark.parametrize("version", ApiVersion)
@pytest.mark.parametrize("operation", Operation)
def test_what_is_sent_is_what_is_published(version: ApiVersion, operation: Operation) -> None:
    """The body fits the schema of every version."""
    portal, transport = scripted(DONE, version=version)
    portal.write(batch(operation))
    published = document(f"associations-schema.{version}")
    suffix = re.compile(rf"/batch/{operation}$")
    path = next(path for path in published["paths"] if suffix.search(path))
    body = published["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    whole = {**body["schema"], "components": published["components"]}
    Draft202012Validator(whole).validate(json.loads(transport.requests[0].body or b""))


def test_the_rows_of_an_answer_confirm() -> None:
    """By category and type ID; null and 500000 are no limit; odd rows confirm nothing."""
    rows = [
        {"category": "USER_DEFINED", "typeId": 28, "userEnforcedMaxToObjectIds": 2},
        {"category": "HUBSPOT_DEFINED", "typeId": 279, "userEnforcedMaxToObjectIds": 500000},
        {"category": "WORK", "typeId": 1},
        {"category": "USER_DEFINED", "typeId": 7, "userEnforcedMaxToObjectIds": "2"},
        {"category": "USER_DEFINED", "typeId": 8, "userEnforcedMaxToObjectIds": 3},
        {"category": "USER_DEFINED", "typeId": 8, "userEnforcedMaxToObjectIds": 4},
        {"typeId": 9},
        "row",
        None,
    ]
    headers = {"x-hubspot-correlation-id": "c-1"}
    portal, _ = scripted(answer(207, {"status": "COMPLETE", "results": rows}, headers=headers))
    assert portal.write(batch()) == BatchAnswer(
        said="COMPLETE",
        status=BatchStatus.COMPLETE,
        confirmed={BILLING: 2, OBJECT_LIMIT: None, TypeKey(Category.WORK, 1): None},
        errors=(),
        num_errors=0,
        correlation_id="c-1",
    )


def test_an_answer_of_success_that_refused() -> None:
    """The observed CANCELED: its error names the type ID."""
    portal, _ = scripted(answer(200, CANCELED))
    result = portal.write(batch())
    assert result.status is BatchStatus.CANCELED
    assert result.num_errors == 1
    [error] = result.errors
    assert error.type_ids == {5}
    assert error.category == "VALIDATION_ERROR"
    assert error.sub_category == "crm.associations.INVALID_ASSOCIATION_TYPE"
    assert error.message.startswith("0-5 is not a valid")


def test_errors_of_any_shape_are_read() -> None:
    """Missing fields, an object as subCategory, type IDs in details, no count."""
    portal, _ = scripted(
        answer(
            207,
            {
                "errors": [
                    {},
                    {"subCategory": {"name": "X"}, "errors": [{"context": {"typeId": [28, "7"]}}]},
                    {"message": "0-12 is not a valid association type between A and B"},
                    {"context": "odd", "errors": "odd", "message": ["a"], "correlationId": "c"},
                    {"context": {"fromObjectType": ["0-1"], "type": {"x": 1}}},
                    "odd",
                ],
                "numErrors": "many",
                "status": "FAILED",
                "results": "none",
            },
        )
    )
    result = portal.write(batch())
    assert result.status is BatchStatus.UNKNOWN
    assert result.num_errors == 6
    assert [sorted(each.type_ids) for each in result.errors] == [[], [7, 28], [12], [], [], []]
    assert result.errors[0].message == "no message"
    assert result.errors[1].sub_category == '{"name": "X"}'
    assert result.errors[3].correlation_id == "c"
    assert result.errors[5].message == "odd"


@pytest.mark.parametrize(
    "said", [{"numErrors": "many"}, {"numErrors": -1}, {"errors": "no"}, {"errors": {"a": 1}}]
)
def test_any_word_of_errors_is_taken_for_one(said: dict[str, object]) -> None:
    """A purge shows no rows, so that its silence is consent only where there are no errors."""
    portal, _ = scripted(answer(200, {"status": "COMPLETE", "results": [], **said}))
    assert portal.write(batch(Operation.PURGE)).num_errors == 1


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("status", [200, 201, 202, 204, 207])
@pytest.mark.parametrize("body", [b"", b" ", b"{}"])
def test_every_success_is_accepted(operation: Operation, status: int, body: bytes) -> None:
    """With or without a body, from every operation; it confirms nothing."""
    portal, _ = scripted(answer(status, body=body))
    result = portal.write(batch(operation))
    assert (result.said, result.status, result.confirmed) == (f"HTTP {status}", None, {})


@pytest.mark.parametrize("status", ["FAILED", "complete", "", 7, [], {"a": 1}, False])
def test_a_status_that_came_later_is_not_taken_for_complete(status: object) -> None:
    """It does not say that anything was written: reading back decides."""
    portal, _ = scripted(answer(200, {"status": status, "results": []}))
    assert portal.write(batch(Operation.PURGE)).status is BatchStatus.UNKNOWN


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("body", [b"<html>", b'{"status": "COMP', b"[]", b"7", b"null"])
def test_a_success_that_makes_no_sense_leaves_doubt(operation: Operation, body: bytes) -> None:
    """Something was written, or not: it is not sent again, for reading back tells."""
    portal, transport = scripted(answer(200, body=body))
    with pytest.raises(PortalUnavailable, match="unusable answer") as caught:
        portal.write(batch(operation))
    assert caught.value.may_have_been_written
    assert "earlier attempt" not in caught.value.message, "there was no earlier one"
    assert len(transport.requests) == 1


@pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.PURGE])
@pytest.mark.parametrize("fault", [NoAnswer("gone"), answer(502), answer(500), answer(504)])
def test_an_idempotent_write_is_sent_again(operation: Operation, fault: Step) -> None:
    """After a broken connection or a server error, the same once more is the same."""
    portal, transport = scripted(fault, DONE)
    assert portal.write(batch(operation)).status is BatchStatus.COMPLETE
    assert len(transport.requests) == 2
    assert transport.requests[0].body == transport.requests[1].body


@pytest.mark.parametrize("fault", [NoAnswer("gone"), answer(502), answer(500)])
def test_a_create_in_doubt_is_not_sent_again(fault: Step) -> None:
    """The second one could be refused for what the first one did."""
    portal, transport = scripted(fault, DONE)
    with pytest.raises(PortalUnavailable) as caught:
        portal.write(batch(Operation.CREATE))
    assert caught.value.may_have_been_written
    assert len(transport.requests) == 1


@pytest.mark.parametrize("fault", [NotSent("refused"), answer(423), answer(429), answer(477)])
def test_a_create_that_was_not_carried_out_is_sent_again(fault: Step) -> None:
    """A lock, a rate limit or a connection that never was leaves no doubt."""
    portal, transport = scripted(fault, DONE)
    portal.write(batch(Operation.CREATE))
    assert len(transport.requests) == 2


@pytest.mark.parametrize(
    ("fault", "doubt"),
    [
        (NoAnswer("gone"), True),
        (answer(503), True),
        (answer(500), True),
        (NotSent("refused"), False),
        (answer(423), False),
        (answer(429), False),
    ],
)
def test_when_time_is_up_doubt_is_told(fault: Step, *, doubt: bool) -> None:
    """Only what had left and was not answered may have been written."""
    clock = VirtualClock()
    portal, transport = scripted(fault, clock=clock)
    with pytest.raises(PortalUnavailable) as caught:
        portal.write(batch())
    assert caught.value.may_have_been_written is doubt
    assert len(transport.requests) > 3
    assert 30 < clock.now <= 60


def test_doubt_outlives_later_attempts() -> None:
    """A first attempt that went unanswered is not forgotten when the last ones never left."""
    portal, _ = scripted(NoAnswer("gone"), NotSent("refused"))
    with pytest.raises(PortalUnavailable) as caught:
        portal.write(batch())
    assert caught.value.may_have_been_written


def test_doubt_outlives_a_revoked_token() -> None:
    """Nothing was written by the attempt that got a 401, but perhaps by the one before."""
    denied = answer(401, {"category": "INVALID_AUTHENTICATION", "correlationId": "c-9"})
    portal, _ = scripted(answer(504), denied)
    with pytest.raises(AuthenticationFailed, match="earlier attempt") as caught:
        portal.write(batch())
    assert caught.value.may_have_been_written
    assert caught.value.correlation_id == "c-9"
    portal, _ = scripted(denied)
    with pytest.raises(AuthenticationFailed) as caught:
        portal.write(batch())
    assert not caught.value.may_have_been_written


def test_a_refusal_after_doubt_is_a_refusal() -> None:
    """It says that an attempt before it may have been carried out."""
    portal, _ = scripted(NoAnswer("gone"), REFUSED)
    with pytest.raises(RequestRefused) as caught:
        portal.write(batch())
    assert caught.value.may_have_been_written
    portal, _ = scripted(REFUSED)
    with pytest.raises(RequestRefused) as caught:
        portal.write(batch())
    assert not caught.value.may_have_been_written


@pytest.mark.parametrize(("fault", "doubt"), [(NoAnswer("gone"), True), (answer(423), False)])
def test_an_interruption_between_attempts_tells_the_doubt(fault: Step, *, doubt: bool) -> None:
    """A stop ends the wait, and what is not known is not forgotten."""
    portal, transport = scripted(fault, clock=VirtualClock(stop_at=0.1))
    with pytest.raises(Interrupted) as caught:
        portal.write(batch())
    assert caught.value.may_have_been_written is doubt
    assert len(transport.requests) == 1


def test_reads_leave_no_doubt() -> None:
    """Whatever becomes of a read, nothing was written."""
    portal, _ = scripted(NoAnswer("gone"))
    with pytest.raises(PortalUnavailable) as caught:
        portal.read(CONTACTS_COMPANIES, needs_labels=never)
    assert not caught.value.may_have_been_written


def test_the_journal_line_comes_before_the_request() -> None:
    """A journal that cannot write its line keeps the request from being sent."""

    def full_disk(event: PortalEvent) -> None:
        raise OSError(f"no space left for {event}")

    seen = Recorder()
    portal, transport = scripted(DONE, events=report_to(seen, journal=full_disk))
    with pytest.raises(OSError, match="no space"):
        portal.write(batch())
    assert transport.requests == []
    assert portal.requests == 0
    assert seen.events == []


def test_a_reader_for_people_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it raises, at any event of a call, the request is sent, repeated and answered."""

    def failing(event: PortalEvent) -> None:
        raise BrokenPipeError(str(event))

    seen = Recorder()
    portal, transport = scripted(
        NoAnswer("gone"), answer(503), DONE, events=report_to(failing, seen)
    )
    portal.write(batch())
    assert len(transport.requests) == 3
    assert {record.name for record in caplog.records} == {"reconciler"}
    assert len(caplog.records) == len(seen.events) == 8


def test_a_journal_stops_a_request_before_it_leaves_and_nothing_after(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What has happened is no less so because it cannot be written down."""

    def broken(event: PortalEvent) -> None:
        if not isinstance(event, Sending):
            raise OSError("no space left")

    portal, transport = scripted(
        NoAnswer("gone"), answer(503), DONE, events=report_to(journal=broken)
    )
    portal.write(batch())
    assert len(transport.requests) == 3
    assert len(caplog.records) == 5


def test_a_journal_that_breaks_between_attempts_leaves_doubt() -> None:
    """The first attempt left without an answer: that the second may not leave does not undo it."""
    sent: list[PortalEvent] = []

    def full_after_one(event: PortalEvent) -> None:
        if isinstance(event, Sending):
            if sent:
                raise ReconcilerError("cannot write the journal", hint="make room")
            sent.append(event)

    portal, transport = scripted(NoAnswer("gone"), events=report_to(journal=full_after_one))
    with pytest.raises(PortalUnavailable, match="journal; an earlier attempt") as caught:
        portal.write(batch())
    assert caught.value.may_have_been_written
    assert caught.value.hint == "make room"
    assert len(transport.requests) == 1


def test_events_hold_everything_but_the_token() -> None:
    """Numbers, attempts, inputs, answers and waits, in order."""
    events = Recorder()
    headers = {"x-hubspot-correlation-id": "c-1", "retry-after": "2"}
    portal, _ = scripted(NoAnswer("gone"), answer(503, {}, headers=headers), DONE, events=events)
    portal.write(batch())
    assert [type(event) for event in events.events] == [
        *(Sending, Unanswered, Waiting),
        *(Sending, Answered, Waiting),
        *(Sending, Answered),
    ]
    sent = [event.exchange for event in events.of(Sending)]
    path = f"/crm/associations/{portal.version}/definitions/configurations/0-1/0-2/batch/update"
    assert [str(each) for each in sent] == [f"POST {path}"] * 3
    assert [(each.number, each.attempt) for each in sent] == [(1, 1), (2, 2), (3, 3)]
    assert all(each.writes and each.subject == batch() for each in sent)
    answers = events.of(Answered)
    assert [(each.status, each.retry_after) for each in answers] == [(503, 2.0), (200, None)]
    assert answers[0].correlation_id == "c-1"
    assert TOKEN not in repr(events.events)


@pytest.mark.parametrize("version", ApiVersion)
def test_writes_of_every_version_against_the_sandbox(version: ApiVersion) -> None:
    """Update, purge and create over a real socket, believed only when read back."""
    with sandboxed(version=version) as (portal, _):
        portal.write(batch(Operation.UPDATE, 3))
        assert portal.read(CONTACTS_COMPANIES, needs_labels=never).values()[BILLING] == 3
        portal.write(batch(Operation.PURGE))
        assert BILLING not in portal.read(CONTACTS_COMPANIES, needs_labels=never).values()
        portal.write(batch(Operation.CREATE, 2))
        assert portal.read(CONTACTS_COMPANIES, needs_labels=never).values()[BILLING] == 2
        with pytest.raises(RequestRefused) as caught:
            portal.write(batch(Operation.UPDATE, 0))
        assert caught.value.correlation_id


def test_a_write_that_took_effect_unanswered_is_found_by_sending_again() -> None:
    """The connection drops after the write; the second time it is answered."""
    with sandboxed("update#1:drop,wrote=yes", "purge#1:504,wrote=yes") as (portal, server):
        portal.write(batch(Operation.UPDATE, 4))
        assert portal.read(CONTACTS_COMPANIES, needs_labels=never).values()[BILLING] == 4
        portal.write(batch(Operation.PURGE))
        assert portal.requests == len(server.requests) == 5
