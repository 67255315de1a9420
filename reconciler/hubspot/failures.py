"""What an answer that is no success means: which error, and whether it may pass."""

from __future__ import annotations

from reconciler.errors import (
    AuthenticationFailed,
    DailyLimitReached,
    EndpointMissing,
    PermissionMissing,
    PortalError,
    PortalUnavailable,
    Redirected,
    RequestRefused,
)
from reconciler.http.messages import Response, plain
from reconciler.http.rates import Policy, Rate
from reconciler.hubspot.batches import ErrorBody, correlation_id, read_error

LOCKED, RATE_LIMITED, MIGRATING = 423, 429, 477
_REQUEST_TIMEOUT = 408

_WRONG_ADDRESS = {404, 405, 410}

_SHORTEST_WAITS = {LOCKED: 2.0, MIGRATING: 2.0}
"""Seconds: at least 2 for a lock (documented)."""
_USUAL_WAIT = 1.0


class Failure:
    """An answer outside 2xx, read once."""

    def __init__(
        self,
        endpoint: str,
        response: Response,
        rate: Rate,
        retry_after: float | None,
        *,
        token_source: str | None = None,
    ) -> None:
        """Take the endpoint and the source of the token for messages, and `Retry-After`'s seconds."""
        self._token = f"the token from {token_source}" if token_source else "the token"
        self.status = response.status
        self._in_doubt = False
        self.retry_after = retry_after
        self._endpoint = endpoint
        self._location = response.headers.get("location")
        self._rate = rate
        self._body: ErrorBody = read_error(response.body)
        self.correlation_id = self._body.correlation_id or correlation_id(response)

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed later. A 500 may: the documents do not say."""
        waits = {_REQUEST_TIMEOUT, LOCKED, MIGRATING, RATE_LIMITED}
        return self.status in waits or self.status >= 500

    @property
    def leaves_doubt(self) -> bool:
        """Whether a write may have been carried out all the same."""
        return self.status >= 500 or self.status == _REQUEST_TIMEOUT

    @property
    def shortest_wait(self) -> float:
        """Seconds to wait before the same request is sent again."""
        shortest = _SHORTEST_WAITS.get(self.status, 0.0)
        return max(shortest, _USUAL_WAIT if self.retry_after is None else self.retry_after)

    @property
    def policy(self) -> Policy:
        """The policy of a 429: named, or known from a spent daily allowance."""
        named = (self._body.policy_name or "").upper()
        if Policy.DAILY.value in named or (not named and self._rate.daily_remaining == 0):
            return Policy.DAILY
        return Policy.SECONDLY if named == Policy.SECONDLY.value else Policy.ROLLING

    def error(self, *, in_doubt: bool) -> PortalError:
        """The error to raise; one that may pass is an unavailable portal.

        `in_doubt`: a write may have been carried out, by this attempt or an earlier one.
        """
        self._in_doubt = in_doubt
        if self.status == RATE_LIMITED and self.policy is Policy.DAILY:
            return self._make(
                DailyLimitReached,
                "the portal's requests for today are used up",
                "the allowance is full again at midnight in the portal's time zone",
            )
        if self.passes:
            return self._make(PortalUnavailable, f"the portal did not serve {self._endpoint}")
        if 400 <= self.status < 500:
            return self._refusal()
        return self._make(Redirected, f"{self._endpoint} {self._redirection()}")

    def _refusal(self) -> PortalError:
        if self.status == 401:
            return self._make(
                AuthenticationFailed,
                f"HubSpot does not accept {self._token} for {self._endpoint}",
                "it is wrong, expired or revoked, or another one was meant: copy it again from the "
                "page of the service key or private app in HubSpot",
            )
        if self.status == 403:
            return self._missing_scopes()
        kind = EndpointMissing if self.status in _WRONG_ADDRESS else RequestRefused
        return self._make(kind, f"HubSpot refused {self._endpoint}", self._not_found())

    def _missing_scopes(self) -> PortalError:
        scopes = ", ".join(self._body.required_scopes)
        return self._make(
            PermissionMissing,
            f"the token may not use {self._endpoint}"
            + (f"; it lacks one of the scopes {scopes}" if scopes else ""),
            f"grant {scopes or 'the scopes that the README lists'} to the service key in HubSpot: "
            "Development → Keys → Service keys; an existing private app: Settings → Integrations → "
            "Private Apps → the app → Scopes",
        )

    def _not_found(self) -> str | None:
        if self.status != 404:
            return None
        return "check the object types, --api-version and --base-url"

    def _redirection(self) -> str:
        if not 300 <= self.status < 400:
            return "was answered with a status that HTTP does not have"
        host = plain(self._location or "").partition("//")[2].partition("/")[0].rpartition("@")[2]
        where = f" to {host}" if host else ""
        return f"was redirected{where}; redirects are not followed, so that the token stays here"

    def _make(self, kind: type[PortalError], words: str, hint: str | None = None) -> PortalError:
        return kind(
            f"{words}: {self._details()}",
            hint=hint,
            category=self._body.category,
            correlation_id=self.correlation_id,
            may_have_been_written=self._in_doubt,
        )

    def _details(self) -> str:
        category = self._body.category or self._body.policy_name
        said = self._body.message or "no message"
        support = f" [correlation ID {self.correlation_id}]" if self.correlation_id else ""
        return f"HTTP {self.status}{f' {category}' if category else ''}, {said}{support}"
