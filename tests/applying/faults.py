"""Every fault that an apply must survive, each to be played at any one of its requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.http.messages import NoAnswer, NotSent, Response
from tests.applying.traffic import Trouble
from tests.applying.world import TOKEN
from tests.clock import VirtualClock


class Phase(StrEnum):
    """What an apply is doing when the fault strikes."""

    CHECKING = "while checking the plan"
    WRITING = "on a write"
    READING_BACK = "while reading back"


READS = (Phase.CHECKING, Phase.READING_BACK)
EVERYWHERE = tuple(Phase)

MakeTrouble = Callable[[int, VirtualClock], Trouble]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table: variants of a fault at request `{n}`, or from it on.

    `rules` are in the sandbox's fault language, alternatives of each other. `trouble`: what the
    rules cannot say. `breaks_journal`: the disk is full from the n-th request on. `passes`: one
    such answer changes nothing, at whatever request: exit 0.
    """

    name: str
    rules: tuple[str, ...] = ("",)
    phases: tuple[Phase, ...] = EVERYWHERE
    trouble: MakeTrouble | None = None
    breaks_journal: bool = False
    stops: bool = False
    passes: bool = False

    def faults(self, number: int, variant: int) -> tuple[str, ...]:
        """The rules for the request of this number, from 1."""
        rule = self.rules[variant % len(self.rules)]
        return (rule.format(n=number),) if rule else ()

    @property
    def is_placed(self) -> bool:
        """Whether it strikes at a certain request."""
        return "{n}" in self.rules[0] or self.trouble is not None or self.breaks_journal

    def __str__(self) -> str:
        return self.name


# ---------------------------------------------------------------- what the rules cannot say


class Refusing(Trouble):
    """Nobody listens, for these requests."""

    def __init__(self, numbers: range) -> None:
        self._numbers = numbers

    def before(self, number: int) -> None:
        if number in self._numbers:
            raise NotSent("no connection could be made (connection refused)")


class Garbling(Trouble):
    """A success whose body is another."""

    def __init__(self, number: int, garble: Callable[[bytes], bytes]) -> None:
        self._number = number
        self._garble = garble

    def after(self, number: int, response: Response) -> Response:
        if number != self._number or not 200 <= response.status < 300:
            return response
        return Response(response.status, response.headers, self._garble(response.body))


class Nonsense(Trouble):
    """A success that somebody else sends, who keeps the request from the portal."""

    BODIES = (b"{not json", b"", b"[]", b"null", b"<html>login</html>", b'{"status":7}', b"\xff")

    def __init__(self, number: int) -> None:
        self._number = number

    def instead(self, number: int) -> Response | None:
        if number != self._number:
            return None
        return Response(200, {}, self.BODIES[number % len(self.BODIES)])


class Losing(Trouble):
    """The connection breaks in the middle of an answer, for these requests."""

    def __init__(self, numbers: range) -> None:
        self._numbers = numbers

    def after(self, number: int, response: Response) -> Response:
        if number in self._numbers:
            raise NoAnswer("the connection broke (incomplete answer)")
        return response


class Stopping(Trouble):
    """A signal arrives while this request is under way, or right before the next one."""

    def __init__(self, number: int, clock: VirtualClock) -> None:
        self._number = number
        self._clock = clock

    def before(self, number: int) -> None:
        if number == self._number:
            self._clock.stop.request()


class Echoing(Trouble):
    """An error that repeats the token in every field and header it has."""

    def __init__(self, number: int) -> None:
        self._number = number

    def instead(self, number: int) -> Response | None:
        if number != self._number:
            return None
        body = (
            f'{{"status":"error","message":"who is {TOKEN}?","category":"{TOKEN}",'
            f'"correlationId":"{TOKEN}","errors":[{{"message":"{TOKEN}"}}]}}'
        )
        headers = {"x-hubspot-correlation-id": TOKEN, "location": f"https://x/{TOKEN}"}
        return Response(400, headers, body.encode())


def once(number: int) -> range:
    """The request of this number."""
    return range(number, number + 1)


def from_then_on(number: int) -> range:
    """The request of this number and all after it."""
    return range(number, 1_000_000)


# ---------------------------------------------------------------- the rows

_SERVER_ERRORS = (500, 502, 503, 504, 521, 522, 523, 524)
_BODIES = ("json", "html", "empty", "cut", "short")


def _server_errors(when: str, more: str = "") -> tuple[str, ...]:
    return tuple(
        f"any#{when}:{code},body={body}{more}" for body in _BODIES for code in _SERVER_ERRORS
    )


