"""What a response of HubSpot means when it is not what was asked for, and the error it ends in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from reconciler.errors import (
    AnswerNotSupported,
    AnswerNotUnderstood,
    AuthenticationFailed,
    DailyLimitReached,
    EndpointMissing,
    PermissionMissing,
    PortalError,
    PortalUnavailable,
    Redirected,
    RequestRefused,
)
from reconciler.http.client import USUAL_WAIT, CallFailed, Setback, Unusable
from reconciler.http.messages import Policy, Response, WaitCause, read_rate, read_retry_after
from reconciler.hubspot.batches import CORRELATION_ID, ErrorBody, read_error
from reconciler.hubspot.wire import BeyondThisVersion, Nonsense
from reconciler.outgoing import Secret, one_line

LOCKED, RATE_LIMITED, MIGRATING = 423, 429, 477
_REQUEST_TIMEOUT = 408
_PASSING = {_REQUEST_TIMEOUT, LOCKED, MIGRATING, RATE_LIMITED}
_WRONG_ADDRESS = {404, 405, 410}

_SHORTEST_WAITS = {LOCKED: 2.0, MIGRATING: 2.0}
"""Seconds: at least 2 for a lock (documented)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Setback):
    """A response that is not what was asked for; `kind`: the error that it is."""

    kind: type[PortalError]
    category: str | None = None


def token_shown(endpoint: str) -> Failure:
    """Data that was asked for holds the token."""
    return Failure(
        kind=PortalError,
        message=f"the answer to {endpoint} holds the token of this run; nothing of it is used",
        hint="revoke the token: it is part of a label or a name, or something between here "
        "and HubSpot sends it back",
    )


def unusable(
    error: BeyondThisVersion | Nonsense, status: int, *, endpoint: str, reads: bool
) -> Failure:
    """A 2xx that cannot be read. `reads`: the request changed nothing.

    A read that makes no sense is asked again: one bad answer ends nothing. A write is not, for it
    may have been carried out.
    """
    if isinstance(error, BeyondThisVersion):
        return Failure(
            kind=AnswerNotSupported,
            message=f"{endpoint}: {error.description}",
            hint="use a newer version of reconciler, or another --api-version",
        )
    return Failure(
        kind=AnswerNotUnderstood,
        status=status,
        message=f"unusable answer to {endpoint}: {error.description} (HTTP {status})",
        hint="if it stays so: is --base-url HubSpot's, and is there a proxy in between?",
        passes=reads,
        leaves_doubt=True,
        lasting=error.lasting,
    )


def judge(response: Response, now: datetime, *, endpoint: str, token: Secret) -> Failure:
    """What a response outside 2xx means. Of a 500 the documents do not say: it may pass."""
    status, body = response.status, read_error(response.body)
    policy = _policy(response, body) if status == RATE_LIMITED else None
    kind, words, hint = _meaning(response, body, policy, endpoint, token)
    correlation_id = body.correlation_id or response.headers.get(CORRELATION_ID)
    category = body.category or body.policy_name
    details = f"HTTP {status}{f' {category}' if category else ''}, {body.message or 'no message'}"
    support = f" [correlation ID {one_line(correlation_id)}]" if correlation_id else ""
    retry_after = read_retry_after(response.headers, now)
    usual = USUAL_WAIT if retry_after is None else retry_after
    passes = kind is PortalUnavailable
    return Failure(
        kind=kind,
        status=status,
        message=f"{words}: {details}{support}",
        hint=hint,
        passes=passes,
        leaves_doubt=status >= 500 or status == _REQUEST_TIMEOUT,
        cause=_cause(status),
        wait=max(_SHORTEST_WAITS.get(status, 0.0), usual),
        retry_after=retry_after,
        refused_by=policy if passes else None,
        correlation_id=one_line(correlation_id) if correlation_id else None,
        category=body.category,
    )


def _policy(response: Response, body: ErrorBody) -> Policy:
    """The policy of a 429: named, or known from a spent daily allowance."""
    named = (body.policy_name or "").upper()
    if Policy.DAILY.value in named:
        return Policy.DAILY
    if not named and read_rate(response.headers).daily_remaining == 0:
        return Policy.DAILY
    return Policy.SECONDLY if named == Policy.SECONDLY.value else Policy.ROLLING


def _cause(status: int) -> WaitCause:
    if status == RATE_LIMITED:
        return WaitCause.RATE_LIMIT
    return WaitCause.LOCKED if status in {LOCKED, MIGRATING} else WaitCause.FAULT


def _meaning(
    response: Response, body: ErrorBody, policy: Policy | None, endpoint: str, token: Secret
) -> tuple[type[PortalError], str, str | None]:
    """The error, in words, and what to do next. What may pass is an unavailable portal."""
    status = response.status
    if policy is Policy.DAILY:
        return (
            DailyLimitReached,
            "the portal's requests for today are used up",
            "the allowance is full again at midnight in the portal's time zone",
        )
    if status in _PASSING or status >= 500:
        return PortalUnavailable, f"the portal did not serve {endpoint}", None
    if status == 401:
        source = f" from {token.source}" if token.source else ""
        return (
            AuthenticationFailed,
            f"HubSpot does not accept the token{source} for {endpoint}",
            _COPY_AGAIN,
        )
    if status == 403:
        scopes = ", ".join(body.required_scopes)
        lacking = f"; it lacks one of the scopes {scopes}" if scopes else ""
        return (
            PermissionMissing,
            f"the token may not use {endpoint}{lacking}",
            f"grant {scopes or 'the scopes that the README lists'} {_WHERE_SCOPES_ARE}",
        )
    if status >= 400:
        kind = EndpointMissing if status in _WRONG_ADDRESS else RequestRefused
        hint = "check the object types, --api-version and --base-url" if status == 404 else None
        return kind, f"HubSpot refused {endpoint}", hint
    return Redirected, f"{endpoint} {_redirection(response)}", None


_COPY_AGAIN = (
    "it is wrong, expired or revoked, or another one was meant: copy it again from the page of the "
    "service key or private app in HubSpot"
)
_WHERE_SCOPES_ARE = (
    "to the service key in HubSpot: Development → Keys → Service keys; an existing private app: "
    "Settings → Integrations → Private Apps → the app → Scopes"
)


def _redirection(response: Response) -> str:
    if response.status < 300:
        return "was answered with a status that HTTP does not have"
    location = one_line(response.headers.get("location", ""))
    host = location.partition("//")[2].partition("/")[0].rpartition("@")[2]
    where = f" to {host}" if host else ""
    return f"was redirected{where}; redirects are not followed, so that the token stays here"


def report(failed: CallFailed) -> NoReturn:
    """Raise what a call ended with as a `PortalError`."""
    setback, category = failed.setback, None
    kind: type[PortalError]
    match setback:
        case Failure():
            kind, category = setback.kind, setback.category
        case Unusable():
            kind = AnswerNotUnderstood
        case _:
            kind = PortalUnavailable
    ending = "" if kind is RequestRefused else failed.ending
    raise kind(
        setback.message + ending,
        hint=failed.hint,
        category=category,
        correlation_id=setback.correlation_id,
        may_have_been_written=failed.in_doubt,
    ) from None
