"""A HubSpot portal: what can be read from it and written to it, one method each; its threads."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import TypeVar, cast
from urllib.parse import quote

from reconciler.errors import RequestRefused, TurnedAway, WrongPortal
from reconciler.http.client import Call, CallFailed, Client, Repeat
from reconciler.http.clock import TURN, Clock, SystemClock
from reconciler.http.connection import Connection
from reconciler.http.messages import Event, Response, Transport, report_to
from reconciler.http.transport import HttpTransport
from reconciler.hubspot import failures, wire
from reconciler.hubspot.batches import CORRELATION_ID, BatchAnswer, batch_body, read_batch
from reconciler.hubspot.versions import LATEST, ApiVersion
from reconciler.hubspot.wire import Probe
from reconciler.model.limits import (
    Account,
    CustomObject,
    Direction,
    LabelList,
    NamelessLimit,
    ObservedDirection,
    ObservedLimit,
    UnknownRow,
)
from reconciler.model.plan import Batch, LimitUsage, Operation

T = TypeVar("T")
First = TypeVar("First")
Failures = list[tuple[Callable[[], T], BaseException]]


class CallName(StrEnum):
    """What a request is for."""

    ACCOUNT = "account"
    SCOPES = "scopes"
    CUSTOM_OBJECTS = "custom objects"
    LIMITS = "limits"
    ALL_LIMITS = "all limits"
    LABELS = "labels"
    USAGE = "usage"
    UPDATE = "update"
    PURGE = "purge"
    CREATE = "create"


_SCOPES_PATH = "/oauth/v2/private-apps/get/access-token-info"
"""Lists the scopes of a service key or private app (observed); it has no version of its own."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The limits of so many directions are about to be read."""

    directions: int


@dataclass(frozen=True, slots=True)
class DirectionRead:
    """The limits of one direction are read, and its labels where they are needed."""

    direction: Direction


PortalEvent = Reading | DirectionRead | Event

NeedsLabels = Callable[[ObservedDirection], bool]
"""Whether a direction's labels must be read too, judged by its rows alone."""