ONCE = (
    Fault(
        "429, with and without `Retry-After`",
        (
            "any#{n}:429",
            "any#{n}:429,policy=SECONDLY",
            "any#{n}:429,retry-after=2",
            "any#{n}:429,policy=SECONDLY,retry-after=0",
            "any#{n}:429,body=html",
            "any#{n}:429,body=empty",
        ),
        passes=True,
    ),
    Fault("429 `DAILY`", ("any#{n}:429,policy=DAILY",)),
    Fault("423 locked", ("any#{n}:423", "any#{n}:423,retry-after=3"), passes=True),
    Fault("477 migration, `Retry-After` of seconds", ("any#{n}:477,retry-after=3",), passes=True),
    Fault("477 migration, `Retry-After` of a day", ("any#{n}:477,retry-after=86400",)),
    Fault(
        "500, 502–504, 521–524 with a JSON, HTML, empty or cut body",
        _server_errors("{n}"),
        passes=True,
    ),
    Fault(
        "the same, and the write took effect",
        _server_errors("{n}", ",wrote=yes"),
        (Phase.WRITING,),
        passes=True,
    ),
    Fault("connection refused", trouble=lambda n, _: Refusing(once(n)), passes=True),
    Fault("connection dropped before the write took effect", ("any#{n}:drop",), passes=True),
    Fault(
        "connection dropped after it took effect",
        ("any#{n}:drop,wrote=yes",),
        (Phase.WRITING,),
        passes=True,
    ),
    Fault("connection broken within the answer", trouble=lambda n, _: Losing(once(n)), passes=True),
    Fault("no answer in time", ("any#{n}:hang,seconds=600",), passes=True),
    Fault(
        "no answer in time, and the write took effect",
        ("any#{n}:hang,seconds=600,wrote=yes", "any#{n}:delay,seconds=600"),
        (Phase.WRITING,),
        passes=True,
    ),
    Fault("a slow answer", ("any#{n}:delay,seconds=3", "any#{n}:trickle,seconds=3"), passes=True),
    Fault(
        "2xx with a cut body", trouble=lambda n, _: Garbling(n, lambda body: body[:20]), passes=True
    ),
    Fault(
        "2xx with an HTML body",
        trouble=lambda n, _: Garbling(n, lambda _: b"<html>login</html>"),
        passes=True,
    ),
    Fault("2xx with an empty body", trouble=lambda n, _: Garbling(n, lambda _: b""), passes=True),
    Fault("2xx with other JSON", trouble=lambda n, _: Garbling(n, lambda _: b"[]"), passes=True),
    Fault("2xx with nonsense, and nothing was done", trouble=lambda n, _: Nonsense(n), passes=True),
    Fault(
        "2xx with 50 MB", ("any#{n}:huge,mb=50", "any#{n}:huge,mb=50,framing=length"), passes=True
    ),
    Fault("2xx `CANCELED`", ("any#{n}:cancel",), (Phase.WRITING,)),
    Fault(
        "2xx `PENDING`, visible later", ("any#{n}:pend,seconds=4",), (Phase.WRITING,), passes=True
    ),
    Fault("2xx `PENDING`, never visible", ("any#{n}:pend",), (Phase.WRITING,), passes=True),
    Fault("2xx as if written, and nothing was", ("any#{n}:lose",), (Phase.WRITING,), passes=True),
    Fault(
        "2xx without the rows that were written",
        ("any#{n}:omit,types=3+16+28+29+30+31+32+40+41+42+50+51+52+60+279+280",),
        (Phase.WRITING,),
        passes=True,
    ),
    Fault(
        "2xx, another value stored",
        ("any#{n}:alter,type=28,as=4", "any#{n}:alter,type=50,as=4", "any#{n}:alter,type=16,as=8"),
        (Phase.WRITING,),
    ),
    Fault(
        "207, some inputs refused",
        ("any#{n}:part,inputs=1", "any#{n}:part,inputs=2"),
        (Phase.WRITING,),
    ),
    Fault(
        "400, and the write took effect at once or some seconds later",
        ("any#{n}:400,wrote=yes", "any#{n}:400,wrote=4", "any#{n}:409,wrote=8"),
        (Phase.WRITING,),
    ),
    Fault("400 for the whole batch", ("any#{n}:400", "any#{n}:400,body=empty")),
    Fault("400 that repeats the token", trouble=lambda n, _: Echoing(n)),
    Fault("401", ("any#{n}:401",)),
    Fault("403", ("any#{n}:403,scopes=crm.objects.contacts.write", "any#{n}:403,body=html")),
    Fault(
        "404 or 405",
        ("any#{n}:404", "any#{n}:404,body=html", "any#{n}:405", "any#{n}:405,body=empty"),
    ),
    Fault(
        "a redirect",
        ("any#{n}:redirect,to=https://elsewhere.test/x", "any#{n}:redirect,to=/x,code=302"),
    ),
    Fault("a reading that lags by 5 s", ("any#{n}:lag,seconds=5",), READS, passes=True),
    Fault("rows with null limits", ("any#{n}:nulls",), READS, passes=True),
    Fault(
        "a read answered 202, 204, 206 or 207",
        ("any#{n}:202", "any#{n}:204,body=empty", "any#{n}:206", "any#{n}:207"),
        READS,
        passes=True,
    ),
    Fault("rows without their label", ("any#{n}:omit,keys=label",), READS, passes=True),
    Fault(
        "a row that this version does not know",
        (
            "any#{n}:row,type=999,category=LATER_DEFINED,max=5",
            "any#{n}:row,type=998,category=USER_DEFINED,label=New,max=0",
            "any#{n}:row,type=998,category=USER_DEFINED,label=New,max=5.0",
        ),
        READS,
        passes=True,
    ),
    Fault("rate headers: nothing remains", ("any#{n}:rate,max=100,remaining=0",), passes=True),
    Fault(
        "somebody edits a limit of the plan in HubSpot",
        (
            "any#{n}:edit,from=contacts,to=contacts,type=50,max=9",
            "any#{n}:edit,from=contacts,to=contacts,type=52,max=6",
        ),
    ),
    Fault(
        "SIGINT or SIGTERM while the request is under way",
        trouble=Stopping,
        stops=True,
    ),
    Fault(
        "SIGINT or SIGTERM while a retry is waited for",
        ("any#{n}:503", "any#{n}:drop,wrote=yes", "any#{n}:423"),
        trouble=Stopping,
        stops=True,
    ),
)
"""Faults that strike one request."""

