"""A comment's hidden first line: what the comment is about, and which run of the CI wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote, unquote

_MARKER = re.compile(r"<!-- reconciler (workspace=\S* portal=\S*)(?: ([^<>\n]*))?-->")
_LONGEST_NAME = 120
USUAL_WORKSPACE = "reconciler.yaml"
"""The one at the repository's top, which most repositories have, and no other."""

Fields = Mapping[str, str]
"""What a comment's hidden first line says besides its key, by name."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a comment is about: a portal of a workspace file, by its path from the top.

    `workspace` None: there is no workspace file. `portal` None: the workspace as such, where it
    could not be read.
    """

    workspace: str | None
    portal: str | None

    @property
    def marker(self) -> str:
        """As the hidden first line of the comment has it."""
        return f"workspace={_marked(self.workspace)} portal={_marked(self.portal)}"

    @classmethod
    def of(cls, marker: str) -> Key | None:
        """The key of a first line; None where a name in it is shortened, or nobody writes it so."""
        workspace, portal = (word.partition("=")[2] for word in marker.split(" "))
        if "~" in workspace + portal:
            return None
        found = cls(unquote(workspace) or None, unquote(portal) or None)
        return found if found.marker == marker else None

    def digest_line(self, digest: str) -> str:
        """A line of the file of digests. The workspace is named where it is not the usual one."""
        usual = self.workspace in {None, USUAL_WORKSPACE}
        return f"{self.portal} {digest}" + ("" if usual else f" {_marked(self.workspace)}")


def _marked(name: str | None) -> str:
    """A name without spaces and angle brackets; a long one by its beginning and its hash."""
    if name is None:
        return ""
    marked = _quoted(name)
    if len(marked) <= _LONGEST_NAME:
        return marked
    return f"{marked[:_LONGEST_NAME]}~{sha256(marked.encode()).hexdigest()}"


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="/:,").replace("~", "%7E")


@dataclass(frozen=True, slots=True)
class Run:
    """The run of the CI that made a report. `commit`: the pushed commit that it is about.

    `order` grows from run to run and from attempt to attempt; it is empty where nothing says it.
    """

    commit: str | None = None
    order: tuple[int, ...] = ()

    def is_older_than(self, other: Run) -> bool:
        """Whether the other run began later, for another commit.

        Of two runs for one commit the one that ends later has read the portal later.
        """
        is_same = self.commit is not None and self.commit == other.commit
        return bool(self.order) and self.order < other.order and not is_same

    @property
    def fields(self) -> Fields:
        """As a comment's first line has them."""
        order = ".".join(map(str, self.order))
        return {"commit": self.commit or "", "run": order}

    @classmethod
    def of(cls, fields: Fields) -> Run:
        """What a comment's first line says of the run; nothing where a person edited it."""
        parts = fields.get("run", "").split(".")
        numbers = all(part.isascii() and part.isdecimal() and len(part) < 20 for part in parts)
        order = tuple(map(int, parts)) if numbers else ()
        return cls(fields.get("commit") or None, order)


NO_RUN = Run()
"""Where no variable of a CI says anything, as on somebody's own machine."""


@dataclass(frozen=True, slots=True)
class Marker:
    """The first line: the key, and fields by name. A reader passes over those it does not know."""

    key: str
    fields: Fields

    @classmethod
    def of(cls, body: str) -> Marker | None:
        """The marker that a comment begins with.

        One anywhere else is a quotation, or somebody's attempt at one.
        """
        found = _MARKER.match(body)
        if found is None:
            return None
        parts = [word.partition("=") for word in (found[2] or "").split()]
        return cls(found[1], {name: unquote(value) for name, _, value in parts})

    def __str__(self) -> str:
        words = [f"{name}={_quoted(value)}" for name, value in self.fields.items() if value]
        return f"<!-- reconciler {' '.join([self.key, *words])} -->"