class Portal(AbstractContextManager["Portal"]):
    """One portal over HTTP, for any number of threads. Made by `connect`; close it after use.

    Every method raises a `PortalError` when the portal refuses or gives no usable answer, and
    `Interrupted` when a stop is requested before the request has left.
    """

    def __init__(
        self,
        connection: Connection,
        transport: Transport,
        *,
        version: ApiVersion = LATEST,
        clock: Clock,
        events: Callable[[PortalEvent], None],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.version = version
        usage = "/crm/v3/limits" if version is ApiVersion.V4 else f"/crm/limits/{version}"
        self._account_path = f"/account-info/{version.helpers}/details"
        self._limits_path = f"/crm/associations/{version}/definitions/configurations"
        self._usage_path = f"{usage}/associations/records"
        self._token = connection.token
        self._report = events
        self._transport = transport
        self._client = Client(
            connection,
            transport,
            clock=clock,
            report=events,
            headers={
                "authorization": f"Bearer {connection.token.reveal()}",
                "accept": "application/json",
            },
            correlation_header=CORRELATION_ID,
            jitter=jitter,
        )
        self._threads = ThreadPoolExecutor(connection.concurrency, thread_name_prefix="portal")
        self._here = threading.local()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for what runs, then close every connection."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._transport.close()

    @property
    def requests(self) -> int:
        """How many requests were sent so far, every attempt counted."""
        return self._client.sent

    def in_parallel(
        self, tasks: Sequence[Callable[[], T]], *, first: Callable[[], T] | None = None
    ) -> list[T]:
        """Run tasks on this portal's threads; the results, in the order of the tasks.

        The first failure cancels what has not started, lets finish what has, and is raised, unless
        the task `first` failed as well. One task alone runs here. Raise `RuntimeError` in a task:
        its threads would wait for themselves.
        """
        if getattr(self._here, "works", False):
            raise RuntimeError("a task of the portal has no threads to give to other tasks")
        if len(tasks) == 1:
            return [task() for task in tasks]
        failures: Failures[T] = []
        futures = [self._threads.submit(self._work, task, failures) for task in tasks]
        try:
            while not failures and wait(futures, TURN, FIRST_EXCEPTION).not_done:
                pass
        finally:
            for future in futures:
                future.cancel()
        while wait(futures, TURN).not_done:
            pass
        if failures:
            raise next((each for task, each in failures if task is first), failures[0][1])
        return [future.result() for future in futures]

    def beside(
        self, first: Callable[[], First], tasks: Sequence[Callable[[], T]]
    ) -> tuple[First, list[T]]:
        """Run `first` at the same time as the tasks; of several failures its own is raised.

        For the account: where the token is wrong, or of another portal, other failures say nothing.
        """
        both: list[Callable[[], First | T]] = [first, *tasks]
        found, *others = self.in_parallel(both, first=first)
        return cast("First", found), cast("list[T]", others)  # in the order of the tasks

    def _work(self, task: Callable[[], T], failures: Failures[T]) -> T:
        self._here.works = True
        if failures:
            raise CancelledError
        try:
            return task()
        except BaseException as failure:
            failures.append((task, failure))
            raise

    # ------------------------------------------------------------ reading

    def account(self, portal_id: int | None = None) -> Account:
        """The account that the token belongs to.

        Raises `WrongPortal` where it is not the one of `portal_id`, which the workspace names.
        """
        account = self._call(CallName.ACCOUNT, self._account_path, wire.read_account)
        if portal_id not in (None, account.portal_id):
            raise WrongPortal(
                f"the workspace names portal {portal_id}, the token belongs to portal "
                f"{account.portal_id}",
                hint="use a token of the portal, or correct portal_id in the workspace file",
            )
        return account

    def probe(self) -> Probe:
        """The account, and what time the portal has; for finding out why nothing works."""
        return self._call(CallName.ACCOUNT, self._account_path, wire.read_probe)

    def scopes(self) -> frozenset[str] | None:
        """What the token may do, where HubSpot lists it; None where it refuses to.

        Observed of service keys and private apps; the token is sent in the body as well.
        """
        body = json.dumps({"tokenKey": self._token.reveal()}).encode()
        try:
            return self._call(
                CallName.SCOPES, _SCOPES_PATH, wire.read_scopes, method="POST", body=body
            )
        except (RequestRefused, TurnedAway):
            return None

    def custom_objects(self) -> tuple[CustomObject, ...]:
        """The custom objects; needs the scope `crm.schemas.custom.read` (documented)."""
        return self._schemas(associations=False)

    def custom_associations(self) -> tuple[CustomObject, ...]:
        """The custom objects with the association types that their schemas name; the same scope."""
        return self._schemas(associations=True)

    def _schemas(self, *, associations: bool) -> tuple[CustomObject, ...]:
        """Object schemas without their properties, which can make megabytes."""
        path = (
            f"/crm-object-schemas/{self.version.helpers}/schemas"
            f"?includeAssociationDefinitions={'true' if associations else 'false'}"
            "&includeAuditMetadata=false&includePropertyDefinitions=false"
        )
        return self._call(CallName.CUSTOM_OBJECTS, path, wire.read_custom_objects)

    def read(
        self, direction: Direction, *, needs_labels: NeedsLabels, seconds: float | None = None
    ) -> ObservedDirection:
        """The limits of one direction, and its labels where `needs_labels` of the rows says so.

        `seconds`: the time allowed for the limits, waits and retries included, where it is less
        than the connection's.
        """
        path = f"{self._limits_path}/{_pair(direction.key)}"
        understand = partial(wire.read_limits, direction=direction)
        observed = self._call(CallName.LIMITS, path, understand, exempt=True, seconds=seconds)
        if needs_labels(observed):
            observed = observed.with_labels(self.labels(direction))
        self._report(DirectionRead(direction))
        return observed

    def read_all(
        self,
        directions: Sequence[Direction],
        *,
        needs_labels: NeedsLabels,
        then: Sequence[Callable[[], None]] = (),
    ) -> tuple[ObservedDirection, ...]:
        """Many directions in parallel, in the order given; `then` is begun once all of them are."""
        if directions:
            self._report(Reading(len(directions)))
        reads = [partial(self.read, each, needs_labels=needs_labels) for each in directions]
        tasks: list[Callable[[], ObservedDirection | None]] = [*reads, *then]
        return tuple(each for each in self.in_parallel(tasks) if each is not None)

    def read_beside(
        self,
        first: Callable[[], First],
        directions: Sequence[Direction],
        *,
        needs_labels: NeedsLabels,
    ) -> tuple[First, tuple[ObservedDirection, ...]]:
        """Many directions at the same time as something else, as of `beside`."""
        if directions:
            self._report(Reading(len(directions)))
        reads = [partial(self.read, each, needs_labels=needs_labels) for each in directions]
        found, seen = self.beside(first, reads)
        return found, tuple(seen)

    def labels(self, direction: Direction) -> LabelList:
        """The association types of one direction, the unlabelled one included."""
        path = f"/crm/associations/{self.version}/{_pair(direction.key)}/labels"
        return self._call(CallName.LABELS, path, wire.read_labels, exempt=True)

    def all_limits(self) -> tuple[ObservedLimit | NamelessLimit | UnknownRow, ...]:
        """The limits of all directions, which the rows do not name: a hint, never the truth."""
        path = f"{self._limits_path}/all"
        return self._call(CallName.ALL_LIMITS, path, wire.read_all_limits, exempt=True)

    def types_at_limits(self, *, seconds: float | None = None) -> frozenset[str]:
        """The IDs of object types with records at or near a limit; `seconds` as for `read`."""
        path = f"{self._usage_path}/from"
        return self._call(CallName.USAGE, path, wire.read_usage_types, seconds=seconds)

    def usage(self, direction: Direction, *, seconds: float | None = None) -> LimitUsage:
        """How many records are at or near the limit; `seconds` as for `read`.

        Needs any one `crm.objects.*.read` scope (documented).
        """
        path = f"{self._usage_path}/{_pair(direction.key)}"
        understand = partial(wire.read_usage, direction=direction)
        return self._call(CallName.USAGE, path, understand, seconds=seconds)

    # ------------------------------------------------------------ writing

    def write(self, batch: Batch) -> BatchAnswer:
        """Send one batch. The answer proves nothing yet: read back.

        `update` and `purge` are sent again after a timeout or a broken connection, `create` is
        not. Raise `RequestRefused` when the portal refuses the request as a whole, and
        any `PortalError` with `may_have_been_written` when nobody knows.
        """
        once = batch.operation is Operation.CREATE
        path = f"{self._limits_path}/{_pair(batch.direction_key)}/batch/{batch.operation}"
        return self._call(
            CallName(batch.operation.value),
            path,
            read_batch,
            method="POST",
            repeat=Repeat.SINGLE_WRITE if once else Repeat.IDEMPOTENT_WRITE,
            exempt=True,
            body=batch_body(batch.inputs),
            subject=batch,
        )

    def _call(
        self,
        operation: CallName,
        path: str,
        read: Callable[[Response], T],
        *,
        method: str = "GET",
        repeat: Repeat = Repeat.READ,
        exempt: bool = False,
        body: bytes | None = None,
        seconds: float | None = None,
        subject: Batch | None = None,
    ) -> T:
        endpoint, reads = f"{method} {path.partition('?')[0]}", repeat is Repeat.READ
        understand = partial(self._understand, endpoint=endpoint, read=read, reads=reads)
        call = Call(operation, method, path, understand, repeat, exempt, body, seconds, subject)
        try:
            return self._client.call(call)
        except CallFailed as failed:
            failures.report(failed)

    def _understand(
        self,
        response: Response,
        now: datetime,
        *,
        endpoint: str,
        read: Callable[[Response], T],
        reads: bool,
    ) -> T | failures.Failure:
        """What `read` makes of a 2xx, or why there is none. `reads`: the request changed nothing.

        Data that holds the token would carry it into plans and reports; masked, it is not data.
        """
        if not 200 <= response.status < 300:
            return failures.judge(response, now, endpoint=endpoint, token=self._token)
        if reads and self._token.is_in(response.body.decode("utf-8", "replace")):
            return failures.token_shown(endpoint)
        try:
            return read(response)
        except (wire.BeyondThisVersion, wire.Nonsense) as error:
            return failures.unusable(error, response.status, endpoint=endpoint, reads=reads)


def _pair(key: tuple[str, str]) -> str:
    """A direction within a path."""
    return "/".join(quote(each, safe="") for each in key)


def connect(
    settings: Connection,
    *,
    version: ApiVersion = LATEST,
    clock: Clock | None = None,
    events: Callable[[PortalEvent], None] | None = None,
    transport: Transport | None = None,
) -> Portal:
    """A portal, to be used as a context manager; no request is sent yet.

    `events` is called with what happens to the requests, from several threads. A request is not
    sent if it raises for `Sending`: give it what `report_to` makes of readers and a journal.

    Without a `transport` it is the network. Raise `UsageProblem` when the environment names
    proxies or certificates that cannot be used.
    """
    clock = clock or SystemClock()
    if transport is None:
        transport = HttpTransport(settings, clock.monotonic)
    return Portal(settings, transport, version=version, clock=clock, events=events or report_to())
