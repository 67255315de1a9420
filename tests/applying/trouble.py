"""What goes wrong between the tool and the portal, and a transport that keeps what it carried."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.http.messages import NotSent, Request, Response, Transport


@dataclass(frozen=True, slots=True)
class Delivered:
    """A request of the client and the answer as the client had it; None: it had none.

    `left` False: no byte of the request ever left. `asked` and `answered` in seconds of the clock.
    """

    request: Request
    response: Response | None
    left: bool
    asked: float = 0.0
    answered: float = 0.0


class Trouble:
    """What goes wrong on the way to the portal and back; by itself nothing does."""

    def before(self, number: int) -> None:
        """The request of this number, from 1, is about to leave; may raise to keep it."""

    def instead(self, number: int) -> Response | None:
        """An answer from somebody else, who keeps the request from the portal; None: nobody."""

    def after(self, number: int, response: Response) -> Response:  # noqa: ARG002 - for subclasses
        """The answer as it arrives; may raise to lose it."""
        return response


class Recorder:
    """Numbers the requests, lets trouble happen to them, and keeps what came of each."""

    def __init__(
        self,
        inner: Transport,
        trouble: Trouble | None = None,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.delivered: list[Delivered] = []
        self._inner = inner
        self._trouble = trouble or Trouble()
        self._now = now
        self._number = 0
        self._lock = threading.Lock()

    def send(self, request: Request, seconds: float) -> Response:
        """Carry the request, unless trouble keeps it."""
        with self._lock:
            self._number += 1
            number = self._number
        response: Response | None = None
        left, asked = True, self._now()
        try:
            self._trouble.before(number)
            answer = self._trouble.instead(number) or self._inner.send(request, seconds)
            response = self._trouble.after(number, answer)
            return response
        except NotSent:
            left = False
            raise
        finally:
            self.delivered.append(Delivered(request, response, left, asked, self._now()))

    def close(self) -> None:
        self._inner.close()
