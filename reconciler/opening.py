r"""How files are opened on every system, and what of a file's owner and mode a system knows.

Flags that a system lacks are left out. Windows needs O_BINARY: its C library else writes `\r\n` for
`\n` and ends reading at Ctrl-Z.
"""

from __future__ import annotations

import os
from typing import Final


def _flags(*names: str) -> int:
    found = 0
    for name in ("O_BINARY", "O_CLOEXEC", *names):
        found |= getattr(os, name, 0)
    return found


READING: Final = os.O_RDONLY | _flags("O_NONBLOCK", "O_NOCTTY")
"""Waits for nobody: opening a pipe or a device may never end."""

READING_NO_LINK: Final = READING | _flags("O_NOFOLLOW")

WRITING: Final = os.O_WRONLY | _flags("O_NOCTTY")

APPENDING: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | _flags("O_NONBLOCK")

HAS_MODES: Final = hasattr(os, "geteuid")
"""Whether files have an owner and mode bits that say who may read them; Windows has neither."""


def set_mode(descriptor: int, mode: int) -> None:
    """Give an open file its mode, where it can have one."""
    if HAS_MODES:
        os.fchmod(descriptor, mode)


def is_own(owner: int) -> bool:
    """Whether a file of this owner belongs to who runs the command."""
    return not HAS_MODES or owner == os.geteuid()
