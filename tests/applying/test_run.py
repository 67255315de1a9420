"""After which errors no further write makes sense."""

from __future__ import annotations

import pytest

from reconciler.applying.run import Halt, ends_the_run
from reconciler.errors import (
    AnswerNotSupported,
    AnswerNotUnderstood,
    AuthenticationFailed,
    DailyLimitReached,
    EndpointMissing,
    Interrupted,
    PermissionMissing,
    PortalUnavailable,
    ReconcilerError,
    Redirected,
    RequestRefused,
)


@pytest.mark.parametrize(
    "error",
    [
        Interrupted(),
        AuthenticationFailed("no"),
        DailyLimitReached("no"),
        PortalUnavailable("no connection"),
        PortalUnavailable("no answer", may_have_been_written=True),
        PortalUnavailable("locked"),
        Redirected("redirected"),
        ReconcilerError("the journal is full"),
    ],
)
def test_what_concerns_all_directions_ends_the_run(error: ReconcilerError) -> None:
    """Another direction would meet the same."""
    halt = Halt()
    halt.after(error)
    assert ends_the_run(error)
    assert halt.reason == error.message


@pytest.mark.parametrize(
    "error",
    [
        RequestRefused("no"),
        EndpointMissing("no"),
        PermissionMissing("no"),
        AnswerNotUnderstood("nonsense", may_have_been_written=True),
        AnswerNotSupported("several pages"),
    ],
)
def test_what_concerns_one_request_does_not(error: ReconcilerError) -> None:
    """The other directions go through."""
    halt = Halt()
    halt.after(error)
    assert halt.reason is None


def test_the_first_reason_stays() -> None:
    """What follows from it is no news."""
    halt = Halt()
    halt.because("first")
    halt.because("second")
    assert halt.reason == "first"