LASTING = (
    Fault("429", ("any#{n}-:429", "any#{n}-:429,policy=SECONDLY", "any#{n}-:429,retry-after=3")),
    Fault("429 `DAILY`", ("any#{n}-:429,policy=DAILY",)),
    Fault("423 or 477", ("any#{n}-:423", "any#{n}-:477,retry-after=2")),
    Fault("500, 502–504, 521–524", _server_errors("{n}-")),
    Fault(
        "the same, and writes take effect", _server_errors("{n}-", ",wrote=yes"), (Phase.WRITING,)
    ),
    Fault("connection refused", trouble=lambda n, _: Refusing(from_then_on(n))),
    Fault("connections dropped before writes take effect", ("any#{n}-:drop",)),
    Fault(
        "connections dropped after they took effect", ("any#{n}-:drop,wrote=yes",), (Phase.WRITING,)
    ),
    Fault("connections broken within the answer", trouble=lambda n, _: Losing(from_then_on(n))),
    Fault(
        "no answer in time", ("any#{n}-:hang,seconds=600", "any#{n}-:hang,seconds=600,wrote=yes")
    ),
    Fault("401", ("any#{n}-:401",)),
    Fault("403", ("any#{n}-:403",)),
    Fault("403 for writes only", ("write#{n}-:403",), (Phase.WRITING,)),
    Fault("404 or 405", ("any#{n}-:404", "any#{n}-:405")),
    Fault("a redirect", ("any#{n}-:redirect,to=https://elsewhere.test/x",)),
    Fault("2xx with 50 MB", ("any#{n}-:huge,mb=50",)),
    Fault("2xx `CANCELED`", ("any#{n}-:cancel",), (Phase.WRITING,)),
    Fault("2xx `PENDING`, visible later", ("any#{n}-:pend,seconds=2",), (Phase.WRITING,)),
    Fault("2xx `PENDING`, never visible", ("any#{n}-:pend",), (Phase.WRITING,)),
    Fault("2xx as if written, and nothing is", ("any#{n}-:lose",), (Phase.WRITING,)),
    Fault(
        "400 for every batch with one of two types", ("any:refuse,types=28+41",), (Phase.WRITING,)
    ),
    Fault("readings that lag by 5 s", ("any#{n}-:lag,seconds=5",)),
    Fault("readings that lag by 5 minutes", ("any#{n}-:lag,seconds=300",)),
    Fault(
        "readings that alternate between old and new for some seconds",
        (
            "any#{n}-:flap,seconds=4",
            "any#{n}-:flap,seconds=4,first=new",
            "any#{n}-:flap,reads=5,first=new",
        ),
    ),
    Fault("readings that alternate for ever", ("any#{n}-:flap", "any#{n}-:flap,first=new")),
    Fault("rows with null limits", ("any#{n}-:nulls",)),
    Fault("rows without their label", ("any#{n}-:omit,keys=label",)),
    Fault("no space left for the journal", breaks_journal=True),
)
"""Faults that last from one request on."""
