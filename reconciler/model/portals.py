"""What portals have: limits by names that hold in every portal, and how two portals differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.limits import Account, AssociationType, Category, Direction, Place
from reconciler.model.plan import LimitUsage


@dataclass(frozen=True, slots=True, order=True)
class LimitName:
    """What a limit is called in every portal. `label` None: the object limit.

    `category` None: it does not count, as of the unlabelled type.
    """

    from_: str
    to: str
    label: str | None
    category: Category | None

    def __str__(self) -> str:
        return f"{self.from_} → {self.to}: {self.label or 'object limit'}"

    @property
    def direction(self) -> tuple[str, str]:
        return (self.from_, self.to)


class Side(StrEnum):
    """One of the two portals."""

    A = "a"
    B = "b"


class Lacking(StrEnum):
    """What has to be made in a portal before it can have a limit.

    `unknown`: the portal's custom objects cannot be read, so it may have the limit all the same.
    """

    OBJECT_TYPE = "object type"
    LABEL = "label"
    UNKNOWN = "unknown"


NO_SUCH_TYPE = "has no such object type"
MAY_HAVE_IT = "may have it: its custom objects cannot be read"


@dataclass(frozen=True, slots=True)
class Difference:
    """A limit that the two portals do not share. `a` or `b` None: no limit there.

    `lacking`: what the portal without the limit has not got either; a limit needs it.
    """

    name: LimitName
    a: int | None
    b: int | None
    lacking: Lacking | None = None

    @property
    def missing_in(self) -> Side | None:
        """The portal that has no such limit; None where both have one."""
        if self.a is not None and self.b is not None:
            return None
        return Side.A if self.a is None else Side.B


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A limit of the first portal that no file can carry to the second one; None: its absence."""

    name: LimitName
    value: int | None
    why: str


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file with limits of the first portal; `is_new` False: it was there and said the same."""

    path: str
    limits: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What was written so that a plan makes the second portal like the first one."""

    files: tuple[WrittenFile, ...]
    left_out: tuple[LeftOut, ...]
    next_step: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two portals by their names in the workspace, and every limit that they do not share.

    `unplaced`: limits whose direction could not be found, in words, by portal.
    """

    names: tuple[str, str]
    accounts: tuple[Account, Account]
    differences: tuple[Difference, ...]
    shared: int
    unplaced: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    written: Written | None = None


class Standing(StrEnum):
    """What the configuration says of a limit that is in force."""

    MANAGED = "managed"
    """The files name it, or their direction removes what they do not name."""
    UNMANAGED = "unmanaged"
    """Its direction is declared, and the limit is neither named nor removed."""
    UNCOVERED = "uncovered"
    """No file declares its direction."""


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """A limit that a portal has. `wanted`: what the files want of a managed one, None for none."""

    direction: Direction
    type: AssociationType
    max: int
    standing: Standing
    wanted: int | None = None
    source: Place | None = None

    @property
    def is_as_wanted(self) -> bool:
        """Whether a plan would leave it as it is."""
        return self.standing is not Standing.MANAGED or self.wanted == self.max


@dataclass(frozen=True)
class PortalStatus:
    """The limits in force in a portal. `usage` None: unknown, and `notes` say why; else
    of the directions that have records at or near their limit.

    `unplaced`: limits whose direction could not be found, in words.
    """

    name: str
    account: Account
    limits: tuple[LimitInForce, ...]
    usage: tuple[LimitUsage, ...] | None
    unplaced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def count(self, standing: Standing) -> int:
        """How many limits stand so."""
        return sum(each.standing is standing for each in self.limits)
