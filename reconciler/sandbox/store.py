"""A portal in a JSON file, replaced as one with every write, before the write is answered."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from .portal import Direction, Portal
from .seed import SeedError, direction_document, portal_document, portal_from

# Marks a state file, so that no other JSON document, such as a seed, is ever overwritten.
_KIND = "reconciler sandbox state"

_SQLITE = b"SQLite format 3\0"


class StoreError(Exception):
    """The state file cannot be used; the message says why."""


class JsonStore:
    """One portal in one file. Used by one thread at a time.

    The file is a seed document with a `kind` of its own. It is replaced by a complete one, so that
    whenever the process is killed, it holds the portal before or after a write.
    """

    def __init__(self, path: Path) -> None:
        # Through a symbolic link: the link stays, and the file that it leads to is replaced.
        self._path = Path(os.path.realpath(path))
        self._head = ""
        self._types: dict[Direction, str] = {}
        self._usage: dict[Direction, str] = {}

    def load(self) -> Portal | None:
        """The portal of the file; None when it is absent or empty. Raises StoreError."""
        content = self._content()
        if not content:
            return None
        if content.startswith(_SQLITE):
            raise self._error(
                "it is an SQLite database, the format of earlier versions. "
                "Choose another file, or delete this one to start anew"
            )
        try:
            document = json.loads(content)
            if not isinstance(document, dict) or document.pop("kind", None) != _KIND:
                raise self._error("it does not hold a sandbox's state")
            return portal_from(document)
        except (SeedError, ValueError, RecursionError) as error:
            raise self._error(str(error)) from error

    def save(self, portal: Portal, directions: Iterable[Direction]) -> None:
        """Keep what changed in these directions; on return the file has it. Raises StoreError."""
        # Each direction is encoded once, since a write changes one or two of some hundreds.
        for direction in directions:
            document = direction_document(direction, portal.directions[direction])
            for rows, key in ((self._types, "types"), (self._usage, "usage")):
                rows[direction] = json.dumps(document[key])[1:-1]
        types, usage = (
            ",\n".join(rows[direction] for direction in portal.directions if rows[direction])
            for rows in (self._types, self._usage)
        )
        text = f'{self._head[:-1]},\n"types": [\n{types}\n],\n"usage": [\n{usage}\n]}}\n'
        try:
            self._replace(text.encode())
        except OSError as error:
            raise self._error(str(error)) from error

    def save_all(self, portal: Portal) -> None:
        """Keep this portal in place of any other; on return the file has it. Raises StoreError."""
        self._head = json.dumps({"kind": _KIND, **portal_document(portal)})
        self._types.clear()
        self._usage.clear()
        self.save(portal, portal.directions)

    def _content(self) -> bytes:
        try:
            if not stat.S_ISREG(self._path.stat().st_mode):
                raise self._error("it is not a file")
            return self._path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise self._error(str(error)) from error

    def _replace(self, content: bytes) -> None:
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _error(self, reason: str) -> StoreError:
        return StoreError(f"{self._path} cannot be used as a state file: {reason}.")
